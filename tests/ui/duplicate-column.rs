#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(column = "Title")]
    name: String,
}

fn main() {}
