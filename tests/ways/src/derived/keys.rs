//! `tests/schemas/keys.yaml` by hand.

use rest_runtime::types::Uuid;
use rest_runtime::{RestResource, RestService};

#[derive(RestService)]
#[rest(name = "keys", managed = true)]
pub struct Keys {
    countries: Country,
    cities: City,
    documents: Document,
    sheets: Sheet,
    people: Person,
    passports: Passport,
    projects: Project,
    memberships: Membership,
    badges: Badge,
    categories: Category,
}

#[derive(RestResource)]
#[rest(key = code, access(read = public, create = public, change = public))]
pub struct Country {
    #[rest(length = 2..=2)]
    code: String,
    #[rest(searchable)]
    name: String,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct City {
    id: i64,
    name: String,
    #[rest(index, deprecated(since = "2026-03-01", sunset = "2031-05-01"))]
    population: Option<i32>,
    #[rest(belongs_to = Country, inverse(name = cities, sort = name, nested), on_delete = restrict)]
    country_code: String,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Document {
    id: Uuid,
    #[rest(searchable, deprecated)]
    title: String,
}

#[derive(RestResource)]
#[rest(deprecated(since = "2026-01-01", sunset = "2031-06-30"))]
#[rest(key(type = integer, name = number, by_client))]
#[rest(access(read = public, create = public, change = public))]
pub struct Sheet {
    number: i64,
    #[rest(default = untitled)]
    title: String,
    note: Option<String>,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Person {
    id: i64,
    name: String,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Passport {
    id: i64,
    #[rest(unique)]
    number: String,
    #[rest(belongs_to = Person, unique, inverse(name = passport, nested), on_delete = cascade)]
    person_id: i64,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Project {
    id: i64,
    name: String,
}

#[derive(RestResource)]
#[rest(key(project, person))]
#[rest(access(read = public, create = public, change = public))]
pub struct Membership {
    #[rest(belongs_to = Project, inverse(name = memberships, nested), on_delete = cascade)]
    project_id: i64,
    #[rest(belongs_to = Person, inverse = memberships, on_delete = cascade)]
    person_id: i64,
    #[rest(default = member, searchable)]
    role: String,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Badge {
    id: i64,
    colour: String,
    #[rest(belongs_to = Membership, columns(project_id, person_id), inverse(name = badges, nested), on_delete = cascade)]
    membership: (i64, i64),
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Category {
    id: i64,
    name: String,
    #[rest(belongs_to = Category, inverse(name = children, nested), on_delete = set_null)]
    parent_id: Option<i64>,
}
