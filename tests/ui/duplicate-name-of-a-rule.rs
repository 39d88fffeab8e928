#[derive(rest_runtime::RestResource)]
#[rest(rules(open = "open = true"), access(read = public))]
struct Post {
    id: i64,
    open: bool,
}

fn main() {}
