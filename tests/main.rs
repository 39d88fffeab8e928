//! The contract, tested from outside: every page of `http/` is held to on both databases, and every function listed here is a test.
//!
//! | module | what it is for |
//! |---|---|
//! | `example` | the examples: their schemas, and the shop at work |
//! | `flask` | a real Flask app and the service on one file |
//! | `jwt` | tokens of an issuer whose keys are at an address |
//! | `rls` | the rules as row-level security of PostgreSQL |
//! | `generated` | the tests of the projects, on PostgreSQL |
//! | `golden` | what `rest-gen new` writes: the projects of the repository, and READMEs whose requests work
//! | `guide` | what the guides show of Rust |
//! | `readme` | what the README shows |
//! | `pages` | every page of `http/`, on both databases and in the three ways |
//! | `support` | reads a case, starts the program, sends bytes, compares |
//! | `coverage` | every row of the product's tables has a case |
//! | `accounts` | accounts and rows by the command line |
//! | `cli` | what is printed where, and how it ends |
//! | `project` | projects made and brought up to date |
//! | `ways` | YAML, structs by hand and generated structs are one schema |
//! | `walk` | cursors under random writes |
//! | `aggregates` | sums over another program's table, and too many groups |
//! | `batch` | writes that fail together |
//! | `crash` | `kill -9` |
//! | `starts` | what can be wrong at the start |
//! | `docs` | the OpenAPI document in a browser |
//! | `doctor` | what is wrong is told, with what to do |
//! | `postgres` | a service on PostgreSQL |
//! | `reach` | what stands between a service and PostgreSQL |
//! | `twins` | the same requests on both databases |
//! | `differences` | what can't be equal on both databases |
//! | `machines` | several instances, replicas |
//! | `judges` | what linters and generators of clients make of the OpenAPI document |
//! | `layers` | coded answers, proxies and caches in front |
//! | `once` | requests sent again |
//! | `order` | which of several refusals is told |
//! | `metrics` | what operators ask: counts, health, traces |
//! | `stop` | health, and an end in order |
//! | `expiry` | tokens and time |
//! | `load` | many at once |
//! | `hostile` | bytes that no well-meaning client sends |

mod accounts;
mod aggregates;
mod audit;
mod batch;
mod cli;
mod coverage;
mod crash;
mod differences;
mod docs;
mod doctor;
mod example;
mod expiry;
mod flask;
mod generated;
mod golden;
mod guide;
mod hostile;
mod judges;
mod jwt;
mod layers;
mod load;
mod machines;
mod metrics;
mod once;
mod order;
mod pages;
mod postgres;
mod project;
mod reach;
mod readme;
mod review;
mod rls;
mod sessions;
mod starts;
mod stop;
mod streams;
mod support;
mod timeouts;
mod tokens;
mod twins;
mod walk;
mod ways;

use libtest_mimic::{Arguments, Trial};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = support::selftest::trials();
    trials.extend(example::trials());
    trials.extend(flask::trials());
    trials.extend(generated::trials());
    trials.extend(golden::trials());
    trials.extend(guide::trials());
    trials.extend(readme::trials());
    trials.extend(review::trials());
    trials.extend(jwt::trials());
    trials.extend(rls::trials());
    trials.extend(sessions::trials());
    trials.extend(coverage::trials());
    trials.extend(cli::trials());
    trials.extend(accounts::trials());
    trials.extend(project::trials());
    trials.extend(walk::trials());
    trials.extend(ways::trials());
    trials.extend(aggregates::trials());
    trials.extend(audit::trials());
    trials.extend(batch::trials());
    trials.extend(crash::trials());
    trials.extend(starts::trials());
    trials.extend(docs::trials());
    trials.extend(doctor::trials());
    trials.extend(postgres::trials());
    trials.extend(reach::trials());
    trials.extend(judges::trials());
    trials.extend(layers::trials());
    trials.extend(machines::trials());
    trials.extend(twins::trials());
    trials.extend(differences::trials());
    trials.extend(metrics::trials());
    trials.extend(stop::trials());
    trials.extend(streams::trials());
    trials.extend(timeouts::trials());
    trials.extend(tokens::trials());
    trials.extend(expiry::trials());
    trials.extend(once::trials());
    trials.extend(order::trials());
    trials.extend(hostile::trials());
    trials.extend(load::trials());
    trials.extend(pages::trials());
    libtest_mimic::run(&arguments, trials).exit();
}

/// A named test.
fn trial(name: &str, test: impl FnOnce() -> Result<(), String> + Send + 'static) -> Trial {
    Trial::test(name, move || test().map_err(Into::into))
}
