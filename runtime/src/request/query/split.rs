//! The query string taken apart: pairs, percent escapes, repeated names, lists.

use std::borrow::Cow;

use crate::problem::{Code, Fault, Problem};

/// Bytes of a query string that are read; a longer one is 414.
pub const MAX_LENGTH: usize = 8 * 1024;

/// Pairs of a query string that are read.
pub const MAX_PARAMETERS: usize = 100;

/// A parameter with all its values, decoded, in the order written.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::request) struct Parameter {
    pub(in crate::request) name: String,
    /// Never empty.
    pub(in crate::request) values: Vec<String>,
}

impl Parameter {
    /// Its value, where it stands once.
    pub(in crate::request) fn single(&self) -> &str {
        &self.values[0]
    }

    /// The fault of standing more than once.
    pub(in crate::request) fn repeated(&self) -> Option<Fault> {
        let times = self.values.len();
        let detail = format!("{} stands {times} times and may stand once", self.name);
        (times > 1).then(|| Fault::parameter(&self.name, Code::DuplicateParameter, detail))
    }

    /// The values of a list: one value is split at its commas, several are taken as they are.
    pub(in crate::request) fn items(&self) -> Vec<Cow<'_, str>> {
        match self.values.as_slice() {
            [value] => split_list(value).into_iter().map(Cow::Owned).collect(),
            values => values.iter().map(|value| Cow::Borrowed(value.as_str())).collect(),
        }
    }
}

/// All parameters of a query string.
#[derive(Debug, Default)]
pub(in crate::request) struct Parameters {
    /// In the order in which they first appear.
    all: Vec<Parameter>,
    /// What each pair calls itself, be it readable or not.
    written: Vec<String>,
}

impl Parameters {
    /// Takes a query string apart. Faults of encoding go to `faults`, and their pairs are left out.
    pub(in crate::request) fn read(raw: Option<&str>, faults: &mut Vec<Fault>) -> Result<Self, Problem> {
        let raw = raw.unwrap_or_default();
        if raw.len() > MAX_LENGTH {
            let detail = format!("the query string is longer than {MAX_LENGTH} bytes");
            return Err(Problem::new(Code::UriTooLong).detail(detail));
        }
        let mut parameters = Self::default();
        for (count, pair) in raw.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            if count == MAX_PARAMETERS {
                let detail = format!("the query string has more than {MAX_PARAMETERS} parameters");
                return Err(Problem::new(Code::LimitExceeded).detail(detail));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(name), decode(value)) {
                (Ok(name), Ok(value)) => parameters.add(name, value),
                (Err(detail), _) | (_, Err(detail)) => {
                    faults.push(Fault::parameter(name, Code::BadEncoding, detail));
                    parameters.written.push(name.to_owned());
                }
            }
        }
        Ok(parameters)
    }

    /// What is said elsewhere than in a query string.
    pub(in crate::request) fn say(&mut self, name: &str, values: Vec<String>) {
        // An empty list names nothing, as if it weren't there.
        if !values.is_empty() {
            let name = name.to_owned();
            self.all.push(Parameter { name, values });
        }
    }

    fn add(&mut self, name: String, value: String) {
        self.written.push(name.clone());
        match self.all.iter_mut().find(|parameter| parameter.name == name) {
            Some(parameter) => parameter.values.push(value),
            None => self.all.push(Parameter {
                name,
                values: vec![value],
            }),
        }
    }

    /// Where a parameter first stands.
    pub(in crate::request) fn place(&self, name: &str) -> Option<usize> {
        self.written.iter().position(|written| written == name)
    }

    pub(in crate::request) fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.all.iter()
    }

    pub(in crate::request) fn named(&self, name: &str) -> Option<&Parameter> {
        self.all.iter().find(|parameter| parameter.name == name)
    }
}

/// Decodes `application/x-www-form-urlencoded` strictly: `+` is a space, an escape has two digits, the result is UTF-8.
fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let byte = escape(rest).ok_or("a % is not followed by two hexadecimal digits")?;
                bytes.push(byte);
                rest = &rest[2..];
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the text is not UTF-8 once decoded")
}

fn escape(rest: &[u8]) -> Option<u8> {
    let &[high, low, ..] = rest else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// Splits a list at its commas; `\,` is a comma within an item.
fn split_list(text: &str) -> Vec<String> {
    let mut items = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next_if_eq(&',').is_some() => push(&mut items, ','),
            ',' => items.push(String::new()),
            c => push(&mut items, c),
        }
    }
    items
}

