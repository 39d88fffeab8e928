#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(searchable, readable = "title = 'open'")]
    note: String,
}

fn main() {}
