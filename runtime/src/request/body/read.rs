//! Bytes to [`Json`], or one fault at its place.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::json::{Json, escaped};
use crate::problem::{Code, Fault, Problem};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 64;

/// Up to so many members names are compared one by one; beyond, a set is kept.
const FEW_MEMBERS: usize = 16;

/// Reads a body; refuses with 400 what isn't JSON, or could be understood in two ways.
pub fn parse(bytes: &[u8]) -> Result<Json, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        unreadable(format!(
            "the body is not UTF-8 from byte {} on",
            error.valid_up_to()
        ))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(unreadable("the body is empty"));
    }
    let mut state = State::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = Value {
        state: &mut state,
        depth: 0,
    };
    let json = read
        .deserialize(&mut deserializer)
        .and_then(|json| deserializer.end().map(|()| json))
        .map_err(|error| match state.fault.take() {
            Some(fault) => Problem::new(Code::UnreadableBody).fault(fault.finished()),
            None => unreadable(format!("the body is not JSON: {error}")),
        })?;
    if state.has_great_float && has_great_integer(text) {
        return Err(unreadable("an integer has more digits than 64 bits hold"));
    }
    Ok(json)
}

fn unreadable(detail: impl Into<String>) -> Problem {
    Problem::new(Code::UnreadableBody).detail(detail)
}

/// What is remembered beside the values.
#[derive(Default)]
struct State {
    fault: Option<Found>,
    has_great_float: bool,
}

/// A fault whose place is put together on the way out, so that what is sound pays nothing for it.
struct Found {
    detail: String,
    steps: Vec<String>,
}

impl Found {
    fn finished(self) -> Fault {
        let pointer: String = self.steps.iter().rev().map(|step| format!("/{step}")).collect();
        Fault::pointer(pointer, Code::UnreadableBody, self.detail)
    }
}

impl State {
    fn found(&mut self, detail: String, step: Option<&str>) {
        let steps = step.map(escaped).into_iter().collect();
        self.fault = Some(Found { detail, steps });
    }

    fn step_out(&mut self, step: impl FnOnce() -> String) {
        if let Some(fault) = &mut self.fault {
            fault.steps.push(step());
        }
    }
}

struct Value<'a> {
    state: &'a mut State,
    depth: usize,
}

