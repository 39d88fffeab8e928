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
    // rules
    "computed-in-rule"   "A rule uses a computed field";
    "rule-cycle"         "A rule uses itself, by its own name or over others";
    "rule-literal"       "A literal isn't a value of the type it is compared with";
    "rule-null"          "A comparison with null, which is never true";
    "rule-place"         "A word of the rule language where it means nothing";
    "rule-syntax"        "A rule that can't be read";
    "rule-too-large"     "A rule that is too long or nests too deep, with the rules it uses written out";
    "rule-type"          "Types that don't go together, or no condition where one is needed";
    "to-many-path"       "A path over a relation to many rows where one row is needed";
    "to-one-path"        "A relation to one row where many are needed";
    "unknown-name"       "A name in a rule that nothing there has";
};
