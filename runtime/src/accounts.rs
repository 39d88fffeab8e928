//! Accounts and their tokens, for those who sign in and for operators.

use std::sync::Arc;

use jiff::Timestamp;
use rest_schema::{Comparison, FieldId, Value};

use crate::cell::Cell;
use crate::engine::Engine;
use crate::model::Model;
use crate::password::{Failure, Plain};
use crate::plan::expr::{Expr, Slot};
use crate::request::body::Pointer;
use crate::scope;
use crate::service::Inner;
use crate::sql::write as sql;
use crate::storage::bind::Values;
use crate::storage::connection::{Connection, First, Reading, driven};
use crate::storage::constraint::Context;
use crate::storage::job::{Done, Job};
use crate::storage::sqlite::connection::Link;
use crate::storage::state::{self, AddToken, RevokeTokens, Revoked, SigningIn, Token, Wanted};
use crate::storage::{Refusal, Storage};
use crate::token::Secret;

/// What is asked of a token that is made.
#[derive(Debug, Default)]
pub struct NewToken {
    /// What its maker calls it.
    pub name: Option<String>,
    /// What it may do: words such as `posts:read`. None: everything.
    pub scopes: Vec<String>,
    /// In seconds; `None`: as the schema says.
    pub lifetime: Option<u64>,
}

/// By what an account is sought.
pub(crate) enum Sought {
    /// A name, which one of its identifying fields holds.
    Name(String),
    /// Its key.
    Key(Vec<Cell>),
}

/// Among which accounts one is sought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Among {
    /// Those that may sign in.
    Active,
    /// All of them.
    All,
}

impl Among {
    fn condition(self, model: &Model) -> Expr {
        match self {
            Self::Active => model.active.clone(),
            Self::All => Expr::Boolean(true),
        }
    }
}

impl Inner {
    /// The account that is sought.
    pub(crate) async fn account(
        self: &Arc<Self>,
        sought: Sought,
        among: Among,
        now: Timestamp,
    ) -> Result<Option<SigningIn>, Refusal> {
        match &self.storage {
            Storage::Sqlite(files) => {
                let service = Arc::clone(self);
                let find = move |link: &Link| {
                    let model = &service.engine.model;
                    driven(account(model, &link.connection, sought, among, now))
                };
                files.data.readers.pooled(find).await
            }
            Storage::Postgres(database) => {
                Box::pin(account(
                    &self.engine.model,
                    database.primary(),
                    sought,
                    among,
                    now,
                ))
                .await
            }
        }
    }

    /// Makes a hash of our own of a password that has just proved right, where its account has an older one, and keeps it:
    /// the account as it is then. `None` where it has another password by now.
    pub(crate) async fn rehashed(
        self: &Arc<Self>,
        account: SigningIn,
        password: Plain,
        now: Timestamp,
    ) -> Result<Option<SigningIn>, Failure> {
        let Some(old) = account.hash.clone().filter(|hash| self.hasher.is_dated(hash)) else {
            return Ok(Some(account));
        };
        let key = account.key.clone();
        let Ok(new) = self.hasher.hash(password.clone()).await else {
            return Ok(Some(account));
        };
        let rehash = Rehash {
            engine: Arc::clone(&self.engine),
            key: key.clone(),
            old,
            new: new.clone(),
        };
        match self.storage.write(rehash).await {
            Ok(Done::Number(1)) => Ok(Some(SigningIn { key, hash: Some(new) })),
            // Another sign-in did it, or the password was changed.
            Ok(_) => {
                let Ok(found) = self.account(Sought::Key(key), Among::Active, now).await else {
                    return Ok(Some(account));
                };
                let hash = found.as_ref().and_then(|found| found.hash.clone());
                let is_right = self.hasher.verify(password, hash).await?;
                Ok(found.filter(|_| is_right))
            }
            Err(refusal) => {
                tracing::warn!("a password's hash isn't made anew: {refusal}");
                Ok(Some(account))
            }
        }
    }

