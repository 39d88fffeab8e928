//! Who asks.

use std::sync::Arc;

use axum::http::request::Parts;
use jiff::Timestamp;

use crate::plan::access::Account;
use crate::plan::lower::Kind;
use crate::problem::Problem;
use crate::serve::resolve;
use crate::service::Service;

/// Who asks: nobody in particular, or an account.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The signed-in account; `None`: anonymous.
    pub(crate) account: Option<Arc<Account>>,
    /// The id of the token it came with, `/api/tokens/current`.
    pub(crate) token: Option<i64>,
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

    pub(crate) fn authority(&self) -> Authority {
        Authority {
            kind: self.kind(),
            is_unrestricted: self.is_unrestricted,
        }
    }

    /// Anonymous or signed in.
    pub fn kind(&self) -> Kind {
        if self.account.is_some() {
            Kind::Account
        } else {
            Kind::Anonymous
        }
    }
}

/// What of a caller decides how a statement is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Authority {
    /// Anonymous or signed in.
    pub kind: Kind,
    /// Whether no rule holds.
    pub is_unrestricted: bool,
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
}
