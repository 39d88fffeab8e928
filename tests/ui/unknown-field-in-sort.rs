#[derive(rest_runtime::RestResource)]
#[rest(sort = -titel, access(read = public))]
struct Post {
    id: i64,
    title: String,
}

fn main() {}
