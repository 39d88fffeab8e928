//! Where things stand: files, places in them, and a scalar's text with its place.
//!
//! Offsets are in bytes; lines and columns are worked out only when a fault is shown.

/// A file's place in [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u16);

/// A part of a file, in bytes; `end` is after the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// Which file.
    pub file: FileId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// A part of a file; what lies beyond 4 GiB is cut (no reader takes such a file).
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        let cut = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
        Self {
            file,
            start: cut(start),
            end: cut(end.max(start)),
        }
    }

    /// Whether another part lies within this one.
    pub fn contains(self, other: Self) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }

    /// From the start of this part to the end of another in the same file.
    pub fn to(self, other: Self) -> Self {
        Self {
            end: other.end.max(self.end),
            ..self
        }
    }
}

/// A place as people count: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in it.
    pub column: usize,
}

/// One file.
#[derive(Clone)]
pub struct Source {
    /// Its name, as it is shown.
    pub name: String,
    /// Its text; empty where only places in it are known.
    pub text: String,
    starts: Vec<usize>,
    /// Where the text isn't known: the places that offsets stand for.
    places: Vec<Position>,
}

// The text would drown what else there is to see.
impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.text.len())
    }
}

impl Source {
    fn new(name: String, text: String) -> Self {
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            name,
            text,
            starts,
            places: Vec::new(),
        }
    }

    /// Whether there is an excerpt to show.
    pub fn has_text(&self) -> bool {
        self.places.is_empty()
    }

    /// The line (from 0) that an offset is in.
    fn line_of(&self, offset: usize) -> usize {
        self.starts
            .partition_point(|start| *start <= offset)
            .saturating_sub(1)
    }

    /// The place of an offset; the end of the text for one beyond it.
    pub fn position(&self, offset: u32) -> Position {
        if let Some(place) = self.places.get(offset as usize).or(self.places.last()) {
            return *place;
        }
        let offset = floor(&self.text, offset as usize);
        let line = self.line_of(offset);
        let start = self.starts.get(line).copied().unwrap_or(0);
        Position {
            line: line + 1,
            column: self.text[start..offset].chars().count() + 1,
        }
    }

    /// The place after a part; of a part without text, its own.
    pub fn end(&self, span: Span) -> Position {
        self.position(if self.has_text() { span.end } else { span.start })
    }

    /// The whole lines that a span touches, and the offset at which they begin.
    pub fn lines(&self, span: Span) -> (usize, &str) {
        let first = self.line_of(floor(&self.text, span.start as usize));
        let last = self.line_of(floor(&self.text, (span.end.max(span.start + 1) - 1) as usize));
        let start = self.starts.get(first).copied().unwrap_or(0);
        let end = self.starts.get(last + 1).map_or(self.text.len(), |next| next - 1);
        (start, &self.text[start..end.max(start)])
    }
}

/// The nearest offset at or below `offset` that is between two characters.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// All files of one schema.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<Source>,
}

impl Sources {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a file in. There is room for 65,535; the readers stop long before.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(u16::try_from(self.files.len()).unwrap_or(u16::MAX));
        self.files.push(Source::new(name.into(), text.into()));
        id
    }

    /// Takes in a file of which only places are known: those that [`Sources::place`] adds.
    pub fn add_places(&mut self, name: impl Into<String>) -> FileId {
        self.add(name, "")
    }

    /// A place in a file without a text.
    pub fn place(&mut self, file: FileId, place: Position) -> Span {
        let Some(source) = self.files.get_mut(usize::from(file.0)) else {
            return Span::default();
        };
        let at = source.places.len();
        source.places.push(place);
        Span::new(file, at, at + 1)
    }

    /// A file by its id.
    pub fn file(&self, id: FileId) -> Option<&Source> {
        self.files.get(usize::from(id.0))
    }

    /// All files, in the order in which they were read.
    pub fn files(&self) -> &[Source] {
        &self.files
    }

    /// How many files there are.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The text of a part; empty for a part of no file.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).map_or("", |file| {
            let end = floor(&file.text, span.end as usize);
            &file.text[floor(&file.text, span.start as usize).min(end)..end]
        })
    }

    /// The place where a part begins.
    pub fn position(&self, span: Span) -> Option<Position> {
        self.file(span.file).map(|file| file.position(span.start))
    }
}

/// A scalar's text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// What the scalar says, after quotes and escapes.
    pub text: String,
    /// The scalar as it is written, quotes and all.
    pub span: Span,
    /// The offset in the file at which `text` begins, where it stands there letter by letter.
    pub verbatim: Option<u32>,
}

impl Excerpt {
    /// A text of which only the whole is known to stand somewhere.
    pub fn whole(text: impl Into<String>, span: Span) -> Self {
        Self {
            text: text.into(),
            span,
            verbatim: None,
        }
    }

    /// Where the bytes `start..end` of the text stand; the whole scalar where that can't be told.
    pub fn sub(&self, start: usize, end: usize) -> Span {
        match self.verbatim {
            Some(base) => {
                let base = base as usize;
                Span::new(self.span.file, base + start, base + end)
            }
            None => self.span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_from_one() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "eins: 1\nzwölf: x\n");
        let place = |start| sources.position(Span::new(file, start, start + 1));
        assert_eq!(place(0), Some(Position { line: 1, column: 1 }));
        assert_eq!(place(8), Some(Position { line: 2, column: 1 }));
        assert_eq!(place(14), Some(Position { line: 2, column: 6 }));
        assert_eq!(place(11), place(10));
        assert_eq!(place(999), Some(Position { line: 3, column: 1 }));
    }

    #[test]
    fn lines_are_those_a_span_touches() {
        let mut sources = Sources::new();
        let file = sources.add("a.yaml", "one\ntwo\nthree");
        let lines = |start, end| {
            sources
                .file(file)
                .map(|source| source.lines(Span::new(file, start, end)))
        };
        assert_eq!(lines(5, 6), Some((4, "two")));
        assert_eq!(lines(5, 9), Some((4, "two\nthree")));
        assert_eq!(lines(0, 4), Some((0, "one")));
        assert_eq!(lines(13, 13), Some((8, "three")));
    }

    #[test]
    fn a_part_of_a_scalar_is_found_only_where_it_is_verbatim() {
        let span = Span::new(FileId(0), 10, 17);
        let mut excerpt = Excerpt::whole("a = b", span);
        assert_eq!(excerpt.sub(4, 5), span);
        excerpt.verbatim = Some(11);
        assert_eq!(excerpt.sub(4, 5), Span::new(FileId(0), 15, 16));
    }
}
