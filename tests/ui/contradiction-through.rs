#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct User {
    id: i64,
    name: String,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Club {
    id: i64,
    name: String,
    #[rest(through = Membership, table = "club_user", writable)]
    members: rest_runtime::types::ManyToMany<User>,
}

#[derive(rest_runtime::RestResource)]
#[rest(unique(club, user), access(read = public, create = public))]
struct Membership {
    id: i64,
    #[rest(belongs_to = Club)]
    club_id: i64,
    #[rest(belongs_to = User)]
    user_id: i64,
}

fn main() {}
