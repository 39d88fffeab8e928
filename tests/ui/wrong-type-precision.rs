#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(precision = 8)]
    views: i32,
}

fn main() {}
