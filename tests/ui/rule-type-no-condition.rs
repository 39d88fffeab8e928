#[derive(rest_runtime::RestResource)]
#[rest(access(read = "views + 1"))]
struct Post {
    id: i64,
    title: String,
    views: i32,
}

fn main() {}