    /// Makes a token of an account.
    pub(crate) async fn add_token(
        &self,
        account: SigningIn,
        wanted: NewToken,
        now: Timestamp,
    ) -> Result<(Token, Secret), Refusal> {
        let NewToken {
            name,
            scopes,
            lifetime,
        } = wanted;
        let scopes = if scopes.is_empty() {
            scope::ALL.to_owned()
        } else {
            scopes.join(" ")
        };
        let lifetime = lifetime.unwrap_or(self.engine.model.schema.tokens.lifetime);
        let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX / 2);
        let secret = Secret::generate();
        let secret = secret.ok_or_else(|| Refusal::Internal("the system gives no random bytes".into()))?;
        let created_at = now.as_second();
        let expires_at = created_at.saturating_add(lifetime);
        let add = AddToken {
            engine: Arc::clone(&self.engine),
            digest: secret.digest(),
            account,
            name: name.clone(),
            scopes: scopes.clone(),
            created_at,
            expires_at,
        };
        let Done::Number(id) = self.storage.write_state(add).await? else {
            return Err(Refusal::Internal("a token has no id".into()));
        };
        let made = Token {
            id,
            name,
            scopes,
            created_at,
            expires_at,
            last_used_at: None,
        };
        Ok((made, secret))
    }

    /// Tokens of an account, the latest first.
    pub(crate) async fn tokens_of(
        self: &Arc<Self>,
        account: SigningIn,
        wanted: Wanted,
        now: Timestamp,
    ) -> Result<Vec<Token>, Refusal> {
        let (service, now) = (Arc::clone(self), now.as_second());
        match &self.storage {
            Storage::Sqlite(files) => {
                let find = move |link: &Link| {
                    let (state, model) = (&service.engine.state, &service.engine.model);
                    driven(state::tokens_of(
                        &link.connection,
                        state,
                        model,
                        &account,
                        wanted,
                        now,
                    ))
                };
                files.state.readers.pooled(find).await
            }
            Storage::Postgres(database) => {
                let (state, model) = (&self.engine.state, &self.engine.model);
                let primary = database.primary();
                Box::pin(state::tokens_of(primary, state, model, &account, wanted, now)).await
            }
        }
    }

    /// Revokes tokens; whether there were any.
    pub(crate) async fn revoke_tokens(&self, which: Revoked) -> Result<bool, Refusal> {
        let engine = Arc::clone(&self.engine);
        let revoked = self.storage.write_state(RevokeTokens { engine, which }).await?;
        Ok(matches!(revoked, Done::Number(1..)))
    }
}

/// Another hash of the same password, unless the account has another password by now.
#[derive(Debug)]
struct Rehash {
    engine: Arc<Engine>,
    key: Vec<Cell>,
    old: String,
    new: String,
}

impl Job for Rehash {
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let model = &self.engine.model;
        let Some(accounts) = &model.schema.accounts else {
            return Ok(Done::Number(0));
        };
        let column = Box::new(Expr::Column(0, accounts.password));
        let is_old = Box::new(Expr::Slot(Slot::Param(0)));
        let is_old = Expr::Compare(Comparison::Equal, column, is_old);
        let holds = sql::holds(model, accounts.resource, &is_old, 1);
        let params = [vec![Cell::Text(self.old.clone())], self.key.clone()].concat();
        let now = Timestamp::UNIX_EPOCH;
        let mut found = First::of(0);
        let values = Values::of_nobody(model, &params, &[], now);
        connection.each(&holds, values.into(), &mut found).await?;
        if found.found.is_none() {
            return Ok(Done::Number(0));
        }
        set_password(model, connection, &self.key, &self.new).await?;
        // Where hashes are ours the tables of tokens are in the same database.
        let hashes = [self.old.as_str(), self.new.as_str()];
        state::follow_password(connection, &self.engine.state, model, &self.key, hashes).await?;
        Ok(Done::Number(1))
    }
}

