#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    title: String,
}

fn main() {}
