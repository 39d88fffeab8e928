#[derive(rest_runtime::RestEnum)]
enum Status {
    Draft,
    #[rest(name = "draft")]
    Sketch,
}

fn main() {}
