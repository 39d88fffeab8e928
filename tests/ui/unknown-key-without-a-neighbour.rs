#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(zebra = 1)]
    title: String,
}

fn main() {}
