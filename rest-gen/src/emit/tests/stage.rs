//! A scene as statements: each row is inserted after those it points at, and named where something speaks of it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rest_schema::{FieldType, Link, RelationId, RelationKind, naming};

use super::literal;
use super::scene::{Cell, Pair, Scene, Slot, Who};
use super::text::{asked, inline, object};

/// Names that the tests use for other things.
const RESERVED: &[&str] = &[
    "absent",
    "ahead",
    "answer",
    "api",
    "asked",
    "at",
    "before",
    "behind",
    "body",
    "browser",
    "caller",
    "change",
    "code",
    "credentials",
    "dated",
    "editor",
    "expired",
    "first",
    "forged",
    "found",
    "granted",
    "hidden",
    "item",
    "itself",
    "json",
    "lines",
    "listed",
    "maker",
    "member",
    "narrow",
    "next",
    "nobody",
    "none",
    "other",
    "page",
    "parameter",
    "place",
    "places",
    "query",
    "reader",
    "remover",
    "second",
    "shown",
    "sort",
    "sorted",
    "sound",
    "status",
    "stranger",
    "text",
    "these",
    "value",
];

/// Words of Rust, which name nothing.
const WORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];

/// Whether a name is a word of Rust.
pub(super) fn is_word_of_rust(name: &str) -> bool {
    WORDS.contains(&name)
}

/// A scene with names for its rows and for those who ask.
#[derive(Debug)]
pub(super) struct Stage<'a, 's> {
    scene: &'a Scene<'s>,
    names: Vec<String>,
    clients: Vec<(usize, String)>,
    used: RefCell<BTreeSet<usize>>,
    kept: RefCell<BTreeSet<usize>>,
    order: Vec<usize>,
    pairs: Vec<Pair>,
}

impl<'a, 's> Stage<'a, 's> {
    /// `None` where rows point at each other, so that none can be first.
    pub(super) fn new(scene: &'a Scene<'s>, clients: &[(Who, &str)]) -> Option<Self> {
        let mut names: Vec<String> = Vec::new();
        for place in 0..scene.rows.len() {
            let name = name_of(scene, place);
            let is_client = |of: usize| clients.iter().any(|(who, _)| *who == Some(of));
            let is_alike = |of: &usize| scene.rows[*of].resource == scene.rows[place].resource;
            let number = (0..place).filter(|of| is_alike(of) && !is_client(*of)).count() + 1;
            names.push(if number == 1 {
                name
            } else {
                format!("{name}_{number}")
            });
        }
        let clients = clients
            .iter()
            .filter_map(|(who, name)| Some(((*who)?, (*name).to_owned())));
        Some(Self {
            scene,
            names,
            clients: clients
                .filter(|(place, _)| scene.rows[*place].maker.is_none())
                .collect(),
            used: RefCell::default(),
            kept: RefCell::default(),
            order: order(scene)?,
            pairs: scene.pairs.clone(),
        })
    }

    /// Only one who asks, with what his account can't be without.
    pub(super) fn alone(scene: &'a Scene<'s>, who: Who, name: &str) -> Option<Self> {
        let mut stage = Self::new(scene, &[(who, name)])?;
        let mut needed: Vec<usize> = who.into_iter().collect();
        let mut at = 0;
        while let Some(place) = needed.get(at).copied() {
            at += 1;
            needed.extend(targets(scene, place));
        }
        stage.order.retain(|place| needed.contains(place));
        stage.pairs.clear();
        Some(stage)
    }

    /// The scene.
    pub(super) fn scene(&self) -> &'a Scene<'s> {
        self.scene
    }

    fn client(&self, place: usize) -> Option<&str> {
        let found = self.clients.iter().find(|(of, _)| *of == place);
        found.map(|(_, name)| name.as_str())
    }

    /// Makes a row though nothing speaks of it.
    pub(super) fn keep(&self, place: usize) {
        self.kept.borrow_mut().insert(place);
    }

    /// Whether nothing could tell if a row were missing: nobody points at it, or at what only it points at.
    fn is_idle(&self, place: usize) -> bool {
        let mut lot = vec![place];
        let mut at = 0;
        while let Some(place) = lot.get(at).copied() {
            at += 1;
            for target in targets(self.scene, place) {
                if !lot.contains(&target) {
                    lot.push(target);
                }
            }
        }
        let is_needed = |place: &usize| {
            let is_end = |pair: &Pair| pair.from == *place || pair.to == *place;
            self.used.borrow().contains(place)
                || self.kept.borrow().contains(place)
                || self.client(*place).is_some()
                || self.scene.rows[*place].maker.is_some()
                || self.pairs.iter().any(is_end)
        };
        let is_pointed_at = |place: &usize| {
            let others = (0..self.scene.rows.len()).filter(|other| !lot.contains(other));
            others
                .into_iter()
                .any(|other| targets(self.scene, other).contains(place))
        };
        !lot.iter().any(|place| is_needed(place) || is_pointed_at(place))
    }

    /// The key of a row, as an expression.
    pub(super) fn key(&self, place: usize) -> String {
        self.used.borrow_mut().insert(place);
        match self.client(place) {
            Some(client) => format!("{client}.key()"),
            None => self.names[place].clone(),
        }
    }

