#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(type = slug, default = "slug(titel)")]
    slug: String,
}

fn main() {}
