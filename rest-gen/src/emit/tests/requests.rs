//! Requests for a project's README, each of which works as it stands there.

use rest_schema::Schema;
use serde::Serialize;

use super::first::First;
use super::outcome::is_closed;
use super::scene::Scene;

/// Where a service listens where nobody says.
pub(super) const ADDRESS: &str = "http://127.0.0.1:8000";

/// Collections that are named where there is nothing else to do.
const MOST_COLLECTIONS: usize = 5;

/// One request, or a command that has to come first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Request {
    /// What it does.
    pub(super) what: String,
    /// How a shell does it.
    pub(super) command: String,
}

/// Requests, and what is to be said before them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Requests {
    about: &'static str,
    list: Vec<Request>,
}

/// The requests; `package` is the project's, after which its database is called.
pub(crate) fn requests(schema: &Schema, package: &str) -> Requests {
    // Rows of another program may have any key, and any unique value.
    let is_ours = schema.managed != Some(false);
    if let Some(first) = is_ours.then(|| First::find(schema)).flatten() {
        return Requests {
            about: "On a new database, one after another:",
            list: first.told(package),
        };
    }
    let list = collections(schema);
    if !list.is_empty() {
        return Requests {
            about: "Anyone may read, as far as the rules in `rest.yaml` let them:",
            list,
        };
    }
    Requests {
        about: "Nothing is open to everyone: `access` in `rest.yaml` says who may do what. Anyone may:",
        list: vec![Request {
            what: "ask whether it is up".to_owned(),
            command: format!("curl {ADDRESS}/health/ready"),
        }],
    }
}

/// What everybody may read.
fn collections(schema: &Schema) -> Vec<Request> {
    let open = schema.resources().filter(|(_, resource)| {
        let read = resource.access.read.as_ref();
        read.is_some_and(|rule| !is_closed(&Scene::new(schema), &rule.expr, None))
    });
    open.take(MOST_COLLECTIONS)
        .map(|(_, resource)| Request {
            what: format!("read the {}", resource.collection),
            command: format!("curl '{ADDRESS}{}/{}'", schema.prefix, resource.collection),
        })
        .collect()
}
