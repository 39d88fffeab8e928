//! How a hash is made: methods and their parameters, as hashes name them.
//!
//! A stored hash is foreign text: its parameters are bounded before anything is computed with them.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, STANDARD_NO_PAD};
use pbkdf2::pbkdf2_hmac;
use sha2::Digest as _;
use subtle::ConstantTimeEq;

use super::Style;

/// What Werkzeug means by `pbkdf2` without a count (3.1).
const PBKDF2_ROUNDS: u32 = 1_000_000;
const MOST_PBKDF2_ROUNDS: u32 = 10_000_000;
/// Blocks of 128 bytes that scrypt may hold: 256 MiB.
const MOST_SCRYPT_BLOCKS: u64 = 1 << 21;
const MOST_SCRYPT_PARALLEL: u32 = 16;
/// Argon2's memory in KiB, its passes, and their product.
const MOST_ARGON2_MEMORY: u32 = 1 << 18;
const MOST_ARGON2_PASSES: u32 = 64;
const MOST_ARGON2_WORK: u64 = 1 << 21;
const MOST_ARGON2_LANES: u32 = 16;
/// Rounds of bcrypt, as a power of two: some seconds.
const MOST_BCRYPT_COST: u32 = 16;
/// Bytes of a password that bcrypt looks at.
const BCRYPT_LOOKS_AT: usize = 72;
/// Bytes of a hash: what a stored text may make us compute.
const MOST_BYTES: usize = 128;
/// Bytes of a whole stored text.
const MOST_TEXT: usize = 1_024;

/// bcrypt's digits; the last ones of a text hold bits that say nothing.
const BCRYPT_DIGITS: GeneralPurpose =
    GeneralPurpose::new(&alphabet::BCRYPT, NO_PAD.with_decode_allow_trailing_bits(true));

const WERKZEUG_SALT: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A way to make a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `$argon2id$v=19$m=19456,t=2,p=1$…`
    Argon2 {
        algorithm: Algorithm,
        memory: u32,
        passes: u32,
        lanes: u32,
    },
    /// `scrypt:32768:8:1$…`
    Scrypt { log_n: u8, r: u32, p: u32 },
    /// `pbkdf2:sha256:600000$…`, and Django's `pbkdf2_sha256$600000$…`
    Pbkdf2 { digest: Digest, rounds: u32 },
    /// `$2b$12$…`, and Django's `bcrypt$$2b$12$…` and, of the password's digest, `bcrypt_sha256$$2b$12$…`
    Bcrypt { cost: u32, of_digest: bool },
}

/// Hash functions under PBKDF2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha1,
    Sha256,
    Sha512,
}

/// A stored hash, taken apart.
pub(super) struct Stored {
    pub(super) scheme: Scheme,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

impl Scheme {
    /// How new hashes are made: OWASP's parameters of argon2id, Werkzeug's own of scrypt.
    pub(super) fn of_style(style: Style) -> Self {
        match style {
            Style::Argon2id => Self::Argon2 {
                algorithm: Algorithm::Argon2id,
                memory: 19_456,
                passes: 2,
                lanes: 1,
            },
            Style::Werkzeug => Self::Scrypt {
                log_n: 15,
                r: 8,
                p: 1,
            },
            Style::Quick => Self::Pbkdf2 {
                digest: Digest::Sha256,
                rounds: 1,
            },
        }
    }

