#[derive(rest_runtime::RestEnum)]
struct Status {
    draft: bool,
}

fn main() {}
