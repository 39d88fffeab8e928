//! A cursor: a text that opens is one of ours, a place sealed opens as itself, and for no other order.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rest_runtime::cell::Cell;
use rest_runtime::request::page::{CursorKey, Position};

fn cell((kind, number, text): (u8, i64, &str)) -> Cell {
    match kind % 5 {
        0 => Cell::Null,
        1 => Cell::Integer(number),
        2 => Cell::Real(number as f64 / 3.0),
        3 => Cell::Text(text.to_owned()),
        _ => Cell::Blob(text.as_bytes().to_vec()),
    }
}

fuzz_target!(|input: (u64, bool, Vec<(u8, i64, &str)>, &str)| {
    let (binding, backward, cells, text) = input;
    let key = CursorKey::new([7; 32]);
    if let Ok(position) = Position::open(text, &key, binding) {
        assert_eq!(position.seal(&key, binding), text);
    }
    let values = cells.into_iter().map(cell).collect();
    let position = Position { values, backward };
    let sealed = position.seal(&key, binding);
    assert_eq!(Position::open(&sealed, &key, binding).ok(), Some(position));
    assert!(Position::open(&sealed, &key, !binding).is_err());
});
