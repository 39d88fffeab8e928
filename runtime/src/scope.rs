//! What a token may do for its account: words such as `posts:read` and `posts:write`, or `*` for all of it; and words of
//! the service's own, which rules ask for (`scope(publish)`).
//!
//! Outside its scopes the caller of a token counts as anonymous. A rule belongs to a resource and to what is done to its
//! rows ([`Act`]), and asks the caller as whom he comes there; so nothing that is planned or written need know of scopes.

use std::collections::HashMap;
use std::sync::Arc;

use rest_schema::{Operation, ResourceId, Schema};

/// The scope of everything.
pub(crate) const ALL: &str = "*";

/// What is done to rows, as far as scopes tell it apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// They are read.
    Read,
    /// They are made, changed, deleted, brought back, linked.
    Write,
}

impl From<Operation> for Act {
    fn from(operation: Operation) -> Self {
        match operation {
            Operation::Read => Self::Read,
            Operation::Create | Operation::Update | Operation::Delete | Operation::Restore => Self::Write,
        }
    }
}

/// One thing that a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Scope {
    /// To do this to the rows of a resource.
    Of(ResourceId, Act),
    /// What a word of the service's own stands for, by its place in the schema.
    Own(u16),
}

/// All that a caller may do on his account's behalf, as far as its rules allow that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(
    /// Sorted; `None`: everything.
    Option<Arc<[Scope]>>,
);

impl Scopes {
    /// Everything.
    pub(crate) const ALL: Self = Self(None);

    fn of(mut scopes: Vec<Scope>) -> Self {
        scopes.sort_unstable();
        Self(Some(scopes.into()))
    }

    /// Whether something is outside of them.
    pub(crate) fn are_limited(&self) -> bool {
        self.0.is_some()
    }

    /// Whether they cover what is done to the rows of a resource.
    pub(crate) fn cover(&self, resource: ResourceId, act: Act) -> bool {
        self.contain(Scope::Of(resource, act))
    }

    /// Whether they have a word of the service's own, by its place in the schema.
    pub(crate) fn has(&self, word: u16) -> bool {
        self.contain(Scope::Own(word))
    }

    fn contain(&self, scope: Scope) -> bool {
        let limited = self.0.as_ref();
        limited.is_none_or(|scopes| scopes.binary_search(&scope).is_ok())
    }

    /// The same and one more.
    #[must_use]
    pub(crate) fn and(&self, resource: ResourceId, act: Act) -> Self {
        match &self.0 {
            Some(scopes) if !self.cover(resource, act) => {
                Self::of(scopes.iter().copied().chain([Scope::Of(resource, act)]).collect())
            }
            _ => self.clone(),
        }
    }
}

/// The words of a service's scopes.
#[derive(Debug)]
pub struct Words(HashMap<String, Scope>);

impl Words {
    /// Those of a schema: what somebody may do in each resource, and the service's own.
    pub(crate) fn new(schema: &Schema) -> Self {
        let all = schema.resources().flat_map(|(id, _)| {
            let acts = acts_of(schema, id).into_iter();
            acts.map(move |act| (word(schema, id, act), Scope::Of(id, act)))
        });
        let own = (0..).zip(&schema.tokens.scopes);
        let own = own.map(|(place, word)| (word.clone(), Scope::Own(place)));
        Self(all.chain(own).collect())
    }

    /// Whether there is such a word.
    pub(crate) fn has(&self, word: &str) -> bool {
        word == ALL || self.0.contains_key(word)
    }

    /// Whether scopes cover what a word stands for; not where there is no such word.
    pub(crate) fn are_in(&self, word: &str, scopes: &Scopes) -> bool {
        match self.0.get(word) {
            Some(scope) => scopes.contain(*scope),
            None => word == ALL && !scopes.are_limited(),
        }
    }

    /// All of them, `*` first and the others in their order.
    pub(crate) fn all(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.0.keys().map(String::as_str).collect();
        all.sort_unstable();
        all.insert(0, ALL);
        all
    }

    /// What words of a list mean, with spaces between (RFC 6749, 3.3). A word that there isn't any more grants nothing.
    pub(crate) fn read(&self, list: &str) -> Scopes {
        let words = || list.split_ascii_whitespace();
        if words().any(|word| word == ALL) {
            return Scopes::ALL;
        }
        Scopes::of(words().filter_map(|word| self.0.get(word).copied()).collect())
    }
}

/// What may be done to a resource's rows by anybody at all.
fn acts_of(schema: &Schema, id: ResourceId) -> Vec<Act> {
    let resource = schema.resource(id);
    let access = &resource.access;
    let writes = [&access.create, &access.update, &access.delete, &access.restore];
    let links = resource.relations.iter().map(|relation| &relation.access);
    let mut acts = Vec::new();
    if access.read.is_some() {
        acts.push(Act::Read);
    }
    if writes.into_iter().chain(links).any(Option::is_some) {
        acts.push(Act::Write);
    }
    acts
}

/// The word of a scope.
pub(crate) fn word(schema: &Schema, id: ResourceId, act: Act) -> String {
    let act = match act {
        Act::Read => "read",
        Act::Write => "write",
    };
    format!("{}:{act}", schema.resource(id).collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let text = "service: s\nmanaged: true\ntokens: { scopes: [publish] }\nresources:\n  Post:\n    fields: { title: string }\n    access: { read: public, create: scope(publish) }\n  Log:\n    fields: { line: string }\n    access: { read: public }\n";
        rest_schema::read_one("s.yaml", text).expect("a schema").schema
    }

    const POSTS: ResourceId = ResourceId(0);

    #[test]
    fn words_are_those_of_what_anybody_may_do() {
        assert_eq!(
            Words::new(&schema()).all(),
            ["*", "logs:read", "posts:read", "posts:write", "publish"]
        );
    }

    #[test]
    fn scopes_cover_what_they_name() {
        let words = Words::new(&schema());
        let scopes = words.read("posts:read gone:write");
        assert!(scopes.are_limited() && scopes.cover(POSTS, Act::Read));
        assert!(words.are_in("posts:read", &scopes) && !words.are_in("publish", &scopes));
        assert!(!words.are_in("*", &scopes) && words.are_in("*", &Scopes::ALL));
        assert!(!words.are_in("nothing", &Scopes::ALL));
        assert!(!scopes.has(0) && words.read("publish").has(0) && Scopes::ALL.has(0));
        assert!(!scopes.cover(POSTS, Act::Write) && !scopes.cover(ResourceId(1), Act::Read));
        assert!(scopes.and(POSTS, Act::Write).cover(POSTS, Act::Write));
        for all in ["*", "posts:read *"] {
            assert_eq!(words.read(all), Scopes::ALL);
        }
        assert!(!words.read("").cover(POSTS, Act::Read));
    }
}
