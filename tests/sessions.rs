//! Sessions of browsers, begun by the library as a program's own pages do, and held by every instance of the service.

use libtest_mimic::Trial;
use rest_runtime::axum::http::Request as Sent;
use rest_runtime::axum::http::request::Parts;
use rest_runtime::password::Plain;
use rest_runtime::session::Session;
use rest_runtime::{Problem, Service};

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::postgres::Cluster;
use crate::support::run::{shown, until};
use crate::support::server::{Place, Server, rest_gen};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let on_both = |name: &str, test: Test| {
        trial(&format!("sessions::{name}"), move || {
            Place::on_both(&SchemaSource::Named("gate".to_owned()), |place, cluster| {
                let stage = Stage::new(&place)?;
                test(&stage, &place, cluster)?;
                stage.end()
            })
        })
    };
    vec![
        on_both("one_is_known_by_every_instance", known),
        on_both("another_secret_makes_the_former_worthless", renewed),
        on_both("one_ends_where_it_is_ended", ended),
        on_both("an_account_is_signed_out_everywhere", everywhere),
        on_both("one_ends_when_it_is_left_alone_and_with_its_time", expired),
        on_both("one_that_is_used_goes_on", used),
        on_both("a_new_password_ends_them", new_password),
        on_both("who_is_put_out_is_out", put_out),
        on_both("signing_in_takes_the_password_and_ends_the_one_before", sign_in),
    ]
}

type Test = fn(&Stage, &Place, Option<&Cluster>) -> Result<(), String>;

/// A service that the test has in its own process, and another instance of it behind HTTP.
struct Stage {
    threads: tokio::runtime::Runtime,
    service: Service,
    server: Server,
}

impl Stage {
    fn new(place: &Place) -> Result<Self, String> {
        let yaml = std::fs::read_to_string(&place.schema).map_err(|e| e.to_string())?;
        let schema = rest_schema::read_one("gate.yaml", &yaml)
            .map_err(|e| e.to_string())?
            .schema;
        let location = rest_runtime::Location::from(place.location().as_str());
        let opened = Service::builder(schema).database(location).open();
        Ok(Self {
            threads: tokio::runtime::Runtime::new().map_err(|e| e.to_string())?,
            service: opened.map_err(|e| e.to_string())?,
            server: place.serve()?,
        })
    }

    fn end(self) -> Result<(), String> {
        self.threads.block_on(self.service.shutdown());
        self.server.stop().map(drop)
    }

    fn begin(&self, name: &str) -> Result<Session, String> {
        let begun = self.threads.block_on(self.service.begin_session(name));
        begun
            .map_err(|e| e.to_string())?
            .ok_or_else(|| format!("{name} has no session"))
    }

    fn signed_in(&self, before: Option<&Session>, name: &str, password: &str) -> Result<Session, Problem> {
        let plain = Plain::new(password.to_owned());
        self.threads
            .block_on(self.service.sign_in(&parts(before), name, plain))
    }

    /// Who the other instance says that a session is; `None`: nobody.
    fn who(&self, session: &Session) -> Result<Option<String>, String> {
        let request = Request::new("GET", "/api/me").header("Cookie", &cookie(session));
        let answer = Client::new(self.server.address).send(&request)?;
        match answer.status {
            200 => {
                let me: serde_json::Value =
                    serde_json::from_str(&answer.text()).map_err(|e| e.to_string())?;
                Ok(me["name"].as_str().map(str::to_owned))
            }
            401 => Ok(None),
            _ => Err(shown(&answer)),
        }
    }

    fn is(&self, session: &Session, name: Option<&str>) -> Result<(), String> {
        match self.who(session)? {
            found if found.as_deref() == name => Ok(()),
            found => Err(format!("it is {found:?}, not {name:?}")),
        }
    }
}

