//! A field of a struct: what it is, by its type and its attributes, and what it says.

use syn::ext::IdentExt;
use syn::{Ident, Path};

use super::attr::{Attributes, Kind, Meta};
use super::entries::{Entries, entries};
use super::place::Places;
use super::resource::{Field, Foreign, Form};
use super::tree::{Tree, TreeKind};
use super::ty::{self, RustType, What};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::Level;
use crate::source::{Excerpt, Span};

/// Keys of fields that only Rust has.
const EXTRA: &[&str] = &["name", "belongs_to"];
/// Defaults that are words, whatever the type.
const WORDS: &[&str] = &["now", "uuid", "me", "database"];

/// A field with what it says.
pub(super) struct Declared {
    pub(super) field: Field,
    /// What it says, as the mapping of a field or a relation.
    pub(super) entries: Entries,
    /// What its Rust type is.
    pub(super) ty: What,
    pub(super) optional: bool,
    /// Where the Rust type stands.
    pub(super) at: Span,
}

/// Reads a field; `None` for one without a name.
pub(super) fn read(
    field: &syn::Field,
    attributes: Attributes,
    places: &mut Places,
    diagnostics: &mut Diagnostics,
) -> Option<Declared> {
    let ident = field.ident.clone()?;
    let (first, last) = ty::ends(&field.ty);
    let is_enum = says(&attributes.metas, "type").is_some_and(|word| word.text == "enum");
    let RustType { optional, what } = ty::read(&field.ty, is_enum);
    let mut reader = Reader {
        name: places.at(ident.span()),
        at: places.between(first, last),
        diagnostics,
    };
    let docs = attributes.docs.as_ref().map(|docs| docs.text.clone());
    let what = reader.fit(what);
    let (name, form, entries) = reader.form(&ident, attributes, &what, optional);
    Some(Declared {
        field: Field {
            ident,
            ty: ty::plain(&field.ty).clone(),
            name,
            docs,
            form,
        },
        entries,
        ty: what,
        optional,
        at: reader.at,
    })
}

/// The word that a key has for its value.
fn says<'a>(metas: &'a [Meta], key: &str) -> Option<&'a Excerpt> {
    let meta = metas.iter().find(|meta| meta.key.text == key)?;
    match &meta.value.kind {
        Kind::Word(word, _) | Kind::Text(word) => Some(word),
        _ => None,
    }
}

/// Takes `name = "…"` out: what the schema calls the thing.
pub(super) fn take_name(metas: &mut Vec<Meta>, diagnostics: &mut Diagnostics) -> Option<Excerpt> {
    let mut name = None;
    for meta in take(metas, "name") {
        match (meta.value.kind, &name) {
            (Kind::Text(text) | Kind::Word(text, Some(_)), None) => name = Some(text),
            (_, Some(_)) => diagnostics.push(twice(&meta.key)),
            (_, None) => {
                let fault = Diagnostic::new("wrong-shape", meta.value.span, "`name` is a text in quotes");
                diagnostics.push(fault.help("write `name = \"…\"`"));
            }
        }
    }
    name
}

fn take(metas: &mut Vec<Meta>, key: &str) -> Vec<Meta> {
    let (taken, left) = std::mem::take(metas)
        .into_iter()
        .partition(|meta| meta.key.text == key);
    *metas = left;
    taken
}

fn twice(key: &Excerpt) -> Diagnostic {
    let message = format!("`{}` stands here a second time", key.text);
    Diagnostic::new("duplicate-key", key.span, message)
}

/// Adds the doc comment, where no `description` is said.
pub(super) fn describe(entries: &mut Entries, docs: Option<Excerpt>) {
    let said = entries.iter().any(|(key, _)| key.text == "description");
    if let Some(docs) = docs.filter(|_| !said) {
        let key = Excerpt::whole("description", docs.span);
        entries.push((key, Tree::new(docs.span, TreeKind::Text(docs))));
    }
}

/// Whether a key was written by a person, and doesn't follow from a type or from a comment, which it stands at.
pub(super) fn is_said(key: &Excerpt, tree: &Tree) -> bool {
    match key.text.as_str() {
        "type" | "values" | "optional" => false,
        "description" => key.span != tree.span,
        _ => true,
    }
}

