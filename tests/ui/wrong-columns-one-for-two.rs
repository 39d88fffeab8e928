#[derive(rest_runtime::RestResource)]
#[rest(key(order, number), access(read = public))]
struct Line {
    order: i64,
    number: i32,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(belongs_to = Line, column = "one")]
    line: (i64, i32),
}

fn main() {}
