//! By a token of another issuer: the account that it names, with what it says of it.

use std::sync::Arc;

use jiff::Timestamp;
use rest_schema::Jwt;

use super::{bad_token, found_account};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::jwt::{self, Claims, Refused};
use crate::model::Model;
use crate::password::Plain;
use crate::plan::access::Account;
use crate::problem::{Code, Problem};
use crate::scope::Scopes;
use crate::service::Inner;

/// Seconds after which to come again where the issuer's keys can't be had.
const LATER: u64 = 10;

/// Who asks. He reads from the database itself, for whether he has written of late isn't asked.
pub(super) async fn resolve(service: &Arc<Inner>, token: &Plain, now: Timestamp) -> Result<Caller, Problem> {
    let model = &service.engine.model;
    let (Some(verifier), Some(said), Some(by_key)) =
        (&service.jwt, &model.schema.jwt, &service.account_by_key)
    else {
        return Err(bad_token());
    };
    let token = std::str::from_utf8(token.as_bytes()).map_err(|_| bad_token())?;
    let claims = verifier.claims(token).await.map_err(|refused| match refused {
        Refused::Bad(why) => bad_token().detail(why),
        Refused::NoKeys(why) => Problem::new(Code::Unavailable).retry_after(LATER).because(why),
    })?;
    let subject = claims.get(&said.subject).and_then(jwt::text);
    let Some(subject) = subject else {
        return Err(bad_token().detail(format!("it has no claim `{}`", said.subject)));
    };
    let nobody = || bad_token().detail("its account isn't one of this service, or isn't active");
    let key = model
        .cell_of(by_key.of_subject.field, &subject)
        .ok_or_else(nobody)?;
    let found = found_account(service, |by_key| &by_key.of_subject.statement, vec![key], now).await;
    let found = found.map_err(|refusal| refusal.into_problem(model))?;
    let mut account = found.ok_or_else(nobody)?;
    say(model, said, &claims, Arc::make_mut(&mut account))?;
    Ok(Caller {
        account: Some(account),
        scopes: scopes(model, said, &claims),
        has_written: true,
        ..Caller::anonymous()
    })
}

/// Puts what the token says in the place of what the row holds; what it doesn't say is null, or `false` for a word that
/// it would have to have.
fn say(model: &Model, said: &Jwt, claims: &Claims, account: &mut Account) -> Result<(), Problem> {
    for claimed in &said.claims {
        let Ok(place) = account.fields.binary_search(&claimed.field) else {
            // No rule asks for it.
            continue;
        };
        let unfit = || bad_token().detail(format!("its claim `{}` doesn't fit", claimed.claim));
        let text = match &claimed.has {
            Some(word) => Some(claims.words(&claimed.claim).any(|one| one == word).to_string()),
            None => match claims.get(&claimed.claim) {
                None | Some(serde_json::Value::Null) => None,
                Some(value) => Some(jwt::text(value).ok_or_else(unfit)?),
            },
        };
        account.cells[place] = match text {
            None => Cell::Null,
            Some(text) => model.cell_of(claimed.field, &text).ok_or_else(unfit)?,
        };
    }
    Ok(())
}

/// What it may do: what the words of its claim stand for. An issuer has words of its own, which mean nothing here.
fn scopes(model: &Model, said: &Jwt, claims: &Claims) -> Scopes {
    match &said.scopes {
        None => Scopes::ALL,
        Some(claim) => {
            let words: Vec<&str> = claims.words(claim).collect();
            model.scopes.read(&words.join(" "))
        }
    }
}
