#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post(i64, String);

fn main() {}
