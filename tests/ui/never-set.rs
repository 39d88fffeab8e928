#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(readonly)]
    seen: rest_runtime::types::Timestamp,
}

fn main() {}
