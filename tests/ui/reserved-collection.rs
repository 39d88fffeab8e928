#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Token {
    id: i64,
    title: String,
}

fn main() {}
