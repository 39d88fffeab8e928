//! What an operator does without HTTP: makes accounts, sets passwords, loads rows. Rules don't apply; values are
//! checked all the same.

mod load;

use std::sync::Arc;

use rest_schema::{FieldId, ResourceId, Value};

use self::load::{Load, hash_all};
use crate::accounts::{Among, Sought, any_account, set_password};
use crate::cell::Cell;
use crate::password::Plain;
use crate::problem::Fault;
use crate::service::{Inner, Service};
use crate::session::Session;
use crate::storage::Refusal;
use crate::storage::connection::Connection;
use crate::storage::job::{Done, Job};
use crate::storage::state::{Revoked, SigningIn, Wanted};

pub use crate::accounts::NewToken;
pub use crate::storage::state::Token;

pub(crate) const NO_ACCOUNTS: &str = "the service has no accounts: its schema doesn't say `accounts:`";

/// Rows of one resource, or pairs of one many-to-many, to be loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// Rows of a resource: each names its fields and their values.
    Of {
        /// The resource.
        resource: ResourceId,
        /// The rows.
        rows: Vec<Vec<(u32, Value)>>,
    },
    /// Pairs of a many-to-many: the key of this side, then of the other.
    Pairs {
        /// The relation.
        relation: rest_schema::RelationId,
        /// The pairs.
        pairs: Vec<(Vec<Value>, Vec<Value>)>,
    },
}

/// Why an operator's work was not done; nothing of it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone {
    /// What is wrong, as a client would be told, with where.
    pub message: String,
    /// In which of the lots given, and which row of it, where that is known.
    pub place: Option<(usize, usize)>,
}

impl std::fmt::Display for NotDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for NotDone {}

impl Service {
    /// Loads rows, all or none, in the order given; foreign keys may point forward within it. Values of type password
    /// are plain and are hashed; what a row doesn't name gets its default.
    ///
    /// # Errors
    ///
    /// The first row that can't be written.
    pub async fn load(&self, lots: Vec<Rows>) -> Result<usize, NotDone> {
        match self.loaded(lots, false).await? {
            Done::Number(rows) => Ok(usize::try_from(rows).unwrap_or(0)),
            Done::Items(items) => Ok(items.len()),
            Done::Known(_) => Ok(0),
        }
    }

    /// The same; gives the keys of the rows.
    pub(crate) async fn load_keyed(&self, lots: Vec<Rows>) -> Result<Vec<Vec<Cell>>, NotDone> {
        match self.loaded(lots, true).await? {
            Done::Number(_) | Done::Known(_) => Ok(Vec::new()),
            Done::Items(items) => Ok(items.into_iter().map(|item| item.key).collect()),
        }
    }

    async fn loaded(&self, lots: Vec<Rows>, keyed: bool) -> Result<Done, NotDone> {
        let job = Load {
            service: Arc::clone(self.inner()),
            lots,
            keyed,
        };
        let hashed = tokio::task::spawn_blocking(move || hash_all(job)).await;
        let job = hashed.map_err(|error| told(error.to_string()))??;
        let done = self.inner().storage.write(job).await;
        done.map_err(|refusal| not_done(refusal, self.inner()))
    }

    /// A token of an account, as if it had signed in at that moment.
    pub(crate) async fn token_of(
        &self,
        account: Vec<Cell>,
        wanted: NewToken,
        at: jiff::Timestamp,
    ) -> Result<String, NotDone> {
        let inner = self.inner();
        let account = inner.active(account).await?;
        let made = inner.add_token(account, wanted, at).await;
        made.map(|(_, secret)| secret.reveal().to_owned())
            .map_err(|refusal| not_done(refusal, inner))
    }

    /// A session of an account, as if it had signed in.
    pub(crate) async fn session_of(&self, account: Vec<Cell>) -> Result<Session, NotDone> {
        let inner = self.inner();
        let account = inner.active(account).await?;
        let begun = inner.begin_session(account, None, jiff::Timestamp::now()).await;
        begun.map_err(|refusal| not_done(refusal, inner))
    }

    /// Makes a token of an account, as if it had signed in, and gives its secret; `None` where no account has this name.
    ///
    /// # Errors
    ///
    /// Where the service has no accounts or no such scope, the account isn't active, the longest lifetime is passed, or
    /// the database refuses.
    pub async fn create_token(&self, account: &str, wanted: NewToken) -> Result<Option<String>, NotDone> {
        let inner = self.inner();
        let model = &inner.engine.model;
        if let Some(unknown) = wanted.scopes.iter().find(|word| !model.scopes.has(word)) {
            let all = model.scopes.all().join(", ");
            return Err(told(format!("there is no scope `{unknown}`; there are {all}")));
        }
        let longest = model.schema.tokens.max_lifetime;
        if wanted
            .lifetime
            .is_some_and(|lifetime| !(1..=longest).contains(&lifetime))
        {
            return Err(told(format!("a token lasts {longest} seconds at most")));
        }
        let Some(key) = self.account(account, Among::Active).await? else {
            if self.account(account, Among::All).await?.is_none() {
                return Ok(None);
            }
            let message = format!(
                "the account {account} isn't active (`accounts: {{ active: … }}`), so no token of it would be taken"
            );
            return Err(told(message));
        };
        let made = inner.add_token(key, wanted, jiff::Timestamp::now()).await;
        made.map(|(_, secret)| Some(secret.reveal().to_owned()))
            .map_err(|refusal| not_done(refusal, inner))
    }

