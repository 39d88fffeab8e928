#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Tag {
    id: i64,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    tags: Option<rest_runtime::types::ManyToMany<Tag>>,
}

fn main() {}
