struct Place {
    town: String,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(belongs_to = Place)]
    place_id: i64,
}

fn main() {}
