#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
}

#[derive(rest_runtime::RestService)]
#[rest(name = "blog")]
#[rest(jwt(issuer = "i", audience = "blog", keys = "http://login.example.com/keys", algorithms(RS265, HS256)))]
struct Blog {
    posts: Post,
}

fn main() {}
