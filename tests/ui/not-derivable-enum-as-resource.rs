#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
enum Post {
    Draft,
}

fn main() {}
