#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct User {
    id: i64,
    #[rest(type = email, unique)]
    email: String,
    password: rest_runtime::types::Password,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Post {
    id: i64,
    #[rest(belongs_to = User, inverse = page)]
    author_id: i64,
}

fn main() {}
