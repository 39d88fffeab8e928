#[derive(rest_runtime::RestResource)]
#[rest(table = "rest_tokens", access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
