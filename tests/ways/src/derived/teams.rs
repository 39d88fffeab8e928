//! `tests/schemas/teams.yaml` by hand.

use rest_runtime::types::{ManyToMany, Password};
use rest_runtime::{RestEnum, RestResource, RestService};

#[derive(RestService)]
#[rest(name = "teams", managed = true, audit = true)]
#[rest(accounts(resource = Person, identify_by(name), password = password))]
pub struct Teams {
    people: Person,
    teams: Team,
    memberships: Membership,
    courses: Course,
    needs: Need,
}

#[derive(RestResource)]
#[rest(access(read = "hidden = false", create = public, change = "id = me.id"))]
pub struct Person {
    id: i64,
    #[rest(length = 1..=40, unique)]
    name: String,
    #[rest(default = false)]
    hidden: bool,
    password: Password,
}

#[derive(RestResource)]
#[rest(sort = id)]
#[rest(access(
    read = public,
    create = authenticated,
    change = "exists(members where id = me.id)"
))]
pub struct Team {
    id: i64,
    #[rest(length = 1..=40, filterable)]
    name: String,
    #[rest(computed = "count(members)")]
    size: i64,
    #[rest(through = Membership, inverse = teams)]
    members: ManyToMany<Person>,
}

#[derive(RestEnum)]
pub enum Role {
    Member,
    Lead,
}

#[derive(RestResource)]
#[rest(unique(team, person))]
#[rest(access(
    read = "secret = false or person_id = me.id",
    create = authenticated,
    update = "person_id = me.id",
    delete = "person_id = me.id"
))]
pub struct Membership {
    id: i64,
    #[rest(default = Member, filterable)]
    role: Role,
    #[rest(length = 0..=80)]
    note: Option<String>,
    #[rest(default = false)]
    secret: bool,
    #[rest(belongs_to = Team, inverse = memberships, on_delete = cascade)]
    team_id: i64,
    #[rest(belongs_to = Person, inverse = memberships, on_delete = cascade)]
    person_id: i64,
}

#[derive(RestResource)]
#[rest(key = code, access(read = public))]
pub struct Course {
    #[rest(type = slug, length = 1..=20)]
    code: String,
    #[rest(through = Need, from_column = later_code, to_column = earlier_code, inverse = leads_to)]
    needs: ManyToMany<Course>,
}

#[derive(RestResource)]
#[rest(key(later, earlier))]
#[rest(access(read = public, create = authenticated, change = authenticated))]
pub struct Need {
    #[rest(default = 4, range = 1..=6)]
    grade: i32,
    #[rest(belongs_to = Course, on_delete = cascade)]
    later_code: String,
    #[rest(belongs_to = Course, on_delete = cascade)]
    earlier_code: String,
}
