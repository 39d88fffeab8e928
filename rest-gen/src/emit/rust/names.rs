//! Rust names for what a schema names: each valid, unlike all others, and as near to the schema's as can be.
//!
//! Where a name differs from what the derive would make of it, `#[rest(name = "…")]` says so.

use std::collections::{HashMap, HashSet};

use rest_schema::{FieldId, FieldType, Link, Schema, naming};

/// Types that code expects to mean what they mean without a path, or by the derives' own reading.
const TAKEN: &[&str] = &[
    "Box",
    "Clone",
    "Copy",
    "Date",
    "Debug",
    "Decimal",
    "Default",
    "Drop",
    "Eq",
    "Err",
    "Fn",
    "FnMut",
    "FnOnce",
    "From",
    "Into",
    "Iterator",
    "Json",
    "ManyToMany",
    "None",
    "Ok",
    "Option",
    "Ord",
    "PartialEq",
    "PartialOrd",
    "Password",
    "RestEnum",
    "RestResource",
    "RestService",
    "Result",
    "Self",
    "Send",
    "Sized",
    "Some",
    "String",
    "Sync",
    "Time",
    "Timestamp",
    "ToOwned",
    "ToString",
    "Unpin",
    "Uuid",
    "Vec",
];

/// Files that mean something else to Rust, to a project, or to Windows.
const TAKEN_FILES: &[&str] = &[
    "main",
    "mod",
    "lib",
    "generated",
    "rest_runtime",
    "self",
    "super",
    "crate",
    "con",
    "prn",
    "aux",
    "nul",
];

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Keywords that `r#` doesn't help.
const NEVER: &[&str] = &["self", "super", "crate"];

/// The names of a schema's types and files.
#[derive(Debug)]
pub(crate) struct Names {
    structs: Vec<String>,
    enums: HashMap<FieldId, String>,
    /// The struct of the whole service.
    pub(crate) service: String,
}

impl Names {
    /// Of a schema.
    pub(crate) fn of(schema: &Schema) -> Self {
        let mut pool = Pool::new(TAKEN_FILES.iter().chain(TAKEN).copied());
        let mut structs = vec![String::new(); schema.resources.len()];
        // What may keep its name keeps it, whatever stands before it.
        for kept in [true, false] {
            for (resource, name) in schema.resources.iter().zip(&mut structs) {
                let wanted = type_name(&resource.name, "Item");
                let keeps = wanted == resource.name && !TAKEN.contains(&wanted.as_str());
                if keeps == kept {
                    *name = pool.free(&wanted);
                }
            }
        }
        let mut enums = HashMap::new();
        for (id, resource) in schema.resources() {
            for (index, field) in (0u32..).zip(&resource.fields) {
                if let FieldType::Enum(_) = field.ty {
                    let id = FieldId { resource: id, index };
                    let wanted = structs[id.resource.0 as usize].clone() + &naming::camel(&field.name);
                    if root(schema, id) == id {
                        enums.insert(id, pool.free(&wanted));
                    }
                }
            }
        }
        let service = type_name(&ascii(&schema.name), "Api");
        let service = match pool.is_taken(&service) {
            true => pool.free(&format!("{service}Service")),
            false => service,
        };
        Self {
            structs,
            enums,
            service,
        }
    }

    /// A resource's struct.
    pub(crate) fn of_resource(&self, id: rest_schema::ResourceId) -> &str {
        &self.structs[id.0 as usize]
    }

    /// A resource's module and file.
    pub(crate) fn module(&self, id: rest_schema::ResourceId) -> String {
        naming::snake(self.of_resource(id))
    }

    /// The enum of a field, with the field that it belongs to: a foreign key has its target's.
    pub(super) fn of_enum(&self, schema: &Schema, id: FieldId) -> (FieldId, &str) {
        let root = root(schema, id);
        (root, self.enums.get(&root).map_or("String", String::as_str))
    }
}

/// The field whose values a foreign key holds, at the end of all keys.
fn root(schema: &Schema, id: FieldId) -> FieldId {
    let relations = &schema.resource(id.resource).relations;
    let next = relations
        .iter()
        .filter(|relation| relation.declared)
        .find_map(|one| match &one.link {
            Link::Keys { local, remote } => {
                let at = local.iter().position(|field| *field == id)?;
                remote.get(at).copied()
            }
            Link::Join { .. } => None,
        });
    match next {
        Some(next) if next != id => root(schema, next),
        _ => id,
    }
}

/// Names given so far, compared as the files they lead to.
struct Pool {
    taken: HashSet<String>,
}

impl Pool {
    fn new<'a>(taken: impl Iterator<Item = &'a str>) -> Self {
        Self {
            taken: taken.map(naming::snake).collect(),
        }
    }

    fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(&naming::snake(name))
    }

    /// The name, with a word or a number behind it where it is taken.
    fn free(&mut self, wanted: &str) -> String {
        let suffixes = ["".to_owned(), "Item".to_owned()].into_iter();
        let suffixes = suffixes.chain((2..).map(|number: u32| number.to_string()));
        for suffix in suffixes {
            let name = format!("{wanted}{suffix}");
            if self.taken.insert(naming::snake(&name)) {
                return name;
            }
        }
        wanted.to_owned()
    }
}

