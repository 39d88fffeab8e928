//! One resource: its struct, and the enums of its fields.

use std::collections::BTreeSet;

use rest_schema::keys::Level;
use rest_schema::raw::{Block, Named};
use rest_schema::{
    DefaultValue, Field, FieldId, FieldType, KeyKind, Link, ResourceId, Schema, Value, naming,
};

use super::args::args;
use super::layout::{Arg, attribute, comment, import, is_prose, literal};
use super::names::{FieldNames, Ident, Names, variants};

/// The file of a resource, without its first line.
pub(super) fn file(schema: &Schema, names: &Names, id: ResourceId, block: &Block) -> String {
    let mut emitter = Emitter {
        schema,
        names,
        id,
        fields: FieldNames::default(),
        types: BTreeSet::new(),
        derives: BTreeSet::from(["RestResource"]),
        siblings: BTreeSet::new(),
        enums: String::new(),
    };
    let members = emitter.members(block);
    emitter.file(block, &members)
}

/// A field of a struct.
struct Member {
    name: Ident,
    ty: String,
    description: Option<String>,
    args: Vec<Arg>,
}

struct Emitter<'a> {
    schema: &'a Schema,
    names: &'a Names,
    id: ResourceId,
    fields: FieldNames,
    /// Types of the runtime that the file uses.
    types: BTreeSet<&'static str>,
    derives: BTreeSet<&'static str>,
    /// Types of other resources that it uses.
    siblings: BTreeSet<String>,
    enums: String,
}

impl<'a> Emitter<'a> {
    fn file(self, block: &Block, members: &[Member]) -> String {
        let all = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let types = import("use", "rest_runtime::types", &all(self.types));
        let derives = import("use", "rest_runtime", &all(self.derives));
        // rustfmt puts a list behind what is longer, a single name before it.
        let mut text = if derives.contains('{') {
            types + &derives
        } else {
            derives + &types
        };
        let siblings: Vec<String> = self.siblings.into_iter().collect();
        if !siblings.is_empty() {
            text += "\n";
            text += &import("use", "super", &siblings);
        }
        let resource = self.schema.resource(self.id);
        let name = self.names.of_resource(self.id);
        text += "\n";
        let (comment, mut head) = described(block.string("description").as_deref(), 0);
        if name != resource.name {
            head.insert(0, Arg::text("name", &resource.name));
        }
        const APART: &[&str] = &[
            "description",
            "fields",
            "belongs_to",
            "many_to_many",
            "check",
            "rules",
            "access",
        ];
        head.extend(args(block, APART));
        text += &comment;
        text += "#[derive(RestResource, Debug, Clone, PartialEq)]\n";
        text += &attribute(&head, 0);
        for key in ["check", "rules", "access"] {
            let others: Vec<&str> = Level::Resource
                .rows()
                .iter()
                .map(|row| row.key)
                .filter(|one| *one != key)
                .collect();
            text += &attribute(&args(block, &others), 0);
        }
        text += &format!("pub struct {name} {{\n");
        for member in members {
            text += &member.text();
        }
        text + "}\n" + &self.enums
    }

    fn members(&mut self, block: &Block) -> Vec<Member> {
        let mut members = Vec::new();
        members.extend(self.generated_key());
        for named in block.named("fields") {
            members.extend(self.field(named));
        }
        for named in block.named("belongs_to") {
            members.extend(self.belongs_to(named));
        }
        for named in block.named("many_to_many") {
            members.extend(self.many_to_many(named));
        }
        members
    }

    /// The key that is made for each item; it isn't among the declared fields.
    fn generated_key(&mut self) -> Option<Member> {
        let key = &self.schema.resource(self.id).key;
        if !matches!(key.kind, KeyKind::Autoincrement | KeyKind::Uuid) {
            return None;
        }
        let id = *key.fields.first()?;
        let field = self.schema.field(id);
        let name = self.fields.next(&field.name);
        let mut args = Vec::new();
        renamed(&mut args, &name, &field.name);
        Some(Member {
            name,
            ty: self.ty(id, false),
            description: None,
            args,
        })
    }

