#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(api_name = "the title")]
    title: String,
}

fn main() {}
