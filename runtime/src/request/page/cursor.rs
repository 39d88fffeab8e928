//! A place in an order, sealed into text.
//!
//! `base64url(version, tag, encrypted position)`. The tag is SipHash-2-4-128 over the binding (a hash of the sort and
//! filter that the cursor belongs to) and the position, and it is what the key stream starts from: a synthetic
//! initialisation vector, as in RFC 5297, which needs no random numbers and gives the same place the same text.

use std::hash::Hasher;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use siphasher::sip128::{Hasher128, SipHasher24};
use subtle::ConstantTimeEq;

use crate::cell::Cell;
use crate::problem::{Code, Problem};

const VERSION: u8 = 1;
const TAG_LENGTH: usize = 12;

/// The secret of a service's cursors, shared by its instances.
#[derive(Clone)]
pub struct CursorKey {
    tag: [u8; 16],
    stream: [u8; 16],
}

impl CursorKey {
    /// From 32 random bytes.
    pub fn new(secret: [u8; 32]) -> Self {
        let (mut tag, mut stream) = ([0; 16], [0; 16]);
        tag.copy_from_slice(&secret[..16]);
        stream.copy_from_slice(&secret[16..]);
        Self { tag, stream }
    }

    fn tag_of(&self, binding: u64, plain: &[u8]) -> [u8; TAG_LENGTH] {
        let mut hasher = SipHasher24::new_with_key(&self.tag);
        hasher.write(&[VERSION]);
        hasher.write(&binding.to_le_bytes());
        hasher.write(plain);
        let mut tag = [0; TAG_LENGTH];
        tag.copy_from_slice(&hasher.finish128().as_bytes()[..TAG_LENGTH]);
        tag
    }

    /// Encrypts and decrypts: one way is the other.
    fn apply_stream(&self, tag: &[u8], bytes: &mut [u8]) {
        for (count, block) in (0u64..).zip(bytes.chunks_mut(16)) {
            let mut hasher = SipHasher24::new_with_key(&self.stream);
            hasher.write(tag);
            hasher.write(&count.to_le_bytes());
            for (byte, key) in block.iter_mut().zip(hasher.finish128().as_bytes()) {
                *byte ^= key;
            }
        }
    }
}

impl std::fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CursorKey(…)")
    }
}

/// A place between two rows of an order.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    /// The values of the order's terms at the row beside it, the key's last.
    pub values: Vec<Cell>,
    /// Whether the page ends here, rather than begins.
    pub backward: bool,
}

