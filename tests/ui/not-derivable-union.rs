#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
union Post {
    id: i64,
    code: i32,
}

fn main() {}
