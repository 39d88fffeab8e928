//! The table of diagnostic codes: one row per word, with what it means.
//!
//! A code is never used for another meaning; a test compares the table with the cases in `tests/faults/`.

/// A row of the table.
#[derive(Debug)]
pub struct CodeRow {
    /// The word.
    pub code: &'static str,
    /// What it means, in one sentence.
    pub doc: &'static str,
}

macro_rules! codes {
    ($($code:literal $doc:literal;)*) => { &[$(CodeRow { code: $code, doc: $doc }),*] };
}

/// All codes, by topic.
#[rustfmt::skip]
pub const CODES: &[CodeRow] = codes! {
    "not-yet"            "The word has a meaning that this version doesn't serve";
};
