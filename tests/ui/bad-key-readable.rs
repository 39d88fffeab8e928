#[derive(rest_runtime::RestResource)]
#[rest(key = code, access(read = public))]
struct Post {
    #[rest(readable = "code = 'x'")]
    code: String,
}

fn main() {}
