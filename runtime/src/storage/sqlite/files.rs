//! The database's file, and the one that keeps our own state: the same where the database is ours.

use std::sync::Arc;

use crate::storage::sqlite::database::Database;
use crate::storage::sqlite::statement::answers;

/// The files of a service.
#[derive(Debug, Clone)]
pub struct Files {
    /// The rows.
    pub data: Arc<Database>,
    /// Tokens, and keys for hashing.
    pub state: Arc<Database>,
}

impl Files {
    /// Whether both are one, so that one transaction reads both.
    pub fn is_one(&self) -> bool {
        Arc::ptr_eq(&self.data, &self.state)
    }

    pub(crate) fn is_ready(&self) -> bool {
        let read = self.data.readers.inline(|link| answers(&link.connection));
        read.is_ok()
    }

    pub(crate) fn measure(&self) {
        self.data.measure();
        if !self.is_one() {
            self.state.measure();
        }
    }

    pub(crate) fn close(&self) {
        self.data.close();
        self.state.close();
    }
}
