//! The query string: read strictly, parameter by parameter, every fault at once.
//!
//! Brackets are operators, dots are paths: what isn't a parameter of the service is a filter. What each parameter
//! means is said in the file of its name; this one takes the string apart and knows which parameters there are.

mod matching;
mod split;

use std::fmt::Write as _;

use rest_schema::diagnostic::nearest;
use rest_schema::{Resource, ResourceId, Schema};

use super::names::{Names, list};
use super::{
    Condition, Query, Selection, Visible, aggregate, condition, filter, include, page, search, sort,
};
use crate::openapi::Version;
use crate::problem::{Code, Fault, Place, Problem, words};
use crate::request::body::{Json, Pointer};
use crate::respond::format::Format;

pub use matching::{MAX_AFFECTED, Matching, matching};
pub use split::{MAX_LENGTH, MAX_PARAMETERS, with_cursor};
pub(super) use split::{Parameter, Parameters};

/// A parameter that isn't a filter.
#[derive(Debug)]
pub struct ParameterRow {
    /// Its name.
    pub name: &'static str,
    /// Whether an item takes it as well.
    pub on_item: bool,
    /// Whether it may stand several times, for as many values.
    pub is_list: bool,
    /// What it asks for.
    pub doc: &'static str,
}

impl ParameterRow {
    /// Whether the addresses of a resource take it; `is_searchable`: whether a search finds a field of it.
    pub fn is_of(&self, resource: &Resource, is_searchable: bool) -> bool {
        match self.name {
            "q" => is_searchable,
            "deleted" => resource.shows_deleted(),
            _ => true,
        }
    }
}

macro_rules! parameters {
    ($($name:literal on_item: $on_item:literal is_list: $is_list:literal $doc:literal;)*) => {
        /// All parameters that aren't filters, in the order of the documentation.
        pub const PARAMETERS: &[ParameterRow] = &[$(ParameterRow {
            name: $name, on_item: $on_item, is_list: $is_list, doc: $doc,
        }),*];
    };
}

parameters! {
    "q"       on_item: false is_list: false "items in which all of these words stand; in quotes they follow each other, and with `*` at its end a word may go on";
    "sort"    on_item: false is_list: true  "fields to order by, at most three; `-` in front: from the greatest";
    "limit"   on_item: false is_list: false "items on the page, from 1 to the service's maximum";
    "cursor"  on_item: false is_list: false "where the page begins: `page.next` or `page.prev` of another page; empty: at the first item";
    "page"    on_item: false is_list: false "the page's number, from 1; not beside cursor";
    "deleted" on_item: true  is_list: false "`only`: items that were deleted; `with`: these too, for whom may restore them";
    "count"   on_item: false is_list: false "`exact`: how many items there are on all pages, in `page.total`";
    "fields"  on_item: true  is_list: true  "the fields to show; a path shows a field of a related item";
    "include" on_item: true  is_list: true  "the relations to show within; a path goes on from relation to relation";
    "aggregate" on_item: false is_list: true "what to work out of all items together: `count`, or `sum`, `avg`, `min` or `max` of a field, as `avg(pages)`; instead of a page";
    "group"   on_item: false is_list: true  "the fields whose values make groups, beside aggregate, at most three";
}

/// What other services call it, and what it is here.
const RIVALS: &[(&str, &str)] = &[
    ("per_page", "limit"),
    ("page_size", "limit"),
    ("pagesize", "limit"),
    ("perpage", "limit"),
    ("size", "limit"),
    ("take", "limit"),
    ("top", "limit"),
    ("first", "limit"),
    ("max_results", "limit"),
    ("order_by", "sort"),
    ("orderby", "sort"),
    ("order", "sort"),
    ("ordering", "sort"),
    ("sort_by", "sort"),
    ("sortby", "sort"),
    ("offset", "page"),
    ("skip", "page"),
    ("start", "page"),
    ("page_number", "page"),
    ("after", "cursor"),
    ("before", "cursor"),
    ("starting_after", "cursor"),
    ("page_token", "cursor"),
    ("expand", "include"),
    ("embed", "include"),
    ("populate", "include"),
    ("with", "include"),
    ("relations", "include"),
    ("select", "fields"),
    ("only", "fields"),
    ("columns", "fields"),
    ("total", "count"),
    ("include_total", "count"),
    ("with_count", "count"),
];

