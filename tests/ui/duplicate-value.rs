#[derive(rest_runtime::RestEnum, Clone, Copy)]
enum Status {
    Draft,
    #[rest(name = "draft")]
    Sketch,
}

fn main() {}
