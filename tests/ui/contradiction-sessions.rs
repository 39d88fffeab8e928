#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
}

#[derive(rest_runtime::RestService)]
#[rest(name = "blog", sessions(idle = "15d", flask(cookie = "a b")))]
struct Blog {
    posts: Post,
}

fn main() {}
