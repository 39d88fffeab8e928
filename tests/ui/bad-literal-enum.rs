#[derive(rest_runtime::RestEnum)]
enum Status {
    Draft,
    Published,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    #[rest(default = Publised)]
    status: Status,
}

fn main() {}
