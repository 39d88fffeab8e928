//! The functions that emitted tests share; only those that are spoken of are emitted.

use rest_schema::{Resource, Schema};

/// A function of `main.rs`: its name, what it speaks of itself, and its text.
struct Helper {
    name: &'static str,
    text: &'static str,
}

const ALL: &[Helper] = &[
    Helper {
        name: "item",
        text: r#"
/// The address of an item, by its key.
fn item(collection: &str, key: &Value) -> String {
    format!("{collection}/{}", text(key))
}
"#,
    },
    Helper {
        name: "text",
        text: r#"
/// A key as it stands in an address.
fn text(key: &Value) -> String {
    match key {
        Value::Array(parts) => parts.iter().map(text).collect::<Vec<_>>().join(","),
        Value::String(part) => part.bytes().map(escaped).collect(),
        part => part.to_string(),
    }
}
"#,
    },
    Helper {
        name: "escaped",
        text: r#"
fn escaped(byte: u8) -> String {
    match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' => char::from(byte).into(),
        byte => format!("%{byte:02X}"),
    }
}
"#,
    },
    Helper {
        name: "status",
        text: r#"
/// Holds the status of an answer against what it should be.
#[track_caller]
fn status(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
}
"#,
    },
    Helper {
        name: "made",
        text: r#"
/// The address of the item that was made.
#[track_caller]
fn made(answer: &Answer) -> String {
    status(answer, 201);
    answer.header("location").to_owned()
}
"#,
    },
    Helper {
        name: "shows",
        text: r#"
/// An item has these values.
#[track_caller]
fn shows(answer: &Answer, values: &Value) {
    for (member, value) in values.as_object().expect("an object") {
        let shown = answer.body.get(member);
        assert_eq!(shown, Some(value), "{member} of {answer:?}");
    }
}
"#,
    },
    Helper {
        name: "refused",
        text: r#"
/// A body was refused for this fault of a member.
#[track_caller]
fn refused(answer: &Answer, status: u16, member: &str, code: &str) {
    assert_eq!(answer.status, status, "{code} of {member}: {answer:?}");
    let faults = answer.body["errors"].as_array().into_iter().flatten();
    let pointer = format!("/{member}");
    let mut codes = faults.filter(|fault| fault["pointer"] == pointer.trim_end_matches('/'));
    let is_told = codes.any(|fault| fault["code"] == code);
    assert!(is_told, "{code} of {member}: {answer:?}");
}
"#,
    },
    Helper {
        name: "rejected",
        text: r#"
/// A request was refused for this fault of a parameter.
#[track_caller]
fn rejected(answer: &Answer, parameter: &str, code: &str) {
    assert_eq!(answer.status, 400, "{code} of {parameter}: {answer:?}");
    let faults = answer.body["errors"].as_array().into_iter().flatten();
    let mut codes = faults.filter(|fault| fault["parameter"] == parameter);
    let is_told = codes.any(|fault| fault["code"] == code);
    assert!(is_told, "{code} of {parameter}: {answer:?}");
}
"#,
    },
    Helper {
        name: "with",
        text: r#"
/// A body with one member changed.
fn with(body: &Value, member: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[member] = value;
    body
}
"#,
    },
    Helper {
        name: "without",
        text: r#"
/// A body with one member left out.
fn without(body: &Value, member: &str) -> Value {
    let mut body = body.clone();
    body.as_object_mut().expect("an object").remove(member);
    body
}
"#,
    },
    Helper {
        name: "lists",
        text: r#"
/// Whether an item, as it was read, is on a page.
#[track_caller]
fn lists(answer: &Answer, item: &Answer) -> bool {
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.body["items"].as_array().expect("a page of items");
    items.contains(&item.body)
}
"#,
    },
    Helper {
        name: "place",
        text: r#"
/// Where on a page an item is, as it was read.
#[track_caller]
fn place(answer: &Answer, item: &Answer) -> usize {
    let items = answer.body["items"].as_array().expect("a page of items");
    let place = items.iter().position(|shown| *shown == item.body);
    place.unwrap_or_else(|| panic!("{item:?} isn't in {answer:?}"))
}
"#,
    },
    Helper {
        name: "holds",
        text: r#"
/// Whether an item, as it was read, or a part of it stands anywhere in an answer.
fn holds(answer: &Answer, item: &Answer) -> bool {
    within(&answer.body, &item.body)
}
"#,
    },
    Helper {
        name: "within",
        text: r#"
fn within(value: &Value, item: &Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut parts = members.iter();
            let is_part = parts.all(|(name, value)| item.get(name) == Some(value));
            is_part && !members.is_empty() || members.values().any(|value| within(value, item))
        }
        Value::Array(values) => values.iter().any(|value| within(value, item)),
        // The lines of a stream.
        Value::String(text) => {
            let lines = text.lines().filter_map(|line| line.parse().ok());
            lines
                .filter(Value::is_object)
                .any(|line| within(&line, item))
        }
        _ => false,
    }
}
"#,
    },
    Helper {
        name: "alike",
        text: r#"
/// Two answers say the same, but for the requests that they answer.
#[track_caller]
fn alike(one: &Answer, other: &Answer) {
    let told = |answer: &Answer| {
        let mut body = answer.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("instance");
        }
        (answer.status, body)
    };
    assert_eq!(told(one), told(other));
}
"#,
    },
    Helper {
        name: "many",
        text: r#"
/// How many items an answer tells of; none where it refuses.
fn many(answer: &Answer) -> usize {
    let (page, items) = (&answer.body["page"], &answer.body["items"]);
    let told = page["total"].as_u64().or(items[0]["count"].as_u64());
    match told {
        Some(told) => usize::try_from(told).expect("a number of items"),
        None => items.as_array().map_or(0, Vec::len),
    }
}
"#,
    },
    Helper {
        name: "sign_in",
        text: r#"
/// Signs an account in.
async fn sign_in(api: &Api, identifier: &str, password: &str) -> Client {
    let nobody = api.anonymous();
    let body = json!({"identifier": identifier, "password": password});
    let answer = nobody.post(TOKENS, body).await;
    status(&answer, 201);
    let token = answer.body["token"].as_str().expect("a token");
    nobody.header("authorization", &format!("Bearer {token}"))
}
"#,
    },
];

