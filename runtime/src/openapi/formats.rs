//! The forms of items: what each media type of an answer holds.

use rest_schema::{Relation, ResourceId};
use serde_json::{Value, json};

use super::field::{LONGEST_QUERY, Object};
use super::schema::Kind;
use super::{Document, Version, object};
use crate::plan::level::THROUGH;
use crate::respond::format::{Content, Format, Media};

impl Document<'_> {
    /// The content of an answer that shows items of a resource, by media type.
    pub(super) fn shown(&self, id: ResourceId, content: Content) -> Value {
        let of = |media: &Media| (media.name.to_owned(), self.shown_as(id, content, media.format));
        Value::Object(content.media().iter().map(of).collect())
    }

    fn shown_as(&self, id: ResourceId, content: Content, format: Format) -> Value {
        let is_page = content == Content::Collection;
        match format {
            Format::Json if is_page => json!({
                "schema": { "anyOf": [self.reference(id, Kind::Page), self.reference(id, Kind::Groups)] },
            }),
            Format::Json => json!({ "schema": self.any_of_item(id) }),
            Format::Hal if is_page => json!({ "schema": self.reference(id, Kind::HalPage) }),
            Format::Hal => json!({ "schema": self.reference(id, Kind::Hal) }),
            // 3.1 can't say what stands in a line.
            Format::Ndjson if self.version == Version::V3_2 => json!({ "itemSchema": self.any_of_item(id) }),
            Format::Ndjson | Format::Csv => json!({ "schema": endless() }),
        }
    }

    /// An item as HAL: its members, with links, and with what is included embedded.
    pub(super) fn hal_item(&self, id: ResourceId) -> Value {
        let mut item = self.item(id, false);
        let mut names = vec!["self".to_owned()];
        let mut embedded = Object::new();
        for relation in self.relations(id) {
            if let Some(members) = item["properties"].as_object_mut() {
                members.shift_remove(&relation.name);
            }
            names.push(relation.name.clone());
            embedded.insert(relation.name.clone(), self.embedded(relation));
        }
        if let Some(pair) = self.pair(id, Kind::Hal) {
            if let Some(members) = item["properties"].as_object_mut() {
                members.shift_remove(THROUGH);
            }
            embedded.insert(THROUGH.to_owned(), pair);
        }
        let links = object(names.into_iter().map(|name| (name, link())), &["self"]);
        let has_relations = !embedded.is_empty();
        if let Some(members) = item["properties"].as_object_mut() {
            members.insert("_links".to_owned(), links);
            if has_relations {
                members.insert("_embedded".to_owned(), object(embedded, &[]));
            }
        }
        item["required"] = json!(["_links"]);
        item
    }

    fn embedded(&self, relation: &Relation) -> Value {
        let kind = if relation.kind.is_to_one() {
            Kind::Hal
        } else {
            Kind::HalPage
        };
        self.reference(relation.target, kind)
    }

    /// A page as HAL.
    pub(super) fn hal_page(&self, id: ResourceId) -> Value {
        let plain = self.page(id);
        let mut items = plain["properties"]["items"].clone();
        items["items"] = self.reference(id, Kind::Hal);
        object(
            [
                (
                    "_links",
                    object(["self", "next", "prev"].map(|name| (name, link())), &[]),
                ),
                ("page", plain["properties"]["page"].clone()),
                ("_embedded", object([("items", items)], &["items"])),
            ],
            &["_links", "page", "_embedded"],
        )
    }
}

/// A text that nothing bounds but the size of a number.
pub(super) fn endless() -> Value {
    json!({ "type": "string", "maxLength": i64::MAX })
}

fn link() -> Value {
    let href = json!({ "type": "string", "format": "uri-reference", "maxLength": 4 * LONGEST_QUERY });
    object([("href", href)], &["href"])
}
