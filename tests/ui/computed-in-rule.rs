#[derive(rest_runtime::RestResource)]
#[rest(access(read = "size > 3"))]
struct Post {
    id: i64,
    title: String,
    #[rest(computed = "length(title)")]
    size: i64,
}

fn main() {}
