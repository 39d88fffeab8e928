#[derive(rest_runtime::RestResource)]
#[rest(access = public)]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
