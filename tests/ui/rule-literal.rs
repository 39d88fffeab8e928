#[derive(rest_runtime::RestResource)]
#[rest(access(read = "day = '2026-02-30'"))]
struct Post {
    id: i64,
    day: rest_runtime::types::Date,
}

fn main() {}
