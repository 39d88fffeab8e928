#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(length = 1..=9)]
    views: i32,
}

fn main() {}
