//! Why the program couldn't run, and how it ends otherwise.

use std::fmt;
use std::process::ExitCode;

/// How a command that could run has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is done.
    Done,
    /// The input has faults, and they were told.
    Faults,
}

impl Outcome {
    /// 0 or 1.
    pub(crate) fn code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Faults => ExitCode::from(1),
        }
    }
}

/// Why a command couldn't run: one message for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Error {
    message: String,
}

impl Error {
    /// What went wrong; lower case, no full stop.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)
    }
}
