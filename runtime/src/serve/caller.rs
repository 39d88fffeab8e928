//! Credentials → the caller. The token is looked up each time, then the account by its key: no cache, so that a
//! revocation is at once.

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;

use crate::caller::Caller;
use crate::cell::Cell;
use crate::plan::access::Account;
use crate::plan::expr::Expr;
use crate::problem::{Code, Problem};
use crate::service::Inner;
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{First, Reading, driven};
use crate::storage::sqlite::files::Files;
use crate::storage::sqlite::statement::in_one;
use crate::storage::{Storage, state};
use crate::token::{Credentials, Digest, Unreadable};

/// The credentials of a request; `None` where it has none.
pub(super) fn credentials(parts: &Parts) -> Option<Result<Credentials, Unreadable>> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let first = values.next()?;
    Some(if values.next().is_some() {
        Err(Unreadable::Scheme)
    } else {
        Credentials::parse(first.as_bytes())
    })
}

/// Who asks. A bad token is 401 also where anonymous callers may pass.
pub(crate) async fn resolve(service: &Arc<Inner>, parts: &Parts, now: Timestamp) -> Result<Caller, Problem> {
    let secret = match credentials(parts) {
        None => return Ok(Caller::anonymous()),
        Some(Ok(Credentials::Bearer(secret))) => secret,
        Some(Ok(Credentials::Basic { .. })) => {
            let detail = "Basic signs in at the tokens' address only; send a token here";
            return Err(Problem::new(Code::BadToken).detail(detail));
        }
        Some(Err(_)) => return Err(bad_token()),
    };
    let digest = secret.digest();
    let found = match &service.storage {
        Storage::Sqlite(files) => match by_token(service, files, &digest, now) {
            // Locked just now: once more, where waiting is allowed.
            Err(Refusal::Unavailable(_)) => {
                let (waiting, files) = (Arc::clone(service), files.clone());
                let wait = move || by_token_waiting(&waiting, &files, &digest, now);
                let again = tokio::task::spawn_blocking(wait).await;
                again.unwrap_or_else(|error| Err(Refusal::Internal(Box::new(error))))
            }
            found => found,
        },
        Storage::Postgres(database) => Box::pin(at_once(service, database.primary(), &digest, now)).await,
    };
    let found = found.map_err(|refusal| refusal.into_problem(&service.engine.model))?;
    found.ok_or_else(bad_token)
}

fn by_token(
    service: &Inner,
    files: &Files,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    let data = &files.data.readers;
    if files.is_one() {
        return data.inline(|link| {
            in_one(&link.connection, || {
                driven(find(service, &link.connection, digest, now))
            })
        });
    }
    let found = files
        .state
        .readers
        .inline(|link| driven(token(service, &link.connection, digest, now)))?;
    match found {
        None => Ok(None),
        Some(found) => data.inline(|link| driven(with_account(service, &link.connection, found, now))),
    }
}

/// Who holds a token, by the database that keeps both tokens and accounts.
pub(super) async fn find<C: Reading>(
    service: &Inner,
    connection: &C,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    match token(service, connection, digest, now).await? {
        None => Ok(None),
        Some(found) => with_account(service, connection, found, now).await,
    }
}

/// The same by one statement, where a statement is a way to another machine.
async fn at_once<C: Reading>(
    service: &Inner,
    connection: &C,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    let model = &service.engine.model;
    let Some(by_key) = &service.account_by_key else {
        return Ok(None);
    };
    let params = [Cell::Blob(digest.0.to_vec()), Cell::Integer(now.as_second())];
    let values = Values::of_nobody(model, &params, &[], now);
    let mut first = First::of(5 + model.me_fields.len());
    connection
        .each(&by_key.of_token, values.into(), &mut first)
        .await?;
    let Some(mut cells) = first.found else {
        return Ok(None);
    };
    let account = cells.split_off(5);
    let [Cell::Integer(token), Cell::Integer(has_written), scopes, of, hash] = &cells[..] else {
        return Err(Refusal::Internal("a token is no number".into()));
    };
    if !state::is_of_password(of, hash.text()) {
        return Ok(None);
    }
    Ok(Some(Caller {
        account: Some(model.account(by_key.resource, account)),
        token: Some(*token),
        scopes: state::scopes(model, scopes),
        is_unrestricted: false,
        has_written: *has_written != 0,
    }))
}

