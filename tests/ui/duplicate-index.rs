#[derive(rest_runtime::RestResource)]
#[rest(index(title), access(read = public))]
struct Post {
    id: i64,
    #[rest(index)]
    title: String,
}

fn main() {}