    fn field(&mut self, named: &Named) -> Option<Member> {
        let (id, field) = self.by_name(&named.name.text)?;
        let name = self.fields.next(&field.name);
        let mut list = Vec::new();
        renamed(&mut list, &name, &field.name);
        if let FieldType::Enum(words) = &field.ty {
            self.enumeration(id, words);
        }
        let mut without = vec!["description", "values", "optional", "default"];
        if !matches!(
            field.ty,
            FieldType::Text | FieldType::Email | FieldType::Url | FieldType::Slug
        ) {
            without.push("type");
        }
        list.extend(args(&named.block, &without));
        if let Some(node) = named.block.literal("default") {
            let default = self.default(id, field).unwrap_or_else(|| super::args::node(node));
            let typed = list
                .iter()
                .take_while(|arg| matches!(arg, Arg::Value(key, _) if key == "name" || key == "type"));
            list.insert(typed.count(), Arg::Value("default".to_owned(), default));
        }
        Some(Member {
            name,
            ty: self.ty(id, field.optional),
            description: named.block.string("description"),
            args: list,
        })
    }

    /// Where a default isn't spelt as the literal that it is in YAML.
    fn default(&self, id: FieldId, field: &Field) -> Option<String> {
        Some(match field.default.as_ref()? {
            DefaultValue::Now => "now".to_owned(),
            DefaultValue::Uuid => "uuid".to_owned(),
            DefaultValue::Me => "me".to_owned(),
            DefaultValue::Database => "database".to_owned(),
            DefaultValue::Expression(rule) => literal(&rule.source),
            DefaultValue::Literal(Value::Text(word)) => {
                let FieldType::Enum(words) = &self.schema.field(id).ty else {
                    return None;
                };
                let place = words.iter().position(|one| one == word)?;
                variants(words).get(place)?.clone()
            }
            DefaultValue::Literal(_) => return None,
        })
    }

    fn belongs_to(&mut self, named: &Named) -> Option<Member> {
        let resource = self.schema.resource(self.id);
        let (_, relation) = resource.relation_by_name(&named.name.text)?;
        let Link::Keys { local, .. } = &relation.link else {
            return None;
        };
        let first = self.schema.field(*local.first()?);
        let (name, by_itself) = match local.as_slice() {
            [_] => {
                let name = self.fields.next(&first.name);
                let by_itself = name.bare.rsplit_once('_').map(|(before, _)| before.to_owned());
                (name, by_itself.unwrap_or_default())
            }
            _ => {
                let name = self.fields.next(&relation.name);
                let by_itself = name.bare.clone();
                (name, by_itself)
            }
        };
        let parts: Vec<String> = local.iter().map(|id| self.ty(*id, false)).collect();
        let whole = match parts.as_slice() {
            [only] => only.clone(),
            _ => format!("({})", parts.join(", ")),
        };
        let mut list = vec![Arg::Value("belongs_to".to_owned(), self.target(relation.target))];
        if by_itself != relation.name {
            list.push(Arg::text("name", &relation.name));
        }
        let mut said = args(&named.block, &["to", "description", "optional"]);
        // In its place among the others; a word is no text.
        let own = first
            .default
            .as_ref()
            .and_then(|_| self.default(*local.first()?, first));
        for arg in &mut said {
            if let (Arg::Value(key, value), Some(own)) = (arg, &own)
                && key == "default"
            {
                value.clone_from(own);
            }
        }
        list.extend(said);
        Some(Member {
            name,
            ty: if first.optional {
                format!("Option<{whole}>")
            } else {
                whole
            },
            description: named.block.string("description"),
            args: list,
        })
    }

    fn many_to_many(&mut self, named: &Named) -> Option<Member> {
        let resource = self.schema.resource(self.id);
        let (_, relation) = resource.relation_by_name(&named.name.text)?;
        let name = self.fields.next(&relation.name);
        let mut list = Vec::new();
        renamed(&mut list, &name, &relation.name);
        list.extend(args(&named.block, &["to", "through", "description"]));
        if let Some(through) = relation.through {
            let pairs = self.target(through.resource());
            list.push(Arg::Value("through".to_owned(), pairs));
        }
        self.types.insert("ManyToMany");
        Some(Member {
            name,
            ty: format!("ManyToMany<{}>", self.target(relation.target)),
            description: named.block.string("description"),
            args: list,
        })
    }

