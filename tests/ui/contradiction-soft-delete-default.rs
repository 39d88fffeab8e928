#[derive(rest_runtime::RestResource)]
#[rest(soft_delete = gone, access(read = public, delete = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(default = now)]
    gone: rest_runtime::types::Timestamp,
}

fn main() {}
