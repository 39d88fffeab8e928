//! The addresses of a relation: what it leads to, and its pairs.

use rest_schema::{FieldId, Operation, RelationId, ResourceId, naming};
use serde_json::{Value, json};

use super::Document;
use super::draft::{Draft, OF_ITEM, WRITE, contents};
use super::field::{self, LONGEST_QUERY, Object};
use crate::plan::access::Deed;
use crate::problem::Code;
use crate::request::body::JSON_TYPES;
use crate::request::methods;
use crate::validate::Body;

impl Document<'_> {
    /// The address of what a relation leads to; empty where there is none.
    pub(super) fn related_path(&self, id: RelationId) -> Object {
        let relation = self.model.relation(id);
        let (target, is_to_one) = (relation.target, relation.kind.is_to_one());
        let methods = methods::of_related(&self.model.schema, id);
        let noun = self.noun(id);
        let mut all = Object::new();
        if methods.is_empty() {
            return all;
        }
        let variables = self.key_parameters(id.resource);
        all.insert("parameters".to_owned(), variables.clone());
        let parameters = self.parameters(target, is_to_one);
        // Whoever may not read the item from which it starts is refused as there.
        let mut refusals = self
            .draft(id.resource, "", "", String::new(), Operation::Read)
            .responses;
        refusals.extend(self.problems(&[Code::NotFound]));
        for method in &methods {
            let mut draft = match *method {
                "POST" => self.create_related(id),
                "PATCH" => self.patch_matching(target),
                "DELETE" => self.delete_matching(target),
                "QUERY" => self.question(target),
                "OPTIONS" => {
                    let options =
                        self.options(&self.model.resource(target).name, &noun, &methods, &variables);
                    all.insert("options".to_owned(), options.finished());
                    continue;
                }
                _ if is_to_one => self.read(target, &parameters),
                _ => self.list(target, &parameters),
            };
            draft.noun.clone_from(&noun);
            draft.responses.extend(refusals.clone());
            if *method == "HEAD" {
                draft = self.head(draft);
            }
            all.insert(method.to_ascii_lowercase(), draft.finished());
        }
        self.known_methods(&mut all);
        all
    }

    /// What the operations of a relation are named after.
    pub(super) fn noun(&self, id: RelationId) -> String {
        let from = &self.model.resource(id.resource).name;
        format!("{}Of{from}", naming::camel(&self.model.relation(id).name))
    }

    pub(super) fn create_related(&self, id: RelationId) -> Draft {
        let target = self.model.relation(id).target;
        let mut draft = self.create(target);
        let known: Vec<FieldId> = methods::pointing(&self.model.schema, id)
            .into_iter()
            .map(|(_, field)| field)
            .collect();
        let one = self.body(target, Body::Create, &known);
        draft.body = Some(self.one_or_several(&one));
        draft
    }

    /// The address of one pair of a many-to-many; empty where there is none.
    pub(super) fn pair_path(&self, id: RelationId) -> Object {
        let schema = &self.model.schema;
        let methods = methods::of_pair(schema, id);
        let mut all = Object::new();
        if methods.is_empty() {
            return all;
        }
        let relation = self.model.relation(id);
        let from = self.model.resource(id.resource);
        let noun = self.noun(id);
        let mut parameters = self.key_parameters(id.resource);
        if let Value::Array(parameters) = &mut parameters {
            parameters.push(self.other_parameter(relation.target));
        }
        let options = self.options(&from.name, &format!("{noun}Pair"), &methods, &parameters);
        all.insert("parameters".to_owned(), parameters);
        if methods.contains(&"PUT") {
            let put = self.pair_change(id, "link", "They are linked, as they may have been before.");
            all.insert("put".to_owned(), put.finished());
        }
        if methods.contains(&"DELETE") {
            let told = "They aren't linked, as they may not have been before.";
            let delete = self.pair_change(id, "unlink", told);
            all.insert("delete".to_owned(), delete.finished());
        }
        all.insert("options".to_owned(), options.finished());
        all
    }

    pub(super) fn pair_change(&self, id: RelationId, verb: &'static str, done: &str) -> Draft {
        let relation = self.model.relation(id);
        let from = self.model.resource(id.resource);
        let noun = self.noun(id);
        let declared = self.model.schema.declared(id);
        let summary = format!("One pair of {}: {verb}", relation.name);
        let (written, deed) = match (relation.through, verb) {
            (None, _) => (declared.resource, Deed::Link(declared)),
            (Some(through), "unlink") => (through.resource(), Operation::Delete.into()),
            (Some(through), _) => (through.resource(), Operation::Create.into()),
        };
        let mut draft = self.draft(written, verb, &noun, summary, deed);
        from.name.clone_into(&mut draft.tag);
        self.guarded(id.resource, &mut draft);
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(OF_ITEM));
        draft
            .responses
            .extend(self.problems(&[Code::Invalid, Code::BodyTooLarge, Code::UnreadableBody]));
        if let Some(through) = relation.through.filter(|_| verb == "link") {
            draft
                .responses
                .extend(self.problems(&[Code::UnsupportedMediaType]));
            let known = self.model.fields_of_pair(through);
            let body = self.body(through.resource(), Body::Create, &known);
            // Without a body, all that isn't said falls back.
            draft.body = Some(json!({ "content": contents(JSON_TYPES, &body) }));
        }
        for side in [id.resource, relation.target] {
            let read = self.draft(side, "", "", String::new(), Operation::Read);
            draft.responses.extend(read.responses);
        }
        draft.responses.insert(
            204,
            json!({ "description": done, "headers": self.headers(&["Cache-Control"]) }),
        );
        draft
    }

    /// The key of the other side of a pair, in one segment.
    pub(super) fn other_parameter(&self, target: ResourceId) -> Value {
        let key = &self.model.resource(target).key.fields;
        let schema = match key.as_slice() {
            [only] => field::sought(self.model.field(*only)),
            // Its parts, separated by commas.
            _ => Object::from_iter([
                ("type".to_owned(), json!("string")),
                ("maxLength".to_owned(), json!(LONGEST_QUERY)),
            ]),
        };
        json!({ "name": "other", "in": "path", "required": true, "schema": schema })
    }
}