    /// The same as a reference.
    pub(super) fn key_ref(&self, place: usize) -> String {
        let key = self.key(place);
        if self.client(place).is_some() {
            key
        } else {
            format!("&{key}")
        }
    }

    /// A value as `json!` takes it; `None` where only the service knows it.
    pub(super) fn json(&self, cell: &Cell) -> Option<String> {
        match cell {
            Cell::Value(value) => Some(literal::json(value)),
            Cell::Key(place) => Some(self.key(*place)),
            Cell::Now | Cell::Unknown => None,
        }
    }

    /// The members of a row that its body gives.
    pub(super) fn members(&self, place: usize) -> Vec<(String, String)> {
        let fields = self.scene.resource_of(place).fields.iter();
        let row = &self.scene.rows[place];
        let is_client = self.client(place).is_some();
        fields
            .zip(&row.slots)
            // Whoever signs in gets a password of his own.
            .filter(|(field, _)| !(is_client && field.ty == FieldType::Password))
            .filter_map(|(field, slot)| match slot {
                Slot::Given(cell) => Some((field.api_name.clone(), self.json(cell)?)),
                Slot::Left(_) | Slot::Expression(_) => None,
            })
            .collect()
    }

    /// All statements that make the scene; call it last, when it is known what is spoken of.
    pub(super) fn lines(&self) -> Vec<String> {
        // From the last to the first: a row's members name the rows before it.
        let mut lots: Vec<Vec<String>> = self.pairs();
        let needed: Vec<usize> = self
            .order
            .iter()
            .copied()
            .filter(|place| !self.is_idle(*place))
            .collect();
        for place in needed.iter().rev() {
            lots.push(self.made(*place));
        }
        lots.reverse();
        lots.concat()
    }

    fn made(&self, place: usize) -> Vec<String> {
        let members = self.members(place);
        let resource = &self.scene.resource_of(place).name;
        if let Some(client) = self.client(place) {
            return with_object(&format!("let {client} = "), "account", None, &members, client);
        }
        let name = &self.names[place];
        let is_used = self.used.borrow().contains(&place);
        let before = if is_used {
            format!("let {name} = ")
        } else {
            String::new()
        };
        with_object(&before, "insert", Some(resource), &members, name)
    }

    fn pairs(&self) -> Vec<Vec<String>> {
        let line = |pair: &Pair| {
            let relation = self.scene.schema.relation(pair.relation);
            let resource = self.scene.schema.resource(pair.relation.resource);
            let name = format!("\"{}.{}\"", resource.name, relation.name);
            let ends = format!("json!([{}, {}])", self.key(pair.from), self.key(pair.to));
            asked("", "api", "insert", &[&name, &ends], 0)
        };
        let mut lots: Vec<_> = self.pairs.iter().map(line).collect();
        lots.reverse();
        lots
    }
}

/// An insert, its object before it where it is long.
fn with_object(
    before: &str,
    method: &str,
    resource: Option<&str>,
    members: &[(String, String)],
    name: &str,
) -> Vec<String> {
    let resource = resource.map(|resource| format!("{resource:?}"));
    let arguments = |last: String| resource.iter().cloned().chain([last]).collect::<Vec<_>>();
    let of = |arguments: &[String]| {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        asked(before, "api", method, &arguments, 0)
    };
    let short = of(&arguments(format!("json!({})", inline(members))));
    if short.len() == 1 {
        return short;
    }
    let mut lines = object(name, members);
    lines.extend(of(&arguments(name.to_owned())));
    lines
}

fn name_of(scene: &Scene<'_>, place: usize) -> String {
    let name = naming::snake(&scene.resource_of(place).name);
    if RESERVED.contains(&name.as_str()) || is_word_of_rust(&name) {
        format!("{name}_row")
    } else {
        name
    }
}

/// The rows that are there before, each after those it points at.
fn order(scene: &Scene<'_>) -> Option<Vec<usize>> {
    let mut order = Vec::new();
    let mut open = vec![false; scene.rows.len()];
    for place in 0..scene.rows.len() {
        visit(scene, place, &mut open, &mut order)?;
    }
    order.retain(|place| scene.rows[*place].maker.is_none());
    Some(order)
}

fn visit(scene: &Scene<'_>, place: usize, open: &mut [bool], order: &mut Vec<usize>) -> Option<()> {
    if order.contains(&place) {
        return Some(());
    }
    if std::mem::replace(&mut open[place], true) {
        return None;
    }
    for target in targets(scene, place) {
        visit(scene, target, open, order)?;
    }
    order.push(place);
    Some(())
}

/// The rows that a row points at.
pub(super) fn targets(scene: &Scene<'_>, place: usize) -> Vec<usize> {
    let row = &scene.rows[place];
    let relations = (0u32..).zip(&scene.resource_of(place).relations);
    relations
        .filter(|(_, relation)| {
            relation.kind == RelationKind::BelongsTo && matches!(relation.link, Link::Keys { .. })
        })
        .flat_map(|(index, _)| {
            let id = RelationId {
                resource: row.resource,
                index,
            };
            scene.related(row, id)
        })
        .collect()
}
