#[derive(rest_runtime::RestEnum, Clone, Copy)]
enum Status {
    #[rest(nam = "draft")]
    Draft,
}

fn main() {}
