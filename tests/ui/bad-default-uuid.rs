#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(default = uuid)]
    day: rest_runtime::types::Date,
}

fn main() {}
