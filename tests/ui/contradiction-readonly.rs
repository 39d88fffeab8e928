#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(readonly, default = now, writable = "id = 1")]
    seen: rest_runtime::types::Timestamp,
}

fn main() {}
