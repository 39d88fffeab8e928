struct Post {
    id: i64,
}

#[derive(rest_runtime::RestService)]
#[rest(name = "blog")]
struct Blog {
    posts: Post,
}

fn main() {}
