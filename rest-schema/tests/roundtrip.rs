//! `resolve(parse(export(s))) == s`, for schemas that a generator makes of random bytes; and no text makes us panic.
#![cfg(feature = "yaml")]
#![allow(missing_docs, clippy::unwrap_used)]

mod random;

use proptest::prelude::*;
use random::schema as generate;
use rest_schema::raw::{Block, Value};
use rest_schema::{Schema, export, read_one};

fn raw_of(text: &str) -> Block {
    let mut sources = rest_schema::Sources::new();
    let mut diagnostics = rest_schema::Diagnostics::new();
    let raw = rest_schema::yaml::parse(
        "r.yaml",
        text,
        &mut |_| Ok(Vec::new()),
        &mut sources,
        &mut diagnostics,
    );
    assert_eq!(diagnostics.finish(), []);
    raw.unwrap().root
}

/// Keys are exported in the order of their table.
fn in_order(block: &Block) {
    let place = |key: &str| block.level.rows().iter().position(|row| row.key == key);
    let places: Vec<_> = block.entries.iter().map(|entry| place(entry.key.key)).collect();
    assert!(places.is_sorted(), "{block:?}");
    for entry in &block.entries {
        match &entry.value {
            Value::Block(inner) => in_order(inner),
            Value::Blocks(list) => list.iter().for_each(in_order),
            Value::Named(list) => list.iter().for_each(|named| in_order(&named.block)),
            _ => {}
        }
    }
}

fn parsed(text: &str) -> Option<Schema> {
    read_one("random.yaml", text).ok().map(|loaded| loaded.schema)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_exported_is_read_as_the_same(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = generate(&bytes);
        if let Some(schema) = parsed(&text) {
            let exported = export(&schema);
            match read_one("exported.yaml", &exported) {
                Ok(again) => prop_assert_eq!(&again.schema, &schema, "{}\n{}", text, exported),
                Err(report) => prop_assert!(false, "{}\n{}\n{}", text, exported, report.lines()),
            }
            prop_assert_eq!(export(&schema), exported.as_str());
            in_order(&raw_of(&exported));
        }
    }

    #[test]
    fn a_damaged_schema_is_refused_or_read_but_never_a_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..40, "[ -~äöü\n\t]{0,12}"), 1..4),
    ) {
        let mut text = include_str!("microblog.yaml").to_owned();
        for (at, length, put) in cuts {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let start = places[at.index(places.len())];
            let end = places.iter().copied().find(|end| *end >= start + length).unwrap_or(text.len());
            text.replace_range(start..end, &put);
        }
        if let Err(report) = read_one("damaged.yaml", &text) {
            prop_assert!(report.faults() > 0);
            prop_assert!(!report.lines().is_empty() && report.json().is_array());
        }
    }
}

#[test]
fn most_of_what_the_generator_makes_is_sound() {
    let mut state = 1u64;
    let mut sound = 0;
    for _ in 0..200 {
        let bytes: Vec<u8> = (0..200)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                u8::try_from(state >> 56).unwrap()
            })
            .collect();
        sound += usize::from(parsed(&generate(&bytes)).is_some());
    }
    assert!(sound > 100, "{sound} of 200");
}
