#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Tag {
    id: i64,
    #[rest(inverse(name = tags, nested))]
    posts: rest_runtime::types::ManyToMany<Post>,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
