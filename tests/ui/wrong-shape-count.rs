#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(precision = 8.5)]
    price: rest_runtime::types::Decimal,
}

fn main() {}
