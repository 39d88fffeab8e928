#[derive(rest_runtime::RestResource)]
#[rest(sort(a, b, -c, d), access(read = public))]
struct Post {
    id: i64,
    a: String,
    b: String,
    c: String,
    d: String,
}

fn main() {}
