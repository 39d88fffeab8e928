//! The order asked for: `sort=-created_at,author.username`.

use rest_schema::types::Kind;
use rest_schema::{Field, ResourceId};

use super::names::{Names, list};
use super::query::Parameters;
use super::{Path, SortTerm};
use crate::problem::{Code, Fault};

/// The terms that an order may have; the key is added to them.
pub const MAX_TERMS: usize = 3;

/// Reads `sort`; empty where there is none.
pub(super) fn read(
    names: &Names,
    resource: ResourceId,
    parameters: &Parameters,
    faults: &mut Vec<Fault>,
) -> Vec<SortTerm> {
    let Some(parameter) = parameters.named("sort") else {
        return Vec::new();
    };
    let items = parameter.items();
    if items.len() > MAX_TERMS {
        let detail = format!("{} terms, where at most {MAX_TERMS} are served", items.len());
        faults.push(Fault::parameter("sort", Code::BadSort, detail).limit(MAX_TERMS));
        return Vec::new();
    }
    let mut terms: Vec<SortTerm> = Vec::new();
    for item in items {
        match term(names, resource, &item).and_then(|term| not_twice(&terms, term, &item)) {
            Ok(term) => terms.push(term),
            Err(fault) => faults.push(fault),
        }
    }
    terms
}

fn term(names: &Names, resource: ResourceId, item: &str) -> Result<SortTerm, Fault> {
    let (descending, text) = match item.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, item),
    };
    if text.is_empty() {
        let detail = "a term is empty; name a field, with - in front for the greatest first";
        return Err(Fault::parameter("sort", Code::BadSort, detail));
    }
    let (path, field) = names.path(resource, text, "sort")?;
    check_steps(names, &path)?;
    if !is_sortable(field) {
        return Err(not_sortable(names, path.field.resource, field));
    }
    Ok(SortTerm { path, descending })
}

/// Of several related items none could say where the item belongs.
fn check_steps(names: &Names, path: &Path) -> Result<(), Fault> {
    names.to_many(path).map_or(Ok(()), |relation| {
        let detail = format!("{} leads to many items, and an order needs one", relation.name);
        Err(Fault::parameter("sort", Code::BadSort, detail))
    })
}

/// Whether requests may sort by the field; JSON and bytes have no order, whatever the schema says.
pub(crate) fn is_sortable(field: &Field) -> bool {
    field.sortable && !matches!(field.ty.kind(), Kind::Json | Kind::Bytes)
}

fn not_sortable(names: &Names, resource: ResourceId, field: &Field) -> Fault {
    let fields = names.fields(resource).map(|(_, field)| field);
    let known = fields
        .filter(|field| is_sortable(field))
        .map(|field| field.api_name.as_str());
    let detail = format!(
        "{} is not a field to sort by; those are: {}",
        field.api_name,
        list(known)
    );
    Fault::parameter("sort", Code::NotSortable, detail)
}

fn not_twice(terms: &[SortTerm], term: SortTerm, item: &str) -> Result<SortTerm, Fault> {
    if terms.iter().any(|other| other.path == term.path) {
        let detail = format!("{} stands twice", item.trim_start_matches('-'));
        return Err(Fault::parameter("sort", Code::BadSort, detail));
    }
    Ok(term)
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{posts, refused, written};

    fn sorted(raw: &str) -> Vec<String> {
        let query = posts(raw).expect("an order");
        let terms = query.sort.iter().map(|term| {
            let sign = if term.descending { "-" } else { "" };
            format!("{sign}{}", written(&term.path))
        });
        terms.collect()
    }

    #[test]
    fn an_order_has_terms_and_directions() {
        assert_eq!(sorted(""), [""; 0]);
        assert_eq!(sorted("sort=-created_at,title"), ["-created_at", "title"]);
        assert_eq!(
            sorted("sort=-author.username&sort=id"),
            ["-author.username", "id"]
        );
    }

    #[test]
    fn what_gives_no_order_is_refused() {
        assert_eq!(
            refused(posts("sort=tags.name")),
            "bad-sort sort: tags leads to many items, and an order needs one"
        );
        assert_eq!(
            refused(posts("sort=title,-title")),
            "bad-sort sort: title stands twice"
        );
        assert_eq!(
            refused(posts("sort=id,title,views,day")),
            "bad-sort sort: 4 terms, where at most 3 are served"
        );
        assert!(refused(posts("sort=")).starts_with("bad-sort "));
        assert!(refused(posts("sort=title,-")).starts_with("bad-sort "));
        assert!(
            refused(posts("sort=body"))
                .starts_with("not-sortable sort: body is not a field to sort by; those are: id,")
        );
        assert!(refused(posts("sort=meta")).starts_with("not-sortable "));
        assert!(refused(posts("sort=titel")).ends_with(" → title"));
        assert!(refused(posts("sort=author.email")).starts_with("unknown-field "));
        assert!(refused(posts("sort=--title")).starts_with("unknown-field "));
        assert!(refused(posts("sort=author")).ends_with(" → author_id"));
    }
}
