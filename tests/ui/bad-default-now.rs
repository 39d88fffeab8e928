#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(default = now)]
    views: i32,
}

fn main() {}
