#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(type = varchar)]
    title: String,
}

fn main() {}
