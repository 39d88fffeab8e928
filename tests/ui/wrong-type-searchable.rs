#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(searchable)]
    views: i32,
}

fn main() {}
