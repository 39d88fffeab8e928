#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i32,
    title: String,
}

fn main() {}