async fn token<C: Reading>(
    service: &Inner,
    connection: &C,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<state::Found>, Refusal> {
    let engine = &service.engine;
    state::find_token(connection, &engine.state, &engine.model, digest, now.as_second()).await
}

/// The refusal of a token that isn't valid.
pub(super) fn bad_token() -> Problem {
    Problem::new(Code::BadToken)
}

fn by_token_waiting(
    service: &Inner,
    files: &Files,
    digest: &Digest,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    loop {
        match by_token(service, files, digest, now) {
            Err(Refusal::Unavailable(_)) if std::time::Instant::now() < deadline => {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            other => return other,
        }
    }
}

async fn with_account<C: Reading>(
    service: &Inner,
    connection: &C,
    found: state::Found,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    let account = account(service, connection, &found, now).await?;
    Ok(account.map(|account| Caller {
        account: Some(account),
        token: Some(found.id),
        scopes: found.scopes,
        is_unrestricted: false,
        has_written: found.has_written,
    }))
}

/// The account of a token, as rules see it, as long as it is active and has the password that it had.
async fn account<C: Reading>(
    service: &Inner,
    connection: &C,
    found: &state::Found,
    now: Timestamp,
) -> Result<Option<Arc<Account>>, Refusal> {
    let (model, key) = (&service.engine.model, &found.account);
    let Some(statement) = &service.account_by_key else {
        return Ok(None);
    };
    let resource = statement.resource;
    if key.len() != model.resource(resource).key.fields.len() {
        return Ok(None);
    }
    let values = Values::of_nobody(model, key, &[], now);
    let mut first = First::of(1 + model.me_fields.len());
    connection
        .each(&statement.statement, values.into(), &mut first)
        .await?;
    let Some(mut cells) = first.found else {
        return Ok(None);
    };
    let account = cells.split_off(1);
    let is_valid = state::is_of_password(&found.password, cells[0].text());
    Ok(is_valid.then(|| model.account(resource, account)))
}

/// The account of a key, as rules see it.
pub(super) async fn account_of(
    service: &Arc<Inner>,
    key: &[Cell],
    now: Timestamp,
) -> Result<Option<Arc<Account>>, Refusal> {
    let Some(by_key) = &service.account_by_key else {
        return Ok(None);
    };
    let (model, resource) = (&service.engine.model, by_key.resource);
    let values = Values::of_nobody(model, key, &[], now);
    let mut first = First::of(1 + model.me_fields.len());
    match &service.storage {
        Storage::Sqlite(files) => files
            .data
            .readers
            .blocking(|link| driven(link.connection.each(&by_key.statement, values.into(), &mut first)))?,
        Storage::Postgres(database) => {
            let primary = database.primary();
            Box::pin(primary.each(&by_key.statement, values.into(), &mut first)).await?;
        }
    }
    Ok(first
        .found
        .map(|mut cells| model.account(resource, cells.split_off(1))))
}

/// The statements that find an account.
#[derive(Debug)]
pub(crate) struct AccountByKey {
    pub(crate) resource: rest_schema::ResourceId,
    /// By its key: its password's hash, and what rules see.
    statement: crate::sql::Statement,
    /// By a token, with what is kept of that before it; for PostgreSQL.
    of_token: crate::sql::Statement,
}

impl AccountByKey {
    /// Written once, at start; `None` where the service has no accounts.
    pub(crate) fn new(model: &crate::model::Model, state: &state::Statements) -> Option<Self> {
        let accounts = model.schema.accounts.as_ref()?;
        let resource = accounts.resource;
        let fields = [&[accounts.password], &model.me_fields[..]].concat();
        let condition = Expr::and([sql::key_of(model, resource), model.active.clone()]);
        let statement = sql::columns_where(model, resource, &fields, &condition);
        Some(Self {
            resource,
            of_token: state.token_with(&statement),
            statement,
        })
    }
}
