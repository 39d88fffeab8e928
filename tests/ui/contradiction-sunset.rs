#[derive(rest_runtime::RestResource)]
#[rest(deprecated(since = "2026-05-01", sunset = "2026-04-01"), access(read = public))]
struct Post {
    id: i64,
    #[rest(deprecated(is = false, sunset = "2027-01-01"))]
    title: String,
}

fn main() {}
