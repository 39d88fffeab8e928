//! The order of refusals: a request with each pair of what can be wrong is refused for what comes first in the table.

use libtest_mimic::Trial;
use rest_runtime::problem::{Code, ORDER};
use serde_json::json;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::postgres::Cluster;
use crate::support::run::shown;
use crate::support::server::Place;
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("order::of_refusals", || play(&Place::new(&schema())?)),
        trial("order::of_refusals_on_postgresql", || {
            play(&Place::on(&Cluster::start()?, &schema())?)
        }),
        trial("order::each_stage_has_a_case", each_stage),
    ]
}

/// What is made: an item of ours, one of somebody else's whose name is taken, one of a resource that is closed.
fn schema() -> SchemaSource {
    let yaml = "
service: order
managed: true
limits: { body: 4KiB }
resources:
  Person:
    fields:
      name: { type: string, unique: true }
      password: { type: password, length: 8..100 }
      is_admin: { type: boolean, default: false, readonly: true }
    access: { read: public, create: public }
  Page:
    preconditions: required
    fields: { name: { type: string, length: 1..20, unique: true } }
    belongs_to: { owner: { to: Person, default: me } }
    access: { read: public, create: authenticated, change: owner_id = me.id }
  Paper:
    preconditions: required
    fields: { name: { type: string, length: 1..20, unique: true } }
    belongs_to: { owner: { to: Person, default: me } }
    access: { read: public, create: authenticated, change: me.is_admin }
accounts: { resource: Person, identify_by: [name], password: password }
";
    SchemaSource::Inline(yaml.to_owned())
}

/// A part of a request: what is wrong in one of two ways can't be wrong in the other as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Query,
    LongQuery,
    Headers,
    Collection,
    Method,
    Token,
    Accept,
    Length,
    MediaType,
    Syntax,
    Key,
    State,
    Name,
    Owner,
}

/// Something wrong with a request.
struct Wrong {
    /// Its place in [`ORDER`].
    stage: usize,
    code: Code,
    part: Part,
    doing: fn(&mut Parts),
}

const fn wrong(stage: usize, code: Code, part: Part, doing: fn(&mut Parts)) -> Wrong {
    Wrong {
        stage,
        code,
        part,
        doing,
    }
}

const ALL: &[Wrong] = &[
    wrong(0, Code::UriTooLong, Part::LongQuery, |parts| {
        parts.query.push_str(&"x".repeat(9_000));
    }),
    wrong(0, Code::HeadersTooLarge, Part::Headers, |parts| {
        parts.padding = "x".repeat(33_000);
    }),
    wrong(1, Code::NotFound, Part::Collection, |parts| {
        parts.collection = "nowhere";
    }),
    wrong(2, Code::MethodNotAllowed, Part::Method, |parts| {
        parts.method = "POST";
    }),
    wrong(3, Code::BadToken, Part::Token, |parts| {
        parts.token = "rest_nonsense".to_owned();
    }),
    wrong(4, Code::NotAcceptable, Part::Accept, |parts| {
        parts.accept = "image/png";
    }),
    wrong(5, Code::BodyTooLarge, Part::Length, |parts| parts.spaces = 5_000),
    wrong(5, Code::UnsupportedMediaType, Part::MediaType, |parts| {
        parts.media = "text/plain";
    }),
    wrong(6, Code::Forbidden, Part::Collection, |parts| {
        parts.collection = "papers";
    }),
    wrong(7, Code::UnknownParameter, Part::Query, |parts| {
        parts.query.push_str("a=1&");
    }),
    wrong(7, Code::UnreadableBody, Part::Syntax, |parts| parts.tail = ","),
    wrong(8, Code::NotFound, Part::Key, |parts| parts.key = "4711"),
    wrong(9, Code::Forbidden, Part::Key, |parts| parts.key = "1"),
    wrong(10, Code::PreconditionRequired, Part::State, |parts| {
        parts.state = None;
    }),
    wrong(11, Code::PreconditionFailed, Part::State, |parts| {
        parts.state = Some("\"old\"");
    }),
    wrong(12, Code::Invalid, Part::Owner, |parts| parts.owner = "\"nobody\""),
    wrong(13, Code::Conflict, Part::Name, |parts| parts.name = "taken"),
    wrong(14, Code::Forbidden, Part::Owner, |parts| parts.owner = "1"),
];

