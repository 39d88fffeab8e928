//! Credentials → the caller. The token is looked up each time, then the account by its key: no cache, so that a
//! revocation is at once.

mod jwt;

use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use jiff::Timestamp;
use rest_schema::FieldId;

use crate::caller::Caller;
use crate::cell::Cell;
use crate::plan::access::Account;
use crate::plan::expr::Expr;
use crate::problem::{Code, Problem};
use crate::service::Inner;
use crate::session::flask::SignedIn;
use crate::session::{Came, Presented};
use crate::sql::{Statement, write as sql};
use crate::storage::Refusal;
use crate::storage::bind::Values;
use crate::storage::connection::{First, Reading, driven};
use crate::storage::sqlite::connection::Link;
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
        None => return Ok(by_cookie(service, parts, now).await?.unwrap_or_default()),
        Some(Ok(Credentials::Bearer(secret))) => secret,
        Some(Ok(Credentials::Compact(token))) => return jwt::resolve(service, &token, now).await,
        Some(Ok(Credentials::Basic { .. })) => {
            let detail = "Basic signs in at the tokens' address only; send a token here";
            return Err(Problem::new(Code::BadToken).detail(detail));
        }
        Some(Err(_)) => return Err(bad_token()),
    };
    let by = By::Token(secret.digest());
    let found = match &service.storage {
        Storage::Sqlite(files) => on_file(service, files, by, now).await,
        Storage::Postgres(database) => {
            Box::pin(at_once(service, database.primary(), &secret.digest(), now)).await
        }
    };
    let found = found.map_err(|refusal| refusal.into_problem(&service.engine.model))?;
    found.ok_or_else(bad_token)
}

/// By what a caller is known.
#[derive(Debug, Clone, Copy)]
enum By {
    Token(Digest),
    Session(Digest),
}

/// Who is signed in by a cookie of the request; `None`: nobody is. A cookie that isn't valid any more is no error, for a
/// browser sends it as long as it has it.
///
/// # Errors
///
/// 403 where the request may change something and doesn't carry the session's token.
pub(super) async fn by_cookie(
    service: &Arc<Inner>,
    parts: &Parts,
    now: Timestamp,
) -> Result<Option<Caller>, Problem> {
    let Some(cookies) = &service.cookies else {
        return Ok(None);
    };
    let mut found = None;
    // A browser keeps the cookie of a session that has ended beside that of one that hasn't.
    for presented in cookies.presented(&parts.headers, now) {
        let caller = match presented {
            Presented::Own(digest) => Box::pin(by_session(service, digest, now)).await,
            Presented::Flask(signed_in) => Box::pin(by_app(service, signed_in, now)).await,
        };
        found = caller.map_err(|refusal| refusal.into_problem(&service.engine.model))?;
        if found.is_some() {
            break;
        }
    }
    if let Some(came) = found.as_ref().and_then(|caller| caller.session.as_ref()) {
        cookies.hold(&service.engine.csrf_key, came, parts, now)?;
    }
    Ok(found)
}

async fn by_session(service: &Arc<Inner>, digest: Digest, now: Timestamp) -> Result<Option<Caller>, Refusal> {
    let by = By::Session(digest);
    let found = match &service.storage {
        Storage::Sqlite(files) => on_file(service, files, by, now).await,
        Storage::Postgres(database) => find_by(service, database.primary(), &by, now).await,
    };
    Ok(found?.map(|caller| Caller {
        session: Some(Came::Own(digest)),
        ..caller
    }))
}

/// The account of a Flask app's user.
async fn by_app(
    service: &Arc<Inner>,
    signed_in: SignedIn,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    let (model, Some(by_key)) = (&service.engine.model, &service.account_by_key) else {
        return Ok(None);
    };
    let Some(user) = model.cell_of(by_key.of_user.field, &signed_in.user) else {
        return Ok(None);
    };
    let account = found_account(service, |by_key| &by_key.of_user.statement, vec![user], now).await?;
    let session = Came::Flask {
        identity: signed_in.identity,
        form: signed_in.form,
    };
    Ok(account.map(|account| Caller {
        account: Some(account),
        session: Some(session),
        // It isn't asked, so he reads nothing that could be older.
        has_written: true,
        ..Caller::anonymous()
    }))
}

/// Who is known by something that is kept in a file.
async fn on_file(
    service: &Arc<Inner>,
    files: &Files,
    by: By,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    match by_kept(service, files, &by, now) {
        // Locked just now: once more, where waiting is allowed.
        Err(Refusal::Unavailable(_)) => {
            let (waiting, files) = (Arc::clone(service), files.clone());
            let wait = move || by_kept_waiting(&waiting, &files, &by, now);
            let again = tokio::task::spawn_blocking(wait).await;
            again.unwrap_or_else(|error| Err(Refusal::Internal(Box::new(error))))
        }
        found => found,
    }
}

fn by_kept(service: &Inner, files: &Files, by: &By, now: Timestamp) -> Result<Option<Caller>, Refusal> {
    let data = &files.data.readers;
    if files.is_one() {
        return data.inline(|link| {
            in_one(&link.connection, || {
                driven(find_by(service, &link.connection, by, now))
            })
        });
    }
    let found = files
        .state
        .readers
        .inline(|link| driven(kept(service, &link.connection, by, now)))?;
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
    find_by(service, connection, &By::Token(*digest), now).await
}