    /// An account's tokens that haven't expired, the latest first and a thousand at most; `None` where no account has this
    /// name.
    ///
    /// # Errors
    ///
    /// Where the service has no accounts, or the database refuses.
    pub async fn tokens(&self, account: &str) -> Result<Option<Vec<Token>>, NotDone> {
        let inner = self.inner();
        let Some(key) = self.account(account, Among::All).await? else {
            return Ok(None);
        };
        let found = inner.tokens_of(key, Wanted::Latest, jiff::Timestamp::now()).await;
        found.map(Some).map_err(|refusal| not_done(refusal, inner))
    }

    /// Revokes the token of an account with this id, or all of them, on every instance at once; whether there were any,
    /// `None` where no account has this name.
    ///
    /// # Errors
    ///
    /// Where the service has no accounts, or the database refuses.
    pub async fn revoke_tokens(&self, account: &str, id: Option<i64>) -> Result<Option<bool>, NotDone> {
        let inner = self.inner();
        let Some(account) = self.account(account, Among::All).await? else {
            return Ok(None);
        };
        let which = match id {
            Some(id) => Revoked::One(account.key, id),
            None => Revoked::Account(account.key),
        };
        let revoked = inner.revoke_tokens(which).await;
        revoked.map(Some).map_err(|refusal| not_done(refusal, inner))
    }

    /// The account of a name.
    async fn account(&self, name: &str, among: Among) -> Result<Option<SigningIn>, NotDone> {
        let inner = self.inner();
        if inner.engine.model.schema.accounts.is_none() {
            return Err(told(NO_ACCOUNTS));
        }
        let found = inner
            .account(Sought::Name(name.to_owned()), among, jiff::Timestamp::now())
            .await;
        found.map_err(|refusal| not_done(refusal, inner))
    }

    /// Sets an account's password, whereby its tokens are no longer valid; `false` where no account has this name.
    ///
    /// # Errors
    ///
    /// Where the service has no accounts, or the database refuses.
    pub async fn set_password(&self, identifier: &str, plain: Plain) -> Result<bool, NotDone> {
        let inner = self.inner();
        let Some(accounts) = inner.engine.model.schema.accounts.clone() else {
            return Err(told(NO_ACCOUNTS));
        };
        check_password(inner, accounts.password, &plain)?;
        let hash = inner
            .hasher
            .hash(plain)
            .await
            .map_err(|failure| told(failure.to_string()))?;
        let job = SetPassword {
            service: Arc::clone(inner),
            identifier: identifier.to_owned(),
            hash,
        };
        match inner.storage.write(job).await {
            Ok(done) => Ok(matches!(done, Done::Number(1..))),
            Err(refusal) => Err(not_done(refusal, inner)),
        }
    }
}

pub(crate) fn told(message: impl Into<String>) -> NotDone {
    NotDone {
        message: message.into(),
        place: None,
    }
}

pub(crate) fn not_done(refusal: Refusal, inner: &Inner) -> NotDone {
    let problem = refusal.into_problem(&inner.engine.model);
    let places: Vec<String> = problem.all_faults().iter().map(fault_text).collect();
    let message = if places.is_empty() {
        problem.told().into_owned()
    } else {
        places.join("; ")
    };
    let cause = problem.cause().filter(|_| problem.status().is_server_error());
    told(cause.map_or(message.clone(), |cause| format!("{message}: {cause}")))
}

impl Inner {
    /// The account of a key, if it may sign in.
    async fn active(self: &Arc<Self>, key: Vec<Cell>) -> Result<SigningIn, NotDone> {
        let found = self
            .account(Sought::Key(key), Among::Active, jiff::Timestamp::now())
            .await;
        let found = found.map_err(|refusal| not_done(refusal, self))?;
        found.ok_or_else(|| told("the account is gone, or isn't active"))
    }
}

fn fault_text(fault: &Fault) -> String {
    match &fault.place {
        crate::problem::Place::Pointer(pointer) => format!("{pointer}: {}", fault.detail),
        crate::problem::Place::Parameter(name) | crate::problem::Place::Header(name) => {
            format!("{name}: {}", fault.detail)
        }
    }
}

fn check_password(inner: &Inner, field: FieldId, plain: &Plain) -> Result<(), NotDone> {
    let of = inner.engine.model.field(field);
    let characters = String::from_utf8_lossy(plain.as_bytes()).chars().count() as u64;
    let Some(length) = &of.length else { return Ok(()) };
    if length.min.is_some_and(|min| characters < min) || length.max.is_some_and(|max| characters > max) {
        let bound = |bound: Option<u64>| bound.map(|bound| bound.to_string()).unwrap_or_default();
        let range = format!("{}..{}", bound(length.min), bound(length.max));
        return Err(told(format!("the password's length isn't within {range}")));
    }
    Ok(())
}

/// A new password for an account.
#[derive(Debug)]
struct SetPassword {
    service: Arc<Inner>,
    identifier: String,
    hash: String,
}

impl Job for SetPassword {
    /// Gives how many accounts there are of the name: one, or none.
    async fn run<C: Connection>(&self, connection: &C) -> Result<Done, Refusal> {
        let model = &self.service.engine.model;
        let now = jiff::Timestamp::now();
        let found = any_account(model, connection, &self.identifier, now).await?;
        let Some(found) = found else {
            return Ok(Done::Number(0));
        };
        set_password(model, connection, &found.key, &self.hash).await?;
        Ok(Done::Number(1))
    }
}