    /// A new hash with a new salt, as text.
    pub(super) fn hash(&self, password: &[u8]) -> Option<String> {
        match self {
            Self::Argon2 {
                algorithm,
                memory,
                passes,
                lanes,
            } => {
                let mut salt = [0; 16];
                getrandom::fill(&mut salt).ok()?;
                let hash = STANDARD_NO_PAD.encode(self.derive(password, &salt, 32)?);
                let salt = STANDARD_NO_PAD.encode(salt);
                Some(format!(
                    "${algorithm}$v=19$m={memory},t={passes},p={lanes}${salt}${hash}"
                ))
            }
            Self::Scrypt { log_n, r, p } => {
                let salt = werkzeug_salt()?;
                let hash = hex(&self.derive(password, salt.as_bytes(), 64)?);
                Some(format!("scrypt:{}:{r}:{p}${salt}${hash}", 1u64 << log_n))
            }
            Self::Pbkdf2 { digest, rounds } => {
                let salt = werkzeug_salt()?;
                let hash = hex(&self.derive(password, salt.as_bytes(), digest.bytes())?);
                Some(format!("pbkdf2:{}:{rounds}${salt}${hash}", digest.name()))
            }
            // It is read of others, and never written.
            Self::Bcrypt { .. } => None,
        }
    }

    fn derive(&self, password: &[u8], salt: &[u8], bytes: usize) -> Option<Vec<u8>> {
        let mut out = vec![0; bytes];
        match self {
            Self::Argon2 {
                algorithm,
                memory,
                passes,
                lanes,
            } => {
                let params = Params::new(*memory, *passes, *lanes, Some(bytes)).ok()?;
                let argon = Argon2::new(*algorithm, Version::V0x13, params);
                argon.hash_password_into(password, salt, &mut out).ok()?;
            }
            Self::Scrypt { log_n, r, p } => {
                let params = scrypt::Params::new(*log_n, *r, *p).ok()?;
                scrypt::scrypt(password, salt, &params, &mut out).ok()?;
            }
            Self::Pbkdf2 { digest, rounds } => match digest {
                Digest::Sha1 => pbkdf2_hmac::<sha1::Sha1>(password, salt, *rounds, &mut out),
                Digest::Sha256 => pbkdf2_hmac::<sha2::Sha256>(password, salt, *rounds, &mut out),
                Digest::Sha512 => pbkdf2_hmac::<sha2::Sha512>(password, salt, *rounds, &mut out),
            },
            Self::Bcrypt { cost, of_digest } => {
                let mut password = if *of_digest {
                    hex(&sha2::Sha256::digest(password)).into_bytes()
                } else {
                    password.to_vec()
                };
                password.push(0);
                password.truncate(BCRYPT_LOOKS_AT);
                let hash = bcrypt::bcrypt(*cost, salt.try_into().ok()?, &password);
                out.copy_from_slice(hash.get(..bytes)?);
            }
        }
        Some(out)
    }

    /// How long its hashes are, where the text doesn't say.
    fn bytes(&self) -> usize {
        match self {
            Self::Argon2 { .. } => 32,
            Self::Scrypt { .. } => 64,
            Self::Pbkdf2 { digest, .. } => digest.bytes(),
            // The last of its 24 bytes was left out from the beginning.
            Self::Bcrypt { .. } => 23,
        }
    }
}

impl Digest {
    fn of_name(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

impl Stored {
    /// Reads a hash as argon2, bcrypt, Werkzeug or Django writes it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > MOST_TEXT {
            return None;
        }
        let stored = match text.strip_prefix("$argon2") {
            Some(rest) => Self::parse_argon2(rest),
            None if text.starts_with("pbkdf2_") => Self::parse_django(text),
            None if text.starts_with("$2") => Self::parse_bcrypt(text, false),
            None if text.starts_with("bcrypt$") => Self::parse_bcrypt(&text[7..], false),
            None if text.starts_with("bcrypt_sha256$") => Self::parse_bcrypt(&text[14..], true),
            None => Self::parse_werkzeug(text),
        };
        stored.filter(|stored| (1..=MOST_BYTES).contains(&stored.hash.len()))
    }

    /// What a password for an account that isn't there is compared with.
    pub(super) fn nobody(scheme: Scheme) -> Self {
        let hash = vec![0; scheme.bytes()];
        Self {
            scheme,
            salt: b"saltsaltsaltsalt".to_vec(),
            hash,
        }
    }

