#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Tag {
    id: i64,
    name: String,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = "tags.name = 'a'"))]
struct Post {
    id: i64,
    tags: rest_runtime::types::ManyToMany<Tag>,
}

fn main() {}
