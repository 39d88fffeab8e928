#[derive(rest_runtime::RestResource)]
#[rest(index(size), access(read = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(computed = "length(title)")]
    size: i64,
}

fn main() {}
