//! The first requests to a service that has just been made, for its README: sent one after another, each works.
//!
//! They are a scene of which every row is made over HTTP: an account, as far as there are any, and an item that it may
//! make, read, and, where one is found, change and delete.

use rest_schema::{FieldId, KeyKind, Operation, ResourceId, Schema, Value};

use super::case::{Of, filter, is_filtered, one};
use super::literal;
use super::requests::{ADDRESS, Request};
use super::scene::{Cell, How, Scene, Slot, Who};
use super::search::{Goal, Search};

/// What may be done with an item, the most telling first.
const LIVES: [&[Operation]; 4] = [
    &[
        Operation::Create,
        Operation::Read,
        Operation::Update,
        Operation::Delete,
    ],
    &[Operation::Create, Operation::Read, Operation::Update],
    &[Operation::Create, Operation::Read, Operation::Delete],
    &[Operation::Create, Operation::Read],
];

/// Bytes of a value that is asked for.
const SHORT: usize = 40;

/// An item and whoever makes it.
pub(super) struct First<'s> {
    scene: Scene<'s>,
    /// The row of the item.
    row: usize,
    me: Who,
    operations: &'static [Operation],
}

impl<'s> First<'s> {
    /// The one with which the most can be done.
    pub(super) fn find(schema: &'s Schema) -> Option<Self> {
        let accounts = schema.accounts.as_ref().map(|accounts| accounts.resource);
        let resources = || schema.resources().filter(|(id, _)| Some(*id) != accounts);
        LIVES.iter().find_map(|operations| {
            resources().find_map(|(id, _)| {
                let (signed_up, given) = (Some(Some(None)), Some(None));
                let makers = [signed_up, given, None];
                let mut makers = makers
                    .into_iter()
                    .filter(|maker| maker.is_none() || accounts.is_some());
                makers.find_map(|maker| Self::attempt(schema, id, operations, maker))
            })
        })
    }

    /// With an account that signs up, one that is given, or none at all.
    fn attempt(
        schema: &'s Schema,
        id: ResourceId,
        operations: &'static [Operation],
        account: Option<Option<Who>>,
    ) -> Option<Self> {
        let mut scene = Scene::new(schema);
        let mut goals = Vec::new();
        let mut me = None;
        if let Some(maker) = account {
            let accounts = schema.accounts.as_ref()?.resource;
            let full = false;
            let place = scene.add(accounts, How { full, maker }, &[])?;
            if let Some(maker) = maker {
                let rule = schema.resource(accounts).access.rule(Operation::Create)?;
                goals.push(Goal::grants(&rule.expr, place, maker));
            }
            me = Some(place);
        }
        let (full, maker) = (false, Some(me));
        let row = scene.add(id, How { full, maker }, &[])?;
        for operation in operations {
            let rule = schema.resource(id).access.rule(*operation)?;
            goals.push(Goal::grants(&rule.expr, row, me));
        }
        let alone = 1 + usize::from(me.is_some());
        let scene = Search::find(scene, &goals)?;
        let scene = with_examples(scene, &goals);
        let found = Self {
            scene,
            row,
            me,
            operations,
        };
        let is_sound = found.scene.rows.len() == alone && found.scene.pairs.is_empty();
        (is_sound && found.is_told()).then_some(found)
    }

    /// Whether all of it can be said beforehand.
    fn is_told(&self) -> bool {
        let is_signed_in = self.me.is_none() || self.identifier().is_some();
        let is_addressed =
            !self.may(Operation::Update) && !self.may(Operation::Delete) || self.address().is_some();
        let is_changed = !self.may(Operation::Update) || self.change().is_some();
        let rows = 0..self.scene.rows.len();
        is_signed_in && is_addressed && is_changed && rows.into_iter().all(|row| self.body(row).is_some())
    }

    fn may(&self, operation: Operation) -> bool {
        self.operations.contains(&operation)
    }