impl Position {
    /// The cursor's text.
    pub fn seal(&self, key: &CursorKey, binding: u64) -> String {
        let mut plain = self.encode();
        let tag = key.tag_of(binding, &plain);
        key.apply_stream(&tag, &mut plain);
        let mut sealed = Vec::with_capacity(1 + TAG_LENGTH + plain.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&tag);
        sealed.extend_from_slice(&plain);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// Opens a cursor that [`Position::seal`] made with the same key and binding; anything else is refused, with 400.
    pub fn open(text: &str, key: &CursorKey, binding: u64) -> Result<Self, Problem> {
        Self::unseal(text, key, binding).ok_or_else(|| {
            Problem::new(Code::BadCursor).parameter(
                "cursor",
                Code::BadCursor,
                "the cursor was made for another sort or filter, or not by this service; begin again without one",
            )
        })
    }

    fn unseal(text: &str, key: &CursorKey, binding: u64) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (&VERSION, rest) = sealed.split_first()? else {
            return None;
        };
        let (tag, hidden) = rest.split_at_checked(TAG_LENGTH)?;
        let mut plain = hidden.to_vec();
        key.apply_stream(tag, &mut plain);
        let is_ours: bool = key.tag_of(binding, &plain).ct_eq(tag).into();
        if !is_ours {
            return None;
        }
        Self::decode(&plain)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![u8::from(self.backward)];
        for value in &self.values {
            match value {
                Cell::Null => bytes.push(0),
                Cell::Integer(integer) => {
                    bytes.push(1);
                    put_varint(&mut bytes, zigzag(*integer));
                }
                Cell::Real(real) => {
                    bytes.push(2);
                    bytes.extend_from_slice(&real.to_bits().to_le_bytes());
                }
                Cell::Text(text) => put_bytes(&mut bytes, 3, text.as_bytes()),
                Cell::Blob(blob) => put_bytes(&mut bytes, 4, blob),
            }
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&direction, mut rest) = bytes.split_first()?;
        let mut values = Vec::new();
        while let Some((&tag, after)) = rest.split_first() {
            rest = after;
            values.push(match tag {
                0 => Cell::Null,
                1 => Cell::Integer(unzigzag(take_varint(&mut rest)?)),
                2 => Cell::Real(f64::from_bits(u64::from_le_bytes(*take_chunk(&mut rest)?))),
                3 => Cell::Text(String::from_utf8(take_bytes(&mut rest)?).ok()?),
                4 => Cell::Blob(take_bytes(&mut rest)?),
                _ => return None,
            });
        }
        let backward = match direction {
            0 => false,
            1 => true,
            _ => return None,
        };
        Some(Self { values, backward })
    }
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn put_bytes(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) {
    bytes.push(tag);
    put_varint(bytes, content.len() as u64);
    bytes.extend_from_slice(content);
}

fn take_bytes(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = usize::try_from(take_varint(rest)?).ok()?;
    let (content, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(content.to_vec())
}

fn take_chunk<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (chunk, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(chunk)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> CursorKey {
        CursorKey::new(std::array::from_fn(|i| i as u8))
    }

    fn position(values: &[Cell]) -> Position {
        Position {
            values: values.to_vec(),
            backward: false,
        }
    }

    #[test]
    fn a_cursor_is_short_and_says_nothing() {
        let place = position(&[Cell::Text("susan@example.org".into()), Cell::Integer(7)]);
        let text = place.seal(&key(), 1);
        assert!(text.len() < 60, "{text}");
        let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        assert!(!bytes.windows(5).any(|window| window == b"susan"));
        assert_eq!(text, place.seal(&key(), 1));
    }

    #[test]
    fn a_cursor_is_bound_to_its_sort_filter_and_service() {
        let text = position(&[Cell::Integer(7)]).seal(&key(), 1);
        let refused = Position::open(&text, &key(), 2).expect_err("another binding");
        assert_eq!(refused.code(), Code::BadCursor);
        assert!(Position::open(&text, &CursorKey::new([0; 32]), 1).is_err());
        assert!(Position::open(&text, &key(), 1).is_ok());
    }

    #[test]
    fn values_of_every_kind_are_kept_to_the_bit() {
        let place = Position {
            values: vec![
                Cell::Null,
                Cell::Integer(i64::MIN),
                Cell::Integer(i64::MAX),
                Cell::Integer(-1),
                Cell::Real(0.1),
                Cell::Real(-0.0),
                Cell::Text(String::new()),
                Cell::Text("é\u{0}".into()),
                Cell::Blob(vec![0, 255]),
            ],
            backward: true,
        };
        let opened = Position::open(&place.seal(&key(), 9), &key(), 9).expect("our own");
        assert_eq!(opened, place);
        let Cell::Real(zero) = opened.values[5] else {
            panic!("a real")
        };
        assert!(zero.is_sign_negative());
    }

    fn any_cell() -> impl Strategy<Value = Cell> {
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Integer),
            (-1e300..1e300).prop_map(Cell::Real),
            "\\PC{0,40}".prop_map(Cell::Text),
            proptest::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Blob),
        ]
    }

    proptest! {
        #[test]
        fn what_is_sealed_is_opened(
            values in proptest::collection::vec(any_cell(), 0..6), backward: bool, binding: u64, secret: [u8; 32],
        ) {
            let (place, key) = (Position { values, backward }, CursorKey::new(secret));
            let opened = Position::open(&place.seal(&key, binding), &key, binding);
            prop_assert_eq!(opened.expect("our own"), place);
        }

        #[test]
        fn a_changed_byte_is_noticed(
            values in proptest::collection::vec(any_cell(), 0..4), place: prop::sample::Index, change in 1u8..,
        ) {
            let mut bytes = URL_SAFE_NO_PAD.decode(position(&values).seal(&key(), 3)).expect("base64url");
            let place = place.index(bytes.len());
            bytes[place] ^= change;
            prop_assert!(Position::open(&URL_SAFE_NO_PAD.encode(bytes), &key(), 3).is_err());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}", bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(Position::open(&text, &key(), 0).is_err());
            prop_assert!(Position::open(&URL_SAFE_NO_PAD.encode(&bytes), &key(), 0).is_err());
            let _ = Position::decode(&bytes);
        }
    }
}
