#[derive(rest_runtime::RestResource)]
#[rest(index(unique, where = "title is not null"), access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
