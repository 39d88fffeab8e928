#[derive(rest_runtime::RestResource)]
#[rest(access(read = "title = "))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
