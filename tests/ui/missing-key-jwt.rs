#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
}

#[derive(rest_runtime::RestService)]
#[rest(name = "blog", jwt(keys = "jwks.json"))]
struct Blog {
    posts: Post,
}

fn main() {}
