#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
}

#[derive(rest_runtime::RestService)]
#[rest(name = "blog", tokens(lifetime = "2d", max_lifetime = "1d"))]
struct Blog {
    posts: Post,
}

fn main() {}
