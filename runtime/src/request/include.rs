//! What is shown of an item: `fields` and `include`.
//!
//! Both name places in one tree of relations. A level that `include` names is shown whole unless `fields` names fields
//! of it; a level that only `fields` passes through shows what is named below it and nothing else.

use std::collections::BTreeSet;

use rest_schema::{FieldId, RelationId, ResourceId};

use super::names::Names;
use super::query::Parameters;
use super::{Include, Selection, page};
use crate::problem::{Code, Fault, MAX_FAULTS};

/// Reads `fields` and `include`.
pub(super) fn selection(
    names: &Names,
    resource: ResourceId,
    parameters: &Parameters,
    faults: &mut Vec<Fault>,
) -> Selection {
    let mut root = Level {
        is_whole: parameters.named("fields").is_none(),
        ..Level::default()
    };
    let mut named = 0;
    for (name, read) in [("include", include as Reader), ("fields", field)] {
        for item in parameters
            .named(name)
            .iter()
            .flat_map(|parameter| parameter.items())
        {
            if faults.len() >= MAX_FAULTS {
                break;
            }
            named += usize::from(name == "include");
            let done = if item.is_empty() {
                Err(Fault::parameter(
                    name,
                    Code::BadValue,
                    "the list has an empty place",
                ))
            } else {
                read(names, resource, &item, &mut root)
            };
            faults.extend(done.err());
        }
    }
    let most = names.schema.limits.includes;
    // One that is named again and again is as many as are named.
    let count = root.count().max(named);
    if count > most as usize {
        let detail = format!("{count} relations within, where at most {most} are served");
        faults.push(Fault::parameter("include", Code::LimitExceeded, detail).limit(most));
    }
    Selection {
        which: page::deleted(names, resource, parameters, faults),
        ..root.into_selection()
    }
}

type Reader = fn(&Names, ResourceId, &str, &mut Level) -> Result<(), Fault>;

fn include(names: &Names, resource: ResourceId, item: &str, root: &mut Level) -> Result<(), Fault> {
    let (steps, _) = names.walk(resource, item.split('.'), "include")?;
    let mut level = root;
    for step in steps {
        level = level.below(step);
        level.is_whole = true;
    }
    Ok(())
}

fn field(names: &Names, resource: ResourceId, item: &str, root: &mut Level) -> Result<(), Fault> {
    let (path, _) = names.path(resource, item, "fields")?;
    let level = path.steps.into_iter().fold(root, Level::below);
    level.fields.insert(path.field);
    Ok(())
}

/// One place in the tree.
#[derive(Default)]
struct Level {
    is_whole: bool,
    /// In the order of the schema.
    fields: BTreeSet<FieldId>,
    /// In the order first named.
    below: Vec<(RelationId, Level)>,
}

impl Level {
    fn below(&mut self, relation: RelationId) -> &mut Level {
        let place = self.below.iter().position(|(known, _)| *known == relation);
        let place = place.unwrap_or_else(|| {
            self.below.push((relation, Level::default()));
            self.below.len() - 1
        });
        &mut self.below[place].1
    }

    /// The relations in it, at all depths.
    fn count(&self) -> usize {
        self.below.iter().map(|(_, level)| 1 + level.count()).sum()
    }

    fn into_selection(self) -> Selection {
        let shows_all = self.is_whole && self.fields.is_empty();
        let below = self.below.into_iter().map(|(relation, level)| Include {
            relation,
            selection: level.into_selection(),
        });
        Selection {
            includes: below.collect(),
            fields: (!shows_all).then(|| self.fields.into_iter().collect()),
            ..Selection::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{post, posts, refused, shown};

    fn show(raw: &str) -> String {
        let selection = posts(raw).expect("a selection").selection;
        assert_eq!(post(raw).expect("the same of an item"), selection, "{raw}");
        shown(&selection)
    }

    #[test]
    fn fields_and_includes_make_one_tree() {
        assert_eq!(show(""), "*");
        assert_eq!(show("fields=title,id,title"), "id title");
        assert_eq!(show("fields=title&fields=id"), "id title");
        assert_eq!(
            show("fields=id,title,author.username"),
            "id title author(username)"
        );
        assert_eq!(show("fields=author.username"), "author(username)");
        assert_eq!(
            show("include=author,comments.author"),
            "* author(*) comments(* author(*))"
        );
        assert_eq!(
            show("include=comments.author,comments"),
            "* comments(* author(*))"
        );
        assert_eq!(show("include=author&fields=title,author.id"), "title author(id)");
        assert_eq!(
            show("include=comments&fields=id,comments.author.username"),
            "id comments(* author(username))"
        );
        assert_eq!(
            show("fields=id,comments.author.username"),
            "id comments(author(username))"
        );
    }

    #[test]
    fn what_is_not_there_cannot_be_shown() {
        assert!(refused(posts("fields=titel")).ends_with(" → title"));
        assert!(refused(posts("fields=author")).starts_with("unknown-field fields: author is a relation"));
        assert!(refused(posts("include=title")).starts_with("unknown-field include: title is a field"));
        assert!(refused(posts("include=coments")).ends_with(" → comments"));
        assert!(
            refused(posts("fields=author.email,author.secret"))
                .starts_with("unknown-field fields: there is no field email")
        );
        assert_eq!(
            refused(posts("fields=id,")),
            "bad-value fields: the list has an empty place"
        );
        assert_eq!(
            refused(posts("include=")),
            "bad-value include: the list has an empty place"
        );
        assert_eq!(
            refused(posts(&format!("include={}", "x,".repeat(3000))))
                .lines()
                .count(),
            50
        );
    }

    #[test]
    fn depth_and_breadth_are_bounded() {
        assert!(posts("include=author.posts.author").is_ok());
        assert!(refused(posts("include=author.posts.author.posts")).starts_with("limit-exceeded "));
        assert!(posts("include=author,comments,tags,comments.author").is_ok());
        assert_eq!(
            refused(posts("include=author,comments,tags,comments.author,author.posts")),
            "limit-exceeded include: 5 relations within, where at most 4 are served"
        );
    }

    #[test]
    fn an_item_takes_nothing_else() {
        assert_eq!(
            refused(post("field=id&limit=3&title=x")),
            "unknown-parameter field: this address takes no parameter field; what it takes: fields, include → fields\n\
             unknown-parameter limit: this address takes no parameter limit; what it takes: fields, include\n\
             unknown-parameter title: this address takes no parameter title; what it takes: fields, include"
        );
    }
}
