//! A struct as a resource: its fields sorted into the key, fields, relations, and what they say.

use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Fields, Ident, Path, Type, Visibility};

use super::attr::{self, Attributes};
use super::entries::{Entries, entries};
use super::field::{self, Declared};
use super::place::Places;
use super::shape;
use super::tree::{Tree, TreeKind};
use super::ty::What;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::Level;
use crate::source::{Excerpt, Span};

/// A struct that derives RestResource.
pub struct Resource {
    /// The struct.
    pub ident: Ident,
    /// Who sees it.
    pub vis: Visibility,
    /// The resource's name in the schema.
    pub name: Excerpt,
    /// Its fields, in their order.
    pub fields: Vec<Field>,
    /// The fields of its key, by their places.
    pub key: Vec<usize>,
    /// What it says, as the mapping of a resource.
    pub tree: Tree,
    /// Whether all of it could be read, so that its parts can be held against each other.
    pub whole: bool,
    /// Whether its fields are of types that fields have, as far as names tell.
    pub typed: bool,
}

/// A field of such a struct.
pub struct Field {
    /// The field.
    pub ident: Ident,
    /// Its type.
    pub ty: Type,
    /// The name in the schema: of the field, or of the relation.
    pub name: Excerpt,
    /// Its doc comment.
    pub docs: Option<String>,
    /// What it is.
    pub form: Form,
}

/// What a field of a struct is.
pub enum Form {
    /// A value.
    Value,
    /// The key of a belongs_to.
    BelongsTo(Foreign),
    /// A relation over a table of pairs.
    ManyToMany,
}

/// What a foreign key says of the resource that it leads to.
pub struct Foreign {
    /// The struct that it leads to.
    pub target: Path,
    /// The types of the key's fields, in the schema.
    pub types: Vec<&'static str>,
    /// The name of the key's only field, where the field's name ends with it.
    pub key: Option<String>,
    /// Where the Rust type stands.
    pub at: Span,
}

impl Field {
    /// The field's name without `r#`.
    pub fn plain_name(&self) -> String {
        self.ident.unraw().to_string()
    }
}

/// Reads a struct; `None` where it can't be a resource at all.
pub fn resource(input: &DeriveInput, places: &mut Places, diagnostics: &mut Diagnostics) -> Option<Resource> {
    let at = places.at(input.ident.span());
    let what = "a resource";
    if !shape::is_plain(input, what, places, diagnostics) {
        return None;
    }
    let Data::Struct(data) = &input.data else {
        shape::refuse(
            what,
            "a struct",
            "write `struct Post { pub id: i64, … }`",
            at,
            diagnostics,
        );
        return None;
    };
    let Fields::Named(fields) = &data.fields else {
        let help = "name the fields: `struct Post { pub id: i64, … }`";
        shape::refuse(what, "a struct with named fields", help, at, diagnostics);
        return None;
    };
    let faults = diagnostics.faults();
    let attributes = attr::read(&input.attrs, places, diagnostics);
    let mut whole = !attributes.broken;
    let mut declared = Vec::new();
    for field in &fields.named {
        let attributes = attr::read(&field.attrs, places, diagnostics);
        whole &= !attributes.broken;
        declared.extend(field::read(field, attributes, places, diagnostics));
    }
    let mut reader = Reader {
        at,
        declared,
        diagnostics,
    };
    let (name, key, own) = reader.own(&input.ident, attributes);
    let keys = reader.keys(&key);
    whole &= !keys.is_empty();
    let typed = whole && reader.diagnostics.faults() == faults;
    let tree = reader.tree(own, &keys, &key);
    Some(Resource {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        name,
        fields: reader.declared.into_iter().map(|one| one.field).collect(),
        key: keys,
        tree,
        whole,
        typed,
    })
}

/// What `key` says.
enum Key {
    /// A key that the schema doesn't declare as a field: its name, and its type where that is said.
    Generated {
        name: String,
        ty: Option<Excerpt>,
        long: bool,
    },
    /// Fields and relations of the struct.
    Declared(Vec<String>),
}