fn push(items: &mut [String], c: char) {
    if let Some(last) = items.last_mut() {
        last.push(c);
    }
}

/// The same query string with another cursor, for the links of a page.
pub fn with_cursor(raw: Option<&str>, cursor: &str) -> String {
    let keeps = |pair: &&str| {
        let name = decode(pair.split('=').next().unwrap_or(pair)).unwrap_or_default();
        !pair.is_empty() && name != "cursor" && name != "page"
    };
    let mut query: String =
        raw.unwrap_or_default()
            .split('&')
            .filter(keeps)
            .fold(String::new(), |mut query, pair| {
                query.push_str(pair);
                query.push('&');
                query
            });
    query.push_str("cursor=");
    query.push_str(cursor);
    query
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &str) -> Vec<(String, Vec<String>)> {
        let mut faults = Vec::new();
        let parameters = Parameters::read(Some(raw), &mut faults).expect("a query string");
        assert_eq!(faults, [], "{raw}");
        parameters.all.into_iter().map(|p| (p.name, p.values)).collect()
    }

    fn pair(name: &str, values: &[&str]) -> (String, Vec<String>) {
        (
            name.to_owned(),
            values.iter().map(|&value| value.to_owned()).collect(),
        )
    }

    #[test]
    fn pairs_are_decoded_and_gathered_by_name() {
        assert_eq!(
            read("a=1&b%5Bin%5D=x+y&&a=%C3%A9=2&c&a[b]=%2B"),
            [
                pair("a", &["1", "é=2"]),
                pair("b[in]", &["x y"]),
                pair("c", &[""]),
                pair("a[b]", &["+"]),
            ]
        );
        assert_eq!(read(""), []);
    }

    #[test]
    fn a_broken_escape_is_a_fault_of_its_parameter() {
        for raw in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%ff", "%=1", "%C3=1"] {
            let mut faults = Vec::new();
            let parameters = Parameters::read(Some(raw), &mut faults).expect("a query string");
            assert_eq!(parameters.iter().count(), 0, "{raw}");
            assert_eq!(faults[0].code, "bad-encoding", "{raw}");
        }
    }

    #[test]
    fn length_and_number_are_bounded() {
        let refusal = |raw: &str| {
            Parameters::read(Some(raw), &mut Vec::new())
                .expect_err("a refusal")
                .code()
        };
        assert_eq!(refusal(&"a".repeat(MAX_LENGTH + 1)), Code::UriTooLong);
        assert_eq!(refusal(&"a&".repeat(MAX_PARAMETERS + 1)), Code::LimitExceeded);
    }

    #[test]
    fn a_list_is_split_at_commas_once() {
        let items = |values: &[&str]| {
            let parameter = Parameter {
                name: "a".into(),
                values: values.iter().map(|&value| value.to_owned()).collect(),
            };
            parameter
                .items()
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(items(&["a,b"]), ["a", "b"]);
        assert_eq!(items(&[r"a\,b,c\d,\"]), ["a,b", r"c\d", r"\"]);
        assert_eq!(items(&[""]), [""]);
        assert_eq!(items(&["a,"]), ["a", ""]);
        assert_eq!(items(&["a,b", r"c\,d"]), ["a,b", r"c\,d"]);
    }

    #[test]
    fn a_link_keeps_all_but_the_place() {
        assert_eq!(with_cursor(None, "x"), "cursor=x");
        assert_eq!(
            with_cursor(Some("a[in]=1,2&page=3&&%63ursor=old&b=%20"), "x"),
            "a[in]=1,2&b=%20&cursor=x"
        );
    }

    proptest! {
        #[test]
        fn every_text_survives_its_escapes(text in "\\PC{0,20}") {
            let escaped: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
            prop_assert_eq!(decode(&escaped), Ok(text));
        }

        #[test]
        fn no_string_makes_it_panic(raw in "[a-f%+=&,\\[\\].0-9é]{0,40}") {
            let _ = Parameters::read(Some(&raw), &mut Vec::new());
            let _ = with_cursor(Some(&raw), "x");
        }

        #[test]
        fn a_list_is_joined_again(items in proptest::collection::vec("[a-z, ]{0,5}", 1..5)) {
            let joined: Vec<_> = items.iter().map(|item| item.replace(',', "\\,")).collect();
            prop_assert_eq!(split_list(&joined.join(",")), items);
        }
    }
}
