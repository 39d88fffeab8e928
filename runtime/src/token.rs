//! Tokens, and the credentials in an `Authorization` header.
//!
//! A token is `rest_`, 32 random bytes in base64url, and a checksum of both in hexadecimal: secret scanners find it,
//! and a mistyped one is refused without asking the database. Only its SHA-256 is kept. Neither a token nor a
//! password has a `Debug` that shows it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

use crate::password::Plain;

/// What every token begins with.
pub const PREFIX: &str = "rest_";

/// Random bytes in a token.
const RANDOM_BYTES: usize = 32;
const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 8;
const LENGTH: usize = PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;

/// The greatest length of an `Authorization` value that is looked at.
const MOST_CREDENTIALS: usize = 8_192;

/// A token's secret.
#[derive(Clone)]
pub struct Secret(String);

/// What is kept of a token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl Secret {
    /// A new one; `None` where the operating system gives no random bytes.
    pub fn generate() -> Option<Self> {
        let mut random = [0; RANDOM_BYTES];
        getrandom::fill(&mut random).ok()?;
        let body = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
        let checksum = checksum(&body);
        Some(Self(body + &checksum))
    }

    /// Reads one; `None` for what can't be one of ours, its checksum being wrong at the latest.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != LENGTH || !text.is_ascii() || !text.starts_with(PREFIX) {
            return None;
        }
        let (body, check) = text.split_at(LENGTH - CHECKSUM_CHARACTERS);
        (checksum(body) == check).then(|| Self(text.to_owned()))
    }

    /// The text, to be shown this once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

fn checksum(body: &str) -> String {
    format!("{:08x}", crc32fast::hash(body.as_bytes()))
}

/// What an `Authorization` header holds.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `Bearer` (RFC 6750): a token that may be one of ours.
    Bearer(Secret),
    /// `Bearer` with what may be another issuer's token: three parts in base64url (RFC 7515, 7.1).
    Compact(Plain),
    /// `Basic` (RFC 7617), in UTF-8.
    Basic {
        /// What names the account.
        identifier: String,
        /// Its password.
        password: Plain,
    },
}

/// Why a header holds no credentials that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unreadable {
    /// A scheme other than Basic and Bearer, or none.
    Scheme,
    /// `Bearer` with what is no token of ours.
    Token,
    /// `Basic` with what isn't base64 of a name, a colon and a password.
    Basic,
}

impl Credentials {
    /// Reads the value of an `Authorization` header. The scheme's case doesn't matter (RFC 9110, 11.1).
    pub fn parse(header: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(header).map_err(|_| Unreadable::Scheme)?;
        let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
        let is = |name: &str| scheme.eq_ignore_ascii_case(name);
        if text.len() > MOST_CREDENTIALS {
            return Err(Unreadable::Scheme);
        }
        let value = rest.trim_start_matches(' ');
        if is("bearer") {
            let ours = Secret::parse(value).map(Self::Bearer);
            let other = || is_compact(value).then(|| Self::Compact(Plain::new(value)));
            ours.or_else(other).ok_or(Unreadable::Token)
        } else if is("basic") {
            basic(value).ok_or(Unreadable::Basic)
        } else {
            Err(Unreadable::Scheme)
        }
    }
}

