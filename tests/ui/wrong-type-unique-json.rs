#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(unique)]
    extra: rest_runtime::types::Json,
}

fn main() {}