struct Reader<'a> {
    name: Span,
    at: Span,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn push(&mut self, code: &'static str, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics
            .push(Diagnostic::new(code, span, message).help(help));
    }

    /// Tells of a type that no field has, and goes on with the nearest one.
    fn fit(&mut self, what: What) -> What {
        let What::Unfit(unfit) = what else {
            return what;
        };
        self.push(unfit.code, self.at, unfit.message, unfit.help);
        What::Value(unfit.near)
    }

    fn form(
        &mut self,
        ident: &Ident,
        attributes: Attributes,
        what: &What,
        optional: bool,
    ) -> (Excerpt, Form, Entries) {
        let mut metas = attributes.metas;
        let own = ident.unraw().to_string();
        let said = take_name(&mut metas, self.diagnostics);
        let target = self.target(take(&mut metas, "belongs_to"));
        let optional = optional.then(|| (Excerpt::whole("optional", self.at), Tree::flag(self.at)));
        let (name, form, mut list) = if let Some((target, at)) = target {
            let name = said.unwrap_or_else(|| self.relation(&own, what));
            let foreign = self.foreign(target, &own, &name.text, what);
            let to = Tree::new(at, TreeKind::Resource(foreign.target.clone()));
            let list = self.implied("to", to, Level::BelongsTo, metas);
            (name, Form::BelongsTo(foreign), list)
        } else if let What::ManyToMany(target) = what {
            let to = Tree::new(self.at, TreeKind::Resource(target.clone()));
            let list = self.implied("to", to, Level::ManyToMany, metas);
            (
                said.unwrap_or_else(|| Excerpt::whole(own, self.name)),
                Form::ManyToMany,
                list,
            )
        } else {
            let list = self.value(what, metas);
            (
                said.unwrap_or_else(|| Excerpt::whole(own, self.name)),
                Form::Value,
                list,
            )
        };
        self.optional(&form, &mut list, optional);
        describe(&mut list, attributes.docs);
        (name, form, list)
    }

    /// What `belongs_to = User` leads to.
    fn target(&mut self, metas: Vec<Meta>) -> Option<(Path, Span)> {
        let mut target = None;
        for meta in metas {
            match (meta.value.kind, &target) {
                (Kind::Word(_, Some(path)), None) => target = Some((path, meta.value.span)),
                (_, Some(_)) => self.diagnostics.push(twice(&meta.key)),
                (kind, None) => {
                    let message = "`belongs_to` is the struct that the relation leads to";
                    let help = "write `belongs_to = User`";
                    self.push("wrong-shape", meta.value.span, message, help);
                    // It is a relation all the same.
                    target = match kind {
                        Kind::Text(text) => syn::parse_str(&text.text).ok().map(|path| (path, text.span)),
                        _ => None,
                    };
                }
            }
        }
        target
    }

    /// The name of a relation: the field's without its last word, which is the name of the target's key.
    fn relation(&mut self, own: &str, what: &What) -> Excerpt {
        let name = match own.rsplit_once('_') {
            _ if matches!(what, What::Tuple(_)) => own,
            Some((name, _)) if !name.is_empty() => name,
            _ => {
                let message = format!("`{own}` holds a key, and no name of a relation can be seen in it");
                let help = format!("call the field `{own}_id`, or say `name = \"…\"`, the relation's name");
                self.push("bad-name", self.name, message, help);
                own
            }
        };
        Excerpt::whole(name, self.name)
    }

    fn foreign(&mut self, target: Path, own: &str, relation: &str, what: &What) -> Foreign {
        let types = match what {
            What::Tuple(parts) => parts.iter().map(|part| self.part(part)).collect(),
            What::Value(ours) => vec![*ours],
            What::Enum(_) | What::Unfit(..) => vec!["string"],
            What::ManyToMany(_) => {
                let message = "a belongs_to holds one key, and this is a relation over a table of pairs";
                self.push(
                    "contradiction",
                    self.at,
                    message,
                    "leave `belongs_to` out, or write `i64`",
                );
                vec!["bigint"]
            }
        };
        let key = own.strip_prefix(relation).and_then(|rest| rest.strip_prefix('_'));
        Foreign {
            target,
            key: key.filter(|_| types.len() == 1).map(str::to_owned),
            types,
            at: self.at,
        }
    }

    fn part(&mut self, part: &syn::Type) -> &'static str {
        let what = ty::read(part, false).what;
        match self.fit(what) {
            What::Value(ours) => ours,
            _ => "string",
        }
    }

    /// The entries of a field, with the type that its Rust type is.
    fn value(&mut self, what: &What, metas: Vec<Meta>) -> Entries {
        if says(&metas, "type").is_some() {
            self.agree(what, &metas);
        }
        let computed = metas.iter().any(|meta| meta.key.text == "computed");
        let typed = metas.iter().any(|meta| meta.key.text == "type");
        let default = Self::variant(what, &metas);
        let mut list = entries(Level::Field, EXTRA, metas, self.diagnostics);
        if let (Some(default), Some((_, tree))) =
            (default, list.iter_mut().find(|(key, _)| key.text == "default"))
        {
            *tree = default;
        }
        let entry = |key: &str, tree| (Excerpt::whole(key, self.at), tree);
        match what {
            _ if computed => {}
            What::Enum(path) => {
                if !typed {
                    list.push(entry("type", Tree::word("enum", self.at)));
                }
                list.push(entry("values", Tree::new(self.at, TreeKind::Words(path.clone()))));
            }
            What::Value(ours) if !typed => list.push(entry("type", Tree::word(*ours, self.at))),
            What::Tuple(_) => {
                list.push(entry("type", Tree::word("string", self.at)));
                let message = "several values are the key of another resource";
                self.push(
                    "unknown-type",
                    self.at,
                    message,
                    "say `belongs_to = …`, or write one field for each",
                );
            }
            _ => {}
        }
        list
    }

    /// Whether `type` says what the Rust type is.
    fn agree(&mut self, what: &What, metas: &[Meta]) {
        let Some(said) = says(metas, "type") else {
            return;
        };
        let known = crate::types::TYPES.iter().any(|row| row.name == said.text);
        let agrees = match what {
            What::Value(ours) => ty::agrees(ours, &said.text),
            What::Enum(_) => said.text == "enum",
            What::Tuple(_) | What::ManyToMany(_) | What::Unfit(_) => true,
        };
        if known && !agrees {
            let message = format!("`type = {}` is not what the Rust type says", said.text);
            let help = match said.text.as_str() {
                "enum" => "an enum is a type of its own that derives RestEnum".to_owned(),
                word => format!("write `{}`, or leave `type` out", ty::rust_of(word)),
            };
            self.push("contradiction", said.span, message, help);
        }
    }

    /// The default of an enum's field, where it is a variant.
    fn variant(what: &What, metas: &[Meta]) -> Option<Tree> {
        let What::Enum(path) = what else {
            return None;
        };
        let meta = metas.iter().find(|meta| meta.key.text == "default")?;
        let Kind::Word(word, Some(said)) = &meta.value.kind else {
            return None;
        };
        let variant = said.segments.last()?.ident.clone();
        (!WORDS.contains(&word.text.as_str()))
            .then(|| Tree::new(meta.value.span, TreeKind::Variant(path.clone(), variant)))
    }

    /// The entries of a level, after one that follows from elsewhere.
    fn implied(&mut self, key: &str, value: Tree, level: Level, metas: Vec<Meta>) -> Entries {
        let mut list = vec![(Excerpt::whole(key, value.span), value)];
        list.extend(entries(level, EXTRA, metas, self.diagnostics));
        list
    }

    fn optional(&mut self, form: &Form, list: &mut Entries, optional: Option<(Excerpt, Tree)>) {
        let computed = list.iter().any(|(key, _)| key.text == "computed");
        match (optional, form) {
            (Some(_), Form::ManyToMany) => self.push(
                "contradiction",
                self.at,
                "a relation over a table of pairs may be empty, so it is never optional",
                "write `ManyToMany<…>`",
            ),
            (Some(optional), _) if !computed => list.push(optional),
            _ => {}
        }
    }
}