impl Value<'_> {
    fn deeper<E: serde::de::Error>(&mut self) -> Result<usize, E> {
        if self.depth == MAX_DEPTH {
            let detail = format!("the body nests deeper than {MAX_DEPTH} levels");
            self.state.found(detail, None);
            return Err(E::custom("too deep"));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Unsigned(value), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        self.state.has_great_float |= value.abs() >= i64::MAX as f64;
        Ok(Json::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Json, A::Error> {
        let depth = self.deeper()?;
        let mut array = Vec::new();
        loop {
            let state = &mut *self.state;
            match items.next_element_seed(Value { state, depth }) {
                Ok(Some(item)) => array.push(item),
                Ok(None) => return Ok(Json::Array(array)),
                Err(error) => {
                    self.state.step_out(|| array.len().to_string());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Json, A::Error> {
        let depth = self.deeper()?;
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = Names::default();
        while let Some(name) = entries.next_key::<String>()? {
            if !names.is_new(&name, &members) {
                self.state
                    .found("the member stands twice".to_owned(), Some(&name));
                return Err(A::Error::custom("twice"));
            }
            let state = &mut *self.state;
            let value = entries
                .next_value_seed(Value { state, depth })
                .inspect_err(|_| self.state.step_out(|| escaped(&name)))?;
            members.push((name, value));
        }
        Ok(Json::Object(members))
    }
}

/// The names of an object's members, once there are many.
#[derive(Default)]
struct Names(HashSet<String>);

impl Names {
    fn is_new(&mut self, name: &str, members: &[(String, Json)]) -> bool {
        if members.len() < FEW_MEMBERS {
            return members.iter().all(|(known, _)| known != name);
        }
        if self.0.is_empty() {
            self.0.extend(members.iter().map(|(known, _)| known.clone()));
        }
        self.0.insert(name.to_owned())
    }
}

/// Whether an integer stands in sound JSON that 64 bits don't hold: the reader gives those as floats.
fn has_great_integer(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = match first {
            b'"' => after_string(after),
            b'-' | b'0'..=b'9' => {
                let end = rest
                    .iter()
                    .position(|b| !matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
                    .unwrap_or(rest.len());
                let (number, after) = rest.split_at(end);
                if is_great_integer(number) {
                    return true;
                }
                after
            }
            _ => after,
        };
    }
    false
}

/// What stands behind a string whose opening quote was taken.
fn after_string(mut rest: &[u8]) -> &[u8] {
    loop {
        rest = match rest {
            [b'\\', _, after @ ..] => after,
            [b'"', after @ ..] => return after,
            [_, after @ ..] => after,
            [] => return rest,
        };
    }
}

fn is_great_integer(number: &[u8]) -> bool {
    let is_integer = number.iter().all(|b| matches!(b, b'-' | b'0'..=b'9'));
    let text = std::str::from_utf8(number).unwrap_or_default();
    is_integer && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(text: &[u8]) -> (String, String) {
        let problem = parse(text).expect_err("a refusal");
        assert_eq!(problem.code(), Code::UnreadableBody);
        let place = problem.all_faults().first().map(|fault| match &fault.place {
            crate::problem::Place::Pointer(pointer) => pointer.clone(),
            other => panic!("{other:?}"),
        });
        (problem.told().into_owned(), place.unwrap_or_default())
    }

    #[test]
    fn values_keep_their_digits() {
        assert_eq!(
            parse(b"[-9223372036854775808, 18446744073709551615, 1.5, 1e30, \"\\u00e9\"]").expect("JSON"),
            Json::Array(vec![
                Json::Integer(i64::MIN),
                Json::Unsigned(u64::MAX),
                Json::Float(1.5),
                Json::Float(1e30),
                Json::Text("é".into()),
            ])
        );
        for text in ["18446744073709551616", "[1e30, \"\\\"\", -9223372036854775809]"] {
            assert_eq!(
                refusal(text.as_bytes()).0,
                "an integer has more digits than 64 bits hold"
            );
        }
        assert!(parse(br#"[1e30, "99999999999999999999999", "\"99999999999999999999"]"#).is_ok());
        assert!(refusal(b"1e400").0.contains("number out of range"));
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_its_place() {
        let (detail, place) = refusal(br#"[1, {"a": {"x/y": 1, "b": 2, "x/y": 3}}]"#);
        assert_eq!(
            (detail.as_str(), place.as_str()),
            ("the member stands twice", "/1/a/x~1y")
        );
        let many: Vec<_> = (0..40).map(|i| format!("\"m{i}\": 0")).collect();
        assert!(parse(format!("{{{}}}", many.join(",")).as_bytes()).is_ok());
        let (_, place) = refusal(format!("{{{},\"m7\":1}}", many.join(",")).as_bytes());
        assert_eq!(place, "/m7");
    }

    #[test]
    fn what_is_not_json_in_utf_8_is_refused() {
        for text in [
            &b"{"[..],
            b"{} {}",
            b"[1,]",
            b"{'a': 1}",
            b"NaN",
            b"01",
            b"nul",
            b"\"\\ud800\"",
            b"\"a\nb\"",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(refusal(text).0.starts_with("the body is not JSON: "), "{text:?}");
        }
        assert_eq!(refusal(b"\"\xff\"").0, "the body is not UTF-8 from byte 1 on");
        assert_eq!(refusal(b" \n").0, "the body is empty");
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
        let (detail, _) = refusal(nested(MAX_DEPTH + 1).as_bytes());
        assert_eq!(detail, "the body nests deeper than 64 levels");
        refusal("[".repeat(1_000_000).as_bytes());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_text_makes_it_panic(text in r#"[\[\]{}":,0-9eE.+\-truefalsn\\ u]{0,60}"#) {
            let _ = parse(text.as_bytes());
        }
    }
}
