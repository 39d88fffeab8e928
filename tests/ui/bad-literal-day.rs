#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(deprecated(since = "soon"))]
    title: String,
}

fn main() {}
