#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(api_name = "title")]
    name: String,
}

fn main() {}
