//! Accounts and rows by the command line, held to the same rules as over HTTP.

use std::path::Path;
use std::process::Output;

use libtest_mimic::Trial;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::run::{shown, sign_in};
use crate::support::server::{Place, Server, output, rest_gen};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("accounts::a_new_password_revokes_tokens", new_password),
        trial("accounts::an_older_hash_is_made_anew_at_sign_in", older_hash),
        trial("accounts::an_account_is_held_to_the_schema", bad_accounts),
        trial("accounts::rows_are_loaded_all_or_none", all_or_none),
    ]
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!(
        "{:?}\n{}{}",
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// It ends with the code, and says all the words.
fn expect(output: &Output, code: i32, words: &[&str]) -> Result<(), String> {
    let told = told(output);
    let missing = words.iter().any(|word| !told.contains(word));
    if output.status.code() == Some(code) && !missing && !told.contains("panicked") {
        return Ok(());
    }
    Err(format!("expected {code} and {words:?}, got {told}"))
}

/// `rest-gen account …` on a place, with this password.
fn account(place: &Place, arguments: &[&str], password: &str) -> Result<Output, String> {
    let (schema, database) = (
        place.schema.display().to_string(),
        place.database.display().to_string(),
    );
    let mut command = rest_gen(&["account", arguments[0], &schema, "--database", &database])?;
    command.args(&arguments[1..]).env("REST_PASSWORD", password);
    command.output().map_err(|e| e.to_string())
}

fn me(server: &Server, token: &str) -> Result<u16, String> {
    let answer = Client::new(server.address).send(&Request::new("GET", "/api/me").bearer(token))?;
    Ok(answer.status)
}

/// A hash that another program made is replaced by our own where the table is ours, and the password stays the same.
fn older_hash() -> Result<(), String> {
    // bcrypt's of `cat`.
    const OLDER: &str = "$2b$04$saltSALTsaltSALTsaltSuC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSBu";
    const KEPT: &str = "SELECT password FROM \"user\" WHERE id = 1";
    Place::on_both(&SchemaSource::Named("blog".to_owned()), |place, cluster| {
        let older = format!("UPDATE \"user\" SET password = '{OLDER}' WHERE id = 1");
        place.sql(cluster, &older)?;
        let server = place.serve()?;
        let wrong = Request::new("POST", "/api/tokens").json(r#"{"identifier": "susan", "password": "dog"}"#);
        Api::new(server.address).expect(401, wrong)?;
        if place.sql(cluster, KEPT)?.trim() != OLDER {
            return Err("a wrong password changes nothing".to_owned());
        }
        let (schema, location) = (place.schema.display().to_string(), place.location());
        let mut command = rest_gen(&["token", "create", &schema, "susan", "--database", &location])?;
        let made = command.output().map_err(|e| e.to_string())?;
        let before = String::from_utf8_lossy(&made.stdout).into_owned();
        let mut api = Api::sign_in(server.address, "susan", "cat")?;
        let anew = place.sql(cluster, KEPT)?;
        if !anew.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") {
            return Err(format!("{anew} is not our own"));
        }
        Api::sign_in(server.address, "susan", "cat")?;
        // The password is the same, so that tokens stay valid.
        api.get("/api/me")?;
        if me(&server, before.trim())? != 200 {
            return Err("a token of before isn't valid any more".to_owned());
        }
        server.stop()?;
        // Our own stays as it is.
        if place.sql(cluster, KEPT)? != anew {
            return Err("our own hash was made anew".to_owned());
        }
        Ok(())
    })
}

fn new_password() -> Result<(), String> {
    let place = Place::named("blog")?;
    let server = place.serve()?;
    let token = sign_in(server.address, "susan")?;
    expect(
        &account(&place, &["password", "susan"], "another password")?,
        0,
        &[],
    )?;
    if me(&server, &token)? != 401 {
        return Err("a token of the old password works".to_owned());
    }
    if sign_in(server.address, "susan").is_ok() {
        return Err("the old password works".to_owned());
    }
    expect(
        &account(&place, &["password", "susan"], "susan-password")?,
        0,
        &[],
    )?;
    sign_in(server.address, "susan").map(|_| ())
}

fn bad_accounts() -> Result<(), String> {
    let place = Place::named("blog")?;
    let name = ["--set", "username=boss"];
    let email = ["--set", "email=boss@example.org"];
    let create = |more: &[&str], password: &str| account(&place, &[&["create"], more].concat(), password);
    expect(
        &create(
            &[&name[..], &email, &["--set", "usrname=x"]].concat(),
            "boss-password",
        )?,
        1,
        &["usrname", "username"],
    )?;
    expect(&create(&name, "boss-password")?, 1, &["email"])?;
    expect(&create(&[name, email].concat(), "short")?, 1, &["password", "8"])?;
    expect(
        &create(&[["--set", "username=susan"], email].concat(), "boss-password")?,
        1,
        &["username"],
    )?;
    expect(
        &account(&place, &["password", "nobody-here"], "another password")?,
        1,
        &["nobody-here"],
    )?;
    let server = place.serve()?;
    let users = Client::new(server.address).send(&Request::new("GET", "/api/users?count=exact&limit=1"))?;
    if users.text().contains("\"total\":3") {
        Ok(())
    } else {
        Err(format!("expected 3 users:\n{}", shown(&users)))
    }
}

fn rows_of(database: &Path) -> Result<i64, String> {
    let connection = rusqlite::Connection::open(database).map_err(|e| e.to_string())?;
    connection
        .query_row("SELECT count(*) FROM tag", [], |row| row.get(0))
        .map_err(|e| e.to_string())
}

/// One bad row, and none is there.
fn all_or_none() -> Result<(), String> {
    let place = Place::named("blog")?;
    let rows = place.folder.path().join("rows.yaml");
    let (schema, database) = (
        place.schema.display().to_string(),
        place.database.display().to_string(),
    );
    let load = |yaml: &str| {
        std::fs::write(&rows, yaml).map_err(|e| e.to_string())?;
        output(&[
            "seed",
            &schema,
            &rows.display().to_string(),
            "--database",
            &database,
        ])
    };
    for (second, words) in [
        ("{ nmae: second }", &["nmae", "name"][..]),
        ("{ name: rust }", &["name"]),
        ("{ name: '' }", &["name"]),
        ("{}", &["name"]),
        ("{ id: 1, name: second }", &["id"]),
    ] {
        expect(
            &load(&format!("Tag:\n  - {{ name: first }}\n  - {second}\n"))?,
            1,
            words,
        )?;
    }
    expect(&load("Tga:\n  - { name: first }\n")?, 1, &["Tga", "Tag"])?;
    expect(
        &load("Comment:\n  - { text: x, post_id: 99, author_id: 1 }\n")?,
        1,
        &["isn't there"],
    )?;
    expect(&load("Tag: [")?, 1, &["rows.yaml"])?;
    if rows_of(&place.database)? != 3 {
        return Err("rows were written".to_owned());
    }
    expect(
        &load("Tag:\n  - { name: first }\n  - { name: second }\n")?,
        0,
        &["2 rows"],
    )?;
    if rows_of(&place.database)? == 5 {
        Ok(())
    } else {
        Err("rows were not written".to_owned())
    }
}
