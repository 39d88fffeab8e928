#[derive(rest_runtime::RestEnum)]
enum Status {
    Draft,
}

fn main() {}
