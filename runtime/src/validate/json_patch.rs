//! A JSON Patch (RFC 6902): its operations, checked as far as the schema tells, and applied to a row.
//!
//! What an operation sets whatever the row holds is a change like any other. What depends on the row (tests, moves,
//! places within a document) waits for it. Documents are read as far as a patch looks into them: what it doesn't speak
//! of stays to the digit.

use std::collections::{BTreeMap, HashMap, HashSet};

use rest_schema::{FieldType, Value};

use super::field::Wrong;
use super::node::Node;
use super::update::Unfit;
use super::{Faults, Member, Update, Validator, Writer};
use crate::problem::{Fault, words};
use crate::request::body::{Json, MAX_DEPTH, Pointer};

/// Operations in one patch.
const MOST: usize = 1_000;

/// Bytes of JSON that the copies of one patch may make; beyond, a small patch would make a large document.
const MOST_COPIED: usize = 1 << 20;

/// What depends on the row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct JsonPatch {
    steps: Vec<Step>,
}

/// An operation and its place in the patch.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    index: usize,
    path: Path,
    action: Action,
}

#[derive(Debug, Clone, PartialEq)]
enum Action {
    Add(Json),
    Remove,
    Replace(Json),
    Move(Path),
    Copy(Path),
    Test(Json),
}

/// A place in an item.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    field: u32,
    /// Within the field's document.
    within: Vec<String>,
}

impl Action {
    fn from(&self) -> Option<&Path> {
        match self {
            Self::Move(from) | Self::Copy(from) => Some(from),
            Self::Add(_) | Self::Remove | Self::Replace(_) | Self::Test(_) => None,
        }
    }

    /// The value, where it is set whatever is there.
    fn value(&self) -> Option<&Json> {
        match self {
            Self::Add(value) | Self::Replace(value) => Some(value),
            Self::Remove | Self::Move(_) | Self::Copy(_) | Self::Test(_) => None,
        }
    }
}

impl Validator {
    /// A body of PATCH, as a JSON Patch.
    pub fn patch(&self, body: &Json, writer: &Writer<'_>) -> Update {
        let mut update = Update::default();
        let mut faults = Faults::new("");
        let steps = self.steps(body, writer, &mut faults);
        let waiting: HashSet<u32> = steps
            .iter()
            .filter(|step| step.action.value().is_none() || !step.path.within.is_empty())
            .flat_map(|step| std::iter::once(&step.path).chain(step.action.from()))
            .map(|path| path.field)
            .collect();
        for step in steps {
            match step.action.value() {
                Some(value) if !waiting.contains(&step.path.field) => {
                    self.set(&step, value, writer, &mut update, &mut faults);
                }
                _ => update.patch.steps.push(step),
            }
        }
        update.faults = faults.found;
        update
    }

    fn steps(&self, body: &Json, writer: &Writer<'_>, faults: &mut Faults<'_>) -> Vec<Step> {
        let Json::Array(operations) = body else {
            let detail = format!("a JSON Patch is an array of operations, not {}", body.kind());
            faults.add(Fault::pointer("", words::WRONG_TYPE, detail));
            return Vec::new();
        };
        if operations.len() > MOST {
            let detail = format!("a JSON Patch has {MOST} operations at most");
            faults.add(Fault::pointer("", words::TOO_LONG, detail).limit(MOST));
            return Vec::new();
        }
        let mut steps = Vec::new();
        for (index, operation) in operations.iter().enumerate() {
            match self.step(index, operation, writer) {
                Ok(step) => steps.push(step),
                Err(fault) => faults.add(fault),
            }
        }
        steps
    }

    fn step(&self, index: usize, operation: &Json, writer: &Writer<'_>) -> Result<Step, Fault> {
        let at = Pointer::root().index(index);
        if !matches!(operation, Json::Object(_)) {
            let detail = format!("an operation is an object, not {}", operation.kind());
            return Err(Fault::pointer(at, words::WRONG_TYPE, detail));
        }
        let needed = |name: &str| {
            let missing = || Fault::pointer(at.member(name), words::REQUIRED, "is missing");
            operation.member(name).ok_or_else(missing)
        };
        let path = |name: &str| self.path(needed(name)?, &at.member(name));
        let word = match needed("op")? {
            Json::Text(word) => word.as_str(),
            other => {
                let detail = format!("must be a string, not {}", other.kind());
                return Err(Fault::pointer(at.member("op"), words::WRONG_TYPE, detail));
            }
        };
        let action = match word {
            "add" => Action::Add(needed("value")?.clone()),
            "remove" => Action::Remove,
            "replace" => Action::Replace(needed("value")?.clone()),
            "move" => Action::Move(path("from")?),
            "copy" => Action::Copy(path("from")?),
            "test" => Action::Test(needed("value")?.clone()),
            other => {
                let known = ["add", "remove", "replace", "move", "copy", "test"];
                let detail = format!("there is no operation {other}; there are: {}", known.join(", "));
                let fault = Fault::pointer(at.member("op"), "not-one-of", detail);
                return Err(fault.near(other, known));
            }
        };
        let step = Step {
            index,
            path: path("path")?,
            action,
        };
        self.check(&step, &at, writer)?;
        Ok(step)
    }

