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
struct Club {
    id: i64,
    #[rest(through = Membership)]
    members: rest_runtime::types::ManyToMany<User>,
}

fn main() {}
