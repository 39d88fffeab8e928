#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(lenght = 1..=9)]
    title: String,
}

fn main() {}
