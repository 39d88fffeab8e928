#[derive(rest_runtime::RestEnum, Clone, Copy)]
enum Status {
    Draft,
    Published(i64),
}

fn main() {}
