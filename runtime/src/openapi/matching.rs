//! PATCH and DELETE of all items of a collection that match.

use rest_schema::{Operation, ResourceId};
use serde_json::{Value, json};

use super::draft::{BODY, Draft, JSON, WRITE, reference};
use super::resource::plural;
use super::schema::Kind;
use super::{Document, object};
use crate::problem::Code;
use crate::request::methods;
use crate::request::query::MAX_AFFECTED;

impl Document<'_> {
    pub(super) fn patch_matching(&self, id: ResourceId) -> Draft {
        let summary = format!(
            "Changes all {} that match, or none",
            self.model.resource(id).collection
        );
        let mut draft = self.matching(id, "updateMatching", summary, Operation::Update);
        draft.body = Some(self.patch_body(id));
        draft.takes("Prefer");
        draft.responses.extend(self.problems(BODY));
        let schema = json!({ "anyOf": [self.own_reference("Affected"), self.reference(id, Kind::Made)] });
        draft.responses.insert(
            200,
            json!({
                "description": "They are changed: how many there were, or, if preferred, the items that their writer may read.",
                "headers": self.headers(&["Cache-Control", "Vary", "Preference-Applied"]),
                "content": { JSON: { "schema": schema } },
            }),
        );
        self.repeatable(&mut draft);
        draft
    }

    pub(super) fn delete_matching(&self, id: ResourceId) -> Draft {
        let summary = format!(
            "Deletes all {} that match, or none",
            self.model.resource(id).collection
        );
        let mut draft = self.matching(id, "deleteMatching", summary, Operation::Delete);
        draft.responses.insert(
            200,
            json!({
                "description": "They are gone: how many there were.",
                "headers": self.headers(&["Cache-Control", "Vary"]),
                "content": { JSON: { "schema": self.own_reference("Affected") } },
            }),
        );
        draft
    }

    fn matching(&self, id: ResourceId, verb: &'static str, summary: String, operation: Operation) -> Draft {
        let resource = self.model.resource(id);
        let mut draft = self.draft(id, verb, &plural(&resource.collection), summary, operation);
        let read = self.draft(id, "", "", String::new(), Operation::Read);
        draft.responses.extend(read.responses);
        draft.parameters = self.filters(id, resource).iter().map(reference).collect();
        draft.takes(MAX_AFFECTED.name);
        draft.conditional();
        if resource.kept.preconditions {
            draft
                .responses
                .extend(self.problems(&[Code::PreconditionRequired]));
        }
        draft.responses.extend(self.problems(WRITE));
        draft.responses.extend(self.problems(&[Code::PreconditionFailed]));
        draft
    }

    /// The parameter that bounds them, where any collection takes it.
    pub(super) fn max_affected(&self) -> Option<(String, Value)> {
        let bulk = self.model.schema.limits.bulk;
        self.writes_matching().then(|| {
            let parameter = json!({
                "name": MAX_AFFECTED.name,
                "in": "query",
                "required": true,
                "description": MAX_AFFECTED.doc,
                "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": bulk },
            });
            (MAX_AFFECTED.name.to_owned(), parameter)
        })
    }

    /// The answer that says how many they were, where any collection gives it.
    pub(super) fn affected(&self) -> Option<(String, Value)> {
        let bulk = self.model.schema.limits.bulk;
        let count = json!({ "type": "integer", "format": "int32", "minimum": 0, "maximum": bulk });
        self.writes_matching().then(|| {
            let mut schema = object([("affected", count)], &["affected"]);
            if let Value::Object(members) = &mut schema {
                members.insert("description".to_owned(), json!("How many items matched."));
            }
            (self.own("Affected"), schema)
        })
    }

    fn writes_matching(&self) -> bool {
        let takes = |resource| {
            let all = methods::of_collection(resource);
            all.contains(&"PATCH") || all.contains(&"DELETE")
        };
        self.model.schema.resources.iter().any(takes)
    }
}
