//! Before anything is measured: do all servers answer alike?

use serde_json::Value;

use super::Contender;
use super::client::Answer;
use super::server::Kind;
use super::workload::{Part, WORKLOADS};
use crate::Result;

/// Compares an answer of each workload, and who is refused.
pub(super) fn answers(contenders: &[Contender]) -> Result<()> {
    let mut asked = Vec::new();
    for workload in WORKLOADS {
        for (_, part) in workload.parts {
            // Once each, and so reads before writes: what is written isn't the same everywhere.
            let question = (*part, workload.signed_in);
            if asked.contains(&question) {
                continue;
            }
            asked.push(question);
            let seen = contenders
                .iter()
                .map(|contender| {
                    Ok((
                        contender.server.kind,
                        sample(contender, *part, workload.signed_in)?,
                    ))
                })
                .collect::<Result<Vec<_>>>()?;
            compare(&format!("{} ({part:?})", workload.name), &seen)?;
        }
    }
    let keepers: Vec<&Contender> = contenders
        .iter()
        .filter(|one| one.server.kind.keeps_the_contract())
        .collect();
    refusals(&keepers)
}

fn sample(contender: &Contender, part: Part, signed_in: bool) -> Result<Answer> {
    let requests = contender.material.requests(part);
    let place = if part == Part::Cursor {
        requests.len() / 2
    } else {
        0
    };
    let request = requests.get(place).ok_or("there is nothing to ask")?;
    // Two samples of one patch would change nothing the second time.
    let number = if signed_in { "10000001" } else { "10000002" };
    contender.client.send(
        request.method,
        &request.path,
        signed_in,
        &request.body.replace("########", number),
    )
}

fn compare(name: &str, seen: &[(Kind, Answer)]) -> Result<()> {
    let Some(((first, expected), others)) = seen.split_first() else {
        return Ok(());
    };
    if expected.status >= 300 {
        return Err(format!("{name}: {}: {} {}", first.name(), expected.status, expected.text).into());
    }
    for (kind, answer) in others {
        let alike = answer.status == expected.status
            && answer.media == expected.media
            && if kind.keeps_the_contract() {
                comparable(answer) == comparable(expected)
            } else {
                // It has no rule, and its pages are by key.
                items(answer).len() == items(expected).len()
            };
        if !alike {
            let (one, other) = (told(*first, expected), told(*kind, answer));
            return Err(format!("{name}: not the same answers\n{one}\n{other}").into());
        }
    }
    Ok(())
}

fn told(kind: Kind, answer: &Answer) -> String {
    let text: String = answer.text.chars().take(2_000).collect();
    format!("{}: {} {}\n{text}", kind.name(), answer.status, answer.media)
}

fn items(answer: &Answer) -> Vec<Value> {
    let mut value = answer.json();
    let items = if value.is_array() {
        value
    } else {
        value["items"].take()
    };
    items.as_array().cloned().unwrap_or_default()
}

/// What must be equal: all but the moment of a new item, and the text of cursors, which are each server's own.
fn comparable(answer: &Answer) -> Value {
    let mut value = answer.json();
    for part in ["page", "links"] {
        for direction in ["next", "prev"] {
            if let Some(cursor) = value.get_mut(part).and_then(|part| part.get_mut(direction)) {
                *cursor = cursor.is_string().into();
            }
        }
    }
    if let Some(own) = value.get_mut("links").and_then(|links| links.get_mut("self")) {
        *own = own
            .as_str()
            .map(|own| own.split("cursor=").next().unwrap_or_default())
            .into();
    }
    if let Some(item) = value.as_object_mut().filter(|_| answer.status == 201) {
        item.remove("created_at");
    }
    value
}

/// A draft is its author's alone, and a bad token is refused even where none is needed.
fn refusals(contenders: &[&Contender]) -> Result<()> {
    for contender in contenders {
        let name = contender.server.kind.name();
        let draft = contender.client.send(
            "POST",
            "/api/posts",
            true,
            r#"{"title":"t","body":"b","status":"draft"}"#,
        )?;
        let path = format!("/api/posts/{}", draft.json()["id"]);
        let expected = [(true, 200), (false, 404)];
        for (signed_in, status) in expected {
            let answer = contender.client.send("GET", &path, signed_in, "")?;
            if answer.status != status {
                return Err(format!(
                    "{name}: a draft is answered with {} {}",
                    answer.status, answer.text
                )
                .into());
            }
        }
        let faults = contender.client.send(
            "POST",
            "/api/posts",
            true,
            r#"{"title":"","body":"b","status":"x"}"#,
        )?;
        let anonymous = contender
            .client
            .send("POST", "/api/posts", false, r#"{"title":"t","body":"b"}"#)?;
        if (faults.status, anonymous.status) != (422, 401) {
            return Err(format!(
                "{name}: a bad post {}, an anonymous one {}",
                faults.status, anonymous.status
            )
            .into());
        }
    }
    Ok(())
}
