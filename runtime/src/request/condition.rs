//! Conditions on rows: filters of a query string, and the JSON filter of QUERY.
//!
//! They are in negation normal form: what is negated is a test of one field, or that a relation leads to such an item.
//! So a rule that is put beside a condition never stands under a NOT.

use rest_schema::{Field, FieldId, FieldType, RelationId, ResourceId, Value};

use super::filter::{OPERATORS, OperatorRow, Takes};
use super::names::Names;
use super::{Filter, Operator, Path};
use crate::problem::{Code, Fault, words};
use crate::request::body::{Json, Pointer};
use crate::validate::sought;

/// What a row has to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// A test of one field.
    Test(Filter),
    /// Its opposite; like every test it isn't passed by NULL.
    Not(Filter),
    /// All of these; of none: every row.
    All(Vec<Condition>),
    /// One of these; of none: no row.
    Any(Vec<Condition>),
    /// The relation leads to an item like this that the caller may read.
    Some(RelationId, Box<Condition>),
    /// It leads to none.
    None(RelationId, Box<Condition>),
}

impl Condition {
    /// That a field has a value.
    pub fn equals(field: FieldId, value: Value) -> Self {
        let steps = Vec::new();
        Self::Test(Filter {
            path: Path { steps, field },
            operator: Operator::Eq,
            values: vec![value],
        })
    }

    /// The relations that it follows.
    pub fn steps(&self, steps: &mut Vec<RelationId>) {
        match self {
            Self::Test(filter) | Self::Not(filter) => steps.extend(&filter.path.steps),
            Self::All(all) | Self::Any(all) => all.iter().for_each(|one| one.steps(steps)),
            Self::Some(relation, one) | Self::None(relation, one) => {
                steps.push(*relation);
                one.steps(steps);
            }
        }
    }
}

/// Words that stand beside fields and relations.
const WORDS: [&str; 4] = ["any", "all", "not", "none"];

/// Reads the JSON filter of QUERY.
pub(super) fn read(
    names: &Names,
    resource: ResourceId,
    json: &Json,
    at: &Pointer,
    faults: &mut Vec<Fault>,
) -> Condition {
    let mut reader = Reader {
        names,
        faults,
        tests: 0,
    };
    let place = Spot {
        resource,
        steps: 0,
        negated: false,
    };
    let condition = reader.object(place, json, at);
    let most = names.schema.limits.filters;
    if reader.tests > most {
        let detail = format!("{} conditions, where at most {most} are served", reader.tests);
        faults.push(Fault::pointer(at.clone(), Code::LimitExceeded.word(), detail).limit(most));
    }
    condition
}

struct Reader<'a, 'n> {
    names: &'a Names<'n>,
    faults: &'a mut Vec<Fault>,
    tests: u32,
}

/// Of which rows a part of the filter speaks.
#[derive(Clone, Copy)]
struct Spot {
    resource: ResourceId,
    /// How many relations lead there.
    steps: u32,
    negated: bool,
}

impl Spot {
    fn negated(self) -> Self {
        Self {
            negated: !self.negated,
            ..self
        }
    }

    fn all(self, all: Vec<Condition>) -> Condition {
        if self.negated {
            Condition::Any(all)
        } else {
            Condition::All(all)
        }
    }

    fn any(self, all: Vec<Condition>) -> Condition {
        self.negated().all(all)
    }
}

impl Reader<'_, '_> {
    fn fault(&mut self, at: &Pointer, word: &'static str, detail: impl Into<String>) -> &mut Fault {
        self.faults.push(Fault::pointer(at.clone(), word, detail));
        let last = self.faults.len() - 1;
        &mut self.faults[last]
    }

    fn wrong_type(&mut self, at: &Pointer, right: &str, json: &Json) {
        let detail = format!("must be {right}, not {}", json.kind());
        self.fault(at, words::WRONG_TYPE, detail);
    }

    /// What is no condition: it is told, and never asked.
    fn nothing() -> Condition {
        Condition::Any(Vec::new())
    }

    fn object(&mut self, spot: Spot, json: &Json, at: &Pointer) -> Condition {
        let Json::Object(members) = json else {
            self.wrong_type(at, "an object", json);
            return Self::nothing();
        };
        let all = members
            .iter()
            .map(|(name, json)| self.member(spot, name, json, &at.member(name)));
        let all = all.collect();
        spot.all(all)
    }

    fn member(&mut self, spot: Spot, name: &str, json: &Json, at: &Pointer) -> Condition {
        match name {
            "any" => {
                let list = self.list(spot, json, at);
                spot.any(list)
            }
            "all" => {
                let list = self.list(spot, json, at);
                spot.all(list)
            }
            "not" => self.object(spot.negated(), json, at),
            "none" => self.none(spot, json, at),
            _ => {
                if let Some((id, field)) = self.names.field(spot.resource, name) {
                    return self.field(spot, (id, field), json, at);
                }
                match self.step(spot, name, at) {
                    Some((relation, inner)) => {
                        let inner = self.object(inner, json, at);
                        Condition::Some(relation, Box::new(inner))
                    }
                    None => Self::nothing(),
                }
            }
        }
    }