/// Reads what is asked of a collection.
pub fn collection(
    schema: &Schema,
    resource: ResourceId,
    raw: Option<&str>,
    format: Format,
    visible: &Visible,
) -> Result<Query, Problem> {
    let names = Names { schema, visible };
    let mut faults = Vec::new();
    let parameters = Parameters::read(raw, &mut faults)?;
    check_repeated(&parameters, &mut faults);
    let limit = limit(schema, &parameters, format, &mut faults);
    let is_filter = |parameter: &&Parameter| row(&parameter.name).is_none();
    let of_filters = parameters.iter().filter(is_filter).collect();
    let query = Query {
        filters: filters(&names, resource, of_filters, &mut faults),
        search: search::read(&names, resource, &parameters, &mut faults),
        sort: sort::read(&names, resource, &parameters, &mut faults),
        page: page::page(schema, &parameters, &mut faults),
        limit,
        count: page::count(&parameters, &mut faults),
        selection: include::selection(&names, resource, &parameters, &mut faults),
        aggregation: aggregate::read(&names, resource, &parameters, &mut faults),
        format,
    };
    check_streamed(&query, &parameters, &mut faults);
    aggregate::check(&query, &parameters, &mut faults);
    refused(&parameters, faults).map_or(Ok(query), Err)
}

/// Reads what a body asks of a collection (RFC 10008): the same, with a filter of its own kind.
///
/// # Errors
///
/// 422, with every fault at its place in the body.
pub fn body(
    schema: &Schema,
    resource: ResourceId,
    body: &Json,
    format: Format,
    visible: &Visible,
) -> Result<Query, Problem> {
    let names = Names { schema, visible };
    let root = Pointer::root();
    let mut faults = Vec::new();
    let Json::Object(members) = body else {
        let detail = format!("must be an object, not {}", body.kind());
        return Err(Problem::invalid(vec![Fault::pointer(
            root,
            words::WRONG_TYPE,
            detail,
        )]));
    };
    let mut parameters = Parameters::default();
    let mut filters = Vec::new();
    for (name, json) in members {
        let at = root.member(name);
        if name == "filter" {
            filters.push(condition::read(&names, resource, json, &at, &mut faults));
        } else if let Some(row) = row(name) {
            match said(row, json) {
                Ok(values) => parameters.say(row.name, values),
                Err(right) => {
                    let detail = format!("must be {right}, not {}", json.kind());
                    faults.push(Fault::pointer(at, words::WRONG_TYPE, detail));
                }
            }
        } else {
            let known = taken(&names, resource).chain(["filter"]);
            let known: Vec<&str> = known.collect();
            let detail = format!(
                "there is no {name} here; there are: {}",
                list(known.iter().copied())
            );
            faults.push(Fault::pointer(at, words::UNKNOWN_FIELD, detail).near(name, known));
        }
    }
    let mut of_parameters = Vec::new();
    let query = Query {
        filters,
        search: search::read(&names, resource, &parameters, &mut of_parameters),
        sort: sort::read(&names, resource, &parameters, &mut of_parameters),
        limit: limit(schema, &parameters, format, &mut of_parameters),
        page: page::page(schema, &parameters, &mut of_parameters),
        count: page::count(&parameters, &mut of_parameters),
        selection: include::selection(&names, resource, &parameters, &mut of_parameters),
        aggregation: aggregate::read(&names, resource, &parameters, &mut of_parameters),
        format,
    };
    check_streamed(&query, &parameters, &mut of_parameters);
    aggregate::check(&query, &parameters, &mut of_parameters);
    faults.extend(of_parameters.into_iter().map(|fault| match fault.place {
        Place::Parameter(name) => Fault {
            place: Place::Pointer(root.member(&name).into()),
            ..fault
        },
        Place::Pointer(_) | Place::Header(_) => fault,
    }));
    if faults.is_empty() {
        Ok(query)
    } else {
        Err(Problem::invalid(faults))
    }
}

