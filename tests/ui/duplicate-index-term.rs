#[derive(rest_runtime::RestResource)]
#[rest(index(title, -title), access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
