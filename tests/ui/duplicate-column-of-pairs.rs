#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct User {
    id: i64,
    friends: rest_runtime::types::ManyToMany<User>,
}

fn main() {}
