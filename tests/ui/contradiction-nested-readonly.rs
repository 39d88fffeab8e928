#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Comment {
    id: i64,
    #[rest(belongs_to = Post, inverse(name = comments, nested), readonly)]
    post_id: Option<i64>,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