    /// Whether it was made of this password.
    pub(super) fn is_of(&self, password: &[u8]) -> bool {
        self.scheme
            .derive(password, &self.salt, self.hash.len())
            .is_some_and(|hash| hash.ct_eq(&self.hash).into())
    }

    /// `id$v=19$m=19456,t=2,p=1$salt$hash`
    fn parse_argon2(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let [algorithm, "v=19", params, salt, hash] = parts[..] else {
            return None;
        };
        let algorithm = match algorithm {
            "id" => Algorithm::Argon2id,
            "i" => Algorithm::Argon2i,
            "d" => Algorithm::Argon2d,
            _ => return None,
        };
        let params: Vec<&str> = params.split(',').collect();
        let [memory, passes, lanes] = params[..] else {
            return None;
        };
        let memory = number(memory.strip_prefix("m=")?, MOST_ARGON2_MEMORY)?;
        let passes = number(passes.strip_prefix("t=")?, MOST_ARGON2_PASSES)?;
        let lanes = number(lanes.strip_prefix("p=")?, MOST_ARGON2_LANES)?;
        (u64::from(memory) * u64::from(passes) <= MOST_ARGON2_WORK).then(|| {
            Some(Self {
                scheme: Scheme::Argon2 {
                    algorithm,
                    memory,
                    passes,
                    lanes,
                },
                salt: STANDARD_NO_PAD.decode(salt).ok()?,
                hash: STANDARD_NO_PAD.decode(hash).ok()?,
            })
        })?
    }

    /// `method$salt$hex`; the key is as long as the method makes it, whatever is stored.
    fn parse_werkzeug(text: &str) -> Option<Self> {
        let (method, rest) = text.split_once('$')?;
        let (salt, digits) = rest.split_once('$')?;
        let scheme = werkzeug_scheme(method)?;
        let hash = unhex(digits)?;
        (hash.len() == scheme.bytes()).then(|| Self {
            scheme,
            salt: salt.as_bytes().to_vec(),
            hash,
        })
    }

    /// `pbkdf2_sha256$rounds$salt$base64`
    fn parse_django(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let [method, rounds, salt, hash] = parts[..] else {
            return None;
        };
        let digest = Digest::of_name(method.strip_prefix("pbkdf2_")?)?;
        let rounds = number(rounds, MOST_PBKDF2_ROUNDS)?;
        let hash = STANDARD.decode(hash).ok()?;
        (hash.len() == digest.bytes()).then(|| Self {
            scheme: Scheme::Pbkdf2 { digest, rounds },
            salt: salt.as_bytes().to_vec(),
            hash,
        })
    }

    /// `$2b$12$`, then 22 digits of salt and 31 of hash; `2a` and `2y` are other programs' names for the same.
    fn parse_bcrypt(text: &str, of_digest: bool) -> Option<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let ["", "2a" | "2b" | "2y", cost, rest] = parts[..] else {
            return None;
        };
        let (salt, hash) = rest.split_at_checked(22)?;
        let cost = number(cost, MOST_BCRYPT_COST).filter(|cost| *cost >= 4)?;
        let stored = Self {
            scheme: Scheme::Bcrypt { cost, of_digest },
            salt: BCRYPT_DIGITS.decode(salt).ok()?,
            hash: BCRYPT_DIGITS.decode(hash).ok()?,
        };
        (stored.salt.len() == 16 && stored.hash.len() == stored.scheme.bytes()).then_some(stored)
    }
}

/// `scrypt`, `scrypt:N:r:p`, `pbkdf2`, `pbkdf2:digest`, `pbkdf2:digest:rounds`
fn werkzeug_scheme(method: &str) -> Option<Scheme> {
    let parts: Vec<&str> = method.split(':').collect();
    let (digest, rounds) = match parts[..] {
        ["scrypt"] => return Some(Scheme::of_style(Style::Werkzeug)),
        ["scrypt", n, r, p] => return scrypt_scheme(n, r, p),
        ["pbkdf2"] => ("sha256", PBKDF2_ROUNDS),
        ["pbkdf2", digest] => (digest, PBKDF2_ROUNDS),
        ["pbkdf2", digest, rounds] => (digest, number(rounds, MOST_PBKDF2_ROUNDS)?),
        _ => return None,
    };
    Some(Scheme::Pbkdf2 {
        digest: Digest::of_name(digest)?,
        rounds,
    })
}

