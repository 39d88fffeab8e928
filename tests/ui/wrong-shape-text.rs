#[derive(rest_runtime::RestResource)]
#[rest(table = 5, access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
