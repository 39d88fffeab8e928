//! JSON as a case writes it: with `…` for whatever may stand there and `<name>` for a value to be remembered.
//!
//! Numbers keep their digits as text and members their number, so that an answer is compared as it was sent.

/// A JSON value, or (in a case only) a pattern of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// `…`: anything; among the elements of a list: any number of them.
    Any,
    /// `<name>`: the value bound to the name, or any value that is then bound to it.
    Bound(String),
    /// null
    Null,
    /// true or false
    Boolean(bool),
    /// A number, as it was written.
    Number(String),
    /// A text; in a case it may hold `…` and `<name>`.
    Text(String),
    /// A list.
    List(Vec<Json>),
    /// An object; `open` where `…` stood among its members.
    Object {
        /// In the order written.
        members: Vec<(String, Json)>,
        /// Whether further members are welcome.
        open: bool,
    },
}

impl Json {
    /// Reads an answer: strict JSON, no member twice.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Reader::new(text, false).document()
    }

    /// Reads what a case expects.
    pub(crate) fn pattern(text: &str) -> Result<Self, String> {
        Reader::new(text, true).document()
    }

    /// A member of an object.
    pub(crate) fn get(&self, name: &str) -> Option<&Json> {
        match self {
            Self::Object { members, .. } => members.iter().find(|(n, _)| n == name).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; nothing for anything else.
    pub(crate) fn items(&self) -> &[Json] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// The number, where it is a whole one.
    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Number(digits) => digits.parse().ok(),
            _ => None,
        }
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("…"),
            Self::Bound(name) => write!(f, "<{name}>"),
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Number(digits) => f.write_str(digits),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(items) => {
                f.write_str("[")?;
                for (place, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if place == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Object { members, open } => {
                let mut parts: Vec<String> = members
                    .iter()
                    .map(|(name, value)| format!("{}: {value}", quoted(name)))
                    .collect();
                parts.extend(open.then(|| "…".to_owned()));
                write!(f, "{{{}}}", parts.join(", "))
            }
        }
    }
}

/// A text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    patterns: bool,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, patterns: bool) -> Self {
        Self {
            text,
            at: 0,
            patterns,
        }
    }

    fn document(mut self) -> Result<Json, String> {
        let value = self.value()?;
        self.space();
        if self.rest().is_empty() {
            Ok(value)
        } else {
            Err(self.wrong("nothing more was expected"))
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn wrong(&self, what: &str) -> String {
        let near: String = self.rest().chars().take(20).collect();
        format!("not JSON at byte {}: {what}, near `{near}`", self.at)
    }

    fn space(&mut self) {
        let trimmed = self.rest().trim_start_matches([' ', '\t', '\r', '\n']);
        self.at = self.text.len() - trimmed.len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn value(&mut self) -> Result<Json, String> {
        self.space();
        match self.rest().chars().next() {
            Some('{') => self.object(),
            Some('[') => self.list(),
            Some('"') => Ok(Json::Text(self.string()?)),
            Some('…') if self.patterns => {
                self.at += '…'.len_utf8();
                Ok(Json::Any)
            }
            Some('<') if self.patterns => self.bound(),
            _ => self.word(),
        }
    }

    fn bound(&mut self) -> Result<Json, String> {
        let Some(end) = self.rest().find('>') else {
            return Err(self.wrong("`<name>` was expected"));
        };
        let name = self.rest()[1..end].to_owned();
        self.at += end + 1;
        Ok(Json::Bound(name))
    }

    fn word(&mut self) -> Result<Json, String> {
        let end = self
            .rest()
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)))
            .unwrap_or(self.rest().len());
        let word = &self.rest()[..end];
        let value = match word {
            "null" => Json::Null,
            "true" => Json::Boolean(true),
            "false" => Json::Boolean(false),
            _ if serde_json::from_str::<serde_json::Number>(word).is_ok() => Json::Number(word.to_owned()),
            _ => return Err(self.wrong("a value was expected")),
        };
        self.at += end;
        Ok(value)
    }

    fn string(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let mut escaped = false;
        for (place, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let text =
                        serde_json::from_str(&rest[..=place]).map_err(|e| self.wrong(&e.to_string()))?;
                    self.at += place + 1;
                    return Ok(text);
                }
                _ => {}
            }
        }
        Err(self.wrong("the string doesn't end"))
    }

    fn list(&mut self) -> Result<Json, String> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat("]") {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.eat("]") {
                return Ok(Json::List(items));
            }
            if !self.eat(",") {
                return Err(self.wrong("`,` or `]` was expected"));
            }
        }
    }

    fn object(&mut self) -> Result<Json, String> {
        self.at += 1;
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut open = false;
        if self.eat("}") {
            return Ok(Json::Object { members, open });
        }
        loop {
            if self.patterns && self.eat("…") {
                open = true;
            } else {
                let member = self.member()?;
                if members.iter().any(|(name, _)| *name == member.0) {
                    return Err(self.wrong(&format!("member `{}` stands twice", member.0)));
                }
                members.push(member);
            }
            if self.eat("}") {
                return Ok(Json::Object { members, open });
            }
            if !self.eat(",") {
                return Err(self.wrong("`,` or `}` was expected"));
            }
        }
    }

    fn member(&mut self) -> Result<(String, Json), String> {
        self.space();
        if !self.rest().starts_with('"') {
            return Err(self.wrong("a member's name was expected"));
        }
        let name = self.string()?;
        if !self.eat(":") {
            return Err(self.wrong("`:` was expected"));
        }
        Ok((name, self.value()?))
    }
}
