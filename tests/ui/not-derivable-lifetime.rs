#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post<'a> {
    id: i64,
    title: &'a str,
}

fn main() {}
