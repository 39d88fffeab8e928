//! What becomes of a request: the rules that it meets, the plans and statements of what it reads, and what is answered.
//!
//! A read is carried out, by the way of any request; of a write the rules are told and nothing is done.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Method, Request};
use jiff::Timestamp;
use rest_schema::{Operation, ResourceId};

use super::once::Repeat;
use super::router::{self, Target};
use super::{Ending, Exchange};
use crate::accounts::{Among, Sought};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::Compiled;
use crate::operate::{NotDone, told};
use crate::plan::access::{Deed, Permit};
use crate::plan::expr::Slot;
use crate::plan::read::ReadPlan;
use crate::problem::Problem;
use crate::proxy::Outside;
use crate::service::{Inner, Service};
use crate::sql::dialect::{Dialect, numbered};
use crate::sql::select::Include;
use crate::sql::{Bind, Statement};
use crate::storage::Storage;
use crate::storage::bind::Values;
use crate::storage::sqlite::lane::{self, Lane};

/// Plans of what is read, as they are made.
pub(super) type Noted = Mutex<Vec<(ReadPlan, Arc<Compiled>)>>;

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The rules that it meets, in the order in which they are asked.
    pub rules: Vec<Ruled>,
    /// What it reads, in its order.
    pub reads: Vec<Explained>,
    /// The status of the answer; `None` for a write, which isn't carried out.
    pub status: Option<u16>,
    /// Why it is refused, where it is.
    pub refusal: Option<String>,
}

/// A rule and what it says to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The resource's name.
    pub resource: String,
    /// `read`, `create`, `update`, `delete`, `restore`, `link tags`.
    pub operation: String,
    /// The rule, as the schema says it; `None`: there is none.
    pub rule: Option<String>,
    /// `every row`, `no row`, `the rows for which it is true`.
    pub says: &'static str,
}

/// A read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What it does, apart from its values.
    pub plan: String,
    /// `inline`, or `pool` for what may take long; `None` where the database decides by itself.
    pub lane: Option<&'static str>,
    /// Its statements.
    pub statements: Vec<Told>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its text, in the database's language.
    pub sql: String,
    /// The values that are bound, in their order, each with where it comes from.
    pub values: Vec<String>,
    /// How the database looks for the rows, a line for each step; empty where it isn't asked.
    pub steps: Vec<String>,
}

impl Service {
    /// What becomes of a request of this account, or of nobody: `method`, the address with its query, and a body as of
    /// `QUERY`.
    ///
    /// # Errors
    ///
    /// Where no account has this name, the address can't be one, or the database refuses.
    pub async fn explain(
        &self,
        method: &str,
        address: &str,
        body: Option<&str>,
        account: Option<&str>,
    ) -> Result<Explanation, NotDone> {
        let request = Request::builder().method(method).uri(address);
        let request = request.header("content-type", "application/json");
        let request = request
            .body(())
            .map_err(|error| told(format!("{method} {address}: {error}")))?;
        let (parts, ()) = request.into_parts();
        let now = Timestamp::now();
        let caller = match account {
            Some(name) => self.caller_named(name, now).await?,
            None => Caller::anonymous(),
        };
        let body = Body::from(body.unwrap_or_default().to_owned());
        Ok(explained(self.inner(), &parts, caller, body, now).await)
    }

    /// The caller that an account is, whose token may do everything.
    async fn caller_named(&self, name: &str, now: Timestamp) -> Result<Caller, NotDone> {
        let inner = self.inner();
        let refused = |refusal: crate::storage::Refusal| told(refusal.to_string());
        let sought = Sought::Name(name.to_owned());
        let found = inner.account(sought, Among::Active, now).await.map_err(refused)?;
        let found = found.ok_or_else(|| told(format!("no active account is called {name}")))?;
        let account = super::caller::account_of(inner, found.key, now)
            .await
            .map_err(refused)?;
        Ok(Caller {
            account,
            ..Caller::anonymous()
        })
    }
}