fn scrypt_scheme(n: &str, r: &str, p: &str) -> Option<Scheme> {
    let n = number(n, u32::MAX)?;
    let r = number(r, u32::MAX)?;
    let p = number(p, MOST_SCRYPT_PARALLEL)?;
    let blocks = u64::from(n).checked_mul(u64::from(r))?;
    let fits = n.is_power_of_two() && n > 1 && blocks * u64::from(p) <= MOST_SCRYPT_BLOCKS;
    fits.then_some(Scheme::Scrypt {
        log_n: u8::try_from(n.ilog2()).ok()?,
        r,
        p,
    })
}

/// A number from 1 to `most`.
fn number(text: &str, most: u32) -> Option<u32> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse()
        .ok()
        .filter(|number| is_number && (1..=most).contains(number))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Lower case only: Werkzeug compares the text.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect()
}

/// 16 characters, each as likely as any other.
fn werkzeug_salt() -> Option<String> {
    let mut salt = String::with_capacity(16);
    while salt.len() < 16 {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).ok()?;
        let even = bytes
            .iter()
            .filter(|&&byte| byte < 248)
            .map(|byte| WERKZEUG_SALT[usize::from(byte % 62)]);
        salt.extend(even.take(16 - salt.len()).map(char::from));
    }
    Some(salt)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Scheme, Stored, hex, unhex};

    #[test]
    fn werkzeugs_short_methods_mean_its_defaults() {
        let scheme = |method: &str, bytes: usize| {
            Stored::parse(&format!("{method}$salt${}", "00".repeat(bytes))).map(|stored| stored.scheme)
        };
        assert_eq!(scheme("scrypt", 64), scheme("scrypt:32768:8:1", 64));
        assert_eq!(scheme("pbkdf2", 32), scheme("pbkdf2:sha256:1000000", 32));
        assert_eq!(scheme("pbkdf2:sha512", 64), scheme("pbkdf2:sha512:1000000", 64));
        assert!(matches!(
            scheme("pbkdf2:sha1:5", 20),
            Some(Scheme::Pbkdf2 { rounds: 5, .. })
        ));
        assert_eq!(scheme("pbkdf2:sha1:5", 32), None);
    }

    #[test]
    fn a_salt_may_hold_what_it_likes() {
        // Werkzeug splits at the first two dollars only, so the rest belongs to the hash and is no hexadecimal.
        assert!(Stored::parse("pbkdf2:sha1:5$s:a/l t$f9430a28c76c302b4243010d94e0528e60dc4727").is_some());
        assert!(Stored::parse("pbkdf2:sha1:5$s$x$f9430a28c76c302b4243010d94e0528e60dc4727").is_none());
    }

    #[test]
    fn djangos_hashes_are_read() {
        use base64::Engine;
        let scheme = Scheme::Pbkdf2 {
            digest: super::Digest::Sha256,
            rounds: 1000,
        };
        let hash = scheme.derive(b"cat", b"salt", 32).expect("a hash");
        let text = format!("pbkdf2_sha256$1000$salt${}", super::STANDARD.encode(hash));
        let stored = Stored::parse(&text).expect("a hash");
        assert!(stored.is_of(b"cat") && !stored.is_of(b"dog"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(scrypt|pbkdf2|pbkdf2_sha256|bcrypt|bcrypt_sha256|[$]argon2id|[$]2b)[:$a-z0-9=,]{0,60}") {
            let _ = Stored::parse(&text);
        }

        #[test]
        fn hexadecimal_reads_back(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
    }
}