    fn list(&mut self, spot: Spot, json: &Json, at: &Pointer) -> Vec<Condition> {
        match json {
            Json::Array(items) if !items.is_empty() => {
                let items = items.iter().enumerate();
                items
                    .map(|(place, item)| self.object(spot, item, &at.index(place)))
                    .collect()
            }
            Json::Array(_) => {
                self.fault(at, words::TOO_SHORT, "must hold at least one condition")
                    .limit = Some(Box::new(1.into()));
                Vec::new()
            }
            other => {
                self.wrong_type(at, "an array", other);
                Vec::new()
            }
        }
    }

    /// `{"none": {"comments": {…}}}`: no such comment.
    fn none(&mut self, spot: Spot, json: &Json, at: &Pointer) -> Condition {
        let Json::Object(members) = json else {
            self.wrong_type(at, "an object of relations", json);
            return Self::nothing();
        };
        let mut all = Vec::new();
        for (name, json) in members {
            let at = at.member(name);
            let Some((relation, inner)) = self.step(spot, name, &at) else {
                continue;
            };
            // What is looked for is said as it is; only whether it is there is the question.
            let inner = Spot {
                negated: false,
                ..inner
            };
            let inner = Box::new(self.object(inner, json, &at));
            all.push(if spot.negated {
                Condition::Some(relation, inner)
            } else {
                Condition::None(relation, inner)
            });
        }
        spot.all(all)
    }

    fn step(&mut self, spot: Spot, name: &str, at: &Pointer) -> Option<(RelationId, Spot)> {
        let Some((id, relation)) = self.names.relation(spot.resource, name) else {
            let fields = self.names.filterable(spot.resource);
            let relations = self
                .names
                .relations(spot.resource)
                .map(|(_, relation)| relation.name.as_str());
            let known: Vec<&str> = fields.chain(relations).chain(WORDS).collect();
            let fault = self.fault(
                at,
                words::UNKNOWN_FIELD,
                format!("there is no field or relation {name}"),
            );
            fault.nearest = rest_schema::diagnostic::nearest(name, known);
            return None;
        };
        let most = self.names.schema.limits.include_depth;
        if spot.steps == most {
            let detail = format!("more than {most} relations one after the other are not served");
            self.fault(at, Code::LimitExceeded.word(), detail).limit = Some(Box::new(most.into()));
            return None;
        }
        let inner = Spot {
            resource: relation.target,
            steps: spot.steps + 1,
            ..spot
        };
        Some((id, inner))
    }

    /// `{"gte": 10, "lt": 20}`, or a value for `{"eq": …}`.
    fn field(&mut self, spot: Spot, field: (FieldId, &Field), json: &Json, at: &Pointer) -> Condition {
        if !field.1.filterable {
            let detail = format!("{} is not a field to filter by", field.1.api_name);
            self.fault(at, Code::NotFilterable.word(), detail);
            return Self::nothing();
        }
        let eq = Operator::Eq.row();
        let Json::Object(operators) = json else {
            return self.test(spot, field, eq, json, at).unwrap_or_else(Self::nothing);
        };
        let mut all = Vec::new();
        for (word, json) in operators {
            let at = at.member(word);
            let kind = field.1.ty.kind();
            match OPERATORS
                .iter()
                .find(|row| row.word == *word && row.kinds.contains(&kind))
            {
                Some(row) => all.extend(self.test(spot, field, row, json, &at)),
                None => {
                    let known: Vec<&str> = Operator::of_kind(kind).map(|row| row.word).collect();
                    let detail = format!(
                        "there is no operator {word} for {}; there are: {}",
                        field.1.api_name,
                        known.join(", ")
                    );
                    self.fault(&at, Code::UnknownOperator.word(), detail).nearest =
                        rest_schema::diagnostic::nearest(word, known);
                }
            }
        }
        spot.all(all)
    }

    fn test(
        &mut self,
        spot: Spot,
        (id, field): (FieldId, &Field),
        row: &OperatorRow,
        json: &Json,
        at: &Pointer,
    ) -> Option<Condition> {
        self.tests += 1;
        if !row.kinds.contains(&field.ty.kind()) {
            // Documents and bytes can't be compared.
            let detail = format!("{} can only be asked for null", field.api_name);
            self.fault(at, Code::UnknownOperator.word(), detail);
            return None;
        }
        let mut value = |ty: &FieldType, json: &Json, at: &Pointer| {
            sought(ty, json, at).map_err(|fault| self.faults.push(fault)).ok()
        };
        let (operator, values) = match (row.takes, json) {
            (Takes::One, json) => (row.operator, vec![value(&field.ty, json, at)?]),
            (Takes::Text, json) => (row.operator, vec![value(&FieldType::Text, json, at)?]),
            (Takes::Flag, Json::Bool(true)) => (row.operator, Vec::new()),
            (Takes::Flag, Json::Bool(false)) => (Operator::IsNotNull, Vec::new()),
            (Takes::List, Json::Array(items)) => {
                let items = items.iter().enumerate();
                let values: Vec<_> = items
                    .map(|(place, item)| value(&field.ty, item, &at.index(place)))
                    .collect();
                (row.operator, values.into_iter().collect::<Option<_>>()?)
            }
            (takes, other) => {
                let right = if takes == Takes::List {
                    "an array"
                } else {
                    "true or false"
                };
                self.wrong_type(at, right, other);
                return None;
            }
        };
        let filter = Filter {
            path: Path {
                steps: Vec::new(),
                field: id,
            },
            operator,
            values,
        };
        Some(if spot.negated {
            Condition::Not(filter)
        } else {
            Condition::Test(filter)
        })
    }
}
