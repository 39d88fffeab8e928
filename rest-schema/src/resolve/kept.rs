//! Fields that the service keeps itself: the count of changes, the moments of making, changing and deleting a row.
//!
//! A resource names them. One that it doesn't declare is declared for it, before anything is made of its fields; one
//! that it does is given what it leaves out.

use super::Draft;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::Level;
use crate::raw::{Block, Entry, Named, Node, NodeKind, Value};
use crate::schema::{FieldId, Kept, Resource, ResourceId};
use crate::source::{Excerpt, Span};

/// A word that names such a field.
struct Word {
    /// The mapping in which it stands, if it has one of its own.
    within: Option<&'static str>,
    key: &'static str,
    /// The types that it may have; the first is the one that it gets.
    types: &'static [&'static str],
    begins: Begins,
    place: fn(&mut Kept) -> &mut Option<FieldId>,
}

/// What such a field is in a row that is new.
enum Begins {
    One,
    Now,
    Null,
}

const WORDS: &[Word] = &[
    Word {
        within: None,
        key: "version",
        types: &["bigint", "integer"],
        begins: Begins::One,
        place: |kept| &mut kept.version,
    },
    Word {
        within: Some("timestamps"),
        key: "created",
        types: &["timestamp"],
        begins: Begins::Now,
        place: |kept| &mut kept.created,
    },
    Word {
        within: Some("timestamps"),
        key: "updated",
        types: &["timestamp"],
        begins: Begins::Now,
        place: |kept| &mut kept.updated,
    },
    Word {
        within: None,
        key: "soft_delete",
        types: &["timestamp"],
        begins: Begins::Null,
        place: |kept| &mut kept.deleted,
    },
];

impl Word {
    /// The name of the field, where a resource says it.
    fn said<'b>(&self, block: &'b Block) -> Option<&'b Excerpt> {
        let block = match self.within {
            Some(within) => block.block(within)?,
            None => block,
        };
        block.text(self.key)
    }
}

/// Declares in a resource what it names and doesn't declare.
pub(super) fn declare(block: &mut Block) {
    for word in WORDS {
        let Some(name) = word.said(block).cloned() else {
            continue;
        };
        let Some(fields) = fields(block, name.span) else {
            continue;
        };
        let at = fields.iter().position(|field| field.name.text == name.text);
        let at = at.unwrap_or_else(|| {
            fields.push(Named {
                block: Block::empty(Level::Field, name.span),
                name: name.clone(),
            });
            fields.len() - 1
        });
        let field = &mut fields[at].block;
        let text = |text: &str| Excerpt::whole(text, name.span);
        add(field, "type", name.span, || Value::Text(text(word.types[0])));
        let is_of_it = |ty: &Excerpt| word.types.contains(&ty.text.as_str());
        if !field.text("type").is_some_and(is_of_it) {
            // That is told when the names are bound.
            continue;
        }
        add(field, "readonly", name.span, || Value::Flag(true));
        let default = match word.begins {
            Begins::One => NodeKind::Number(text("1")),
            Begins::Now => NodeKind::Text {
                text: text("now"),
                plain: true,
            },
            Begins::Null => {
                add(field, "optional", name.span, || Value::Flag(true));
                continue;
            }
        };
        let span = name.span;
        add(field, "default", span, || {
            Value::Literal(Node { span, kind: default })
        });
    }
}

fn fields(block: &mut Block, span: Span) -> Option<&mut Vec<Named>> {
    if !block.has("fields") {
        block.entries.push(Entry {
            key: Level::Resource.row("fields")?,
            at: span,
            value: Value::Named(Vec::new()),
            span,
        });
    }
    let entry = block.entries.iter_mut().find(|entry| entry.key.key == "fields")?;
    match &mut entry.value {
        Value::Named(fields) => Some(fields),
        _ => None,
    }
}

fn add(field: &mut Block, key: &str, span: Span, value: impl FnOnce() -> Value) {
    if let Some(row) = Level::Field.row(key).filter(|_| !field.has(key)) {
        field.entries.push(Entry {
            key: row,
            at: span,
            value: value(),
            span,
        });
    }
}

/// Binds the names, now that all fields are made.
pub(super) fn bind(draft: &mut Draft, root: &Block, diagnostics: &mut Diagnostics) {
    for id in draft.ids() {
        let sketch = draft.sketch(id);
        let resource = draft.schema.resource(id);
        let mut kept = Kept {
            preconditions: sketch.block.has("preconditions"),
            audited: sketch.block.flag("audit").or(root.flag("audit")).unwrap_or(false),
            ..Kept::default()
        };
        let mut taken: Vec<&str> = Vec::new();
        for word in WORDS {
            let Some(name) = word.said(&sketch.block) else {
                continue;
            };
            if taken.contains(&name.text.as_str()) {
                let message = format!("`{}` is kept for another purpose already", name.text);
                diagnostics.push(Diagnostic::new("contradiction", name.span, message));
            }
            taken.push(&name.text);
            *(word.place)(&mut kept) = field(id, resource, word, name, diagnostics);
        }
        draft.resource_mut(id).kept = kept;
    }
}

fn field(
    id: ResourceId,
    resource: &Resource,
    word: &Word,
    name: &Excerpt,
    diagnostics: &mut Diagnostics,
) -> Option<FieldId> {
    let fields = (0u32..).zip(&resource.fields);
    let (index, field) = fields.into_iter().find(|(_, field)| field.name == name.text)?;
    if !word.types.contains(&field.ty.name()) {
        let message = format!(
            "`{}` is of type {}, and `{}` needs {}",
            name.text,
            field.ty.name(),
            word.key,
            word.types.join(" or ")
        );
        diagnostics.push(Diagnostic::new("wrong-type", name.span, message));
    } else if !field.readonly {
        let message = format!("`{}` is set by the service alone, so it is `readonly`", name.text);
        diagnostics.push(Diagnostic::new("contradiction", name.span, message));
    } else if matches!(word.begins, Begins::Null) && !(field.optional && field.default.is_none()) {
        let message = format!(
            "`{}` is null while the item is there, so it is `optional` and has no default",
            name.text
        );
        diagnostics.push(Diagnostic::new("contradiction", name.span, message));
    }
    Some(FieldId { resource: id, index })
}
