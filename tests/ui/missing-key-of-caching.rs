#[derive(rest_runtime::RestResource)]
#[rest(caching(shared_max_age = "1m"), access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
