#[derive(rest_runtime::RestEnum, Clone, Copy)]
struct Status {
    draft: bool,
}

fn main() {}
