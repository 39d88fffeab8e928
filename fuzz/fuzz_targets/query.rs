//! A query string: understood or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rest_fuzz::{BLOG, TYPES, chosen};
use rest_runtime::request::query;
use rest_runtime::respond::format::Format;

fuzz_target!(|input: (u8, bool, bool, &str)| {
    let (resource, typed, item, raw) = input;
    let schema = if typed { &TYPES } else { &BLOG };
    let resource = chosen(schema, resource);
    let visible = |_| true;
    if item {
        drop(query::item(schema, resource, Some(raw), &visible));
    } else {
        drop(query::collection(schema, resource, Some(raw), Format::Json, &visible));
    }
});
