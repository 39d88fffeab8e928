//! What is asked, as a table, and the scripts that make wrk ask it.

use std::fmt::Write as _;

use super::client::Client;
use super::data;
use super::server::Kind;
use crate::Result;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// A published post by its key.
    Item,
    /// The first page of an author, filtered and sorted.
    Author,
    /// The first page of all.
    First,
    /// The first page of all with the authors within.
    Include,
    /// A page somewhere in the middle.
    Cursor,
    /// A new post.
    Create,
    /// Another title for a post of one's own.
    Patch,
}

/// A mixture of requests.
pub(super) struct Workload {
    /// For the table and `--only`.
    pub(super) name: &'static str,
    /// Whether a token is sent.
    pub(super) signed_in: bool,
    /// Percent of each.
    pub(super) parts: &'static [(u32, Part)],
}

/// All, in the order of the table.
#[rustfmt::skip]
pub(super) const WORKLOADS: &[Workload] = &[
    Workload { name: "item",             signed_in: false, parts: &[(100, Part::Item)] },
    Workload { name: "item, token",      signed_in: true,  parts: &[(100, Part::Item)] },
    Workload { name: "20 of an author",  signed_in: false, parts: &[(100, Part::Author)] },
    Workload { name: "20 of an author, token", signed_in: true, parts: &[(100, Part::Author)] },
    Workload { name: "first page",       signed_in: false, parts: &[(100, Part::First)] },
    Workload { name: "20 with author",   signed_in: false, parts: &[(100, Part::Include)] },
    Workload { name: "page at a cursor", signed_in: false, parts: &[(100, Part::Cursor)] },
    Workload { name: "create",           signed_in: true,  parts: &[(100, Part::Create)] },
    Workload { name: "patch",            signed_in: true,  parts: &[(100, Part::Patch)] },
    Workload { name: "mixed 90/10",      signed_in: true,  parts: &[(60, Part::Item), (30, Part::Author), (5, Part::Create), (5, Part::Patch)] },
];

/// What requests are made of, for one server.
pub(super) struct Material {
    published: Vec<i64>,
    own: Vec<i64>,
    cursors: Vec<String>,
}

/// One request. `########` in the body is another number each time.
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: String,
}

impl Material {
    /// Chooses keys, and walks the collection for cursors.
    pub(super) fn gather(client: &Client, kind: Kind, posts: i64) -> Result<Self> {
        let some = |chosen: &dyn Fn(i64) -> bool| {
            let mut keys: Vec<i64> = (1..=posts).filter(|id| chosen(*id)).collect();
            // In another order than theirs, and in the same one in each run.
            keys.sort_by_cached_key(|id| data::scramble(*id));
            keys.truncate(KEYS);
            keys
        };
        let published = some(&data::is_published);
        let own = some(&|id| data::user_of(id) == super::ACCOUNT);
        let cursors = if kind.keeps_the_contract() {
            walk(client)?
        } else {
            published.iter().map(i64::to_string).collect()
        };
        Ok(Self {
            published,
            own,
            cursors,
        })
    }

    /// The requests of a part.
    pub(super) fn requests(&self, part: Part) -> Vec<Request> {
        let get = |path: String| Request {
            method: "GET",
            path,
            body: String::new(),
        };
        match part {
            Part::Item => self
                .published
                .iter()
                .map(|id| get(format!("/api/posts/{id}")))
                .collect(),
            Part::Author => (1..=data::USERS)
                .map(|author| {
                    get(format!(
                        "/api/posts?author_id={author}&status=published&sort=-created_at"
                    ))
                })
                .collect(),
            Part::First => vec![get("/api/posts".to_owned())],
            Part::Include => vec![get("/api/posts?include=author".to_owned())],
            Part::Cursor => self
                .cursors
                .iter()
                .map(|cursor| get(format!("/api/posts?cursor={cursor}")))
                .collect(),
            Part::Create => {
                let text = "words with \\\"quotes\\\" and\\nlines ".repeat(7);
                let body =
                    format!("{{\"title\":\"Post ########\",\"body\":\"{text}\",\"status\":\"published\"}}");
                vec![Request {
                    method: "POST",
                    path: "/api/posts".to_owned(),
                    body,
                }]
            }
            Part::Patch => {
                let patch = |id: &i64| Request {
                    method: "PATCH",
                    path: format!("/api/posts/{id}"),
                    body: "{\"title\":\"Patched ########\"}".to_owned(),
                };
                self.own.iter().map(patch).collect()
            }
        }
    }
}

/// Keys asked for, at most.
const KEYS: usize = 5_000;
/// Pages walked for cursors, at most.
const PAGES: usize = 2_000;

/// The cursors of the pages of 100.
fn walk(client: &Client) -> Result<Vec<String>> {
    let mut cursors = Vec::new();
    let mut path = "/api/posts?limit=100".to_owned();
    loop {
        let answer = client.get(&path)?;
        if answer.status != 200 {
            return Err(format!("{path}: {} {}", answer.status, answer.text).into());
        }
        let Some(next) = answer.json()["page"]["next"].as_str().map(str::to_owned) else {
            break;
        };
        path = format!("/api/posts?limit=100&cursor={next}");
        cursors.push(next);
        if cursors.len() == PAGES {
            break;
        }
    }
    // The last pages aren't full ones.
    cursors.truncate(cursors.len().saturating_sub(2));
    Ok(cursors)
}

impl Workload {
    /// The script for wrk.
    pub(super) fn script(&self, material: &Material, client: &Client) -> String {
        let mut script = String::from("local groups = {\n");
        for (percent, part) in self.parts {
            let _ = writeln!(script, "{{ {percent}, {{");
            for request in material.requests(*part) {
                let Request { method, path, body } = request;
                let _ = writeln!(script, "{{ [==[{method}]==], [==[{path}]==], [==[{body}]==] }},");
            }
            script.push_str("} },\n");
        }
        script.push_str("}\nlocal token = ");
        match client.token.as_ref().filter(|_| self.signed_in) {
            Some(token) => {
                let _ = writeln!(script, "[==[Bearer {token}]==]");
            }
            None => script.push_str("nil\n"),
        }
        script.push_str(include_str!("load.lua"));
        script
    }
}
