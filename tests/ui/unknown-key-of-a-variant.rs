#[derive(rest_runtime::RestEnum)]
enum Status {
    #[rest(nam = "draft")]
    Draft,
}

fn main() {}
