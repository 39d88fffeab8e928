//! A body: read as JSON, then checked against a resource by each of the ways a body is taken.
#![no_main]

use std::sync::LazyLock;

use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use rest_fuzz::{BLOG, TYPES, chosen};
use rest_runtime::request::body::{self, Json};
use rest_runtime::validate::{Validators, Writer};
use rest_schema::Schema;

static VALIDATORS: LazyLock<[Validators; 2]> = LazyLock::new(|| [&BLOG, &TYPES].map(|schema| made(schema)));

fn made(schema: &Schema) -> Validators {
    match Validators::new(schema) {
        Ok(validators) => validators,
        Err(fault) => panic!("{fault}"),
    }
}

fuzz_target!(|input: (u8, bool, u8, &[u8])| {
    let (resource, typed, way, bytes) = input;
    let Ok(json) = body::parse(bytes) else {
        return;
    };
    let again = body::parse(json.to_text().as_bytes());
    assert_eq!(again.ok().as_ref(), Some(&json));
    let schema = if typed { &TYPES } else { &BLOG };
    let validator = VALIDATORS[usize::from(typed)].resource(chosen(schema, resource));
    let writer = Writer {
        now: Timestamp::UNIX_EPOCH,
        me: None,
        closed: &|_| false,
    };
    match (way % 4, &json) {
        (0, _) => drop(validator.create(&json, "", &writer)),
        (1, Json::Array(items)) => drop(validator.create_many(items, &writer)),
        (2, _) => drop(validator.merge(&json, &writer)),
        _ => drop(validator.replace(&json, &[], &writer)),
    }
});