/// The cookie as a browser sends it.
fn cookie(session: &Session) -> String {
    session
        .set_cookie()
        .split(';')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The head of a request by a session.
fn parts(session: Option<&Session>) -> Parts {
    let mut request = Sent::builder();
    if let Some(session) = session {
        request = request.header("cookie", cookie(session));
    }
    request.body(()).expect("a request").into_parts().0
}

fn known(stage: &Stage, place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    let session = stage.begin("ada")?;
    stage.is(&session, Some("ada"))?;
    let me = Request::new("GET", "/api/me").header("Cookie", &cookie(&session));
    let told = Client::new(stage.server.address)
        .send(&me)?
        .header("x-csrf-token");
    if told.as_deref() != Some(session.csrf_token()) {
        return Err(format!("{told:?} isn't the session's token"));
    }
    let post = || Request::new("POST", "/api/papers").json(r#"{"title": "By a page"}"#);
    let by = |request: Request| request.header("Cookie", &cookie(&session));
    let mut api = Api::new(stage.server.address);
    api.expect(403, by(post()))?;
    api.expect(201, by(post()).header("X-CSRF-Token", session.csrf_token()))?;
    let begun = stage.threads.block_on(stage.service.begin_session("nora"));
    if !matches!(begun, Ok(None)) {
        return Err(format!("{begun:?}"));
    }
    // A session is no token, and a token no session.
    let secret = cookie(&session)
        .split_once('=')
        .map(|(_, secret)| secret.to_owned());
    let secret = secret.ok_or("a cookie without a value")?;
    api.expect(401, Request::new("GET", "/api/me").bearer(&secret))?;
    // What is kept isn't what it is known by.
    let kept = match cluster {
        None => "SELECT hex(digest) FROM rest_sessions",
        Some(_) => "SELECT encode(digest, 'hex') FROM rest_sessions",
    };
    match place.sql(cluster, kept)?.trim().len() {
        64 => Ok(()),
        other => Err(format!("{other} characters are kept")),
    }
}

fn renewed(stage: &Stage, _: &Place, _: Option<&Cluster>) -> Result<(), String> {
    let session = stage.begin("ada")?;
    let renew = |of| stage.threads.block_on(stage.service.renew_session(&parts(of)));
    let renewed = renew(Some(&session))
        .map_err(|e| e.to_string())?
        .ok_or("none was renewed")?;
    stage.is(&session, None)?;
    stage.is(&renewed, Some("ada"))?;
    if renewed.csrf_token() == session.csrf_token() {
        return Err("the token is the former one".to_owned());
    }
    for of in [Some(&session), None] {
        if renew(of).map_err(|e| e.to_string())?.is_some() {
            return Err("what isn't there was renewed".to_owned());
        }
    }
    Ok(())
}

fn ended(stage: &Stage, _: &Place, _: Option<&Cluster>) -> Result<(), String> {
    let (session, other) = (stage.begin("ada")?, stage.begin("ada")?);
    let end = |of| stage.threads.block_on(stage.service.end_session(&parts(of)));
    for (of, was_there) in [(Some(&session), true), (Some(&session), false), (None, false)] {
        if end(of).map_err(|e| e.to_string())? != was_there {
            return Err(format!("whether one was there isn't {was_there}"));
        }
    }
    stage.is(&session, None)?;
    stage.is(&other, Some("ada"))
}

fn everywhere(stage: &Stage, place: &Place, _: Option<&Cluster>) -> Result<(), String> {
    let sessions = [stage.begin("ada")?, stage.begin("ada")?];
    let other = stage.begin("ben")?;
    let end = |name| stage.threads.block_on(stage.service.end_sessions(name));
    if (end("ada"), end("ada"), end("nora")) != (Ok(Some(true)), Ok(Some(false)), Ok(None)) {
        return Err("what was ended isn't what was there".to_owned());
    }
    for session in &sessions {
        stage.is(session, None)?;
    }
    stage.is(&other, Some("ben"))?;
    // An operator's way, which ends tokens as well.
    let mut ben = Api::sign_in(stage.server.address, "ben", "ben-password")?;
    let (schema, database) = (place.schema.display().to_string(), place.location());
    let mut command = rest_gen(&["account", "sign-out", &schema, "ben", "--database", &database])?;
    let output = command.output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    stage.is(&other, None)?;
    ben.expect(401, Request::new("GET", "/api/me")).map(drop)
}

fn expired(stage: &Stage, place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    // The schema says `idle: 30m, lifetime: 7d`.
    for (column, seconds, name) in [
        ("used_at", 1_700, Some("ada")),
        ("used_at", 200, None),
        ("expires_at", 604_700, Some("ben")),
        ("expires_at", 200, None),
    ] {
        let session = stage.begin(name.unwrap_or("cleo"))?;
        if name.is_none() {
            // As old as the one before, and a little older.
            let before = if column == "used_at" { 1_700 } else { 604_700 };
            let age =
                format!("UPDATE rest_sessions SET {column} = {column} - {before} WHERE account = '[3]'");
            place.sql(cluster, &age)?;
        }
        let account = match name {
            Some("ada") => "[1]",
            Some(_) => "[2]",
            None => "[3]",
        };
        let age =
            format!("UPDATE rest_sessions SET {column} = {column} - {seconds} WHERE account = '{account}'");
        place.sql(cluster, &age)?;
        stage.is(&session, name)?;
    }
    // Who signs in clears away what has ended.
    stage.begin("root")?;
    let left = place.sql(
        cluster,
        "SELECT count(*) || '' FROM rest_sessions WHERE account = '[3]'",
    )?;
    match left.trim() {
        "0" => Ok(()),
        other => Err(format!("{other} are left")),
    }
}

fn used(stage: &Stage, place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    let session = stage.begin("ada")?;
    place.sql(cluster, "UPDATE rest_sessions SET used_at = used_at - 1000")?;
    stage.is(&session, Some("ada"))?;
    until("the use is kept", || {
        let since = place.sql(cluster, "SELECT (used_at - begun_at) || '' FROM rest_sessions")?;
        Ok(since.trim().parse::<i64>().map_err(|e| e.to_string())? >= 0)
    })
}

fn new_password(stage: &Stage, place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    let (session, other) = (stage.begin("ada")?, stage.begin("ben")?);
    let set = "UPDATE person SET password = (SELECT password FROM person WHERE id = 2) WHERE id = 1";
    place.sql(cluster, set)?;
    stage.is(&session, None)?;
    stage.is(&other, Some("ben"))
}

fn put_out(stage: &Stage, place: &Place, cluster: Option<&Cluster>) -> Result<(), String> {
    let session = stage.begin("ada")?;
    place.sql(cluster, "UPDATE person SET state = 'blocked' WHERE id = 1")?;
    stage.is(&session, None)?;
    let begun = stage.threads.block_on(stage.service.begin_session("ada"));
    if !matches!(begun, Ok(None)) {
        return Err(format!("{begun:?}"));
    }
    place.sql(cluster, "UPDATE person SET state = 'active' WHERE id = 1")?;
    stage.is(&session, Some("ada"))
}

fn sign_in(stage: &Stage, _: &Place, _: Option<&Cluster>) -> Result<(), String> {
    let told = |problem: Problem| problem.to_string();
    let first = stage.signed_in(None, "ada", "ada-password").map_err(told)?;
    stage.is(&first, Some("ada"))?;
    // What a browser had before is worth nothing once somebody signs in there.
    let second = stage
        .signed_in(Some(&first), "ben", "ben-password")
        .map_err(told)?;
    stage.is(&first, None)?;
    stage.is(&second, Some("ben"))?;
    let mut codes = Vec::new();
    for name in ["ada", "nobody at all"].into_iter().chain(["ada"; 12]) {
        match stage.signed_in(None, name, "wrong") {
            Ok(_) => return Err(format!("{name} signs in with a wrong password")),
            Err(problem) => codes.push(problem.code().word()),
        }
    }
    let wrong = codes.iter().filter(|code| **code == "bad-credentials").count();
    let too_many = codes.iter().filter(|code| **code == "too-many-requests").count();
    if codes[..2] != ["bad-credentials"; 2] || wrong + too_many != codes.len() || too_many == 0 {
        return Err(format!("{codes:?}"));
    }
    Ok(())
}
