#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(pattern = "^(?=.*[0-9]).+$")]
    code: String,
}

fn main() {}
