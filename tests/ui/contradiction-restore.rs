#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, delete = public, restore = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
