#[derive(rest_runtime::RestResource)]
#[rest(version = title, access(read = public, change = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
