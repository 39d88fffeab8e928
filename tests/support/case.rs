//! Reads a case: a page of prose whose indented lines are an exchange over HTTP.
//!
//! ```text
//! A cursor names a place in the order, not a row: the row it was made from may go.
//!
//!     schema: blog    as: susan
//!     > GET /api/posts?sort=created_at&limit=1
//!     < 200 {"items": [{"id": 1, …}], "page": {"next": <cursor>, …}, …}
//!     > DELETE /api/posts/1
//!     < 204
//! ```
//!
//! `schema:` names a file in `tests/schemas`, or `below`: then the schema is the page's block of YAML. `as:` may change between exchanges (`as: nobody`).
//! `ways: all` has the page run against the schema's derived and generated service too (`tests/ways`).
//! `> Name: value` is a header of the request (without a value: the header that would be added is left out),
//! `< Name: value` one of the answer, `< no Name` one that must be absent; lines without a mark are the body above them.
//! A body whose lines begin with `| ` is text.
//! In requests `<name>` stands for a value bound before and `<x*65>` for 65 times x.

use std::path::{Path, PathBuf};

use super::json::Json;

/// A page of `tests/http`.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// `page/cursor-survives-a-delete`
    pub(crate) name: String,
    /// The file, for messages.
    pub(crate) file: PathBuf,
    /// Where the service's description is.
    pub(crate) schema: SchemaSource,
    /// Whether the services made of structs are held to it as well.
    pub(crate) all_ways: bool,
    /// In the order of the page.
    pub(crate) steps: Vec<Step>,
}

/// The schema of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SchemaSource {
    /// `tests/schemas/<name>.yaml`, with the rows of `<name>.seed.yaml`.
    Named(String),
    /// The page's own block of YAML; it has no rows.
    Inline(String),
}

/// One thing that a case does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Who sends the following requests; `None`: nobody.
    Caller(Option<String>),
    /// A request and its answer.
    Exchange(Exchange),
}

/// A request and what is expected of the answer.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    /// The request's line in the file.
    pub(crate) line: usize,
    /// The method.
    pub(crate) method: String,
    /// The address with its query string.
    pub(crate) target: String,
    /// Headers; an empty value leaves the header out.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as written.
    pub(crate) body: Option<String>,
    /// The expected status.
    pub(crate) status: u16,
    /// Expected headers.
    pub(crate) expected_headers: Vec<(String, ExpectedHeader)>,
    /// The expected body, where the case speaks of it.
    pub(crate) expected_body: Option<ExpectedBody>,
}

/// What a case says of the body of the answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ExpectedBody {
    /// JSON that fits this pattern.
    Json(Json),
    /// This text, whatever ends its lines.
    Text(String),
}

impl std::fmt::Display for ExpectedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(json) => json.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl ExpectedBody {
    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with('|') {
            let line = |line: &str| {
                let line = line.strip_prefix('|').ok_or("a line of text begins with `|`")?;
                Ok(format!("{}\n", line.strip_prefix(' ').unwrap_or(line)))
            };
            let lines = text.lines().map(line);
            return lines
                .collect::<Result<_, &str>>()
                .map(Self::Text)
                .map_err(str::to_owned);
        }
        Json::pattern(text).map(Self::Json)
    }
}

/// What a case says of a header of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ExpectedHeader {
    /// It fits this text.
    Is(String),
    /// It isn't there.
    Absent,
}

/// All cases below a folder, by name.
pub(crate) fn all(root: &Path) -> Result<Vec<Case>, String> {
    let mut files = Vec::new();
    markdown_below(root, &mut files)?;
    files.sort();
    files.iter().map(|file| read(root, file)).collect()
}

fn markdown_below(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries {
        let path = entry.map_err(|e| e.to_string())?.path();
        if path.is_dir() {
            markdown_below(&path, files)?;
        } else if path.extension().is_some_and(|ext| ext == "md") {
            files.push(path);
        }
    }
    Ok(())
}

fn read(root: &Path, file: &Path) -> Result<Case, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let name = file.strip_prefix(root).unwrap_or(file).with_extension("");
    parse(&name.to_string_lossy(), file, &text)
}

/// Reads the text of a page.
pub(crate) fn parse(name: &str, file: &Path, text: &str) -> Result<Case, String> {
    let mut reader = Reader::default();
    for (place, line) in text.lines().enumerate() {
        reader
            .line(place + 1, line)
            .map_err(|e| format!("{}:{}: {e}", file.display(), place + 1))?;
    }
    let ended = reader.end_of_exchange().and_then(|()| reader.source());
    let schema = ended.map_err(|e| format!("{}: {e}", file.display()))?;
    if reader.all_ways && !matches!(schema, SchemaSource::Named(_)) {
        return Err(format!(
            "{}: `ways: all` needs a schema of `tests/schemas`",
            file.display()
        ));
    }
    Ok(Case {
        name: name.to_owned(),
        file: file.to_owned(),
        schema,
        all_ways: reader.all_ways,
        steps: reader.steps,
    })
}

#[derive(Default)]
struct Reader {
    schema: Option<String>,
    yaml: Option<String>,
    in_yaml: bool,
    all_ways: bool,
    steps: Vec<Step>,
    open: Option<Draft>,
}