fn is_compact(value: &str) -> bool {
    let is_part = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let parts: Vec<&str> = value.splitn(4, '.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && is_part(part))
}

fn basic(value: &str) -> Option<Credentials> {
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (identifier, password) = decoded.split_once(':')?;
    // RFC 7617, 2: neither may hold control characters.
    let is_clean = !identifier.is_empty() && !decoded.chars().any(char::is_control);
    is_clean.then(|| Credentials::Basic {
        identifier: identifier.to_owned(),
        password: Plain::new(password),
    })
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::{Credentials, Secret, Unreadable};
    use crate::password::Plain;

    fn secret() -> Secret {
        Secret::generate().expect("random bytes")
    }

    #[test]
    fn a_token_reads_back_and_no_two_are_alike() {
        let (one, two) = (secret(), secret());
        assert_ne!(one.reveal(), two.reveal());
        let read = Secret::parse(one.reveal()).expect("a token");
        assert_eq!(read.digest(), one.digest());
        assert_ne!(one.digest(), two.digest());
        assert!(one.reveal().starts_with("rest_") && one.reveal().len() == 56);
    }

    #[test]
    fn a_slip_in_a_token_is_seen() {
        let token = secret().reveal().to_owned();
        for place in 0..token.len() {
            let other = if token.as_bytes()[place] == b'x' { "y" } else { "x" };
            let mut wrong = token.clone();
            wrong.replace_range(place..=place, other);
            assert!(Secret::parse(&wrong).is_none(), "{place}");
        }
        for wrong in [
            &token[1..],
            &token[..55],
            &format!("{token}0"),
            "",
            "rest_",
            &"é".repeat(28),
        ] {
            assert!(Secret::parse(wrong).is_none());
        }
    }

    #[test]
    fn nothing_secret_is_printed() {
        let secret = secret();
        let header = format!("Bearer {}", secret.reveal());
        let shown = format!(
            "{:?}{:?}{:?}",
            secret,
            secret.digest(),
            Credentials::parse(header.as_bytes())
        );
        assert!(!shown.contains("rest_"), "{shown}");
        let basic = format!("Basic {}", STANDARD.encode("susan:cat"));
        assert!(!format!("{:?}", Credentials::parse(basic.as_bytes())).contains("cat"));
    }

    #[test]
    fn a_bearer_is_read_whatever_the_case_of_its_scheme() {
        let token = secret().reveal().to_owned();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let read = Credentials::parse(format!("{scheme} {token}").as_bytes());
            assert!(matches!(read, Ok(Credentials::Bearer(read)) if read.reveal() == token));
        }
        for value in [
            "Bearer",
            "Bearer ",
            "Bearer x",
            &format!("Bearer {token} "),
            &format!("Bearer {token},x"),
        ] {
            assert_eq!(
                Credentials::parse(value.as_bytes()).err(),
                Some(Unreadable::Token),
                "{value}"
            );
        }
    }

    #[test]
    fn what_has_three_parts_may_be_another_issuers() {
        let read = |value: &str| Credentials::parse(format!("Bearer {value}").as_bytes());
        for token in ["e30.e30.e30", "eyJh-_.x.y"] {
            assert!(matches!(read(token), Ok(Credentials::Compact(found)) if found == Plain::new(token)));
        }
        for wrong in [
            "e30.e30", "e30.e30.", ".e30.e30", "a.b.c.d", "a.b.c.", "a.b.=", "a.b c.d", "..", "é.b.c",
        ] {
            assert_eq!(read(wrong).err(), Some(Unreadable::Token), "{wrong}");
        }
    }

    #[test]
    fn basic_is_a_name_a_colon_and_the_rest() {
        let read =
            |text: &str| match Credentials::parse(format!("Basic {}", STANDARD.encode(text)).as_bytes()) {
                Ok(Credentials::Basic { identifier, password }) => Ok((identifier, password)),
                Ok(Credentials::Bearer(_) | Credentials::Compact(_)) => panic!("no token was sent"),
                Err(error) => Err(error),
            };
        assert_eq!(read("susan:cat"), Ok(("susan".into(), Plain::new("cat"))));
        assert_eq!(read("susan:c:a:t"), Ok(("susan".into(), Plain::new("c:a:t"))));
        assert_eq!(read("é:ü"), Ok(("é".into(), Plain::new("ü"))));
        assert_eq!(read("susan:"), Ok(("susan".into(), Plain::new(""))));
        for wrong in ["susan", ":cat", "", "su\nsan:cat", "susan:c\0t"] {
            assert_eq!(read(wrong), Err(Unreadable::Basic), "{wrong:?}");
        }
        for wrong in [
            "Basic",
            "Basic !",
            "Basic c3VzYW46Y2F0 ",
            "Basic c3VzYW46Y2F",
            "Basic /////w==",
        ] {
            assert_eq!(
                Credentials::parse(wrong.as_bytes()).err(),
                Some(Unreadable::Basic),
                "{wrong}"
            );
        }
    }

    #[test]
    fn other_schemes_are_not_understood() {
        for value in ["", " ", "Digest x", "Bearerx y", "rest_", "\u{a0}", " Bearer x"] {
            assert_eq!(
                Credentials::parse(value.as_bytes()).err(),
                Some(Unreadable::Scheme),
                "{value:?}"
            );
        }
        assert_eq!(Credentials::parse(b"\xff").err(), Some(Unreadable::Scheme));
        assert_eq!(
            Credentials::parse(&[b'a'; 10_000]).err(),
            Some(Unreadable::Scheme)
        );
    }

    proptest! {
        #[test]
        fn no_header_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), scheme in "(Basic |Bearer )?") {
            let _ = Credentials::parse(&[scheme.as_bytes(), &bytes].concat());
        }
    }
}