async fn explained(
    service: &Arc<Inner>,
    parts: &Parts,
    caller: Caller,
    body: Body,
    now: Timestamp,
) -> Explanation {
    let mut explanation = Explanation {
        rules: Vec::new(),
        reads: Vec::new(),
        status: None,
        refusal: None,
    };
    let schema = &service.engine.model.schema;
    let refused = |mut explanation: Explanation, problem: &Problem| {
        explanation.status = Some(problem.status().as_u16());
        explanation.refusal = Some(problem.told().into_owned());
        explanation
    };
    let Some(target) = router::find(schema, &service.routes, parts.uri.path()) else {
        return refused(explanation, &Problem::new(crate::problem::Code::NotFound));
    };
    let allow = router::allow(service, &target);
    if !router::allows(allow, &parts.method) {
        return refused(explanation, &Problem::method_not_allowed(allow));
    }
    let caller = match target {
        Target::Me => caller.reading_himself(),
        _ => caller,
    };
    explanation.rules = deeds(service, &target, &parts.method, &caller)
        .into_iter()
        .map(|(resource, deed)| ruled(service, resource, deed, &caller))
        .collect();
    let media = match target.media(schema, parts) {
        Ok(media) => media,
        Err(problem) => return refused(explanation, &problem),
    };
    let noted = Noted::default();
    let exchange = Exchange {
        service,
        parts,
        prefix: &schema.prefix,
        outside: &Outside::default(),
        caller,
        now,
        repeat: Repeat::default(),
        media,
        ending: Ending::default(),
        noted: Some(&noted),
    };
    if !is_read(&target, &parts.method) {
        return explanation;
    }
    let answered = exchange.serve(&target, body).await;
    let plans = noted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    explanation.reads = plans
        .iter()
        .map(|(plan, compiled)| read(service, plan, compiled, &exchange.caller, now))
        .collect();
    match answered {
        Ok(response) => Explanation {
            status: Some(response.status().as_u16()),
            ..explanation
        },
        Err(problem) => refused(explanation, &problem),
    }
}

fn is_read(target: &Target<'_>, method: &Method) -> bool {
    let is_question = matches!(target, Target::Item(_, "query")) && method == Method::POST;
    is_question || matches!(method.as_str(), "GET" | "HEAD" | "QUERY")
}

/// What a request does to the rows of which resources, as far as its address and method tell.
fn deeds(service: &Inner, target: &Target<'_>, method: &Method, caller: &Caller) -> Vec<(ResourceId, Deed)> {
    let model = &service.engine.model;
    let read = |resource| (resource, Deed::from(Operation::Read));
    let is_read = is_read(target, method);
    let written = |resource| {
        let operation = match *method {
            Method::POST => Operation::Create,
            Method::DELETE => Operation::Delete,
            _ => Operation::Update,
        };
        (resource, Deed::from(operation))
    };
    match *target {
        Target::Collection(resource) | Target::Item(resource, _) if is_read => vec![read(resource)],
        Target::Collection(resource) if method == Method::POST => vec![written(resource), read(resource)],
        Target::Collection(resource) | Target::Item(resource, _) => vec![read(resource), written(resource)],
        Target::Restore(resource, _) => vec![read(resource), (resource, Operation::Restore.into())],
        Target::Related(relation, _) => {
            let other = model.relation(relation).target;
            let last = if is_read { read(other) } else { written(other) };
            vec![read(relation.resource), last]
        }
        Target::Pair(relation, ..) => {
            let other = model.relation(relation).target;
            let pairs = model
                .relation(relation)
                .through
                .map(rest_schema::Through::resource);
            let declared = model.schema.declared(relation);
            let deed = match pairs {
                Some(pairs) if *method == Method::DELETE => (pairs, Operation::Delete.into()),
                Some(pairs) => (pairs, Operation::Create.into()),
                None => (declared.resource, Deed::Link(declared)),
            };
            vec![read(relation.resource), read(other), deed]
        }
        Target::Me => caller
            .account
            .iter()
            .map(|account| read(account.resource))
            .collect(),
        Target::Tokens | Target::Token(_) | Target::Health(_) | Target::About(_) => Vec::new(),
    }
}

