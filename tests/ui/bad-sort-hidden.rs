#[derive(rest_runtime::RestResource)]
#[rest(sort = note, access(read = public))]
struct Post {
    id: i64,
    #[rest(private)]
    note: String,
}

fn main() {}
