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
    // text
    "yaml"               "The file isn't YAML";
    "rust"               "The file isn't Rust, or its attributes can't be read";
    "not-derivable"      "What can't be a resource, an enum of words or a service";
    "too-large"          "The files, their values or their nesting are larger than any schema's";
    "include"            "A file that is to be included isn't there";
    "duplicate-key"      "A key stands twice in one mapping";
    "unknown-key"        "A word that means nothing there";
    "missing-key"        "A word that has to be there";
    "wrong-shape"        "A value of another shape than its word has";
    "unknown-word"       "A value that is none of the words there are";
    "needs-quotes"       "A text that YAML ends before its author does";
    // names
    "bad-name"           "A name that can't be one";
    "bad-collection"     "An address that can't be one";
    "bad-prefix"         "A prefix that addresses can't begin with";
    "reserved-name"      "A name that requests or rules use for something else";
    "reserved-collection" "An address that is the service's own";
    "reserved-table"     "A table that is the service's or the database's own";
    "duplicate-name"     "A name that means two things in one resource";
    "duplicate-collection" "Two resources at one address";
    "duplicate-table"    "Two resources or relations in one table";
    "duplicate-column"   "Two fields in one column";
    "unknown-resource"   "A name that no resource has";
    "unknown-field"      "A name that no field of the resource has";
    "unknown-mixin"      "A name that no mixin has";
    "unused-mixin"       "A mixin that no resource has";
    "mixin-conflict"     "Two mixins that say different things of one name";
    "cycle"              "A mixin or a key that needs itself";
    // fields
    "unknown-type"       "A name that no type has";
    "wrong-type"         "A word that means nothing for the field's type";
    "bad-interval"       "An interval that can't be read or that nothing is in";
    "bad-pattern"        "A pattern that can't be read or can't be matched in linear time";
    "bad-literal"        "A value that isn't one of the field's";
    "bad-default"        "A default that doesn't fit the field";
    "contradiction"      "Two words that can't both hold";
    "never-set"          "A required field that no client and no default may give";
    // keys, relations, orders
    "bad-key"            "What can't tell one item from another, or can't be written into an address";
    "wrong-columns"      "Columns that aren't as many as the fields they hold";
    "duplicate-index"    "A uniqueness or an index that is there already";
    "computed-field"     "A computed field where a column is needed";
    "bad-sort"           "An order that can't be asked for";
    "unindexed-sort"     "An order that no index has, in tables that aren't ours";
    // service
    "bad-origin"         "What isn't an origin as browsers write it";
    "bad-accounts"       "Accounts that couldn't sign in";
    "no-access"          "A resource that nobody may use";
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
