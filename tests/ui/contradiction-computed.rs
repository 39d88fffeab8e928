#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(computed = "length(title)", unique)]
    half: i64,
}

fn main() {}