/// The most items: of a stream that isn't limited, all.
fn limit(schema: &Schema, parameters: &Parameters, format: Format, faults: &mut Vec<Fault>) -> u32 {
    if format.is_stream() && parameters.named("limit").is_none() {
        u32::MAX
    } else {
        page::limit(schema, parameters, faults)
    }
}

/// A stream is the whole result: it has no pages, no count, and rows without items within.
fn check_streamed(query: &Query, parameters: &Parameters, faults: &mut Vec<Fault>) {
    if !query.format.is_stream() || query.aggregation.is_some() {
        return;
    }
    let mut refuse = |name: &str, detail: &str| {
        faults.push(Fault::parameter(name, Code::NotStreamable, detail));
    };
    if !query.selection.includes.is_empty() {
        let by = ["include", "fields"].into_iter();
        let mut by = by.filter(|name| parameters.named(name).is_some());
        let name = by.next().unwrap_or("include");
        refuse(name, "a stream has rows alone, without related items within");
    }
    if parameters.named("page").is_some() {
        refuse("page", "a stream has no pages; begin in the midst by cursor");
    }
    if query.count {
        refuse("count", "a stream has no place for a total; ask for a page");
    }
}

/// What a member of a body says, as the parameter of its name would; else what would be right.
fn said(row: &ParameterRow, json: &Json) -> Result<Vec<String>, &'static str> {
    let is_number = matches!(row.name, "limit" | "page");
    match json {
        Json::Array(items) if row.is_list => {
            let texts = items.iter().map(|item| match item {
                // One value alone would be taken for a list.
                Json::Text(text) if items.len() == 1 => Ok(text.replace(',', "\\,")),
                Json::Text(text) => Ok(text.clone()),
                _ => Err("an array of strings"),
            });
            texts.collect()
        }
        _ if row.is_list => Err("an array of strings"),
        json if is_number => match json.as_integer() {
            Some(number) => Ok(vec![number.to_string()]),
            None => Err("a whole number"),
        },
        Json::Text(text) => Ok(vec![text.clone()]),
        _ => Err("a string"),
    }
}

/// Reads what is asked of an item.
pub fn item(
    schema: &Schema,
    resource: ResourceId,
    raw: Option<&str>,
    visible: &Visible,
) -> Result<Selection, Problem> {
    let names = Names { schema, visible };
    let mut faults = Vec::new();
    let parameters = Parameters::read(raw, &mut faults)?;
    check_repeated(&parameters, &mut faults);
    let on_item = |name: &str| PARAMETERS.iter().any(|row| row.on_item && row.name == name);
    let strange = parameters.iter().filter(|parameter| !on_item(&parameter.name));
    let known = || taken(&names, resource).filter(|name| on_item(name));
    faults.extend(strange.map(|parameter| not_taken(&parameter.name, known())));
    let selection = include::selection(&names, resource, &parameters, &mut faults);
    refused(&parameters, faults).map_or(Ok(selection), Err)
}

/// Refuses every parameter, where an address takes none.
pub fn none(raw: Option<&str>) -> Result<(), Problem> {
    let mut faults = Vec::new();
    let parameters = Parameters::read(raw, &mut faults)?;
    faults.extend(parameters.iter().map(|parameter| not_taken(&parameter.name, [])));
    refused(&parameters, faults).map_or(Ok(()), Err)
}

/// The version of OpenAPI that is asked for.
pub(crate) fn version(raw: Option<&str>) -> Result<Version, Problem> {
    let mut faults = Vec::new();
    let parameters = Parameters::read(raw, &mut faults)?;
    let strange = parameters.iter().filter(|parameter| parameter.name != "version");
    faults.extend(strange.map(|parameter| not_taken(&parameter.name, ["version"])));
    let asked = parameters.named("version");
    faults.extend(asked.and_then(Parameter::repeated));
    let version = asked.map_or(Some(Version::V3_1), |asked| Version::parse(asked.single()));
    if version.is_none() {
        faults.push(Fault::parameter(
            "version",
            Code::BadValue,
            "version is 3.1 or 3.2",
        ));
    }
    refused(&parameters, faults).map_or(Ok(version.unwrap_or(Version::V3_1)), Err)
}

