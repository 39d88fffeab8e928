//! Names on the wire to fields and relations, as far as they exist for the caller.
//!
//! What he may not see is looked up like what isn't there, with the same words, so that no answer tells them apart.

use rest_schema::{Field, FieldId, Link, Relation, RelationId, RelationKind, ResourceId, Schema};

use super::{Path, Visible};
use crate::problem::{Code, Fault};

/// So many names are listed; of the rest only the number.
const LISTED: usize = 40;

/// The names of a schema that exist for one caller.
pub(super) struct Names<'a> {
    pub(super) schema: &'a Schema,
    pub(super) visible: &'a Visible<'a>,
}

impl<'a> Names<'a> {
    /// All fields there are, in the order of the schema.
    pub(super) fn fields(&self, resource: ResourceId) -> impl Iterator<Item = (FieldId, &'a Field)> {
        let fields = &self.schema.resource(resource).fields;
        (0..)
            .zip(fields)
            .map(move |(index, field)| (FieldId { resource, index }, field))
            .filter(|&(id, _)| self.shows(id))
    }

    fn shows(&self, id: FieldId) -> bool {
        self.schema.field(id).is_shown() && (self.visible)(id)
    }

    /// A field by its name.
    pub(super) fn field(&self, resource: ResourceId, name: &str) -> Option<(FieldId, &'a Field)> {
        let (index, field) = self.schema.resource(resource).field_by_api_name(name)?;
        let id = FieldId { resource, index };
        self.shows(id).then_some((id, field))
    }

    /// All relations there are. One exists where its foreign key does, and something at its end.
    pub(super) fn relations(&self, resource: ResourceId) -> impl Iterator<Item = (RelationId, &'a Relation)> {
        let relations = &self.schema.resource(resource).relations;
        (0..)
            .zip(relations)
            .map(move |(index, relation)| (RelationId { resource, index }, relation))
            .filter(|(_, relation)| self.leads(relation))
    }

    fn leads(&self, relation: &Relation) -> bool {
        let foreign_key = match (&relation.link, relation.kind) {
            (Link::Keys { local, .. }, RelationKind::BelongsTo) => local.as_slice(),
            (Link::Keys { remote, .. }, _) => remote.as_slice(),
            (Link::Join { .. }, _) => &[],
        };
        // What no rule lets anybody read isn't there, for whoever asks.
        let is_read = self.schema.resource(relation.target).access.read.is_some();
        is_read
            && foreign_key.iter().all(|&id| self.shows(id))
            && self.fields(relation.target).next().is_some()
    }

    /// A relation by its name.
    pub(super) fn relation(&self, resource: ResourceId, name: &str) -> Option<(RelationId, &'a Relation)> {
        let (index, relation) = self.schema.resource(resource).relation_by_name(name)?;
        let id = RelationId { resource, index };
        self.leads(relation).then_some((id, relation))
    }

    /// Whether a field or relation of this name exists.
    pub(super) fn has(&self, resource: ResourceId, name: &str) -> bool {
        self.field(resource, name).is_some() || self.relation(resource, name).is_some()
    }

    /// Names of fields to filter by.
    pub(super) fn filterable(&self, resource: ResourceId) -> impl Iterator<Item = &'a str> {
        self.fields(resource)
            .filter(|(_, field)| field.filterable)
            .map(|(_, field)| field.api_name.as_str())
    }

    /// Whether a search could look into a field.
    pub(super) fn is_searchable(&self, resource: ResourceId) -> bool {
        self.fields(resource).any(|(_, field)| field.searchable)
    }

    /// Goes along relations of any kind.
    pub(super) fn walk<'n>(
        &self,
        resource: ResourceId,
        steps: impl IntoIterator<Item = &'n str>,
        parameter: &str,
    ) -> Result<(Vec<RelationId>, ResourceId), Fault> {
        let most = self.schema.limits.include_depth;
        let (mut path, mut at) = (Vec::new(), resource);
        for step in steps {
            let (id, relation) = self
                .relation(at, step)
                .ok_or_else(|| self.no_relation(at, step, parameter))?;
            if path.len() == most as usize {
                let detail = format!("a path of more than {most} relations is not served");
                return Err(Fault::parameter(parameter, Code::LimitExceeded, detail).limit(most));
            }
            path.push(id);
            at = relation.target;
        }
        Ok((path, at))
    }

    /// A field at the end of a path of relations, `author.username`.
    pub(super) fn path(
        &self,
        resource: ResourceId,
        text: &str,
        parameter: &str,
    ) -> Result<(Path, &'a Field), Fault> {
        let (steps, name) = match text.rsplit_once('.') {
            Some((steps, name)) => (Some(steps), name),
            None => (None, text),
        };
        let steps = steps.into_iter().flat_map(|steps| steps.split('.'));
        let (steps, at) = self.walk(resource, steps, parameter)?;
        match self.field(at, name) {
            Some((field, found)) => Ok((Path { steps, field }, found)),
            None => Err(self.no_field(at, name, parameter)),
        }
    }

    /// The first step of a path that leads to many items.
    pub(super) fn to_many(&self, path: &Path) -> Option<&'a Relation> {
        let mut steps = path.steps.iter().map(|&step| self.schema.relation(step));
        steps.find(|relation| !relation.kind.is_to_one())
    }

    fn no_field(&self, resource: ResourceId, name: &str, parameter: &str) -> Fault {
        if let Some((_, relation)) = self.relation(resource, name) {
            return self.relation_for_field(resource, relation, parameter);
        }
        let known: Vec<_> = self
            .fields(resource)
            .map(|(_, field)| field.api_name.as_str())
            .collect();
        let detail = format!(
            "there is no field {name}; fields: {}",
            list(known.iter().copied())
        );
        Fault::parameter(parameter, Code::UnknownField, detail).near(name, known)
    }

    /// `author=1` where `author_id=1` or `author.username=susan` is meant.
    fn relation_for_field(&self, resource: ResourceId, relation: &Relation, parameter: &str) -> Fault {
        let name = &relation.name;
        let detail = format!(
            "{name} is a relation; name a field of it, as {name}.{}",
            self.example(relation)
        );
        let mut fault = Fault::parameter(parameter, Code::UnknownField, detail);
        if let (Link::Keys { local, .. }, RelationKind::BelongsTo) = (&relation.link, relation.kind)
            && let [key] = local.as_slice()
            && key.resource == resource
        {
            fault.nearest = Some(self.schema.field(*key).api_name.clone());
        }
        fault
    }

    fn example(&self, relation: &Relation) -> &'a str {
        self.fields(relation.target)
            .next()
            .map_or("id", |(_, field)| field.api_name.as_str())
    }

    fn no_relation(&self, resource: ResourceId, name: &str, parameter: &str) -> Fault {
        let known: Vec<_> = self
            .relations(resource)
            .map(|(_, relation)| relation.name.as_str())
            .collect();
        let what = if self.field(resource, name).is_some() {
            format!("{name} is a field, not a relation")
        } else {
            format!("there is no relation {name}")
        };
        let detail = format!("{what}; relations: {}", list(known.iter().copied()));
        Fault::parameter(parameter, Code::UnknownField, detail).near(name, known)
    }
}

/// Names as a sentence lists them.
pub(super) fn list<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    match names.len() {
        0 => "none".to_owned(),
        count if count > LISTED => format!("{} and {} more", names[..LISTED].join(", "), count - LISTED),
        _ => names.join(", "),
    }
}
