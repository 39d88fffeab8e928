//! `tests/schemas/sets.yaml` by hand.

use rest_runtime::types::{ManyToMany, Password, Timestamp};
use rest_runtime::{RestResource, RestService};

#[derive(RestService)]
#[rest(name = "sets", managed = true, limits(bulk = 5))]
#[rest(accounts(resource = Person, identify_by(name), password = password))]
pub struct Sets {
    people: Person,
    labels: Label,
    topics: Topic,
    articles: Article,
    shelves: Shelf,
    rooms: Room,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = "id = me.id"))]
pub struct Person {
    id: i64,
    #[rest(length = 1..=40, unique)]
    name: String,
    password: Password,
}

#[derive(RestResource)]
#[rest(access(read = "hidden = false", create = authenticated, delete = authenticated))]
pub struct Label {
    id: i64,
    #[rest(length = 1..=40, unique)]
    name: String,
    #[rest(default = false)]
    hidden: bool,
}

#[derive(RestResource)]
#[rest(key = code, access(read = public, create = authenticated))]
pub struct Topic {
    #[rest(type = slug, length = 1..=40)]
    code: String,
}

#[derive(RestResource)]
#[rest(access(read = public, create = authenticated, change = authenticated))]
pub struct Article {
    id: i64,
    #[rest(length = 1..=80, filterable)]
    title: String,
    #[rest(belongs_to = Person, inverse = articles, default = me, readonly, on_delete = cascade)]
    author_id: i64,
    #[rest(inverse = articles, writable)]
    labels: ManyToMany<Label>,
    #[rest(inverse = articles, writable, api_name = about)]
    topics: ManyToMany<Topic>,
    #[rest(inverse = reads, writable, access = "author_id = me.id")]
    readers: ManyToMany<Person>,
}

#[derive(RestResource)]
#[rest(version = version, timestamps(updated = updated_at))]
#[rest(access(read = public, create = authenticated, change = authenticated))]
pub struct Shelf {
    id: i64,
    #[rest(length = 1..=80)]
    name: String,
    version: i64,
    updated_at: Timestamp,
    #[rest(inverse = shelves, writable)]
    labels: ManyToMany<Label>,
}

#[derive(RestResource)]
#[rest(access(read = public, create = authenticated))]
pub struct Room {
    id: i64,
    #[rest(length = 1..=80)]
    name: String,
    #[rest(inverse = visits, access = "name != 'Vault' and not exists(guests where name = 'ben')")]
    guests: ManyToMany<Person>,
}
