#[derive(rest_runtime::RestResource)]
#[rest(version = changes, access(read = public, change = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(readonly = false)]
    changes: i32,
}

fn main() {}
