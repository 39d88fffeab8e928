#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(type = url, example = "not a url")]
    site: String,
}

fn main() {}
