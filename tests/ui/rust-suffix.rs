#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(range = 0..=9i32)]
    views: i32,
}

fn main() {}
