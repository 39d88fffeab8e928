#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(range = "1900-02-30..")]
    born: rest_runtime::types::Date,
}

fn main() {}
