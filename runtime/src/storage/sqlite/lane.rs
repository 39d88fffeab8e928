//! Where a read runs: inline on the runtime's own thread, or in the pool.
//!
//! The database's own plan decides, once per shape. Inline goes what searches by key or index, and a scan in the order
//! asked for under a limit. A rest of a filter on such a scan is allowed where it compares plain values: each row then
//! takes steps, and the budget of steps is the net below it. Text operators are not: they take no step however long
//! the text is. Sorts, counts, aggregates, searches, deep pages and scans without order go to the pool.

use rusqlite::Connection;

use crate::plan::expr::{Expr, Take};
use crate::plan::read::{Select, Shape, Start};
use crate::sql::Statement;
use crate::sql::select::{Include, Read};

/// Where a read runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// On the thread that asks.
    Inline,
    /// On a thread of its own kind.
    Pool,
}

/// Decides where reads of a shape run.
pub fn decide(connection: &Connection, shape: &Shape, read: &Read) -> rusqlite::Result<Lane> {
    if let Select::Groups(_) = &shape.select {
        return Ok(Lane::Pool);
    }
    if let Select::Page { start, count, .. } = &shape.select
        && (*count || matches!(start, Start::Offset(_)) || searches(&shape.condition))
    {
        return Ok(Lane::Pool);
    }
    let scan = matches!(shape.select, Select::Page { .. }) && !has_text_operator(&shape.condition);
    for segment in &read.segments {
        if !is_light(
            connection,
            segment,
            &Allowed {
                scan_of_t0: scan,
                sort: false,
            },
        )? {
            return Ok(Lane::Pool);
        }
    }
    Ok(if all_light(connection, &read.layout.includes)? {
        Lane::Inline
    } else {
        Lane::Pool
    })
}

