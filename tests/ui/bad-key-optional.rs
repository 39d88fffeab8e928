#[derive(rest_runtime::RestResource)]
#[rest(key = code, access(read = public))]
struct Post {
    code: Option<String>,
}

fn main() {}