    /// A place that an operation names.
    fn path(&self, path: &Json, at: &Pointer) -> Result<Path, Fault> {
        let fault = |word: &'static str, detail: String| Fault::pointer(at.clone(), word, detail);
        let Json::Text(text) = path else {
            return Err(fault(
                words::WRONG_TYPE,
                format!("must be a string, not {}", path.kind()),
            ));
        };
        let Some(rest) = text.strip_prefix('/') else {
            let detail = "must name a member of the item: a slash and its name (RFC 6901)";
            return Err(fault(words::UNKNOWN_FIELD, detail.to_owned()));
        };
        let mut tokens = rest.split('/').map(unescaped);
        let name = tokens.next().unwrap_or_default();
        let within: Vec<String> = tokens.collect();
        let known = self
            .places
            .get(&name)
            .filter(|place| !self.members[**place].is_hidden() || within.is_empty());
        let Some(&place) = known else {
            let fault = fault(
                words::UNKNOWN_FIELD,
                format!("{name} is no member that is known here"),
            );
            return Err(fault.near(&name, self.settable()));
        };
        let has_places = matches!(self.members[place].rules.ty, FieldType::Json | FieldType::Keys(_));
        if !within.is_empty() && !has_places {
            return Err(fault(
                words::UNKNOWN_FIELD,
                format!("there is nothing within {name}"),
            ));
        }
        let field = u32::try_from(place).unwrap_or(u32::MAX);
        Ok(Path { field, within })
    }

    /// Refuses what no row would admit.
    fn check(&self, step: &Step, at: &Pointer, writer: &Writer<'_>) -> Result<(), Fault> {
        let member = |path: &Path| &self.members[path.field as usize];
        let must_change = |path: &Path, name: &str| {
            if member(path).changes(path.field, writer) {
                Ok(())
            } else {
                Err(member(path).unchangeable().at(at.member(name).into()))
            }
        };
        if !matches!(step.action, Action::Test(_)) {
            must_change(&step.path, "path")?;
        }
        if let Action::Move(from) = &step.action {
            must_change(from, "from")?;
            let inside = from.field == step.path.field && step.path.within.starts_with(&from.within);
            if inside && from.within.len() < step.path.within.len() {
                let detail = "nothing can be moved into itself";
                return Err(Fault::pointer(at.member("path"), words::WRONG_TYPE, detail));
            }
        }
        // What GET never shows can be set, and neither compared nor taken.
        let read = step
            .action
            .from()
            .or(matches!(step.action, Action::Test(_)).then_some(&step.path));
        if read.is_some_and(|path| member(path).is_hidden()) {
            let detail = "is never shown, so it can't be read here either";
            return Err(Fault::pointer(at.clone(), words::UNKNOWN_FIELD, detail));
        }
        Ok(())
    }

    fn set(
        &self,
        step: &Step,
        value: &Json,
        writer: &Writer<'_>,
        update: &mut Update,
        faults: &mut Faults<'_>,
    ) {
        let field = step.path.field;
        update.forget(field);
        let mut wrong = Faults::new("");
        self.members[field as usize].change(field, value, writer, update, &mut wrong);
        let at = Pointer::root().index(step.index).member("value");
        for fault in wrong.found {
            faults.add(Fault {
                place: crate::problem::Place::Pointer(at.to_string()),
                ..fault
            });
        }
    }

    /// The fields as a patch leaves them, with what they are of a row; `shown` as for [`Update::against`].
    pub(super) fn patched(
        &self,
        patch: &JsonPatch,
        old: &[Value],
        shown: &dyn Fn(u32) -> bool,
    ) -> Result<Vec<(u32, Value)>, Unfit> {
        let mut work = Work {
            fields: HashMap::new(),
            changed: BTreeMap::new(),
            copied: 0,
        };
        for field in patch.fields() {
            if let Some(value) = old.get(field as usize).filter(|_| shown(field)) {
                work.fields.insert(field, Node::of_value(value));
            }
        }
        for step in &patch.steps {
            work.apply(step)?;
        }
        let mut faults = Faults::new("");
        let mut set = Vec::new();
        for (field, index) in &work.changed {
            match self.members[*field as usize].taken(work.fields.get(field)) {
                Ok(value) => set.push((*field, value)),
                Err(wrong) => faults.add(wrong.at(Pointer::root().index(*index).into())),
            }
        }
        faults.or(set).map_err(Unfit::Invalid)
    }
}

