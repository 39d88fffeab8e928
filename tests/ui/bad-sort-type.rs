#[derive(rest_runtime::RestResource)]
#[rest(sort = extra, access(read = public))]
struct Post {
    id: i64,
    extra: rest_runtime::types::Json,
}

fn main() {}