struct Reader<'a> {
    at: Span,
    declared: Vec<Declared>,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    /// The struct's own attributes: its name, its key, its entries.
    fn own(&mut self, ident: &Ident, attributes: Attributes) -> (Excerpt, Key, Entries) {
        let mut metas = attributes.metas;
        let name = field::take_name(&mut metas, self.diagnostics);
        let name = name.unwrap_or_else(|| Excerpt::whole(ident.unraw().to_string(), self.at));
        let mut own = entries(Level::Resource, &["name"], metas, self.diagnostics);
        field::describe(&mut own, attributes.docs);
        let key = self.key(&own);
        (name, key, own)
    }

    fn key(&self, own: &Entries) -> Key {
        let generated = |name: &str| Key::Generated {
            name: name.to_owned(),
            ty: None,
            long: false,
        };
        let Some((_, tree)) = own.iter().find(|(key, _)| key.text == "key") else {
            return generated("id");
        };
        match &tree.kind {
            TreeKind::Map(long) => {
                let word = |key: &str| {
                    let found = long.iter().find(|(one, _)| one.text == key);
                    found.and_then(|(_, tree)| tree.scalar())
                };
                Key::Generated {
                    name: word("name").map_or_else(|| "id".to_owned(), |name| name.text),
                    ty: word("type"),
                    long: true,
                }
            }
            TreeKind::List(names) => Key::Declared(
                names
                    .iter()
                    .filter_map(Tree::scalar)
                    .map(|name| name.text)
                    .collect(),
            ),
            _ => match tree.scalar() {
                Some(word) if word.text == "uuid" && !self.declares("uuid") => Key::Generated {
                    name: "id".to_owned(),
                    ty: Some(word),
                    long: false,
                },
                Some(word) => Key::Declared(vec![word.text]),
                None => generated("id"),
            },
        }
    }

    fn declares(&self, name: &str) -> bool {
        self.declared.iter().any(|one| one.field.name.text == name)
    }

    /// The places of the key's fields; none where one isn't there.
    fn keys(&mut self, key: &Key) -> Vec<usize> {
        let place = |name: &str| self.declared.iter().position(|one| one.field.name.text == name);
        match key {
            Key::Declared(names) => {
                let places: Option<Vec<usize>> = names.iter().map(|name| place(name)).collect();
                // An unknown name is told with the other keys of the resource.
                places.unwrap_or_else(|| vec![0])
            }
            Key::Generated { name, ty, .. } => match place(name) {
                Some(at) => {
                    self.generated(at, ty.as_ref());
                    vec![at]
                }
                None => {
                    let message = format!("the struct has no field `{name}`, which is the key");
                    let help =
                        format!("add `pub {name}: i64`, or name the fields that are the key: `key = code`");
                    self.diagnostics
                        .push(Diagnostic::new("bad-key", self.at, message).help(help));
                    Vec::new()
                }
            },
        }
    }

    /// A generated key says nothing but its type.
    fn generated(&mut self, at: usize, said: Option<&Excerpt>) {
        let declared = &mut self.declared[at];
        let name = declared.field.name.text.clone();
        let fits = match (&declared.ty, said.map(|said| said.text.as_str())) {
            (What::Value("bigint"), Some("integer" | "bigint") | None) => true,
            (What::Value("uuid"), Some("uuid") | None) => true,
            (_, Some(said)) if !["integer", "bigint", "uuid"].contains(&said) => true,
            _ => false,
        };
        let optional = declared.optional;
        if !fits || optional {
            let right = match said {
                Some(said) if said.text == "uuid" => "Uuid",
                Some(_) => "i64",
                None => "i64` or `Uuid",
            };
            let message = format!("the generated key `{name}` is of type `{right}`");
            let help = format!("or say `key = {name}`, where whoever creates an item chooses its key");
            self.diagnostics
                .push(Diagnostic::new("bad-key", declared.at, message).help(help));
        }
        for (key, tree) in std::mem::take(&mut declared.entries) {
            if field::is_said(&key, &tree) {
                let message = format!("`{name}` is a generated key, which has no `{}`", key.text);
                let help = match Level::Key.row(&key.text) {
                    Some(row) => format!("say it of the struct: `key({} = …)`", row.key),
                    None => format!("what is said of it makes it a field: say `key = {name}` of the struct"),
                };
                self.diagnostics
                    .push(Diagnostic::new("contradiction", key.span, message).help(help));
            }
        }
    }

    /// All that the struct says.
    fn tree(&self, mut own: Entries, keys: &[usize], key: &Key) -> Tree {
        let generated = match key {
            Key::Generated { ty, long, .. } => {
                let place = keys.first().copied();
                self.say_type(&mut own, place, ty.is_some(), *long);
                place
            }
            Key::Declared(_) => None,
        };
        for (section, wanted) in [("fields", 0), ("belongs_to", 1), ("many_to_many", 2)] {
            let list = self.declared.iter().enumerate();
            let list = list.filter(|(at, one)| Some(*at) != generated && one.field.form.section() == wanted);
            let list: Entries = list
                .map(|(_, one)| {
                    let tree = Tree::new(one.field.name.span, TreeKind::Map(one.entries.clone()));
                    (one.field.name.clone(), tree)
                })
                .collect();
            if !list.is_empty() {
                own.push((
                    Excerpt::whole(section, self.at),
                    Tree::new(self.at, TreeKind::Map(list)),
                ));
            }
        }
        Tree::new(self.at, TreeKind::Map(own))
    }

    /// A key of type `Uuid` is a UUID, where the attributes don't say it.
    fn say_type(&self, own: &mut Entries, place: Option<usize>, said: bool, long: bool) {
        let Some(declared) = place.and_then(|at| self.declared.get(at)) else {
            return;
        };
        if said || !matches!(declared.ty, What::Value("uuid")) {
            return;
        }
        let uuid = Tree::word("uuid", declared.at);
        let there = own.iter_mut().find(|(key, _)| key.text == "key");
        match there {
            Some((
                _,
                Tree {
                    kind: TreeKind::Map(entries),
                    ..
                },
            )) if long => {
                entries.push((Excerpt::whole("type", declared.at), uuid));
            }
            _ => own.push((Excerpt::whole("key", declared.at), uuid)),
        }
    }
}

impl Form {
    fn section(&self) -> u8 {
        match self {
            Self::Value => 0,
            Self::BelongsTo(_) => 1,
            Self::ManyToMany => 2,
        }
    }
}
