#[derive(rest_runtime::RestResource)]
#[rest(access(read = "title = null"))]
struct Post {
    id: i64,
    title: String,
    views: i32,
}

fn main() {}