fn not_taken<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Fault {
    let known: Vec<_> = known.into_iter().collect();
    let what_is = if known.is_empty() {
        "none".to_owned()
    } else {
        list(known.iter().copied())
    };
    let detail = format!("this address takes no parameter {name}; what it takes: {what_is}");
    Fault::parameter(name, Code::UnknownParameter, detail).near(name, known)
}

/// What isn't a list stands once.
fn check_repeated(parameters: &Parameters, faults: &mut Vec<Fault>) {
    let once = PARAMETERS.iter().filter(|row| !row.is_list);
    let found = once.filter_map(|row| parameters.named(row.name));
    faults.extend(found.filter_map(Parameter::repeated));
}

/// The refusal that the faults make, told in the order in which the parameters were written.
fn refused(parameters: &Parameters, mut faults: Vec<Fault>) -> Option<Problem> {
    faults.sort_by_key(|fault| match &fault.place {
        Place::Parameter(name) => parameters.place(name),
        Place::Pointer(_) | Place::Header(_) => None,
    });
    Problem::of_faults(faults)
}

/// The parameters of a collection that aren't filters.
fn taken<'a>(names: &Names<'a>, resource: ResourceId) -> impl Iterator<Item = &'static str> + use<'a> {
    let is_searchable = names.is_searchable(resource);
    let resource = names.schema.resource(resource);
    let rows = PARAMETERS
        .iter()
        .filter(move |row| row.is_of(resource, is_searchable));
    rows.map(|row| row.name)
}

fn row(name: &str) -> Option<&'static ParameterRow> {
    PARAMETERS.iter().find(|row| row.name == name)
}

/// The parameters that are filters.
fn filters(
    names: &Names,
    resource: ResourceId,
    filters: Vec<&Parameter>,
    faults: &mut Vec<Fault>,
) -> Vec<Condition> {
    let most = names.schema.limits.filters;
    if filters.len() > most as usize {
        let detail = format!("{} filters, where at most {most} are served", filters.len());
        let first_over = &filters[most as usize].name;
        faults.push(Fault::parameter(first_over, Code::LimitExceeded, detail).limit(most));
        return Vec::new();
    }
    let read = |parameter: &Parameter| match unknown(names, resource, &parameter.name) {
        Some(fault) => Err(vec![fault]),
        None => filter::read(names, resource, parameter),
    };
    let mut found = Vec::new();
    for parameter in filters {
        match read(parameter) {
            Ok(filter) => found.push(Condition::Test(filter)),
            Err(more) => faults.extend(more),
        }
    }
    found
}

/// The fault of a parameter that isn't even meant for a filter.
fn unknown(names: &Names, resource: ResourceId, name: &str) -> Option<Fault> {
    let bare = name.split('[').next().unwrap_or(name);
    if names.has(resource, bare) || bare.contains('.') {
        return None;
    }
    if row(bare).is_some() {
        return Some(operator_on_parameter(name, bare));
    }
    let fault = |detail: String| Fault::parameter(name, Code::UnknownParameter, detail);
    if bare == MAX_AFFECTED.name {
        return Some(fault(format!(
            "{bare} belongs to PATCH and DELETE of a collection"
        )));
    }
    let lower = bare.trim_start_matches('$').to_ascii_lowercase();
    if let Some((_, ours)) = RIVALS.iter().find(|(theirs, _)| *theirs == lower) {
        let mut fault = fault(format!("there is no parameter {bare}; here it is {ours}"));
        fault.nearest = Some((*ours).to_owned());
        return Some(fault);
    }
    if let Some(ours) = filter::bracketed(names, resource, name) {
        let mut fault = fault(format!("a filter is written {ours}"));
        fault.nearest = Some(ours);
        return Some(fault);
    }
    if bare != name {
        return None;
    }
    let fields: Vec<_> = names.filterable(resource).collect();
    let parameters = || taken(names, resource).map(|name| -> &str { name });
    let mut fault = fault(format!(
        "there is no parameter or field {bare}; parameters: {}; fields to filter by: {}",
        list(parameters()),
        list(fields.iter().copied())
    ));
    fault.nearest = nearest(bare, parameters().chain(fields));
    Some(fault)
}

