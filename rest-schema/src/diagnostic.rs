//! What is told to the author of a schema: collected all at once, then drawn or written as JSON.
//!
//! A message says what is wrong, its help what would be right; both in lower case and without a full stop.

use std::fmt::Write as _;

use crate::source::{Sources, Span};

/// How much a diagnostic matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// There is no schema while it stands.
    Fault,
    /// The schema means something, perhaps not what was meant.
    Warning,
}

impl Severity {
    /// The word that people and tools read.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fault => "error",
            Self::Warning => "warning",
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a diagnostic does nothing until it is pushed"]
pub struct Diagnostic {
    /// A word for it, listed in `codes.rs`.
    pub code: &'static str,
    /// Fault or warning.
    pub severity: Severity,
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// The known word nearest to the one written.
    pub nearest: Option<String>,
}

impl Diagnostic {
    /// A fault.
    pub fn new(code: &'static str, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Fault,
            span,
            message: message.into(),
            help: None,
            nearest: None,
        }
    }

    /// The same as a warning.
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    /// Says what would be right.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Remembers the candidate nearest to what was written, where one is near.
    pub fn near<I>(mut self, written: &str, candidates: I) -> Self
    where
        I: IntoIterator,
        I::Item: AsRef<str>,
    {
        self.nearest = nearest(written, candidates);
        self
    }
}

/// The candidate that a slip of the finger would have turned into `written`: a third of its letters may differ, or its
/// case alone.
pub fn nearest<I>(written: &str, candidates: I) -> Option<String>
where
    I: IntoIterator,
    I::Item: AsRef<str>,
{
    // Distances cost the product of the lengths, and nobody misspells a word this long.
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase();
    let most = (written.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.as_ref() != written && candidate.as_ref().len() <= 64)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.as_ref().to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.as_ref().to_owned())
}

/// Collects diagnostics. What was pushed has to be taken out with [`Diagnostics::finish`]: a collector dropped with
/// faults in it is a mistake of ours, and panics in debug builds.
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one in.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Whether there is a fault (a warning is none).
    pub fn has_faults(&self) -> bool {
        self.faults() > 0
    }

    /// How many faults there are, to be compared before and after a step.
    pub fn faults(&self) -> usize {
        self.list
            .iter()
            .filter(|one| one.severity == Severity::Fault)
            .count()
    }

    /// All of them by place, each once.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        let mut list = std::mem::take(&mut self.list);
        list.sort_by(|a, b| {
            (a.span, a.severity, a.code, &a.message).cmp(&(b.span, b.severity, b.code, &b.message))
        });
        list.dedup();
        list
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        debug_assert!(
            self.list.is_empty() || std::thread::panicking(),
            "diagnostics were never looked at: {:?}",
            self.list
        );
    }
}

/// One line per diagnostic, for logs and terminals without room: `file:line:column: error[code]: message`.
pub fn lines(list: &[Diagnostic], sources: &Sources) -> String {
    let mut text = String::new();
    for one in list {
        if let Some(file) = sources.file(one.span.file) {
            let place = file.position(one.span.start);
            let _ = write!(text, "{}:{}:{}: ", file.name, place.line, place.column);
        }
        let _ = writeln!(text, "{}[{}]: {}", one.severity.name(), one.code, one.message);
    }
    text
}

/// A JSON array for editors and scripts; lines and columns count from 1, `end` is the place after the last character.
pub fn json(list: &[Diagnostic], sources: &Sources) -> serde_json::Value {
    list.iter().map(|one| json_one(one, sources)).collect()
}

fn json_one(one: &Diagnostic, sources: &Sources) -> serde_json::Value {
    let file = sources.file(one.span.file);
    let start = file.map(|file| file.position(one.span.start));
    let end = file.map(|file| file.end(one.span));
    serde_json::json!({
        "code": one.code,
        "severity": one.severity.name(),
        "file": file.map(|file| file.name.as_str()),
        "line": start.map(|place| place.line),
        "column": start.map(|place| place.column),
        "end": end.map(|place| serde_json::json!({ "line": place.line, "column": place.column })),
        "message": one.message,
        "help": one.help,
        "nearest": one.nearest,
    })
}

/// Draws diagnostics with their excerpts, as compilers do.
#[cfg(feature = "draw")]
pub mod draw {
    use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

    use super::{Diagnostic, Severity};
    use crate::source::{Source, Sources, Span};

    /// Lines of an excerpt; what spans more is shown by its beginning.
    const MOST_BYTES: usize = 2_000;

    /// All of them, an empty line between two; with ANSI colours or plain.
    pub fn draw(list: &[Diagnostic], sources: &Sources, coloured: bool) -> String {
        let renderer = if coloured {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = String::new();
        for one in list {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&renderer.render(&[group(one, sources)]));
            text.push('\n');
        }
        text
    }

