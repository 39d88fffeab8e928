#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Book {
    id: i64,
    #[rest(filterable)]
    pages: i32,
    #[rest(filterable)]
    pages_gte: i32,
}

fn main() {}