fn ruled(service: &Inner, id: ResourceId, deed: Deed, caller: &Caller) -> Ruled {
    let model = &service.engine.model;
    let resource = model.resource(id);
    let rule = match deed {
        Deed::Operation(operation) => resource.rule_text(operation),
        Deed::Link(relation) => {
            let own = model.relation(relation).access.as_ref();
            own.map(|rule| rule.source.clone())
                .or_else(|| resource.rule_text(Operation::Update))
        }
    };
    Ruled {
        resource: resource.name.clone(),
        operation: match deed {
            Deed::Operation(Operation::Read) => "read".to_owned(),
            Deed::Operation(Operation::Create) => "create".to_owned(),
            Deed::Operation(Operation::Update) => "update".to_owned(),
            Deed::Operation(Operation::Delete) => "delete".to_owned(),
            Deed::Operation(Operation::Restore) => "restore".to_owned(),
            Deed::Link(relation) => format!("link {}", model.relation(relation).name),
        },
        rule,
        says: match model.rules(id).deed(deed).permit(caller) {
            Permit::Always => "every row",
            Permit::Never => "no row",
            Permit::When(_) => "the rows for which it is true",
        },
    }
}

fn read(service: &Inner, plan: &ReadPlan, compiled: &Compiled, caller: &Caller, now: Timestamp) -> Explained {
    let model = &service.engine.model;
    let values = Values::of_plan(model, plan, caller, now);
    let mut statements: Vec<&Statement> = compiled.read.segments.iter().collect();
    statements.extend(&compiled.read.count);
    within(&compiled.read.layout.includes, &mut statements);
    let statements = statements.into_iter().map(|statement| Told {
        sql: match model.columns.dialect {
            Dialect::Sqlite => statement.text.clone(),
            Dialect::Postgres => numbered(&statement.text),
        },
        values: statement
            .slots
            .iter()
            .map(|bind| value(&values, plan.limit, bind))
            .collect(),
        steps: steps(service, statement),
    });
    Explained {
        plan: format!("{:?}", plan.shape),
        statements: statements.collect(),
        lane: compiled.lane().map(|lane| match lane {
            Lane::Inline => "inline",
            Lane::Pool => "pool",
        }),
    }
}

fn within<'r>(includes: &'r [Include], all: &mut Vec<&'r Statement>) {
    for include in includes {
        all.push(&include.statement);
        within(&include.layout.includes, all);
    }
}

/// A bound value, and where it comes from.
fn value(values: &Values<'_>, limit: u32, bind: &Bind) -> String {
    let model = values.model;
    let named = |slot: &Slot| {
        let name = match slot {
            Slot::Param(_) => "asked".to_owned(),
            Slot::Literal(_) => "the schema's".to_owned(),
            Slot::Me(field) => format!("me.{}", model.field(*field).name),
            Slot::Scope(word) => {
                let word = model.schema.tokens.scopes.get(usize::from(*word));
                format!("scope({})", word.map_or("", String::as_str))
            }
            Slot::Given(field) => format!("old.{}", model.field(*field).name),
            Slot::Now(_) => "now".to_owned(),
        };
        (name, values.cell(slot))
    };
    match bind {
        Bind::Slot(slot) => {
            let (name, cell) = named(slot);
            format!("{} ({name})", shown(&cell))
        }
        Bind::Text(slot, form) => {
            let (name, cell) = named(slot);
            format!("{} ({name})", shown(&form.of(cell)))
        }
        Bind::Keys(_) => "the keys of the level above".to_owned(),
        // One more tells whether there is a next page.
        Bind::Wanted => format!("{} (rows wanted, and one more)", u64::from(limit) + 1),
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => "NULL".to_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Real(number) => format!("{number:?}"),
        Cell::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Cell::Blob(bytes) => format!("{} bytes", bytes.len()),
    }
}

/// How SQLite looks for the rows.
fn steps(service: &Inner, statement: &Statement) -> Vec<String> {
    match &service.storage {
        Storage::Sqlite(files) => files
            .data
            .readers
            .blocking(|link| Ok(lane::steps(&link.connection, statement).unwrap_or_default()))
            .unwrap_or_default(),
        Storage::Postgres(_) => Vec::new(),
    }
}
