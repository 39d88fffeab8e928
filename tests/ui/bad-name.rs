#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(name = "first-name")]
    name: String,
}

fn main() {}
