#[derive(rest_runtime::RestResource)]
#[rest(key(code, code), access(read = public))]
struct Post {
    code: String,
}

fn main() {}
