//! `tests/schemas/many.yaml` by hand.

use rest_runtime::types::ManyToMany;
use rest_runtime::{RestResource, RestService};

#[derive(RestService)]
#[rest(name = "many", managed, page(limit = 2, max = 3))]
pub struct Many {
    nodes: Node,
    sets: Set,
    entries: Entry,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Node {
    id: i64,
    #[rest(unique)]
    name: String,
    #[rest(table = "link", from_column = "from_id", to_column = "to_id", inverse = backlinks)]
    links: ManyToMany<Node>,
}

#[derive(RestResource)]
#[rest(key(node, kind), access(read = public, create = public))]
pub struct Set {
    #[rest(belongs_to = Node, inverse = sets, on_delete = cascade)]
    node_id: i64,
    #[rest(length = 1..=20)]
    kind: String,
}

#[derive(RestResource)]
#[rest(access(read = "shown = true", create = public))]
pub struct Entry {
    id: i64,
    #[rest(index)]
    rank: Option<i32>,
    #[rest(default = true)]
    shown: bool,
    #[rest(belongs_to = Set, columns(set_node_id, set_kind), on_delete = cascade)]
    #[rest(inverse(name = entries, limit = 1, sort = -rank))]
    set: (i64, String),
}