fn all_light(connection: &Connection, includes: &[Include]) -> rusqlite::Result<bool> {
    for include in includes {
        // The last sort of an include is over what its caps let through.
        let allowed = Allowed {
            scan_of_t0: false,
            sort: true,
        };
        if !is_light(connection, &include.statement, &allowed)?
            || !all_light(connection, &include.layout.includes)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

struct Allowed {
    /// A scan of the outermost table, in index order under the limit.
    scan_of_t0: bool,
    /// A sort of the outermost query.
    sort: bool,
}

/// How the rows of a statement are looked for, a line for each step, indented below the one that it is part of.
pub fn steps(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<String>> {
    let mut depths: Vec<(i64, usize)> = Vec::new();
    let mut steps = Vec::new();
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text))?;
    let mut rows = explain.raw_query();
    while let Some(row) = rows.next()? {
        let (id, parent): (i64, i64) = (row.get(0)?, row.get(1)?);
        let above = depths.iter().find(|(of, _)| *of == parent);
        let depth = above.map_or(0, |(_, depth)| depth + 1);
        depths.push((id, depth));
        steps.push(format!(
            "{:width$}{}",
            "",
            row.get::<_, String>(3)?,
            width = 2 * depth
        ));
    }
    Ok(steps)
}

fn is_light(connection: &Connection, statement: &Statement, allowed: &Allowed) -> rusqlite::Result<bool> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.text))?;
    let lines = explain
        .raw_query()
        .mapped(|row| Ok((row.get::<_, i64>(1)?, row.get::<_, String>(3)?)));
    // What a query within gives: as light as what it is made of.
    let mut within: Vec<String> = Vec::new();
    for line in lines {
        let (parent, detail) = line?;
        if let Some(name) = detail.strip_prefix("CO-ROUTINE ") {
            within.push(name.to_owned());
        }
        let outermost = parent == 0;
        let light = if detail.contains("VIRTUAL TABLE") {
            true
        } else if detail.starts_with("USE TEMP B-TREE") {
            outermost && allowed.sort
        } else if detail.starts_with("SCAN ") {
            let constant = detail.starts_with("SCAN CONSTANT") || detail.starts_with("SCAN json_each");
            let is_within = within.iter().any(|name| is_table(&detail, name));
            constant || is_within || outermost && allowed.scan_of_t0 && is_table(&detail, "t0")
        } else {
            true
        };
        if !light {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_table(detail: &str, alias: &str) -> bool {
    detail
        .strip_prefix("SCAN ")
        .is_some_and(|rest| rest == alias || rest.starts_with(&format!("{alias} ")))
}

/// Whether rows are found by a search, which reads all that its words stand in, whatever the limit is.
fn searches(expr: &Expr) -> bool {
    match expr {
        Expr::Search(_) => true,
        Expr::And(all) => all.iter().any(searches),
        _ => false,
    }
}

fn has_text_operator(expr: &Expr) -> bool {
    match expr {
        Expr::Text(..) | Expr::Glob(..) | Expr::Search(_) => true,
        Expr::Not(a) | Expr::IsNull(a) | Expr::Negate(a) | Expr::InArray(a, _) => has_text_operator(a),
        Expr::And(all) | Expr::Or(all) | Expr::Call(_, all) => all.iter().any(has_text_operator),
        Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => has_text_operator(a) || has_text_operator(b),
        Expr::In(a, list) => has_text_operator(a) || list.iter().any(has_text_operator),
        Expr::Related(related) => {
            has_text_operator(&related.condition)
                || has_text_operator(&related.pairs)
                || match &related.take {
                    Take::Value(value) | Take::Aggregate(_, Some(value)) => has_text_operator(value),
                    Take::Exists | Take::Keys | Take::Aggregate(_, None) => false,
                }
        }
        Expr::LedTo(led) => has_text_operator(&led.condition) || has_text_operator(&led.pairs),
        Expr::Boolean(_) | Expr::Null | Expr::Slot(_) | Expr::Units(..) | Expr::Column(..) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rest_schema::ResourceId;

    use super::*;
    use crate::caller::Caller;
    use crate::migrate::{self, OwnTables};
    use crate::model::Model;
    use crate::plan::access::Account;
    use crate::plan::read::Planner;
    use crate::request::page::CursorKey;
    use crate::request::query;
    use crate::sql::dialect::Dialect;
    use crate::sql::select;

    const BLOG: &str = "
service: blog
managed: true
resources:
  User:
    fields: { name: { type: string, unique: true }, password: password }
    access: { read: public }
  Post:
    sort: -created_at
    fields:
      text: { type: text, searchable: true }
      status: { type: enum, values: [draft, published], index: true }
      created_at: { type: timestamp, index: true }
    belongs_to: { author: User }
    many_to_many: { tags: { to: Tag, writable: true } }
    access: { read: status = 'published' or author_id = me.id }
  Tag:
    fields: { name: string }
    access: { read: name != 'hidden' }
accounts: { resource: User, identify_by: [name], password: password }
";

    fn lane_of(query: &str, signed_in: bool) -> Lane {
        let loaded = rest_schema::read("rest.yaml", BLOG, &mut |_: &str| Err("no files".to_owned()));
        let schema = loaded.expect("a schema").schema;
        let connection = Connection::open_in_memory().expect("a database");
        let own = OwnTables {
            statements: &[],
            mark: "",
        };
        migrate::prepare(&schema, &connection, own, &|_| String::new()).expect("tables");
        let model = Model::new(
            schema.clone(),
            crate::codec::Columns::ours(&schema, Dialect::Sqlite),
        );
        let mut caller = Caller::anonymous();
        if signed_in {
            let fields = Arc::clone(&model.me_fields);
            let cells = fields.iter().map(|_| crate::cell::Cell::Integer(1)).collect();
            caller.account = Some(Arc::new(Account {
                resource: ResourceId(0),
                fields,
                cells,
            }));
        }
        let posts = ResourceId(1);
        let query = query::collection(
            &schema,
            posts,
            Some(query),
            crate::respond::format::Format::Json,
            &|_| true,
        )
        .expect("a query");
        let planner = Planner {
            model: &model,
            caller: &caller,
        };
        let plan = planner
            .page(posts, &query, &CursorKey::new([0; 32]))
            .expect("a plan");
        decide(&connection, &plan.shape, &select::read(&model, &plan.shape)).expect("a lane")
    }

    #[test]
    fn a_page_in_the_order_of_an_index_is_light_with_the_keys_of_what_it_leads_to() {
        for signed_in in [false, true] {
            // The rule's status has an index too, which would mean sorting all that is published.
            assert_eq!(lane_of("", signed_in), Lane::Inline);
            assert_eq!(lane_of("author_id=1", signed_in), Lane::Inline);
        }
    }

    #[test]
    fn what_reads_or_sorts_many_rows_is_not() {
        assert_eq!(lane_of("count=exact", false), Lane::Pool);
        assert_eq!(lane_of("text[contains]=x", false), Lane::Pool);
        assert_eq!(lane_of("q=x", false), Lane::Pool);
        assert_eq!(lane_of("sort=author.name", false), Lane::Pool);
    }
}
