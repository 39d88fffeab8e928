struct Place {
    town: String,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    place: Place,
}

fn main() {}
