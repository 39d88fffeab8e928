#[derive(rest_runtime::RestResource)]
#[rest(where = "is_opn", access(read = "title != ''", create = public, change = public))]
struct Post {
    id: i64,
    title: String,
    is_open: bool,
}

fn main() {}
