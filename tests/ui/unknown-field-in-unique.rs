#[derive(rest_runtime::RestResource)]
#[rest(unique(title, dai), access(read = public))]
struct Post {
    id: i64,
    title: String,
    day: rest_runtime::types::Date,
}

fn main() {}
