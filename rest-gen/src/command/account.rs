//! `rest-gen account`

use std::io::{IsTerminal, Read};
use std::path::Path;

use rest_runtime::operate::NotDone;
use rest_runtime::password::Plain;
use rest_runtime::request::body::{self, Json};
use rest_schema::{Accounts, Field, FieldType, Schema};

use crate::database::{Database, run_async};
use crate::error::{Error, Outcome};
use crate::{load, output};

/// The longest password that is read.
const LONGEST: u64 = 4_096;

/// Makes an account of `NAME=VALUE` pairs and a password that is asked for.
pub(crate) fn create(file: &Path, database: &Database, set: &[String]) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    let accounts = accounts(&schema)?;
    let resource = schema.resource(accounts.resource);
    let mut members = Vec::with_capacity(set.len() + 1);
    for pair in set {
        members.push(member(&resource.fields, pair)?);
    }
    let password = &schema.field(accounts.password).api_name;
    if members.iter().any(|(name, _)| name == password) {
        return Err(Error::new(format!(
            "`{password}` isn't taken from the command line, where others can read it; it is asked for"
        )));
    }
    members.push((
        password.clone(),
        Json::Text(ask("password of the new account: ")?),
    ));
    let file = Json::Object(vec![(
        resource.name.clone(),
        Json::Array(vec![Json::Object(members)]),
    )]);
    let Some(service) = database.opened(schema)? else {
        return Ok(Outcome::Faults);
    };
    let rows = match service.rows(&file) {
        Ok(rows) => rows,
        Err(faults) => {
            for fault in faults {
                let (rest_runtime::problem::Place::Pointer(place)
                | rest_runtime::problem::Place::Parameter(place)
                | rest_runtime::problem::Place::Header(place)) = &fault.place;
                let name = place.rsplit('/').next().unwrap_or_default();
                let near = fault.nearest.map(|near| format!("; did you mean `{near}`?"));
                let near = near.unwrap_or_default();
                output::error(&Error::new(format!("`{name}` {}{near}", fault.detail)));
            }
            return Ok(Outcome::Faults);
        }
    };
    let made = run_async(async {
        let made = service.load(rows).await;
        service.shutdown().await;
        made
    })?;
    done(made.map(|_| true), "the account is made\n")
}

/// Sets the password of an account; its tokens end.
pub(crate) fn password(file: &Path, database: &Database, name: &str) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    accounts(&schema)?;
    let plain = ask("new password: ")?;
    let Some(service) = database.opened(schema)? else {
        return Ok(Outcome::Faults);
    };
    let set = run_async(async {
        let set = service.set_password(name, Plain::new(plain)).await;
        service.shutdown().await;
        set
    })?;
    if matches!(set, Ok(false)) {
        return Ok(nobody(name));
    }
    done(set, "the password is set, and the account's tokens are revoked\n")
}

fn done(result: Result<bool, NotDone>, told: &str) -> Result<Outcome, Error> {
    match result {
        Ok(_) => {
            output::result(told)?;
            Ok(Outcome::Done)
        }
        Err(why) => Ok(refused(&why)),
    }
}

/// Ends an account's sessions and revokes its tokens.
pub(crate) fn sign_out(file: &Path, database: &Database, name: &str) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    accounts(&schema)?;
    let Some(service) = database.opened(schema)? else {
        return Ok(Outcome::Faults);
    };
    let ended = run_async(async {
        let sessions = service.end_sessions(name).await?;
        let tokens = service.revoke_tokens(name, None).await?;
        service.shutdown().await;
        Ok(sessions.zip(tokens))
    })?;
    match ended {
        Ok(Some(_)) => Ok(Outcome::Done),
        Ok(None) => Ok(nobody(name)),
        Err(why) => Ok(refused(&why)),
    }
}

/// Tells that nothing is done, and why.
pub(super) fn refused(why: &NotDone) -> Outcome {
    output::error(&Error::new(why.to_string()));
    Outcome::Faults
}

/// Tells that no account has a name.
pub(super) fn nobody(name: &str) -> Outcome {
    output::error(&Error::new(format!("no account is called `{name}`")));
    Outcome::Faults
}

pub(super) fn accounts(schema: &Schema) -> Result<Accounts, Error> {
    let accounts = schema.accounts.clone();
    accounts.ok_or_else(|| Error::new("the service has no accounts: its schema doesn't say `accounts:`"))
}

/// `NAME=VALUE` as the member of a body, read by the field's type.
fn member(fields: &[Field], pair: &str) -> Result<(String, Json), Error> {
    let Some((name, text)) = pair.split_once('=') else {
        return Err(Error::new(format!("`{pair}` isn't NAME=VALUE")));
    };
    let field = fields.iter().find(|field| field.api_name == name);
    let value = match field.map(|field| &field.ty) {
        Some(
            FieldType::Boolean | FieldType::Integer | FieldType::Bigint | FieldType::Float | FieldType::Json,
        ) => body::parse(text.as_bytes())
            .map_err(|_| Error::new(format!("`{text}` isn't a value of `{name}`")))?,
        _ => Json::Text(text.to_owned()),
    };
    Ok((name.to_owned(), value))
}

/// A password: from `REST_PASSWORD`, from a terminal without echo, or the first line of the standard input.
fn ask(prompt: &str) -> Result<String, Error> {
    if let Ok(password) = std::env::var("REST_PASSWORD") {
        return Ok(password);
    }
    let unread = |error| Error::new(format!("the password can't be read: {error}"));
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        let first = rpassword::prompt_password(prompt).map_err(unread)?;
        let again = rpassword::prompt_password("once more: ").map_err(unread)?;
        return if first == again {
            Ok(first)
        } else {
            Err(Error::new("the two passwords differ"))
        };
    }
    let mut text = String::new();
    stdin
        .lock()
        .take(LONGEST)
        .read_to_string(&mut text)
        .map_err(unread)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
