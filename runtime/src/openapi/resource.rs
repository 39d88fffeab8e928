//! The addresses of a resource: its collection, its items, and the question by POST.

use rest_schema::{Operation, RelationId, ResourceId};
use serde_json::{Value, json};

use super::Document;
use super::draft::{BODY, Draft, JSON, OF_ITEM, READ, WRITE, content, reference};
use super::field::Object;
use super::parameter::Named;
use super::schema::Kind;
use crate::problem::Code;
use crate::request::body::{JSON_PATCH_TYPE, JSON_TYPES, MERGE_PATCH_TYPES};
use crate::request::methods;
use crate::respond::format::Content;
use crate::validate::Body;

impl Document<'_> {
    /// The addresses of a resource.
    pub(super) fn resource_paths(
        &self,
        id: ResourceId,
        collection: &[Named],
        item: &[Named],
        paths: &mut Object,
    ) {
        let resource = self.model.resource(id);
        let address = format!("{}/{}", self.prefix, resource.collection);
        let methods_of_collection = methods::of_collection(resource);
        let mut all = Object::new();
        for method in &methods_of_collection {
            let draft = match *method {
                "GET" => self.list(id, collection),
                "HEAD" => self.head(self.list(id, collection)),
                "POST" => self.create(id),
                "PATCH" => self.patch_matching(id),
                "DELETE" => self.delete_matching(id),
                "QUERY" => self.question(id),
                _ => self.options(
                    &resource.name,
                    &plural(&resource.collection),
                    &methods_of_collection,
                    &Value::Null,
                ),
            };
            all.insert(method.to_ascii_lowercase(), draft.finished());
        }
        self.known_methods(&mut all);
        paths.insert(address.clone(), Value::Object(all));
        if resource.access.read.is_some() {
            // What else may be asked where keys are texts is said at the items' address.
            let methods = methods::of_item_named_query(resource);
            let noun = format!("{}Query", resource.name);
            let options = self.options(&resource.name, &noun, &methods, &Value::Null);
            paths.insert(
                format!("{address}/query"),
                json!({ "post": self.twin(id).finished(), "options": options.finished() }),
            );
        }
        let methods_of_item = methods::of_item(resource);
        let mut all = Object::new();
        let variables = self.key_parameters(id);
        all.insert("parameters".to_owned(), variables.clone());
        for method in &methods_of_item {
            let draft = match *method {
                "GET" => self.read(id, item),
                "HEAD" => self.head(self.read(id, item)),
                "PUT" => self.replace(id),
                "PATCH" => self.patch(id),
                "DELETE" => self.delete(id),
                _ => self.options(&resource.name, &resource.name, &methods_of_item, &variables),
            };
            all.insert(method.to_ascii_lowercase(), draft.finished());
        }
        let key = resource.key.fields.iter().map(|field| self.model.field(*field));
        let segment: Vec<String> = key.map(|field| format!("{{{}}}", field.api_name)).collect();
        let address = format!("{address}/{}", segment.join(","));
        paths.insert(address.clone(), Value::Object(all));
        let methods_of_restore = methods::of_restore(resource);
        if !methods_of_restore.is_empty() {
            let name = format!("{}Restore", resource.name);
            let options = self.options(&resource.name, &name, &methods_of_restore, &variables);
            paths.insert(
                format!("{address}/{}", methods::RESTORE),
                json!({
                    "parameters": variables,
                    "post": self.restore(id).finished(),
                    "options": options.finished(),
                }),
            );
        }
        for (index, relation) in (0u32..).zip(&resource.relations) {
            let relation_id = RelationId { resource: id, index };
            let all = self.related_path(relation_id);
            if !all.is_empty() {
                paths.insert(format!("{address}/{}", relation.name), Value::Object(all));
            }
            let pairs = self.pair_path(relation_id);
            if !pairs.is_empty() {
                paths.insert(
                    format!("{address}/{}/{{other}}", relation.name),
                    Value::Object(pairs),
                );
            }
        }
    }

    pub(super) fn list(&self, id: ResourceId, parameters: &[Named]) -> Draft {
        let resource = self.model.resource(id);
        let noun = plural(&resource.collection);
        let mut draft = self.draft(
            id,
            "list",
            &noun,
            format!("A page of {}", resource.collection),
            Operation::Read,
        );
        draft.parameters = parameters.iter().map(reference).collect();
        draft.conditional();
        draft.responses.extend(self.problems(READ));
        draft.responses.insert(
            200,
            json!({
                "description": "A page, or a stream of the whole result.",
                "headers": self.headers(&["ETag", "Cache-Control", "Vary", "Content-Encoding", "Link", "Content-Disposition"]),
                "content": self.shown(id, Content::Collection),
            }),
        );
        draft
            .responses
            .insert(304, self.not_modified(&["ETag", "Cache-Control", "Vary"]));
        draft
    }

    pub(super) fn read(&self, id: ResourceId, parameters: &[Named]) -> Draft {
        let resource = self.model.resource(id);
        let mut draft = self.draft(
            id,
            "get",
            &resource.name,
            format!("One {}", resource.name),
            Operation::Read,
        );
        draft.parameters = parameters.iter().map(reference).collect();
        draft.responses.extend(self.problems(READ));
        draft.responses.extend(self.problems(&[Code::NotFound]));
        self.shows_item(id, &mut draft, "The item.");
        draft
    }

    /// It answers an item, if the client doesn't have it already.
    pub(super) fn shows_item(&self, id: ResourceId, draft: &mut Draft, description: &str) {
        draft.conditional();
        let mut headers = vec!["ETag", "Cache-Control", "Vary"];
        if self.model.resource(id).kept.updated.is_some() {
            draft.takes("If-Modified-Since");
            draft.takes("If-Unmodified-Since");
            headers.push("Last-Modified");
        }
        draft.responses.insert(304, self.not_modified(&headers));
        headers.push("Content-Encoding");
        let shown = json!({
            "description": description,
            "headers": self.headers(&headers),
            "content": self.shown(id, Content::Item),
        });
        draft.responses.insert(200, shown);
    }

    /// QUERY of a collection.
    pub(super) fn question(&self, id: ResourceId) -> Draft {
        let mut draft = self.list(id, &[]);
        draft.verb = "query";
        draft.summary = format!("The {} that a body asks for", self.model.resource(id).collection);
        draft.body = Some(content(JSON_TYPES, &self.reference(id, Kind::Query)));
        draft.responses.extend(self.problems(BODY));
        draft
    }

    /// The same by POST.
    pub(super) fn twin(&self, id: ResourceId) -> Draft {
        let mut draft = self.question(id);
        draft.verb = "postQuery";
        if let Some(page) = draft.responses.get_mut(&200) {
            page["headers"] = self.headers(&[
                "Cache-Control",
                "Vary",
                "Content-Encoding",
                "Link",
                "Content-Disposition",
            ]);
        }
        draft.responses.remove(&304);
        draft.responses.remove(&412);
        draft.parameters.clear();
        draft
    }

    pub(super) fn create(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Makes one {0}, or several {0}, all or none", resource.name);
        let mut draft = self.draft(id, "create", &resource.name, summary, Operation::Create);
        let one = self.reference(id, Kind::Body(Body::Create));
        draft.body = Some(self.one_or_several(&one));
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(BODY));
        for along in self.resources_along(id) {
            let made = self.draft(along, "", "", String::new(), Operation::Create);
            draft.responses.extend(made.responses);
        }
        let mut made = json!({
            "description": "It is made. One item is shown as its maker may see it; without content, he may not.",
            "headers": self.headers(&["Cache-Control", "Location", "Content-Location", "ETag", "Vary", "Preference-Applied"]),
        });
        if resource.access.read.is_some() {
            let schema =
                json!({ "anyOf": [self.reference(id, Kind::Whole), self.reference(id, Kind::Made)] });
            made["content"] = json!({ JSON: { "schema": schema } });
        } else {
            made["content"] = json!({ JSON: { "schema": self.reference(id, Kind::Made) } });
        }
        draft.responses.insert(201, made);
        draft.takes("Prefer");
        self.repeatable(&mut draft);
        draft
    }

    pub(super) fn one_or_several(&self, one: &Value) -> Value {
        let bulk = self.model.schema.limits.bulk;
        let several = json!({ "type": "array", "items": one, "minItems": 1, "maxItems": bulk });
        content(JSON_TYPES, &json!({ "anyOf": [one, several] }))
    }

    pub(super) fn replace(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let may_create = resource.key.by_client && resource.access.create.is_some();
        let operation = if resource.access.update.is_some() {
            Operation::Update
        } else {
            Operation::Create
        };
        let summary = format!("Replaces the whole {}", resource.name);
        let mut draft = self.draft(id, "replace", &resource.name, summary, operation);
        draft.body = Some(content(
            JSON_TYPES,
            &self.reference(id, Kind::Body(Body::Replace)),
        ));
        self.writes_item(id, &mut draft, &["Cache-Control", "Vary", "Preference-Applied"]);
        draft.responses.extend(self.problems(BODY));
        if may_create {
            draft.responses.insert(
                201,
                json!({
                    "description": "It is made; without content, its maker may not read it.",
                    "headers": self.headers(&["Cache-Control", "Location", "Content-Location", "Vary", "Preference-Applied"]),
                    "content": { JSON: { "schema": self.reference(id, Kind::Whole) } },
                }),
            );
        }
        draft
    }

    pub(super) fn patch(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Changes members of a {}", resource.name);
        let mut draft = self.draft(id, "update", &resource.name, summary, Operation::Update);
        draft.body = Some(self.patch_body(id));
        self.writes_item(
            id,
            &mut draft,
            &[
                "Cache-Control",
                "Vary",
                "ETag",
                "Content-Location",
                "Preference-Applied",
            ],
        );
        draft.responses.extend(self.problems(BODY));
        self.repeatable(&mut draft);
        draft
    }

    pub(super) fn patch_body(&self, id: ResourceId) -> Value {
        let mut body = content(MERGE_PATCH_TYPES, &self.reference(id, Kind::Body(Body::Patch)));
        body["content"][JSON_PATCH_TYPE] = json!({ "schema": self.own_reference("JsonPatch") });
        body
    }

    pub(super) fn delete(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Deletes a {}", resource.name);
        let mut draft = self.draft(id, "delete", &resource.name, summary, Operation::Delete);
        self.guarded(id, &mut draft);
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(OF_ITEM));
        draft.responses.insert(
            204,
            json!({ "description": "It is gone.", "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    fn restore(&self, id: ResourceId) -> Draft {
        let resource = self.model.resource(id);
        let summary = format!("Brings back a {} that was deleted", resource.name);
        let mut draft = self.draft(id, "restore", &resource.name, summary, Operation::Restore);
        let headers = [
            "Cache-Control",
            "Vary",
            "ETag",
            "Content-Location",
            "Preference-Applied",
        ];
        self.writes_item(id, &mut draft, &headers);
        draft
    }

    /// A write of an item may be made to depend on its state, or has to be.
    pub(super) fn guarded(&self, id: ResourceId, draft: &mut Draft) {
        let kept = &self.model.resource(id).kept;
        draft.conditional();
        if kept.updated.is_some() {
            draft.takes("If-Unmodified-Since");
        }
        if kept.preconditions {
            draft
                .responses
                .extend(self.problems(&[Code::PreconditionRequired]));
        }
    }

    /// What PUT and PATCH have in common.
    pub(super) fn writes_item(&self, id: ResourceId, draft: &mut Draft, headers: &[&str]) {
        self.guarded(id, draft);
        draft.takes("Prefer");
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(OF_ITEM));
        if self.model.resource(id).access.read.is_some() {
            draft.responses.insert(
                200,
                json!({
                    "description": "The item as it is now.",
                    "headers": self.headers(headers),
                    "content": { JSON: { "schema": self.reference(id, Kind::Whole) } },
                }),
            );
        }
        draft.responses.insert(
            204,
            json!({
                "description": "It is changed, and its writer may not read it any more, or doesn't want to see it.",
                "headers": self.headers(&["Cache-Control", "ETag", "Preference-Applied"]),
            }),
        );
    }
}

/// `blog-posts` → `BlogPosts`
pub(super) fn plural(collection: &str) -> String {
    let capital = |word: &str| {
        let mut chars = word.chars();
        chars
            .next()
            .map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
    };
    collection.split('-').map(capital).collect()
}