impl Member {
    /// A field's value as a patch left it: what is gone is NULL.
    fn taken(&self, node: Option<&Node>) -> Result<Value, Wrong> {
        let Some(node) = node else {
            return self.rules.check(&Json::Null);
        };
        if node.depth() > MAX_DEPTH {
            let detail = format!("nests deeper than {MAX_DEPTH} levels");
            return Err(Wrong::new(words::TOO_LONG, detail));
        }
        let text = node.to_text();
        if self.rules.ty == FieldType::Json && text != "null" {
            return self.rules.document(&text);
        }
        let json = crate::request::body::parse(text.as_bytes())
            .map_err(|_| Wrong::new(words::WRONG_TYPE, "is no value of the field"))?;
        self.rules.check(&json)
    }
}

impl JsonPatch {
    /// Whether nothing of it waits for the row.
    pub(super) fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The fields that it looks at or changes.
    pub(super) fn fields(&self) -> impl Iterator<Item = u32> {
        let paths = self
            .steps
            .iter()
            .flat_map(|step| std::iter::once(&step.path).chain(step.action.from()));
        let fields: HashSet<u32> = paths.map(|path| path.field).collect();
        fields.into_iter()
    }

    /// Takes back what is asked of a field.
    pub(super) fn forget(&mut self, field: u32) {
        self.steps.retain(|step| step.path.field != field);
    }
}

/// A patch at work.
struct Work {
    /// What there is of each field; one that was removed, or isn't shown, isn't there.
    fields: HashMap<u32, Node>,
    /// By field the last operation that changed it.
    changed: BTreeMap<u32, usize>,
    copied: usize,
}

impl Work {
    fn apply(&mut self, step: &Step) -> Result<(), Unfit> {
        let at = Pointer::root().index(step.index);
        match &step.action {
            Action::Test(value) => {
                let is_same = self
                    .find(&step.path)
                    .is_some_and(|node| *node == Node::of_json(value));
                if !is_same {
                    let detail = "the item doesn't have this value here";
                    return Err(conflict(&at, words::TEST_FAILED, detail));
                }
                return Ok(());
            }
            Action::Add(value) => self.add(&step.path, Node::of_json(value)),
            Action::Replace(value) => {
                let taken = self.remove(&step.path);
                taken.and_then(|_| self.add(&step.path, Node::of_json(value)))
            }
            Action::Remove => self.remove(&step.path).map(drop),
            Action::Move(from) => {
                let taken = self.remove(from);
                self.changed.insert(from.field, step.index);
                taken.and_then(|node| self.add(&step.path, node))
            }
            Action::Copy(from) => {
                let copy = self.find(from).cloned();
                self.copied += copy.as_ref().map_or(0, Node::size);
                if self.copied > MOST_COPIED {
                    let detail = "the patch copies more than it may";
                    let fault = Fault::pointer(at, words::TOO_LONG, detail).limit(MOST_COPIED);
                    return Err(Unfit::Invalid(vec![fault]));
                }
                copy.and_then(|node| self.add(&step.path, node))
            }
        }
        .ok_or_else(|| conflict(&at, words::NO_SUCH_PLACE, "the item has no such place now"))?;
        self.changed.insert(step.path.field, step.index);
        Ok(())
    }

    fn find(&self, path: &Path) -> Option<&Node> {
        let root = self.fields.get(&path.field)?;
        path.within.iter().try_fold(root, |node, token| node.child(token))
    }

    fn parent<'p>(&mut self, path: &'p Path) -> Option<(&mut Node, &'p str)> {
        let (last, before) = path.within.split_last()?;
        let root = self.fields.get_mut(&path.field)?;
        let parent = before
            .iter()
            .try_fold(root, |node, token| node.child_mut(token))?;
        Some((parent, last))
    }

    fn add(&mut self, path: &Path, node: Node) -> Option<()> {
        if path.within.is_empty() {
            self.fields.insert(path.field, node);
            return Some(());
        }
        let (parent, name) = self.parent(path)?;
        parent.add(name, node)
    }

    fn remove(&mut self, path: &Path) -> Option<Node> {
        if path.within.is_empty() {
            return self.fields.remove(&path.field);
        }
        let (parent, name) = self.parent(path)?;
        parent.remove(name)
    }
}

fn conflict(at: &Pointer, word: &'static str, detail: &str) -> Unfit {
    Unfit::Conflict(vec![Fault::pointer(at.clone(), word, detail)])
}

/// A token of a pointer as it is meant (RFC 6901, 4).
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
