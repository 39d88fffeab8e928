#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post<T> {
    id: i64,
    title: T,
}

fn main() {}