    fn group<'a>(one: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
        let level = match one.severity {
            Severity::Fault => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(one.message.as_str()).id(one.code));
        if let Some(file) = sources.file(one.span.file) {
            group = if file.has_text() {
                group.element(snippet(one, file))
            } else {
                group.element(place(one, file)).elements(nearest(one))
            };
        }
        if let Some(help) = &one.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    /// Where the text isn't known, the place alone.
    fn place<'a>(one: &Diagnostic, file: &'a Source) -> Origin<'a> {
        let place = file.position(one.span.start);
        Origin::path(file.name.as_str())
            .line(place.line)
            .char_column(place.column)
    }

    fn nearest(one: &Diagnostic) -> Option<annotate_snippets::Message<'_>> {
        let nearest = one.nearest.as_ref()?;
        Some(Level::NOTE.message(format!("did you mean `{nearest}`?")))
    }

    fn snippet<'a>(one: &Diagnostic, file: &'a Source) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let (base, excerpt) = window(file, one.span);
        let place = |offset: u32| (offset as usize).saturating_sub(base).min(excerpt.len());
        let mut mark = AnnotationKind::Primary.span(place(one.span.start)..place(one.span.end));
        if let Some(nearest) = &one.nearest {
            mark = mark.label(format!("did you mean `{nearest}`?"));
        }
        Snippet::source(excerpt)
            .path(file.name.as_str())
            .line_start(file.position(one.span.start).line)
            .annotation(mark)
    }

    fn window(file: &Source, span: Span) -> (usize, &str) {
        let (base, lines) = file.lines(span);
        if lines.len() <= MOST_BYTES {
            return (base, lines);
        }
        let first = Span {
            end: span.start,
            ..span
        };
        file.lines(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let mut sources = Sources::new();
        sources.add(
            "rest.yaml",
            "resources:\n  Post:\n    belongs_to: { author: Usr }\n",
        );
        sources
    }

    fn fault() -> Diagnostic {
        let at = "resources:\n  Post:\n    belongs_to: { author: ".len();
        Diagnostic::new(
            "unknown-resource",
            Span::new(crate::source::FileId(0), at, at + 3),
            "no resource is called `Usr`",
        )
        .help("declare it under `resources:`")
        .near("Usr", ["Post", "User"])
    }

    #[test]
    fn the_nearest_word_is_a_slip_away_or_none() {
        assert_eq!(nearest("titel", ["name", "title"]).as_deref(), Some("title"));
        assert_eq!(nearest("POST", ["Post", "User"]).as_deref(), Some("Post"));
        assert_eq!(nearest("zebra", ["name", "title"]), None);
        assert_eq!(nearest("a", ["name", "b"]).as_deref(), Some("b"));
        assert_eq!(nearest(&"x".repeat(1_000), ["x"]), None);
    }

    #[test]
    fn a_collector_sorts_by_place_and_keeps_each_once() {
        let mut diagnostics = Diagnostics::new();
        let later = Diagnostic {
            span: Span::default(),
            ..fault()
        };
        diagnostics.push(fault());
        diagnostics.push(later.clone());
        diagnostics.push(fault());
        assert!(diagnostics.has_faults());
        assert_eq!(diagnostics.finish(), [later, fault()]);
    }

    #[test]
    fn a_warning_is_no_fault() {
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(fault().warning());
        assert!(!diagnostics.has_faults());
        assert_eq!(diagnostics.finish().len(), 1);
    }

    #[test]
    fn json_names_file_line_and_column() {
        let value = json(&[fault()], &sources());
        assert_eq!(
            value[0],
            serde_json::json!({
                "code": "unknown-resource", "severity": "error", "file": "rest.yaml", "line": 3, "column": 27,
                "end": { "line": 3, "column": 30 }, "message": "no resource is called `Usr`",
                "help": "declare it under `resources:`", "nearest": "User",
            })
        );
    }

    #[cfg(feature = "draw")]
    #[test]
    fn a_file_without_text_is_drawn_by_the_place() {
        let mut sources = Sources::new();
        let file = sources.add_places("src/main.rs");
        let at = crate::source::Position { line: 7, column: 9 };
        let fault = Diagnostic {
            span: sources.place(file, at),
            ..fault()
        };
        let drawn = draw::draw(&[fault], &sources, false);
        insta::assert_snapshot!(drawn, @r"
        error[unknown-resource]: no resource is called `Usr`
        --> src/main.rs:7:9
         = note: did you mean `User`?
         = help: declare it under `resources:`
        ");
    }

    #[cfg(feature = "draw")]
    #[test]
    fn a_drawing_has_the_excerpt_the_nearest_word_and_the_help() {
        insta::assert_snapshot!("drawn_fault", draw::draw(&[fault()], &sources(), false));
    }
}
