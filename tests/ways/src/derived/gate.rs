//! `tests/schemas/gate.yaml` by hand.

use rest_runtime::types::{ManyToMany, Password, Timestamp};
use rest_runtime::{RestEnum, RestResource, RestService};

#[derive(RestService)]
#[rest(name = "gate", managed = true)]
#[rest(accounts(
    resource = Person,
    identify_by(name),
    password = password,
    admin = "me.is_admin",
    active = "me.state = 'active' and me.house.is_open and (me.until is null or me.until > now)"
))]
#[rest(tokens(lifetime = "1h", scopes(publish, staff, notes)))]
#[rest(sessions(idle = "30m", lifetime = "7d", flask(user = name, lifetime = "36500d", remember = "remember_token")))]
#[rest(jwt(
    issuer = "https://login.example.com/",
    audience = "gate",
    algorithms(ES256, HS256),
    user = name,
    claims(house_id = "org.house", is_admin(claim = "realm_access.roles", has = "admin")),
    scopes = "scope"
))]
pub struct Gate {
    houses: House,
    people: Person,
    papers: Paper,
    remarks: Remark,
    seats: Seat,
    badges: Badge,
}

#[derive(RestResource)]
#[rest(access(read = "id = me.house_id"))]
pub struct House {
    id: i64,
    #[rest(unique)]
    name: String,
    #[rest(default = true)]
    is_open: bool,
}

#[derive(RestEnum)]
pub enum State {
    Active,
    Blocked,
}

#[derive(RestResource)]
#[rest(access(
    read = "house_id = me.house_id",
    create = "me.is_admin",
    change = "id = me.id or (me.is_admin and scope(staff))"
))]
pub struct Person {
    id: i64,
    #[rest(unique, filterable)]
    name: String,
    password: Password,
    #[rest(default = Active)]
    state: State,
    until: Option<Timestamp>,
    #[rest(readable = "scope(notes)")]
    note: Option<String>,
    #[rest(default = false, readonly)]
    is_admin: bool,
    #[rest(belongs_to = House, inverse = people, on_delete = cascade)]
    house_id: i64,
}

#[derive(RestResource)]
#[rest(sort = id, where = "house_id = me.house_id")]
#[rest(access(
    read = "is_public or author_id = me.id or me in readers",
    create = "scope(publish)",
    update = "author_id = me.id or (me.is_admin and scope(staff))",
    delete = "author_id = me.id and scope(publish)"
))]
pub struct Paper {
    id: i64,
    #[rest(searchable, sortable)]
    title: String,
    #[rest(default = 1, filterable)]
    pages: i32,
    #[rest(default = false)]
    is_public: bool,
    #[rest(belongs_to = House, inverse = papers, default = "me.house_id", on_delete = cascade)]
    house_id: i64,
    #[rest(belongs_to = Person, inverse = papers, default = me, readonly, on_delete = cascade)]
    author_id: i64,
    #[rest(inverse = reads)]
    readers: ManyToMany<Person>,
}

#[derive(RestResource)]
#[rest(access(
    read = "can read paper",
    create = "can read paper",
    change = "author_id = me.id"
))]
pub struct Remark {
    id: i64,
    #[rest(length = 1..=200)]
    text: String,
    #[rest(belongs_to = Paper, inverse(name = remarks, nested), immutable, on_delete = cascade)]
    paper_id: i64,
    #[rest(belongs_to = Person, default = me, readonly, on_delete = cascade)]
    author_id: i64,
}

#[derive(RestResource)]
#[rest(key(house, person))]
#[rest(access(
    read = "house_id = me.house_id",
    create = "house_id = me.house_id",
    update = "house_id = me.house_id"
))]
pub struct Seat {
    number: i32,
    #[rest(belongs_to = House, on_delete = cascade)]
    house_id: i64,
    #[rest(belongs_to = Person, on_delete = cascade)]
    person_id: i64,
}

#[derive(RestResource)]
#[rest(key = code, where = "house_id = me.house_id")]
#[rest(access(read = public, create = public, update = public))]
pub struct Badge {
    #[rest(type = slug, length = 1..=20)]
    code: String,
    text: String,
    #[rest(belongs_to = House, default = "me.house_id", readonly, on_delete = cascade)]
    house_id: i64,
}