/// An exchange whose lines are still being read.
#[derive(Default)]
struct Draft {
    line: usize,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    status: Option<u16>,
    expected_headers: Vec<(String, ExpectedHeader)>,
    expected_body: Option<String>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if line.trim_end() == "```yaml" {
            self.in_yaml = true;
            self.yaml = Some(String::new());
        } else if line.trim_end() == "```" {
            self.in_yaml = false;
        } else if let Some(yaml) = self.yaml.as_mut().filter(|_| self.in_yaml) {
            *yaml += line;
            yaml.push('\n');
        } else if let Some(code) = line.strip_prefix("    ").filter(|code| !code.trim().is_empty()) {
            return self.code(number, code);
        }
        Ok(())
    }

    fn code(&mut self, number: usize, code: &str) -> Result<(), String> {
        if let Some(rest) = code.strip_prefix("> ") {
            self.asked(number, rest)
        } else if let Some(rest) = code.strip_prefix("< ") {
            self.answered(rest)
        } else if code.starts_with("schema:") || code.starts_with("as:") {
            self.settings(code)
        } else {
            self.body_line(code)
        }
    }

    fn settings(&mut self, code: &str) -> Result<(), String> {
        self.end_of_exchange()?;
        for setting in code.split("  ").map(str::trim).filter(|s| !s.is_empty()) {
            match setting.split_once(": ") {
                Some(("schema", name)) => self.schema = Some(name.trim().to_owned()),
                Some(("ways", "all")) => self.all_ways = true,
                Some(("as", "nobody")) => self.steps.push(Step::Caller(None)),
                Some(("as", name)) => self.steps.push(Step::Caller(Some(name.trim().to_owned()))),
                _ => {
                    return Err(format!(
                        "`{setting}` is none of `schema: name`, `as: name`, `ways: all`"
                    ));
                }
            }
        }
        Ok(())
    }

    fn asked(&mut self, number: usize, rest: &str) -> Result<(), String> {
        let word = rest.split(' ').next().unwrap_or_default();
        if let (Some(name), Some(draft)) = (word.strip_suffix(':'), self.open.as_mut())
            && draft.status.is_none()
        {
            let value = rest[word.len()..].trim();
            draft.headers.push((name.to_owned(), value.to_owned()));
            return Ok(());
        }
        self.end_of_exchange()?;
        let mut words = rest.splitn(3, ' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if target.is_empty() {
            return Err("`> METHOD /address` was expected".to_owned());
        }
        self.open = Some(Draft {
            line: number,
            method: method.to_owned(),
            target: target.to_owned(),
            body: words.next().map(|body| body.trim().to_owned()),
            ..Draft::default()
        });
        Ok(())
    }

    fn answered(&mut self, rest: &str) -> Result<(), String> {
        let draft = self.open.as_mut().ok_or("an answer without a request")?;
        let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
        if draft.status.is_none() {
            draft.status = Some(word.parse().map_err(|_| format!("`{word}` is no status"))?);
            let body = after.trim();
            draft.expected_body = (!body.is_empty()).then(|| body.to_owned());
        } else if let Some(name) = word.strip_suffix(':') {
            draft
                .expected_headers
                .push((name.to_owned(), ExpectedHeader::Is(after.trim().to_owned())));
        } else if word == "no" {
            draft
                .expected_headers
                .push((after.trim().to_owned(), ExpectedHeader::Absent));
        } else {
            return Err("`< Name: value` or `< no Name` was expected".to_owned());
        }
        Ok(())
    }

    fn body_line(&mut self, code: &str) -> Result<(), String> {
        let draft = self.open.as_mut().ok_or("a body without a request")?;
        let body = if draft.status.is_some() {
            &mut draft.expected_body
        } else {
            &mut draft.body
        };
        match body {
            Some(text) => {
                text.push('\n');
                text.push_str(code);
            }
            None => *body = Some(code.to_owned()),
        }
        Ok(())
    }

    fn end_of_exchange(&mut self) -> Result<(), String> {
        let Some(draft) = self.open.take() else {
            return Ok(());
        };
        let at = |e: String| format!("exchange of line {}: {e}", draft.line);
        let expected_body = draft
            .expected_body
            .as_deref()
            .map(ExpectedBody::parse)
            .transpose()
            .map_err(at)?;
        self.steps.push(Step::Exchange(Exchange {
            line: draft.line,
            method: draft.method,
            target: draft.target,
            headers: draft.headers,
            body: draft.body,
            status: draft
                .status
                .ok_or_else(|| at("no status is expected".to_owned()))?,
            expected_headers: draft.expected_headers,
            expected_body,
        }));
        Ok(())
    }

    fn source(&mut self) -> Result<SchemaSource, String> {
        match (self.schema.take(), self.yaml.take()) {
            (Some(name), Some(yaml)) if name == "below" => Ok(SchemaSource::Inline(yaml)),
            (Some(name), None) => Ok(SchemaSource::Named(name)),
            (Some(_), Some(_)) => Err("a block of YAML, but `schema:` isn't `below`".to_owned()),
            (None, _) => Err("no `schema:` line".to_owned()),
        }
    }
}
