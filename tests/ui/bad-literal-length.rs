#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(length = ..=3, default = "long")]
    code: String,
}

fn main() {}
