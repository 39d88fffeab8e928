//! Who asks.

use std::sync::Arc;

use crate::plan::access::Account;
use crate::plan::lower::Kind;

/// Who asks: nobody in particular, or an account.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// The signed-in account; `None`: anonymous.
    pub account: Option<Arc<Account>>,
    /// The token it came with, for `DELETE /api/tokens/current`; the row's id in our own state.
    pub token: Option<i64>,
}

impl Caller {
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self::default()
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
