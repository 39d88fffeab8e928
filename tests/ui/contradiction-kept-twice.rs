#[derive(rest_runtime::RestResource)]
#[rest(timestamps(created = at, updated = at), access(read = public, change = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
