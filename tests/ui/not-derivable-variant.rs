#[derive(rest_runtime::RestEnum)]
enum Status {
    Draft,
    Published(i64),
}

fn main() {}