/// Keeps the hash of an account's password.
pub(crate) async fn set_password<C: Connection>(
    model: &Model,
    connection: &C,
    key: &[Cell],
    hash: &str,
) -> Result<(), Refusal> {
    let Some(accounts) = &model.schema.accounts else {
        return Ok(());
    };
    let statement = sql::update(model, accounts.resource, &[accounts.password]);
    let params = [key, &[Cell::Text(hash.to_owned())]].concat();
    let values = Values::of_nobody(model, &params, &[], Timestamp::UNIX_EPOCH);
    let context = Context {
        model,
        resource: accounts.resource,
        at: &Pointer::root(),
        deleting: false,
    };
    connection
        .change(&statement, values.into(), context, &mut First::of(0))
        .await
        .map(drop)
}

async fn account<C: Reading>(
    model: &Model,
    connection: &C,
    sought: Sought,
    among: Among,
    now: Timestamp,
) -> Result<Option<SigningIn>, Refusal> {
    let condition = among.condition(model);
    match sought {
        Sought::Name(name) => account_named(model, connection, &name, &condition, now).await,
        Sought::Key(key) => account_of(model, connection, &key, &condition, now).await,
    }
}

/// Any account that one of its identifying fields names.
pub(crate) async fn any_account<C: Reading>(
    model: &Model,
    connection: &C,
    name: &str,
    now: Timestamp,
) -> Result<Option<SigningIn>, Refusal> {
    account_named(model, connection, name, &Among::All.condition(model), now).await
}

/// The account of a key, if the condition holds for it.
async fn account_of<C: Reading>(
    model: &Model,
    connection: &C,
    key: &[Cell],
    condition: &Expr,
    now: Timestamp,
) -> Result<Option<SigningIn>, Refusal> {
    let Some(accounts) = &model.schema.accounts else {
        return Ok(None);
    };
    let condition = Expr::and([sql::key_of(model, accounts.resource), condition.clone()]);
    sought(model, connection, &condition, key, now).await
}

/// The account that one of its identifying fields names, if the condition holds for it.
async fn account_named<C: Reading>(
    model: &Model,
    connection: &C,
    name: &str,
    condition: &Expr,
    now: Timestamp,
) -> Result<Option<SigningIn>, Refusal> {
    let Some(accounts) = &model.schema.accounts else {
        return Ok(None);
    };
    for field in &accounts.identify_by {
        let Ok(value) = named(model, *field, name) else {
            continue;
        };
        let params = [model.codec(*field).encode(&value)];
        let condition = Expr::and([Expr::are(&[*field]), condition.clone()]);
        if let Some(found) = sought(model, connection, &condition, &params, now).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The account for which a condition over these parameters holds.
async fn sought<C: Reading>(
    model: &Model,
    connection: &C,
    condition: &Expr,
    params: &[Cell],
    now: Timestamp,
) -> Result<Option<SigningIn>, Refusal> {
    let Some(accounts) = &model.schema.accounts else {
        return Ok(None);
    };
    let key = &model.resource(accounts.resource).key.fields;
    let fields = [&key[..], &[accounts.password]].concat();
    let statement = sql::columns_where(model, accounts.resource, &fields, condition);
    let values = Values::of_nobody(model, params, &[], now);
    let mut first = First::of(fields.len());
    connection.each(&statement, values.into(), &mut first).await?;
    let Some(mut found) = first.found else {
        return Ok(None);
    };
    let hash = found.pop().and_then(|hash| hash.text().map(str::to_owned));
    Ok(Some(SigningIn { key: found, hash }))
}

/// What names an account, as a value of the field; a text that can't be one names nobody.
fn named(model: &Model, field: FieldId, identifier: &str) -> Result<Value, ()> {
    use rest_schema::types::Kind;
    match model.field(field).ty.kind() {
        Kind::Text if identifier.contains('\0') => Err(()),
        Kind::Text => Ok(Value::Text(identifier.to_owned())),
        _ => model.field(field).ty.parse_text(identifier).map_err(drop),
    }
}
