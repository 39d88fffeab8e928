#[derive(rest_runtime::RestResource)]
#[rest(access(read = "scope(posts)"))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
