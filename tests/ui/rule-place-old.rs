#[derive(rest_runtime::RestResource)]
#[rest(access(read = "old.title = title"))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
