#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct User {
    id: i64,
    #[rest(type = email, unique)]
    email: String,
    password: rest_runtime::types::Password,
}

#[derive(rest_runtime::RestResource)]
#[rest(colection = "posts", access(read = "titel = 'a'", update = "author.name = 1", delete = "vews > 1"))]
struct Post {
    id: i64,
    #[rest(type = sting, lenght = 1..=9)]
    title: String,
    #[rest(default = "many", range = 9..=0)]
    views: i32,
    #[rest(belongs_to = User, on_delete = cascad)]
    author_id: i64,
}

fn main() {}
