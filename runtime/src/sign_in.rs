//! Signing in by name and password, for tokens and for sessions.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use crate::accounts::{Among, Sought};
use crate::attempts::{Attempt, Count, Forgive, too_many};
use crate::password::Plain;
use crate::problem::{Code, Problem};
use crate::service::Inner;
use crate::storage::state::SigningIn;
use crate::storage::{Refusal, Storage};
use crate::write::unhashed;

impl Inner {
    /// The account that has this name and this password. A guess is counted for the account and for the address, and not
    /// held against anybody where it was right.
    ///
    /// # Errors
    ///
    /// 401 for a wrong password, an unknown name and an account that isn't active, by answer and by time alike; 429 for one
    /// guess too many; 503 where there is no room, or the database refuses.
    pub(crate) async fn sign_in(
        self: &Arc<Self>,
        name: &str,
        password: Plain,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<SigningIn, Problem> {
        let attempt = self
            .attempts
            .begin(name, address, Instant::now())
            .map_err(too_many)?;
        let shared = self.shared_attempt(name, address).await?;
        let account = self.account_with(name, password, now).await?;
        let account = account.ok_or_else(|| Problem::new(Code::BadCredentials))?;
        self.attempts.forgive(attempt);
        if let Some(attempt) = shared {
            let engine = Arc::clone(&self.engine);
            let forgiven = self.storage.write_state(Forgive { engine, attempt }).await;
            forgiven.map_err(|refusal| self.problem(refusal))?;
        }
        Ok(account)
    }

    fn problem(&self, refusal: Refusal) -> Problem {
        refusal.into_problem(&self.engine.model)
    }

    /// Counts a guess where other instances do, too: in the database, where that may have others.
    async fn shared_attempt(&self, name: &str, address: Option<IpAddr>) -> Result<Option<Attempt>, Problem> {
        let Storage::Postgres(database) = &self.storage else {
            return Ok(None);
        };
        let engine = Arc::clone(&self.engine);
        let attempt = Attempt::shared(&engine.state_key, name, address);
        let counted = Box::pin(database.write(&Count { engine, attempt }, "")).await;
        counted.map_err(|refusal| self.problem(refusal))?;
        Ok(Some(attempt))
    }

    /// The active account of a name, if this is its password. An unknown name takes as long as a wrong password.
    async fn account_with(
        self: &Arc<Self>,
        name: &str,
        password: Plain,
        now: Timestamp,
    ) -> Result<Option<SigningIn>, Problem> {
        let found = self
            .account(Sought::Name(name.to_owned()), Among::Active, now)
            .await;
        let found = found.map_err(|refusal| self.problem(refusal))?;
        let hash = found.as_ref().and_then(|found| found.hash.clone());
        let is_right = self.hasher.verify(password.clone(), hash).await;
        match found.filter(|_| is_right == Ok(true)) {
            Some(account) => self.rehashed(account, password, now).await.map_err(unhashed),
            None => is_right.map(|_| None).map_err(unhashed),
        }
    }
}
