#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(range = 0.., default = -1)]
    views: i32,
}

fn main() {}