    /// As a README says it.
    pub(super) fn told(&self, package: &str) -> Vec<Request> {
        let resource = self.scene.resource_of(self.row);
        let name = one(&resource.name).replace('_', " ");
        let collection = self.collection(self.row);
        let mut requests = self.signed_in(package);
        let body = self.body(self.row).unwrap_or_default();
        requests.push(Request {
            what: format!("make {name}"),
            command: self.curl("", Some(("application/json", body)), &collection),
        });
        requests.push(self.listed(&collection));
        let item = format!("{collection}/{}", self.address().unwrap_or_default());
        if self.may(Operation::Update) {
            let change = self.change().unwrap_or_default();
            requests.push(Request {
                what: "change it".to_owned(),
                command: self.curl("-X PATCH ", Some(("application/merge-patch+json", change)), &item),
            });
        }
        if self.may(Operation::Delete) {
            requests.push(Request {
                what: "delete it".to_owned(),
                command: self.curl("-i -X DELETE ", None, &item),
            });
        }
        requests
    }

    /// The item in its collection: by a value that it was given, where one can be asked for.
    fn listed(&self, collection: &str) -> Request {
        let resource = self.scene.resource_of(self.row);
        let slots = self.scene.rows[self.row].slots.iter();
        let mut filters = resource
            .fields
            .iter()
            .zip(slots)
            .filter_map(|(field, slot)| match slot {
                Slot::Given(Cell::Value(value)) if is_filtered(field) && is_short(value) => {
                    Some((field, filter(field, value)))
                }
                _ => None,
            });
        match filters.next() {
            Some((field, asked)) => Request {
                what: format!("find it by its {}", field.api_name.replace('_', " ")),
                command: self.curl("", None, &format!("{collection}?{asked}")),
            },
            None => Request {
                what: format!("read the {}", resource.collection),
                command: self.curl("", None, collection),
            },
        }
    }

    /// An account, and a token for it.
    fn signed_in(&self, package: &str) -> Vec<Request> {
        let (Some(me), Some((name, password))) = (self.me, self.identifier()) else {
            return Vec::new();
        };
        let api = format!("{ADDRESS}{}", self.scene.schema.prefix);
        let made = if self.scene.rows[me].maker.is_some() {
            let body = self.body(me).unwrap_or_default();
            Request {
                what: "make an account".to_owned(),
                command: format!(
                    "curl -H 'Content-Type: application/json' {} \\\n  -d {}",
                    self.collection(me),
                    quoted(&body)
                ),
            }
        } else {
            let pairs = self.pairs(me).unwrap_or_default();
            Request {
                what: "make an account, which nobody may over HTTP".to_owned(),
                command: format!(
                    "REST_PASSWORD={} rest-gen account create rest.yaml --database {package}.db{pairs}",
                    quoted(&password)
                ),
            }
        };
        let token = Request {
            what: "get a token for it".to_owned(),
            command: format!(
                "TOKEN=$(curl -s -u {} -X POST {api}/tokens | sed 's/.*\"token\":\"\\([^\"]*\\)\".*/\\1/')",
                quoted(&format!("{name}:{password}"))
            ),
        };
        vec![made, token]
    }

    fn curl(&self, method: &str, body: Option<(&str, String)>, url: &str) -> String {
        let token = if self.me.is_some() {
            "-H \"Authorization: Bearer $TOKEN\" "
        } else {
            ""
        };
        match body {
            Some((media_type, body)) => format!(
                "curl {method}{token}-H 'Content-Type: {media_type}' {url} \\\n  -d {}",
                quoted(&body)
            ),
            None => format!("curl {method}{token}'{url}'"),
        }
    }

    fn collection(&self, row: usize) -> String {
        let collection = &self.scene.resource_of(row).collection;
        format!("{ADDRESS}{}/{collection}", self.scene.schema.prefix)
    }

    /// What the account signs in with, where HTTP Basic can say it.
    fn identifier(&self) -> Option<(String, String)> {
        let accounts = self.scene.schema.accounts.as_ref()?;
        let row = self.me?;
        let text = |id: &FieldId| match self.scene.cell(row, id.index) {
            Cell::Value(Value::Text(text)) => Some(text),
            _ => None,
        };
        let name = accounts.identify_by.iter().find_map(text)?;
        Some((name, text(&accounts.password)?)).filter(|(name, _)| !name.contains(':'))
    }

