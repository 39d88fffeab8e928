//! `tests/schemas/rules.yaml` by hand.

use rest_runtime::types::{ManyToMany, Password};
use rest_runtime::{RestEnum, RestResource, RestService};

#[derive(RestService)]
#[rest(name = "rules", managed)]
#[rest(accounts(resource = Person, identify_by(name), password = password, admin = "me.is_admin"))]
pub struct Rules {
    people: Person,
    projects: Project,
    memberships: Membership,
    tasks: Task,
    remarks: Remark,
    verdicts: Verdict,
    clubs: Club,
    notices: Notice,
}

#[derive(RestResource)]
#[rest(access(read = authenticated, create = "me.is_admin", change = "id = me.id"))]
pub struct Person {
    id: i64,
    #[rest(unique)]
    name: String,
    password: Password,
    #[rest(default = false, readonly)]
    is_admin: bool,
}

#[derive(RestEnum)]
pub enum Status {
    Open,
    Closed,
}

#[derive(RestResource)]
#[rest(rules(member = "owner_id = me.id or exists(memberships where person_id = me.id)"))]
#[rest(access(
    read = member,
    create = "owner_id = me.id",
    update = "owner_id = old.owner_id and (owner_id = me.id or (member and old.status = 'open'))",
    delete = "owner_id = me.id and status = 'closed'",
))]
pub struct Project {
    id: i64,
    #[rest(searchable)]
    name: String,
    #[rest(filterable, sortable, readable = "owner_id = me.id")]
    budget: Option<i32>,
    #[rest(searchable, readable = "me.is_admin")]
    note: Option<String>,
    #[rest(default = Open, writable = "owner_id = me.id")]
    status: Status,
    #[rest(belongs_to = Person, inverse = projects, default = me)]
    owner_id: i64,
}

#[derive(RestResource)]
#[rest(key(project, person))]
#[rest(access(
    read = "project.member",
    create = "project.owner_id = me.id",
    delete = "project.owner_id = me.id"
))]
pub struct Membership {
    #[rest(belongs_to = Project, inverse = memberships, on_delete = cascade)]
    project_id: i64,
    #[rest(belongs_to = Person, inverse = memberships, on_delete = cascade)]
    person_id: i64,
}

#[derive(RestResource)]
#[rest(access(
    read = "can read project",
    create = "can update project",
    update = "project.member",
    delete = "project.owner_id = me.id or \
              exists(project.memberships where person_id = this.assignee_id and person_id = me.id)",
))]
pub struct Task {
    id: i64,
    #[rest(filterable)]
    title: String,
    #[rest(default = 0, range = 0..=100)]
    hours: i32,
    #[rest(belongs_to = Project, inverse(name = tasks, nested), on_delete = cascade)]
    project_id: i64,
    #[rest(belongs_to = Person, inverse = tasks, on_delete = set_null)]
    assignee_id: Option<i64>,
}

#[derive(RestResource)]
#[rest(access(read = "can read project", create = "project.budget > 10"))]
pub struct Remark {
    id: i64,
    text: String,
    #[rest(belongs_to = Project, inverse(name = remarks, nested), on_delete = cascade)]
    project_id: i64,
}

#[derive(RestResource)]
#[rest(access(read = "me.is_admin", create = "me.is_admin"))]
pub struct Verdict {
    id: i64,
    text: String,
    #[rest(belongs_to = Project, inverse(name = verdicts, nested), on_delete = cascade)]
    project_id: i64,
}

#[derive(RestResource)]
#[rest(access(read = "me in members"))]
pub struct Club {
    id: i64,
    name: String,
    #[rest(inverse = clubs)]
    members: ManyToMany<Person>,
}

#[derive(RestResource)]
#[rest(access(
    read = "exists(me.memberships where project_id = this.project_id)",
    create = "exists(me.projects where status = 'open')",
    update = "exists(old.project.memberships where person_id = me.id)",
))]
pub struct Notice {
    id: i64,
    text: String,
    #[rest(belongs_to = Project, inverse = notices, on_delete = cascade)]
    project_id: Option<i64>,
}
