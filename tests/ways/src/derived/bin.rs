//! `tests/schemas/bin.yaml` by hand.

use rest_runtime::types::{ManyToMany, Password, Timestamp};
use rest_runtime::{RestResource, RestService};

#[derive(RestService)]
#[rest(name = "bin", managed)]
#[rest(accounts(resource = Person, identify_by(name), password = password, admin = "me.is_admin"))]
pub struct Bin {
    people: Person,
    teams: Team,
    folders: Folder,
    documents: Document,
    pictures: Picture,
    loans: Loan,
}

#[derive(RestResource)]
#[rest(soft_delete = deleted_at)]
#[rest(access(
    read = authenticated,
    create = "me.is_admin",
    change = "id = me.id or me.is_admin",
    restore = "me.is_admin",
))]
pub struct Person {
    id: i64,
    #[rest(unique)]
    name: String,
    password: Password,
    #[rest(default = false, readonly)]
    is_admin: bool,
    #[rest(inverse = people)]
    teams: ManyToMany<Team>,
}

#[derive(RestResource)]
#[rest(soft_delete = gone_at)]
#[rest(access(read = public, create = "me.is_admin", change = "me.is_admin", restore = "me.is_admin"))]
pub struct Team {
    id: i64,
    name: String,
}

#[derive(RestResource)]
#[rest(soft_delete = deleted_at)]
#[rest(access(
    read = "owner_id = me.id or exists(documents where is_public)",
    create = authenticated,
    change = "owner_id = me.id",
    restore = "owner_id = me.id or me.is_admin",
))]
pub struct Folder {
    id: i64,
    #[rest(unique, searchable)]
    name: String,
    #[rest(computed = "count(documents)")]
    size: i64,
    #[rest(belongs_to = Person, inverse = folders, default = me, readonly)]
    owner_id: i64,
    #[rest(belongs_to = Folder, inverse = folders, on_delete = cascade)]
    parent_id: Option<i64>,
}

#[derive(RestResource)]
#[rest(soft_delete = deleted_at, version = revision, timestamps(updated = updated_at), sort = title)]
#[rest(unique(folder, title))]
#[rest(access(
    read = "can read folder",
    create = "can update folder",
    change = "can update folder",
    restore = "folder.owner_id = me.id",
))]
pub struct Document {
    id: i64,
    #[rest(filterable)]
    title: String,
    #[rest(default = false)]
    is_public: bool,
    /// When it was put into the bin.
    #[rest(filterable, sortable)]
    deleted_at: Option<Timestamp>,
    #[rest(belongs_to = Folder, inverse = documents, on_delete = cascade)]
    folder_id: i64,
    #[rest(belongs_to = Picture, inverse = covered, on_delete = set_null)]
    cover_id: Option<i64>,
}

#[derive(RestResource)]
#[rest(soft_delete = deleted_at)]
#[rest(access(read = authenticated, create = authenticated, change = authenticated, restore = authenticated))]
pub struct Picture {
    id: i64,
    name: String,
}

#[derive(RestResource)]
#[rest(access(read = authenticated, create = authenticated, change = authenticated))]
pub struct Loan {
    id: i64,
    #[rest(belongs_to = Document, inverse = loans)]
    document_id: i64,
}