    /// The last segment of the item's address. In a database that has just been made the first key is 1.
    fn address(&self) -> Option<String> {
        let key = &self.scene.resource_of(self.row).key;
        let [id] = key.fields.as_slice() else {
            return None;
        };
        match self.wire(&self.scene.cell(self.row, id.index))? {
            serde_json::Value::String(text) => {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
                text.chars().all(is_plain).then_some(text)
            }
            other => Some(other.to_string()),
        }
    }

    /// A value as JSON, where it is known beforehand.
    fn wire(&self, cell: &Cell) -> Option<serde_json::Value> {
        match cell {
            Cell::Value(value) => Some(literal::wire(value)),
            Cell::Key(place) => {
                let resource = self.scene.resource_of(*place);
                let is_counted = resource.key.kind == KeyKind::Autoincrement;
                // Each row is the first of its resource.
                is_counted.then_some(serde_json::Value::from(1))
            }
            Cell::Now | Cell::Unknown => None,
        }
    }

    /// What a row's body gives.
    fn members(&self, row: usize) -> Option<Vec<(&'s str, serde_json::Value)>> {
        let fields = self.scene.resource_of(row).fields.iter();
        let given = fields
            .zip(&self.scene.rows[row].slots)
            .filter_map(|(field, slot)| match slot {
                Slot::Given(cell) => Some((field, cell)),
                Slot::Left(_) | Slot::Expression(_) => None,
            });
        given
            .map(|(field, cell)| Some((field.api_name.as_str(), self.wire(cell)?)))
            .collect()
    }

    fn body(&self, row: usize) -> Option<String> {
        Some(object(&self.members(row)?))
    }

    /// The same for the command line, without the password.
    fn pairs(&self, row: usize) -> Option<String> {
        let accounts = self.scene.schema.accounts.as_ref()?;
        let password = &self.scene.schema.field(accounts.password).api_name;
        let members = self.members(row)?;
        let members = members.iter().filter(|(name, _)| name != password);
        Some(
            members
                .map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!(" --set {}", quoted(&format!("{name}={text}")))
                })
                .collect(),
        )
    }

    /// A body that changes the item as its maker may.
    fn change(&self) -> Option<String> {
        let of = Of::new(self.scene.schema, self.scene.rows[self.row].resource);
        let after = [Operation::Read, Operation::Delete];
        let after = after.into_iter().filter(|operation| self.may(*operation));
        let goals: Option<Vec<Goal<'s>>> = after
            .map(|operation| {
                let rule = of.rule(operation)?;
                Some(Goal::grants(&rule.expr, self.row, self.me))
            })
            .collect();
        let (index, cell, _) = of.change(&self.scene, self.row, self.me, &goals?)?;
        let field = &self.scene.resource_of(self.row).fields[index as usize];
        Some(object(&[(field.api_name.as_str(), self.wire(&cell)?)]))
    }
}

/// Whether a value reads well in an address.
fn is_short(value: &Value) -> bool {
    (1..=SHORT).contains(&value.to_wire().len())
}

/// The schema's own examples instead of samples, where nothing speaks against them.
fn with_examples<'s>(mut scene: Scene<'s>, goals: &[Goal<'s>]) -> Scene<'s> {
    for row in 0..scene.rows.len() {
        for (index, field) in (0u32..).zip(&scene.resource_of(row).fields) {
            let slot = &scene.rows[row].slots[index as usize];
            let (Some(example), Slot::Given(Cell::Value(_))) = (&field.example, slot) else {
                continue;
            };
            let mut shown = scene.clone();
            shown.rows[row].slots[index as usize] = Slot::Given(Cell::Value(example.clone()));
            let holds = goals.iter().all(|goal| goal.holds(&shown));
            if holds && shown.is_sound() && Search::keeps_checks(&shown) {
                scene = shown;
            }
        }
    }
    scene
}

/// An object on one line.
fn object(members: &[(&str, serde_json::Value)]) -> String {
    let members = members.iter();
    let members: Vec<String> = members
        .map(|(name, value)| format!("{}: {value}", serde_json::Value::from(*name)))
        .collect();
    format!("{{{}}}", members.join(", "))
}

/// A word of the shell, whatever stands in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
