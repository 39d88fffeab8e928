#[derive(rest_runtime::RestResource)]
#[rest(key = cod, access(read = public))]
struct Post {
    code: String,
}

fn main() {}
