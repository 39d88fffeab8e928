//! The contract, tested from outside: every page of `http/` is a test, and so is every function listed here.
//!
//! | module | what it is for |
//! |---|---|
//! | `flask` | a real Flask app and the service on one file |
//! | `support` | reads a case, starts the program, sends bytes, compares |

mod flask;
mod support;

use std::path::PathBuf;

use libtest_mimic::{Arguments, Trial};
use support::case::{self, Case};
use support::server::{Place, package};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = support::selftest::trials();
    trials.extend(flask::trials());
    match case::all(&pages()) {
        Ok(cases) => trials.extend(cases.into_iter().map(page)),
        Err(message) => trials.push(trial("http::every_page_can_be_read", move || Err(message))),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The folder of the cases.
fn pages() -> PathBuf {
    package().join("http")
}

/// A named test.
fn trial(name: &str, test: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name, move || test().map_err(Into::into))
}

fn page(case: Case) -> Trial {
    trial(&format!("http::{}", case.name), move || {
        let server = Place::new(&case.schema)?.serve()?;
        support::run::run(&case, server.address).map_err(|e| match server.told().as_str() {
            "" => e,
            told => format!("{e}\nthe server said:\n{told}"),
        })
    })
}
