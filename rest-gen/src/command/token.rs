//! `rest-gen token`

use std::path::Path;

use rest_runtime::Service;
use rest_runtime::operate::{NewToken, NotDone, Token};

use super::account::{accounts, nobody, refused};
use crate::database::{Database, run_async};
use crate::error::{Error, Outcome};
use crate::{load, output};

/// Makes a token of an account and prints it.
pub(crate) fn create(
    file: &Path,
    database: &Database,
    account: &str,
    wanted: NewToken,
) -> Result<Outcome, Error> {
    told(file, database, account, async |service| {
        let made = service.create_token(account, wanted).await;
        Ok(made?.map(|secret| format!("{secret}\n")))
    })
}

/// Prints the tokens of an account, without what they are known by.
pub(crate) fn list(file: &Path, database: &Database, account: &str) -> Result<Outcome, Error> {
    told(file, database, account, async |service| {
        Ok(service.tokens(account).await?.map(|all| table(&all)))
    })
}

/// Revokes one token of an account, or all.
pub(crate) fn revoke(
    file: &Path,
    database: &Database,
    account: &str,
    id: Option<i64>,
) -> Result<Outcome, Error> {
    told(file, database, account, async |service| {
        let there = service.revoke_tokens(account, id).await?;
        match (there, id) {
            (None, _) => Ok(None),
            (Some(true), Some(id)) => Ok(Some(format!("token {id} is revoked\n"))),
            (Some(false), Some(id)) => Err(NotDone {
                message: format!("`{account}` has no token {id}"),
                place: None,
            }),
            (Some(_), None) => Ok(Some("the account has no tokens any more\n".to_owned())),
        }
    })
}

/// Opens the service, asks it, and prints what it tells; nothing where no account has this name.
fn told(
    file: &Path,
    database: &Database,
    account: &str,
    ask: impl AsyncFnOnce(&Service) -> Result<Option<String>, NotDone>,
) -> Result<Outcome, Error> {
    let Some(schema) = load::schema(file)? else {
        return Ok(Outcome::Faults);
    };
    accounts(&schema)?;
    let Some(service) = database.opened(schema)? else {
        return Ok(Outcome::Faults);
    };
    let told = run_async(async {
        let told = ask(&service).await;
        service.shutdown().await;
        told
    })?;
    match told {
        Ok(Some(told)) => {
            output::result(&told)?;
            Ok(Outcome::Done)
        }
        Ok(None) => Ok(nobody(account)),
        Err(why) => Ok(refused(&why)),
    }
}

/// A line for each token, its columns as wide as their widest.
fn table(tokens: &[Token]) -> String {
    let moment = |seconds: i64| {
        jiff::Timestamp::from_second(seconds).map_or_else(|_| String::new(), |at| at.to_string())
    };
    let head = ["id", "made", "expires", "last used", "scopes", "name"].map(str::to_owned);
    let rows = tokens.iter().map(|token| {
        [
            token.id.to_string(),
            moment(token.created_at),
            moment(token.expires_at),
            token.last_used_at.map_or_else(|| "never".to_owned(), moment),
            token.scopes.clone(),
            token.name.clone().unwrap_or_default(),
        ]
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4, 5].map(width);
    rows.iter()
        .map(|row| {
            let cells = row
                .iter()
                .zip(widths)
                .map(|(cell, width)| format!("{cell:width$}"));
            format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
        })
        .collect()
}
