#[derive(rest_runtime::RestResource)]
#[rest(unique(title), access(read = public))]
struct Post {
    id: i64,
    #[rest(unique)]
    title: String,
}

fn main() {}
