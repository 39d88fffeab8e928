#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(default = "secret")]
    password: rest_runtime::types::Password,
}

fn main() {}
