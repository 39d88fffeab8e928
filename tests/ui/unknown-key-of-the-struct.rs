#[derive(rest_runtime::RestResource)]
#[rest(colection = "posts", access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
