#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(api_name = labels)]
    tags: rest_runtime::types::ManyToMany<Tag>,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Tag {
    id: i64,
    name: String,
}

fn main() {}
