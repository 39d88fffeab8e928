#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct User {
    id: i64,
    #[rest(type = email, unique)]
    email: String,
    password: rest_runtime::types::Password,
}

#[derive(rest_runtime::RestService)]
#[rest(name = "blog", accounts(resource = Usr, identify_by(email), password = password))]
struct Blog {
    users: User,
}

fn main() {}
