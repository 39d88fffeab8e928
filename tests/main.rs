//! The contract, tested from outside: every page of `http/` is a test, and so is every function listed here.
//!
//! | module | what it is for |
//! |---|---|
//! | `example` | the examples: their schemas, and the shop at work |
//! | `flask` | a real Flask app and the service on one file |
//! | `golden` | what `rest-gen new` writes: the projects of the repository, and READMEs whose requests work
//! | `guide` | what the guides show of Rust |
//! | `readme` | what the README shows |
//! | `support` | reads a case, starts the program, sends bytes, compares |
//! | `coverage` | every row of the product's tables has a case |
//! | `accounts` | accounts and rows by the command line |
//! | `cli` | what is printed where, and how it ends |
//! | `project` | projects made and brought up to date |
//! | `ways` | YAML, structs by hand and generated structs are one schema |
//! | `walk` | cursors under random writes |
//! | `batch` | writes that fail together |
//! | `crash` | `kill -9` |
//! | `starts` | what can be wrong at the start |
//! | `doctor` | what is wrong is told, with what to do |
//! | `postgres` | a service on PostgreSQL |
//! | `metrics` | what operators ask: counts, health, traces |
//! | `stop` | health, and an end in order |
//! | `expiry` | tokens and time |
//! | `load` | many at once |
//! | `hostile` | bytes that no well-meaning client sends |

mod accounts;
mod batch;
mod cli;
mod coverage;
mod crash;
mod doctor;
mod example;
mod expiry;
mod flask;
mod golden;
mod guide;
mod hostile;
mod load;
mod metrics;
mod postgres;
mod project;
mod readme;
mod starts;
mod stop;
mod support;
mod walk;
mod ways;

use std::path::PathBuf;

use libtest_mimic::{Arguments, Trial};
use support::case::{self, Case, SchemaSource};
use support::server::{Place, package};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = support::selftest::trials();
    trials.extend(example::trials());
    trials.extend(flask::trials());
    trials.extend(golden::trials());
    trials.extend(guide::trials());
    trials.extend(readme::trials());
    trials.extend(coverage::trials());
    trials.extend(cli::trials());
    trials.extend(accounts::trials());
    trials.extend(project::trials());
    trials.extend(walk::trials());
    trials.extend(ways::trials());
    trials.extend(batch::trials());
    trials.extend(crash::trials());
    trials.extend(starts::trials());
    trials.extend(doctor::trials());
    trials.extend(postgres::trials());
    trials.extend(metrics::trials());
    trials.extend(stop::trials());
    trials.extend(expiry::trials());
    trials.extend(hostile::trials());
    trials.extend(load::trials());
    match case::all(&pages()) {
        Ok(cases) => trials.extend(cases.into_iter().flat_map(runs)),
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

/// A page is a test of the interpreted service, and where it says so of the two that are made of structs.
fn runs(case: Case) -> Vec<Trial> {
    let structs = if case.all_ways {
        &["derived", "generated"][..]
    } else {
        &[]
    };
    let mut trials = vec![page(&case, None)];
    trials.extend(structs.iter().map(|written| page(&case, Some(written))));
    trials
}

fn page(case: &Case, structs: Option<&'static str>) -> Trial {
    let case = case.clone();
    trial(
        &format!("{}::{}", structs.unwrap_or("http"), case.name),
        move || {
            let place = Place::new(&case.schema)?;
            let server = match (structs, &case.schema) {
                (Some(written), SchemaSource::Named(schema)) => place.serve_structs(written, schema)?,
                _ => place.serve()?,
            };
            support::run::run(&case, server.address).map_err(|e| match server.told().as_str() {
                "" => e,
                told => format!("{e}\nthe server said:\n{told}"),
            })
        },
    )
}
