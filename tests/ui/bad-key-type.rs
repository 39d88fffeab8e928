#[derive(rest_runtime::RestResource)]
#[rest(key = body, access(read = public))]
struct Post {
    #[rest(type = text)]
    body: String,
}

fn main() {}
