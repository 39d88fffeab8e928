#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(pattern = "^[a-z]+$", default = "A1")]
    code: String,
}

fn main() {}
