//! What says which items a PATCH or DELETE of a collection is meant for.

use rest_schema::{ResourceId, Schema};

use super::split::Parameters;
use super::{ParameterRow, filters, list, refused, row};
use crate::problem::{Code, Fault, Problem};
use crate::request::names::Names;
use crate::request::{Condition, Visible};

/// The parameter that PATCH and DELETE of a collection need.
pub const MAX_AFFECTED: ParameterRow = ParameterRow {
    name: "max_affected",
    on_item: false,
    is_list: false,
    doc: "the most items that may match; where more do, nothing is done",
};

/// Which items are meant, and how many they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// All must hold; at least one.
    pub filters: Vec<Condition>,
    /// The most that may match, from 1 to the schema's `limits.bulk`.
    pub most: u32,
}

/// Reads which items of a collection a write is meant for: filters, and `max_affected`.
///
/// # Errors
///
/// 400, with every fault; where there is no filter, or no `max_affected`.
pub fn matching(
    schema: &Schema,
    resource: ResourceId,
    raw: Option<&str>,
    visible: &Visible,
) -> Result<Matching, Problem> {
    let names = Names { schema, visible };
    let mut faults = Vec::new();
    let parameters = Parameters::read(raw, &mut faults)?;
    for parameter in parameters
        .iter()
        .filter(|parameter| row(&parameter.name).is_some())
    {
        let detail = format!(
            "PATCH and DELETE of a collection take filters and {}, not {}",
            MAX_AFFECTED.name, parameter.name
        );
        faults.push(Fault::parameter(&parameter.name, Code::UnknownParameter, detail));
    }
    let most = most(schema, &parameters, &mut faults);
    let is_filter = |name: &str| name != MAX_AFFECTED.name && row(name).is_none();
    let of_filters: Vec<_> = parameters
        .iter()
        .filter(|parameter| is_filter(&parameter.name))
        .collect();
    if of_filters.is_empty() {
        let all: Vec<&str> = names.filterable(resource).collect();
        let detail = format!(
            "a filter has to say which items are meant; fields to filter by: {}",
            list(all.into_iter())
        );
        return Err(refused(&parameters, faults)
            .unwrap_or_else(|| Problem::new(Code::MissingParameter).detail(detail)));
    }
    let filters = filters(&names, resource, of_filters, &mut faults);
    refused(&parameters, faults).map_or(Ok(Matching { filters, most }), Err)
}

fn most(schema: &Schema, parameters: &Parameters, faults: &mut Vec<Fault>) -> u32 {
    let bulk = schema.limits.bulk;
    let name = MAX_AFFECTED.name;
    let detail = format!("{name} is a whole number from 1 to {bulk}: how many items may match");
    let Some(given) = parameters.named(name) else {
        faults.push(Fault::parameter(name, Code::MissingParameter, detail).limit(bulk));
        return 0;
    };
    faults.extend(given.repeated());
    match given.single().parse() {
        Ok(most) if (1..=bulk).contains(&most) => most,
        _ => {
            faults.push(Fault::parameter(name, Code::BadValue, detail).limit(bulk));
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::problem::Code;
    use crate::request::fixture::{matching, refused};

    #[test]
    fn a_filter_and_a_bound_are_needed() {
        let unbounded = matching("max_affected=3").expect_err("a refusal");
        assert_eq!(unbounded.code(), Code::MissingParameter);
        assert!(
            unbounded
                .told()
                .starts_with("a filter has to say which items are meant; fields to filter by: id, author_id")
        );
        assert!(
            refused(matching("id=3"))
                .starts_with("missing-parameter max_affected: max_affected is a whole number from 1 to 1000")
        );
        let found = matching("id=3&max_affected=1000").expect("a filter and a bound");
        assert_eq!((found.filters.len(), found.most), (1, 1000));
    }

    #[test]
    fn a_bound_is_a_number_in_its_range() {
        for wrong in ["0", "1001", "-1", "x", "", "99999999999"] {
            let refused = refused(matching(&format!("id=3&max_affected={wrong}")));
            assert!(refused.starts_with("bad-value max_affected"), "{refused}");
        }
    }

    #[test]
    fn what_belongs_to_pages_has_no_meaning() {
        let refused = refused(matching("id=3&max_affected=1&sort=id&fields=id"));
        let parameters: Vec<_> = refused
            .lines()
            .filter_map(|line| line.split(':').next())
            .collect();
        assert_eq!(parameters, ["unknown-parameter sort", "unknown-parameter fields"]);
    }
}
