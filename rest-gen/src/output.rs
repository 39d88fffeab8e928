//! The only place that prints: results on the standard output, all else on the standard error.

use std::io::{self, Write};

use rest_schema::diagnostic::draw::draw;
use rest_schema::{Diagnostic, Sources};

use crate::error::Error;

/// Prints a result. A reader that has seen enough (`| head`) is no error.
pub(crate) fn result(text: &str) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(format!("the output can't be written: {error}")))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Draws diagnostics, coloured where somebody looks.
pub(crate) fn diagnostics(list: &[Diagnostic], sources: &Sources) {
    told(&draw(list, sources, true));
}

/// Prints why the program couldn't run.
pub(crate) fn error(error: &Error) {
    told(&format!("{error}\n"));
}

/// Prints what is wrong with a database.
pub(crate) fn fault(text: &str) {
    told(&format!("error: {text}\n"));
}

/// Prints what somebody may not have meant.
pub(crate) fn warning(text: &str) {
    told(&format!("warning: {text}\n"));
}

/// Prints what somebody may want to do.
pub(crate) fn note(text: &str) {
    told(&format!("note: {text}\n"));
}

/// Where the standard error is closed there is nobody to tell.
fn told(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