/// A request that succeeds, as long as nothing is done to it.
struct Parts {
    method: &'static str,
    collection: &'static str,
    key: &'static str,
    query: String,
    padding: String,
    token: String,
    accept: &'static str,
    media: &'static str,
    state: Option<&'static str>,
    name: &'static str,
    owner: &'static str,
    tail: &'static str,
    spaces: usize,
}

impl Parts {
    fn request(&self) -> Request {
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("?{}", self.query)
        };
        let target = format!("/api/{}/{}{query}", self.collection, self.key);
        let body = format!(
            "{}{{\"name\": \"{}\", \"owner_id\": {}}}{}",
            " ".repeat(self.spaces),
            self.name,
            self.owner,
            self.tail
        );
        let mut request = Request::new(self.method, &target)
            .bearer(&self.token)
            .header("Accept", self.accept)
            .header("Content-Type", self.media);
        if !self.padding.is_empty() {
            request = request.header("X-Padding", &self.padding);
        }
        if let Some(state) = self.state {
            request = request.header("If-Match", state);
        }
        request.body = Some(body.into_bytes());
        request
    }
}

fn play(place: &Place) -> Result<(), String> {
    let server = place.serve()?;
    let mut token = String::new();
    for (name, pages, papers) in [
        ("them", &["theirs", "taken"][..], &["theirs", "taken"][..]),
        ("us", &["ours"], &["ours"]),
    ] {
        let account = json!({ "name": name, "password": "correct-horse" });
        Api::new(server.address).post("/api/people", &account)?;
        let mut one = Api::sign_in(server.address, name, "correct-horse")?;
        for (collection, names) in [("pages", pages), ("papers", papers)] {
            for name in names {
                one.post(&format!("/api/{collection}"), &json!({ "name": name }))?;
            }
        }
        token = one.token().to_owned();
    }
    let parts = || Parts {
        method: "PATCH",
        collection: "pages",
        key: "3",
        query: String::new(),
        padding: String::new(),
        token: token.clone(),
        accept: "application/json",
        media: "application/merge-patch+json",
        state: Some("*"),
        name: "ours",
        owner: "2",
        tail: "",
        spaces: 0,
    };
    let mut client = Client::new(server.address);
    let answer = client.send(&parts().request())?;
    if answer.status != 200 {
        return Err(format!("what is right isn't done:\n{}", shown(&answer)));
    }
    for (place, first) in ALL.iter().enumerate() {
        let behind = ALL[place + 1..].iter();
        let behind = behind.filter(|other| other.stage > first.stage && other.part != first.part);
        for second in std::iter::once(None).chain(behind.map(Some)) {
            let mut parts = parts();
            (first.doing)(&mut parts);
            if let Some(second) = second {
                (second.doing)(&mut parts);
            }
            let answer = client.send(&parts.request())?;
            let is_told = answer
                .text()
                .contains(&format!("\"code\":\"{}\"", first.code.word()));
            if answer.status != first.code.status().as_u16() || !is_told {
                let other = second.map_or("nothing else", |second| second.code.word());
                return Err(format!(
                    "{} comes before {other}, but this was answered:\n{}",
                    first.code,
                    shown(&answer)
                ));
            }
        }
    }
    Ok(())
}

/// Every stage is tried, and by a code that it has.
fn each_stage() -> Result<(), String> {
    for (place, stage) in ORDER.iter().enumerate() {
        let mut own = ALL.iter().filter(|wrong| wrong.stage == place).peekable();
        if own.peek().is_none() || !own.all(|wrong| stage.codes.contains(&wrong.code)) {
            return Err(format!("no case for: {}", stage.doc));
        }
    }
    Ok(())
}
