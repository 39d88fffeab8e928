//! Every fault of a struct on its token: `tests/ui/<rule>.rs` beside what the compiler says, `<rule>.stderr`.
//!
//! A rule has the name that it has in `tests/faults`, where the same fault stands in YAML. `TRYBUILD=overwrite` writes
//! the second file anew; read what it wrote.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

#[test]
fn every_fault_is_told_on_its_token() {
    trybuild::TestCases::new().compile_fail("../tests/ui/*.rs");
}

/// Rules that only a schema in YAML can break, or that only shows where all resources are seen.
const ONLY_YAML: &[&str] = &[
    // between resources: the service's test tells them, its start, and `rest-gen check`
    "bad-accounts-jwt",
    "bad-accounts-key",
    "bad-accounts-not-a-text",
    "bad-accounts-not-unique",
    "bad-accounts-password",
    "bad-default-me-of-another",
    "bad-default-me-without-accounts",
    "bad-key-of-pairs",
    "computed-in-rule-keys",
    "contradiction-left-behind",
    "contradiction-through-column",
    "contradiction-through-member",
    "contradiction-through-one-side",
    "contradiction-through-twice",
    "contradiction-through-which",
    "cycle-of-keys",
    "duplicate-collection",
    "duplicate-name-of-an-inverse",
    "duplicate-name-of-keys",
    "duplicate-table",
    "duplicate-table-of-pairs",
    "missing-key-accounts-of-jwt",
    "missing-key-accounts-of-sessions",
    "rule-me-without-accounts",
    "rule-place-active",
    "unknown-account-field",
    "unknown-name-of-a-scope",
    // warnings, which a macro can't tell
    "no-access",
    "unindexed-sort",
    "unindexed-sort-of-an-include",
    // said by the Rust type
    "missing-target",
    "missing-type",
    "missing-values",
    "wrong-type-values",
    // said by a list of its own shape
    "wrong-shape-list",
    // files and mixins, which Rust has no form for
    "empty-file",
    "include-without-a-file",
    "merge-key",
    "mixin-conflict",
    "mixin-cycle",
    "mixin-fault-told-once",
    "not-a-mapping",
    "unknown-mixin",
    "unused-mixin",
    // the text itself
    "needs-quotes-comma",
    "needs-quotes-comment",
    "needs-quotes-decimal",
    "needs-quotes-enum",
    "needs-quotes-varchar",
    "yaml-alias-bomb",
    "yaml-broken",
    "yaml-enum-in-braces",
    "yaml-rule-in-braces",
    "yaml-too-deep",
    "yaml-two-documents",
    "yaml-unknown-alias",
];

/// Rules that only a struct can break.
const ONLY_RUST: &[&str] = &[
    // a range of Rust
    "bad-interval-without-its-end",
    // the field that holds the key
    "bad-key-missing",
    "bad-key-of-32-bits",
    "contradiction-generated-key",
    // names and keys that follow from the form of a field
    "bad-name-of-a-relation",
    "unknown-key-belongs-to",
    "unknown-key-of-a-relation",
    "unknown-key-of-a-variant",
    "unknown-key-of-another-form",
    "unknown-key-of-the-struct",
    "wrong-shape-belongs-to",
    "wrong-shape-name",
    // Rust types
    "contradiction-many-to-many",
    "contradiction-type",
    "unknown-type-of-a-foreign-key",
    "unknown-type-of-a-reference",
    "unknown-type-of-a-tuple",
    "unknown-type-of-a-struct",
    "unknown-type-of-rust",
    // what a derive can stand on
    "not-derivable-empty-enum",
    "not-derivable-enum-as-resource",
    "not-derivable-enum-as-service",
    "not-derivable-generic",
    "not-derivable-lifetime",
    "not-derivable-struct-as-enum",
    "not-derivable-tuple",
    "not-derivable-union",
    "not-derivable-variant",
    // other structs that derive nothing
    "unknown-resource-of-a-service",
    "unknown-resource-without-its-derive",
    // keywords as keys, and rules of several lines
    "rule-syntax-beside-others",
    // the text itself
    "rust-no-comma",
    "rust-no-parentheses",
    "rust-path-without-quotes",
    "rust-rule-without-quotes",
    "rust-suffix",
    "rust-value-missing",
];

#[test]
fn a_rule_has_one_name_in_yaml_and_in_rust() {
    let (yaml, rust) = (names("../tests/faults", "yaml"), names("../tests/ui", "rs"));
    let only = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let without = |all: &BTreeSet<String>, others| all.difference(others).cloned().collect::<BTreeSet<_>>();
    assert_eq!(without(&yaml, &rust), only(ONLY_YAML));
    assert_eq!(without(&rust, &yaml), only(ONLY_RUST));
    assert_eq!(rust, names("../tests/ui", "stderr"));
}

fn names(folder: &str, end: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.extension().is_some_and(|one| one == end));
    paths
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}