/// `blog_post` → `BlogPost`; what has no letters is called otherwise.
fn type_name(name: &str, otherwise: &str) -> String {
    let camel = naming::camel(name);
    if camel.starts_with(|c: char| c.is_ascii_alphabetic()) {
        camel
    } else {
        format!("{otherwise}{camel}")
    }
}

/// Letters that Rust and people take for themselves; what else there is parts words.
fn ascii(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' })
        .collect()
}

/// The name of the project's package, made of the service's.
pub(crate) fn package(schema: &Schema) -> String {
    const TAKEN: &[&str] = &[
        "test",
        "core",
        "std",
        "alloc",
        "proc-macro",
        "rest-runtime",
        "axum",
        "tokio",
        "serde-json",
    ];
    let kebab = naming::kebab(&ascii(&schema.name));
    let sound = kebab.starts_with(|c: char| c.is_ascii_alphabetic())
        && !TAKEN.contains(&kebab.as_str())
        && !KEYWORDS.contains(&kebab.as_str())
        && !NEVER.contains(&kebab.as_str());
    match (kebab.is_empty(), sound) {
        (true, _) => "api".to_owned(),
        (_, true) => kebab,
        (_, false) if kebab.starts_with(|c: char| c.is_ascii_digit()) => format!("service-{kebab}"),
        (_, false) => format!("{kebab}-service"),
    }
}

/// A name as code writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ident {
    /// Without `r#`, which the derive leaves out as well.
    pub(super) bare: String,
    /// As it stands in the code.
    pub(super) code: String,
}

/// Names of a struct's fields, in their order.
#[derive(Debug, Default)]
pub(super) struct FieldNames {
    /// By the constants that they make.
    taken: HashSet<String>,
}

impl FieldNames {
    /// The name of the next field.
    pub(super) fn next(&mut self, name: &str) -> Ident {
        let snake = naming::snake(name);
        let sound = !name.chars().any(char::is_uppercase) && !name.trim_matches('_').contains("__");
        let wanted = match snake.chars().next() {
            None => "field".to_owned(),
            Some(c) if c.is_ascii_digit() => format!("field_{snake}"),
            _ if NEVER.contains(&name) => format!("{name}_field"),
            _ if sound => name.to_owned(),
            _ => snake,
        };
        let mut bare = wanted.clone();
        let mut number = 2;
        while !self.taken.insert(naming::snake(&bare)) {
            bare = format!("{}_{number}", wanted.trim_end_matches('_'));
            number += 1;
        }
        Ident {
            code: spelt(&bare),
            bare,
        }
    }
}

/// A name as an identifier.
pub(super) fn spelt(name: &str) -> String {
    if KEYWORDS.contains(&name) {
        format!("r#{name}")
    } else {
        name.to_owned()
    }
}

/// Whether a name may stand in an attribute as it is.
pub(super) fn is_word(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name != "_"
        && !KEYWORDS.contains(&name)
        && !NEVER.contains(&name)
        && name != "Self"
}

/// The variants of an enum, one for each word in their order.
pub(super) fn variants(words: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::from(["Self".to_owned()]);
    let mut names = vec![String::new(); words.len()];
    // Words that say their variant's name come first.
    for kept in [true, false] {
        for (word, name) in words.iter().zip(&mut names) {
            let wanted = variant(word);
            if !name.is_empty() || (naming::snake(&wanted) == *word) != kept {
                continue;
            }
            let numbers = (2..).map(|number: u32| number.to_string());
            let free = std::iter::once(String::new()).chain(numbers);
            let mut free = free.map(|suffix| format!("{wanted}{suffix}"));
            *name = free
                .find(|one| taken.insert(one.clone()))
                .unwrap_or(wanted.clone());
        }
    }
    names
}

fn variant(word: &str) -> String {
    // Letters of Western Europe are as good as ASCII's; others look alike, or are composed in several ways.
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ');
    let plain: String = word.chars().map(|c| if known(c) { c } else { ' ' }).collect();
    let camel = naming::camel(&plain);
    if camel.starts_with(|c: char| c.is_alphabetic()) {
        camel
    } else {
        format!("Word{camel}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_variants() {
        for (words, wanted) in [
            (&["draft", "published"][..], &["Draft", "Published"][..]),
            (
                &["in-progress", "in_progress", "In Progress"],
                &["InProgress2", "InProgress", "InProgress3"],
            ),
            (
                &["1", "2", "+", "-", ""],
                &["Word1", "Word2", "Word", "Word3", "Word4"],
            ),
            (&["self", "größe", "日本"], &["Self2", "Größe", "Word"]),
        ] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(variants(&words), wanted);
        }
    }

    #[test]
    fn fields_keep_their_names_where_rust_lets_them() {
        let mut names = FieldNames::default();
        for (name, code) in [
            ("title", "title"),
            ("type", "r#type"),
            ("self", "self_field"),
            ("firstName", "first_name"),
            ("first_name", "first_name_2"),
            ("a__b", "a_b"),
            ("_", "field"),
            ("_1", "field_1"),
            ("_x", "_x"),
            ("x", "x_2"),
            ("gen", "r#gen"),
        ] {
            assert_eq!(names.next(name).code, code, "{name}");
        }
    }
}
