#[derive(rest_runtime::RestResource)]
#[rest(access(read = public))]
struct Team {
    id: i64,
    name: String,
}

#[derive(rest_runtime::RestResource)]
#[rest(access(read = public, create = public))]
struct Post {
    id: i64,
    title: String,
    #[rest(belongs_to = Team, default = 1)]
    team_id: i64,
    #[rest(belongs_to = Team, default = first)]
    other_id: i64,
}

fn main() {}