async fn find_by<C: Reading>(
    service: &Inner,
    connection: &C,
    by: &By,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    match kept(service, connection, by, now).await? {
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
        session: None,
        scopes: state::scopes(model, scopes),
        is_unrestricted: false,
        has_written: *has_written != 0,
    }))
}

async fn kept<C: Reading>(
    service: &Inner,
    connection: &C,
    by: &By,
    now: Timestamp,
) -> Result<Option<state::Found>, Refusal> {
    let (engine, now) = (&service.engine, now.as_second());
    match by {
        By::Token(digest) => state::find_token(connection, &engine.state, &engine.model, digest, now).await,
        By::Session(digest) => {
            let idle = service.cookies.as_ref().map_or(0, |cookies| cookies.idle);
            state::find_session(connection, &engine.state, &engine.model, digest, now, idle).await
        }
    }
}

/// The refusal of a token that isn't valid.
pub(super) fn bad_token() -> Problem {
    Problem::new(Code::BadToken)
}

fn by_kept_waiting(
    service: &Inner,
    files: &Files,
    by: &By,
    now: Timestamp,
) -> Result<Option<Caller>, Refusal> {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(2);
    loop {
        match by_kept(service, files, by, now) {
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
        token: found.token,
        session: None,
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
    let Some(mut cells) = first(service, connection, &statement.statement, key, now).await? else {
        return Ok(None);
    };
    let account = cells.split_off(1);
    let is_valid = state::is_of_password(&found.password, cells[0].text());
    Ok(is_valid.then(|| model.account(resource, account)))
}

/// The account of a key, as rules see it.
pub(super) async fn account_of(
    service: &Arc<Inner>,
    key: Vec<Cell>,
    now: Timestamp,
) -> Result<Option<Arc<Account>>, Refusal> {
    found_account(service, |by_key| &by_key.statement, key, now).await
}

/// The account that a statement finds, as rules see it.
async fn found_account(
    service: &Arc<Inner>,
    statement: fn(&AccountByKey) -> &Statement,
    params: Vec<Cell>,
    now: Timestamp,
) -> Result<Option<Arc<Account>>, Refusal> {
    let Some(by_key) = &service.account_by_key else {
        return Ok(None);
    };
    let found = match &service.storage {
        Storage::Sqlite(files) => {
            let service = Arc::clone(service);
            let find = move |link: &Link| match &service.account_by_key {
                Some(by_key) => driven(first(&service, &link.connection, statement(by_key), &params, now)),
                None => Ok(None),
            };
            files.data.readers.pooled(find).await?
        }
        Storage::Postgres(database) => {
            Box::pin(first(
                service,
                database.primary(),
                statement(by_key),
                &params,
                now,
            ))
            .await?
        }
    };
    let model = &service.engine.model;
    Ok(found.map(|mut cells| model.account(by_key.resource, cells.split_off(1))))
}

async fn first<C: Reading>(
    service: &Inner,
    connection: &C,
    statement: &Statement,
    params: &[Cell],
    now: Timestamp,
) -> Result<Option<Vec<Cell>>, Refusal> {
    let model = &service.engine.model;
    let mut first = First::of(1 + model.me_fields.len());
    let values = Values::of_nobody(model, params, &[], now);
    connection.each(statement, values.into(), &mut first).await?;
    Ok(first.found)
}

/// The statements that find an account.
#[derive(Debug)]
pub(crate) struct AccountByKey {
    pub(crate) resource: rest_schema::ResourceId,
    /// By its key: its password's hash, and what rules see.
    statement: Statement,
    /// By a token, with what is kept of that before it; for PostgreSQL.
    of_token: Statement,
    /// By what a Flask app knows it by.
    of_user: ByField,
    /// By what another issuer's tokens know it by.
    of_subject: ByField,
}

/// Finds an account by the value of a field.
#[derive(Debug)]
struct ByField {
    field: FieldId,
    statement: Statement,
}

impl AccountByKey {
    /// Written once, at start; `None` where the service has no accounts.
    pub(crate) fn new(model: &crate::model::Model, state: &state::Statements) -> Option<Self> {
        let accounts = model.schema.accounts.as_ref()?;
        let resource = accounts.resource;
        let fields = [&[accounts.password], &model.me_fields[..]].concat();
        let condition = Expr::and([sql::key_of(model, resource), model.active.clone()]);
        let statement = sql::columns_where(model, resource, &fields, &condition);
        let key = model.resource(resource).key.fields.first().copied()?;
        let by = |field: Option<FieldId>| {
            let field = field.unwrap_or(key);
            let condition = Expr::and([Expr::are(&[field]), model.active.clone()]);
            let statement = sql::columns_where(model, resource, &fields, &condition);
            ByField { field, statement }
        };
        let app = model.schema.flask();
        let jwt = model.schema.jwt.as_ref();
        Some(Self {
            resource,
            of_user: by(app.and_then(|app| app.user)),
            of_subject: by(jwt.and_then(|jwt| jwt.user)),
            of_token: state.token_with(&statement),
            statement,
        })
    }
}