    fn by_name(&self, name: &str) -> Option<(FieldId, &'a Field)> {
        let mut fields = (0u32..).zip(&self.schema.resource(self.id).fields);
        let (index, field) = fields.find(|(_, field)| field.name == name)?;
        let resource = self.id;
        Some((FieldId { resource, index }, field))
    }

    /// The struct that a relation leads to.
    fn target(&mut self, target: ResourceId) -> String {
        let name = self.names.of_resource(target).to_owned();
        if target != self.id {
            self.siblings.insert(name.clone());
        }
        name
    }

    /// The Rust type of a field's values.
    fn ty(&mut self, id: FieldId, optional: bool) -> String {
        let (plain, from) = match self.schema.field(id).ty {
            FieldType::String | FieldType::Text | FieldType::Email | FieldType::Url | FieldType::Slug => {
                ("String", None)
            }
            FieldType::Integer => ("i32", None),
            FieldType::Bigint => ("i64", None),
            FieldType::Float => ("f64", None),
            FieldType::Boolean => ("bool", None),
            FieldType::Bytes => ("Vec<u8>", None),
            FieldType::Decimal { .. } => ("Decimal", Some("Decimal")),
            FieldType::Date => ("Date", Some("Date")),
            FieldType::Time => ("Time", Some("Time")),
            FieldType::Timestamp => ("Timestamp", Some("Timestamp")),
            FieldType::Uuid => ("Uuid", Some("Uuid")),
            FieldType::Json => ("Json", Some("Json")),
            FieldType::Password => ("Password", Some("Password")),
            FieldType::Enum(_) => (self.enum_of(id), None),
            // No struct has a member for it: the relation's own stands for all.
            FieldType::Keys(_) => ("()", None),
        };
        let ty = if optional {
            format!("Option<{plain}>")
        } else {
            plain.to_owned()
        };
        self.types.extend(from);
        ty
    }

    fn enum_of(&mut self, id: FieldId) -> &'a str {
        let (root, name) = self.names.of_enum(self.schema, id);
        if root.resource != self.id {
            self.siblings.insert(name.to_owned());
        }
        name
    }

    fn enumeration(&mut self, id: FieldId, words: &[String]) {
        self.derives.insert("RestEnum");
        let (_, name) = self.names.of_enum(self.schema, id);
        let field = &self.schema.field(id).name;
        let resource = &self.schema.resource(self.id).name;
        let mut text = format!("\n/// What `{resource}.{field}` may be.\n");
        text += "#[derive(RestEnum, Debug, Clone, Copy, PartialEq, Eq)]\n";
        text += &format!("pub enum {name} {{\n");
        for (word, variant) in words.iter().zip(variants(words)) {
            if naming::snake(&variant) != *word {
                text += &attribute(&[Arg::text("name", word)], 4);
            }
            text += &format!("    {variant},\n");
        }
        self.enums += &(text + "}\n");
    }
}

fn renamed(args: &mut Vec<Arg>, is: &Ident, name: &str) {
    if is.bare != name {
        args.push(Arg::text("name", name));
    }
}

/// A description as a doc comment, or as an entry where a comment would say something else.
fn described(description: Option<&str>, indent: usize) -> (String, Vec<Arg>) {
    match description {
        None => (String::new(), Vec::new()),
        Some(prose) if is_prose(prose) => (comment(prose, indent), Vec::new()),
        Some(text) => (String::new(), vec![Arg::text("description", text)]),
    }
}

impl Member {
    fn text(&self) -> String {
        let (comment, mut description) = described(self.description.as_deref(), 4);
        let mut args = self.args.clone();
        args.append(&mut description);
        let line = format!("    pub {}: {},", self.name.code, self.ty);
        let field = if line.len() <= 100 {
            line
        } else {
            format!("    pub {}:\n        {},", self.name.code, self.ty)
        };
        format!("{comment}{}{field}\n", attribute(&args, 4))
    }
}
