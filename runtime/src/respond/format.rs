//! The forms in which rows are answered: which there are, and how each quotes values and frames rows.
//!
//! A [`crate::codec::Codec`] says what a value is in letters; a [`Writing`] puts quotes around it and stands it beside
//! its neighbours. Nothing else tells the forms apart where rows are written.

mod csv;
mod json;

pub use csv::Csv;
pub use json::Json;

/// A form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// Plain JSON.
    #[default]
    Json,
    /// JSON with `_links` and `_embedded` (draft-kelly-json-hal-11).
    Hal,
    /// A JSON object a line; a stream.
    Ndjson,
    /// RFC 4180; a stream.
    Csv,
}

impl Format {
    /// Whether its answers are the whole result, sent while it is read.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Ndjson | Self::Csv)
    }
}

/// A media type under which a form is asked for, and answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Media {
    /// As `Accept` names it.
    pub name: &'static str,
    /// As `Content-Type` says it.
    pub content_type: &'static str,
    /// The form.
    pub format: Format,
}

const fn media(name: &'static str, format: Format) -> Media {
    Media {
        name,
        content_type: name,
        format,
    }
}

/// The media types of a collection, the preferred first. An item has those before the streams, the answer to a write the
/// first.
static MEDIA: [Media; 6] = [
    media("application/json", Format::Json),
    media("application/hal+json", Format::Hal),
    media("application/x-ndjson", Format::Ndjson),
    media("application/jsonl", Format::Ndjson),
    media("application/ndjson", Format::Ndjson),
    Media {
        name: "text/csv",
        content_type: "text/csv; charset=utf-8; header=present",
        format: Format::Csv,
    },
];

/// What an answer may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The items of a collection.
    Collection,
    /// One item.
    Item,
    /// What else there is.
    Other,
}

impl Content {
    /// The media types in which it is told, the preferred first.
    pub fn media(self) -> &'static [Media] {
        match self {
            Self::Collection => &MEDIA,
            Self::Item => &MEDIA[..2],
            Self::Other => &MEDIA[..1],
        }
    }
}

/// How a form quotes values, and frames them to rows.
pub trait Writing {
    /// No value.
    fn null(out: &mut Vec<u8>);

    /// A number, `true` or `false`: it stands for itself.
    fn bare(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>));

    /// A text that holds nothing to be escaped anywhere: a date, a decimal, a UUID.
    fn plain(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>));

    /// Any text.
    fn text(out: &mut Vec<u8>, text: &str);

    /// A JSON document.
    fn document(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>));

    /// Before a row.
    fn begin(out: &mut Vec<u8>);

    /// Before a value of a row: its name is `"name":`, as JSON.
    fn member(out: &mut Vec<u8>, is_first: bool, name: &[u8]);

    /// In the place of a value that this row doesn't show; whether it is a place that counts.
    fn absent(out: &mut Vec<u8>, is_first: bool) -> bool;

    /// After a row.
    fn end(out: &mut Vec<u8>);
}