/// `page[size]=10`, `limit[gte]=3`
fn operator_on_parameter(name: &str, bare: &str) -> Fault {
    let within = name[bare.len()..].trim_matches(['[', ']']);
    let ours = RIVALS
        .iter()
        .find(|(theirs, _)| *theirs == within)
        .map(|(_, ours)| *ours);
    let ours = ours.or_else(|| row(within).map(|row| row.name));
    let mut detail = format!("{bare} takes nothing in brackets");
    if let Some(ours) = ours {
        let _ = write!(detail, "; there is {ours}");
    }
    let mut fault = Fault::parameter(name, Code::UnknownParameter, detail);
    fault.nearest = ours.map(str::to_owned);
    fault
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixture::{posts, refused};
    use super::*;

    #[test]
    fn all_faults_are_told_at_once() {
        let lines = refused(posts("limit=0&sort=titel&views=x&fields=nope&a=%zz"));
        let codes: Vec<_> = lines.lines().filter_map(|line| line.split(' ').next()).collect();
        assert_eq!(
            codes,
            [
                "bad-limit",
                "unknown-field",
                "bad-value",
                "unknown-field",
                "bad-encoding"
            ]
        );
    }

    #[test]
    fn what_others_call_it_names_ours() {
        for (raw, ours) in [
            ("per_page=1", "limit"),
            ("order_by=title", "sort"),
            ("offset=3", "page"),
            ("expand=author", "include"),
            ("$select=id", "fields"),
            ("page[size]=3", "limit"),
            ("page[cursor]=x", "cursor"),
            ("filter[title]=x", "title"),
            ("views__gte=3", "views[gte]"),
            ("pagse=2", "page"),
            ("titel=2", "title"),
        ] {
            let lines = refused(posts(raw));
            assert!(lines.starts_with("unknown-parameter "), "{lines}");
            assert!(lines.ends_with(&format!(" → {ours}")), "{lines}");
        }
        for (theirs, ours) in RIVALS {
            assert!(row(ours).is_some() && row(theirs).is_none(), "{theirs}");
        }
    }

    #[test]
    fn what_is_not_served_says_so() {
        assert_eq!(
            refused(posts("sort[title]=asc")),
            "unknown-parameter sort[title]: sort takes nothing in brackets"
        );
        assert!(refused(posts("zzz=1")).contains("parameters: q, sort, limit, cursor, page, count, fields, include, aggregate, group; fields to filter by: id, author_id"));
    }

    #[test]
    fn an_address_may_take_nothing() {
        assert!(none(None).is_ok());
        assert!(none(Some("")).is_ok());
        assert_eq!(
            refused(none(Some("a=1"))),
            "unknown-parameter a: this address takes no parameter a; what it takes: none"
        );
    }

    proptest! {
        #[test]
        fn no_string_makes_it_panic(raw in "\\PC{0,60}") {
            let _ = posts(&raw);
        }

        #[test]
        fn nothing_like_a_query_makes_it_panic(
            pairs in proptest::collection::vec(
                ("(title|views|author|tags|sort|page|limit|cursor|fields|include|count|data|status|x|%|)(\\.[a-z_]{0,9})?(\\[[a-z]{0,9}\\]?)?",
                 "[a-z0-9,.%+\\\\-]{0,12}"),
                0..5,
            ),
        ) {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            if let Err(problem) = posts(&pairs.join("&")) {
                prop_assert_eq!(problem.status(), 400);
            }
        }
    }
}
