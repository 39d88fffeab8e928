#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, change = public, delete = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
