//! Who asks.

use std::sync::Arc;

use axum::http::request::Parts;
use jiff::Timestamp;
use rest_schema::ResourceId;

use crate::plan::access::Account;
use crate::plan::lower::Kind;
use crate::problem::Problem;
use crate::scope::{Act, Scopes};
use crate::serve::resolve;
use crate::service::Service;
use crate::session::Came;

/// Who asks: nobody in particular, or an account.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The signed-in account; `None`: anonymous.
    pub(crate) account: Option<Arc<Account>>,
    /// The id of the token it came with, `/api/tokens/current`.
    pub(crate) token: Option<i64>,
    /// The session by which he came.
    pub(crate) session: Option<Came>,
    /// What that token may do for the account.
    pub(crate) scopes: Scopes,
    /// The program itself, on the account's behalf where there is one: no rule holds.
    pub(crate) is_unrestricted: bool,
    /// Whether the account has written of late, so that a replica may not know of it yet.
    pub(crate) has_written: bool,
}

impl Caller {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// The program itself: no rule holds for it. What is the caller's own, as `default: me`, stays so.
    #[must_use]
    pub(crate) fn unrestricted(&self) -> Self {
        Self {
            is_unrestricted: true,
            ..self.clone()
        }
    }

    /// The same caller, for whom all rules hold.
    #[must_use]
    pub(crate) fn restricted(&self) -> Self {
        Self {
            is_unrestricted: false,
            ..self.clone()
        }
    }

    /// The signed-in account; `None`: anonymous.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_deref()
    }

    /// Whether somebody is signed in.
    pub fn is_signed_in(&self) -> bool {
        self.account.is_some()
    }

    /// As whom he does something to the rows of a resource: anonymous also where his token's scopes don't cover it.
    pub fn kind_in(&self, resource: ResourceId, act: Act) -> Kind {
        let is_covered = self.is_unrestricted || self.scopes.cover(resource, act);
        if self.account.is_some() && is_covered {
            Kind::Account
        } else {
            Kind::Anonymous
        }
    }

    /// Whether he is somebody else in one resource than in another.
    pub(crate) fn is_limited(&self) -> bool {
        self.account.is_some() && !self.is_unrestricted && self.scopes.are_limited()
    }

    /// The same, who may read his own account whatever his token's scopes are.
    #[must_use]
    pub(crate) fn reading_himself(self) -> Self {
        match &self.account {
            Some(account) => Self {
                scopes: self.scopes.and(account.resource, Act::Read),
                ..self
            },
            None => self,
        }
    }
}

impl Service {
    /// Who asks, by the credentials of a request; anonymous where it has none.
    ///
    /// # Errors
    ///
    /// 401 where they aren't valid.
    pub async fn caller_of(&self, parts: &Parts) -> Result<Caller, Problem> {
        resolve(self.inner(), parts, Timestamp::now()).await
    }

    /// Whether somebody is signed in whose token may do what a word stands for, `posts:write` or one of the service's own;
    /// `false` for a word that the service doesn't have.
    pub fn has_scope(&self, caller: &Caller, word: &str) -> bool {
        caller.is_signed_in() && self.inner().engine.model.scopes.are_in(word, &caller.scopes)
    }
}
