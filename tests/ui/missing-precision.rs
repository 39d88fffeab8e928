#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    price: rest_runtime::types::Decimal,
}

fn main() {}
