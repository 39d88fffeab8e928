//! What a change of a schema means to its clients: two checked schemas, compared by what is seen on the wire.
//!
//! A change is *breaking* where a request that was served may be refused, or where an answer may hold what it never
//! did: a careful client written against the old schema fails. It is *to look at* where that depends on what clients
//! do, as a rule that has changed. All else is *compatible*. Tables, columns and indexes are nobody's business here.

mod field;
mod resource;
mod service;
#[cfg(test)]
mod tests;

use rest_schema::{Deprecation, Expr, Rule, Schema, Value};

/// What a change does to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Some client fails.
    Breaking,
    /// It depends.
    ToLookAt,
    /// No client notices, unless he looks for it.
    Compatible,
}

impl Weight {
    /// Its word, in texts and in JSON.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::ToLookAt => "to look at",
            Self::Compatible => "compatible",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) weight: Weight,
    /// Where: the service, a resource by its name, a member as `Post.title`.
    pub(crate) place: String,
    /// What is different.
    pub(crate) message: String,
}

/// All changes from one schema to another, the breaking ones first.
pub(crate) fn compare(old: &Schema, new: &Schema) -> Vec<Change> {
    let mut changes = Changes::default();
    service::compare(old, new, &mut changes);
    resource::compare(old, new, &mut changes);
    changes.0.sort_by_key(|change| change.weight);
    changes.0
}

/// The changes found so far.
#[derive(Debug, Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn push(&mut self, weight: Weight, place: &str, message: impl Into<String>) {
        self.0.push(Change {
            weight,
            place: place.to_owned(),
            message: message.into(),
        });
    }

    fn breaking(&mut self, place: &str, message: impl Into<String>) {
        self.push(Weight::Breaking, place, message);
    }

    fn doubtful(&mut self, place: &str, message: impl Into<String>) {
        self.push(Weight::ToLookAt, place, message);
    }

    fn compatible(&mut self, place: &str, message: impl Into<String>) {
        self.push(Weight::Compatible, place, message);
    }

    /// A limit, of which less breaks what was within it.
    fn limit<T: PartialOrd + ToString>(&mut self, place: &str, what: &str, old: T, new: T) {
        let text = format!("{what} was {} and is {}", old.to_string(), new.to_string());
        if new < old {
            self.breaking(place, text);
        } else if new > old {
            self.compatible(place, text);
        }
    }

    /// A rule that decides who may do something; `what` begins the sentence. Where there is none, nobody is held back.
    /// What clients are told of the end of something.
    fn deprecated(&mut self, place: &str, old: Option<Deprecation>, new: Option<Deprecation>) {
        match (old, new) {
            (None, Some(_)) => self.compatible(place, "it is told to clients as deprecated"),
            (Some(one), Some(other)) if one != other => {
                self.compatible(place, "clients are told other days of its end");
            }
            _ => {}
        }
    }

    fn rule(&mut self, place: &str, what: &str, old: Option<&Rule>, new: Option<&Rule>) {
        let said = |rule: Option<&Rule>| {
            rule.map_or("for everybody".to_owned(), |rule| format!("`{}`", rule.source))
        };
        let text = || format!("{what} was {} and is {}", said(old), said(new));
        match (old.map(openness), new.map(openness)) {
            _ if old.map(|rule| &rule.expr) == new.map(|rule| &rule.expr) => {}
            (_, None | Some(Openness::All)) => self.compatible(place, text()),
            (None | Some(Openness::All), Some(_)) | (_, Some(Openness::None)) => self.breaking(place, text()),
            (Some(Openness::None), Some(_)) | (Some(Openness::Some), Some(Openness::Authenticated)) => {
                self.compatible(place, text());
            }
            (Some(Openness::Authenticated), Some(Openness::Some)) => self.breaking(place, text()),
            _ => self.doubtful(place, text()),
        }
    }
}

/// For whom a rule may be TRUE, as far as it says so by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Openness {
    All,
    Authenticated,
    Some,
    None,
}

fn openness(rule: &Rule) -> Openness {
    match &rule.expr {
        Expr::Literal(Value::Boolean(true)) => Openness::All,
        Expr::Literal(_) => Openness::None,
        Expr::Authenticated => Openness::Authenticated,
        _ => Openness::Some,
    }
}