/// A client that isn't signed in. Where a write has to name a state, any will do.
pub(super) fn anonymous(schema: &Schema) -> &'static str {
    let is_asked = |resource: &Resource| resource.kept.preconditions;
    if schema.resources.iter().any(is_asked) {
        r#"api.anonymous().header("if-match", "*")"#
    } else {
        ANONYMOUS
    }
}

const ANONYMOUS: &str = "api.anonymous()";

/// Whether a text speaks of a name.
pub(super) fn speaks_of(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(|c| is_part(c) || c == '.' || c == '"')
            && !after.is_some_and(|c| is_part(c) || c == '"')
    })
}

/// Whether a text calls a function of ours.
fn calls(text: &str, name: &str) -> bool {
    speaks_of(text, name) && (text.contains(&format!("{name}(")) || text.contains(&format!("({name})")))
}

/// The functions that a text calls, of those in `main.rs`.
pub(super) fn called_by(text: &str) -> Vec<&'static str> {
    ALL.iter()
        .map(|helper| helper.name)
        .filter(|name| calls(text, name))
        .collect()
}

/// The text of the functions that others call, and of those that these call.
pub(super) fn text(schema: &Schema, called: &[&'static str]) -> String {
    let mut needed: Vec<&str> = called.to_vec();
    let mut at = 0;
    while let Some(name) = needed.get(at).copied() {
        at += 1;
        let own = ALL.iter().find(|helper| helper.name == name);
        for other in own.map_or_else(Vec::new, |own| called_by(own.text)) {
            if !needed.contains(&other) {
                needed.push(other);
            }
        }
    }
    ALL.iter()
        .filter(|helper| needed.contains(&helper.name))
        .map(|helper| helper.text.replace(ANONYMOUS, anonymous(schema)))
        .collect()
}
