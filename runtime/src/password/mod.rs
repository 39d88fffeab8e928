//! Passwords: hashed, and compared with hashes that we or another program made.
//!
//! A hash takes tens of milliseconds and megabytes by design, so none is made on an async thread, and only so many at
//! once ([`Hasher`]). An account that isn't there costs the same as one that is.

mod scheme;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

use scheme::{Scheme, Stored};

/// Sign-ins that may wait for their turn, per hash that may run; beyond, they are refused.
const WAITING_PER_SLOT: usize = 32;

/// A password as its owner typed it. It has no `Display`, and its `Debug` doesn't show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Plain(String);

impl Plain {
    /// Takes a password.
    pub fn new(password: impl Into<String>) -> Self {
        Self(password.into())
    }

    /// Its bytes, for hashing.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}

/// In what form new hashes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// argon2id as a PHC string: where the database is ours.
    Argon2id,
    /// Werkzeug's `scrypt:32768:8:1$salt$hex`: where a Flask app signs its users in by the same column.
    Werkzeug,
    /// One round of PBKDF2, which guards nothing: for tests, where hundreds of accounts sign in.
    Quick,
}

/// Why a password was neither hashed nor compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// Too many are waiting already.
    Busy,
    /// The operating system gave no random bytes, or the work was cut off.
    Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "too many passwords are being checked at once",
            Self::Broken => "the password could not be hashed",
        })
    }
}

impl std::error::Error for Failure {}

/// Hashes and verifies on threads of its own, a bounded number at a time. Clones share the bound.
#[derive(Debug, Clone)]
pub struct Hasher(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    style: Style,
    slots: Semaphore,
    /// Running and waiting.
    present: AtomicUsize,
    most: usize,
    /// How the hash verified last was made: what an account that isn't there is answered with.
    usual: Mutex<Scheme>,
}

impl Hasher {
    /// A hasher that runs at most `slots` hashes at once (one at least).
    pub fn new(style: Style, slots: usize) -> Self {
        let slots = slots.max(1);
        Self(Arc::new(Shared {
            style,
            slots: Semaphore::new(slots),
            present: AtomicUsize::new(0),
            most: slots * (WAITING_PER_SLOT + 1),
            usual: Mutex::new(Scheme::of_style(style)),
        }))
    }

    /// Hashes a password in the hasher's style.
    pub async fn hash(&self, password: Plain) -> Result<String, Failure> {
        let style = self.0.style;
        self.run(move || hash(style, &password)).await?
    }

    /// Whether a password is the one that `stored` was made of. `None`, and what is no hash that we know, take as long
    /// as a hash and are false.
    pub async fn verify(&self, password: Plain, stored: Option<String>) -> Result<bool, Failure> {
        let parsed = stored.as_deref().and_then(Stored::parse);
        let work = match parsed {
            Some(stored) => {
                *self.0.usual.lock().unwrap_or_else(PoisonError::into_inner) = stored.scheme.clone();
                stored
            }
            None => Stored::nobody(
                self.0
                    .usual
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .clone(),
            ),
        };
        self.run(move || work.is_of(password.as_bytes())).await
    }

    /// Whether a hash ought to be made anew: another program's, or one made with other parameters, in a column that is
    /// read by nobody else.
    pub fn is_dated(&self, stored: &str) -> bool {
        let ours = Scheme::of_style(Style::Argon2id);
        self.0.style == Style::Argon2id && Stored::parse(stored).is_some_and(|stored| stored.scheme != ours)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
        let _here = Presence::new(&self.0).ok_or(Failure::Busy)?;
        let _slot = self.0.slots.acquire().await.map_err(|_| Failure::Broken)?;
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| Failure::Broken)
    }
}

/// One of those that run or wait; a request that is given up counts no longer.
struct Presence<'a>(&'a AtomicUsize);

impl<'a> Presence<'a> {
    fn new(shared: &'a Shared) -> Option<Self> {
        let here = Self(&shared.present);
        (here.0.fetch_add(1, Ordering::Relaxed) < shared.most).then_some(here)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Hashes a password here and now; for the command line.
pub fn hash(style: Style, password: &Plain) -> Result<String, Failure> {
    Scheme::of_style(style)
        .hash(password.as_bytes())
        .ok_or(Failure::Broken)
}

/// Whether a password is the one that `stored` was made of, here and now. What is no hash that we know is false.
pub fn verify(password: &Plain, stored: &str) -> bool {
    Stored::parse(stored).is_some_and(|stored| stored.is_of(password.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{Failure, Hasher, Plain, Style, hash, verify};

    const SCRYPT: &str = "scrypt:32768:8:1$saltSALT12345678$17f7112a846cc080896f90642607820869f4e5719835ecb19bae198470807d5fbd69547a715b19d666e5c972768817b20dcd39d0ee15c0f2fa967582137562af";
    const VECTORS: [&str; 3] = [
        SCRYPT,
        "pbkdf2:sha256:600000$saltSALT12345678$10b95a63cb05e7fd8235cc436ff8982819780349f2ce5442af1f365d615de46d",
        "pbkdf2:sha1:1000$saltSALT12345678$f9430a28c76c302b4243010d94e0528e60dc4727",
    ];

    fn is(password: &str, stored: &str) -> bool {
        verify(&Plain::new(password), stored)
    }

    #[test]
    fn werkzeugs_hashes_are_verified() {
        for stored in VECTORS {
            assert!(is("cat", stored), "{stored}");
            assert!(!is("cats", stored), "{stored}");
            assert!(!is("", stored), "{stored}");
        }
    }

    #[test]
    fn a_hash_that_was_touched_is_false() {
        for stored in VECTORS {
            assert!(!is("cat", &stored[..stored.len() - 1]), "{stored}");
            assert!(!is("cat", &stored.replace("SALT", "salt")), "{stored}");
            assert!(!is("cat", &stored.to_uppercase()), "{stored}");
            assert!(!is("cat", &format!("{stored}00")), "{stored}");
        }
    }

    #[test]
    fn our_own_hashes_are_verified_in_both_styles() {
        for style in [Style::Argon2id, Style::Werkzeug] {
            let password = Plain::new("correct horse é");
            let one = hash(style, &password).expect("a hash");
            let two = hash(style, &password).expect("a hash");
            assert_ne!(one, two, "each has a salt of its own");
            assert!(verify(&password, &one) && verify(&password, &two));
            assert!(!verify(&Plain::new("correct horse e"), &one));
        }
    }

    #[test]
    fn hashes_are_written_as_their_readers_expect() {
        let password = Plain::new("cat");
        let argon = hash(Style::Argon2id, &password).expect("a hash");
        assert!(argon.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{argon}");
        let parsed = argon2::password_hash::phc::PasswordHash::new(&argon).expect("a PHC string");
        assert_eq!(parsed.hash.map(|hash| hash.len()), Some(32));
        let werkzeug = hash(Style::Werkzeug, &password).expect("a hash");
        let parts: Vec<&str> = werkzeug.split('$').collect();
        assert_eq!((werkzeug.len(), parts[0]), (162, "scrypt:32768:8:1"));
        assert!(parts[1].len() == 16 && parts[1].bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn other_makers_hashes_are_verified() {
        // argon2's reference program: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
        let argon = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(is("password", argon));
        assert!(!is("passwort", argon));
        // Django: PBKDF2PasswordHasher().encode("cat", "saltSALT12345678", 1000)
        let django = "pbkdf2_sha256$1000$saltSALT12345678$7P7rKeyGaM1BTez6+HZy7SQNFFV5DrHBdGbU6dFPCfY=";
        assert!(is("cat", django));
        assert!(!is("dog", django));
        // pyca/bcrypt: bcrypt.hashpw(b"cat", b"$2b$04$saltSALTsaltSALTsaltSu")
        let bcrypt = "$2b$04$saltSALTsaltSALTsaltSuC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSBu";
        for stored in [
            bcrypt.to_owned(),
            bcrypt.replace("$2b", "$2y"),
            format!("bcrypt${bcrypt}"),
            // The same of the hexadecimal digits of SHA-256, as Django has it.
            "bcrypt_sha256$$2b$04$saltSALTsaltSALTsaltSuWU5Vf0Wc1x1iSZU9OTJfFwY6C9qF1z6".to_owned(),
        ] {
            assert!(
                is("cat", &stored) && !is("cats", &stored) && !is("", &stored),
                "{stored}"
            );
        }
        // It looks at 72 bytes.
        let long = "$2a$04$saltSALTsaltSALTsaltSuSlAnwHWqi3lc8y1W3uaDqt6ArENsuDm";
        assert!(is(&"x".repeat(72), long) && is(&"x".repeat(80), long) && !is(&"x".repeat(71), long));
    }

    #[test]
    fn a_hash_is_dated_where_it_is_not_ours_and_nobody_else_reads_it() {
        let own = hash(Style::Argon2id, &Plain::new("cat")).expect("a hash");
        let ours = Hasher::new(Style::Argon2id, 1);
        assert!(ours.is_dated(SCRYPT) && ours.is_dated(&own.replace("t=2", "t=1")));
        assert!(!ours.is_dated(&own) && !ours.is_dated("no hash"));
        assert!(!Hasher::new(Style::Werkzeug, 1).is_dated(VECTORS[1]));
    }

    #[test]
    fn what_is_no_hash_is_false() {
        for stored in [
            "",
            "!",
            "cat",
            "$",
            "$$",
            "a$b",
            "plain$salt$cat",
            "scrypt:32768:8$salt$00",
            "scrypt:32768:8:1$salt$",
            "scrypt:32768:8:1$salt$0",
            "scrypt:32768:8:1$salt$zz",
            "scrypt:3:8:1$salt$00",
            "scrypt:0:8:1$salt$00",
            "pbkdf2:md5:1000$salt$00",
            "pbkdf2:sha256:0$salt$00",
            "pbkdf2:sha256:-1$salt$00",
            "pbkdf2:sha256:1:2$salt$00",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAA",
            "$argon2x$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "$2b$12$abcdefghijklmnopqrstuuyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy",
            "$2b$31$saltSALTsaltSALTsaltSuC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSBu",
            "$2b$03$saltSALTsaltSALTsaltSuC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSBu",
            "$2x$04$saltSALTsaltSALTsaltSuC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSBu",
            "$2b$04$saltSALTsaltSALTsaltSuC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSB",
            "$2b$04$ssssssssssssssssssssséC5EnUs8Iz1n.uV3FFTv.D8Z4jYZjSBu",
        ] {
            assert!(!is("cat", stored), "{stored}");
        }
    }

    #[test]
    fn hostile_parameters_are_refused_at_once() {
        let hex = "00".repeat(64);
        let started = std::time::Instant::now();
        for method in [
            "scrypt:1073741824:8:1",
            "scrypt:32768:1073741824:1",
            "scrypt:32768:8:1073741824",
            "scrypt:18446744073709551616:8:1",
            "pbkdf2:sha256:4294967295",
            "pbkdf2:sha512:99999999999999999999",
        ] {
            assert!(!is("cat", &format!("{method}$salt$00{hex}")), "{method}");
        }
        for params in [
            "m=4294967295,t=2,p=1",
            "m=19456,t=4294967295,p=1",
            "m=19456,t=2,p=16777215",
            "m=1,t=1,p=1",
        ] {
            let stored = format!("$argon2id$v=19${params}$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA");
            assert!(!is("cat", &stored), "{params}");
        }
        let long = format!("pbkdf2:sha256:1000$salt${}", "0".repeat(1_000_000));
        assert!(!is("cat", &long));
        assert!(started.elapsed() < std::time::Duration::from_secs(1));
    }

    #[test]
    fn a_password_is_not_printed() {
        assert_eq!(format!("{:?}", Plain::new("cat")), "Plain(…)");
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .build()
            .expect("a runtime")
    }

    #[test]
    fn an_account_that_is_not_there_takes_as_long_as_one_that_is() {
        let hasher = Hasher::new(Style::Argon2id, 1);
        let timed = |stored: Option<&str>| {
            let started = std::time::Instant::now();
            let verified = hasher.verify(Plain::new("dog"), stored.map(str::to_owned));
            assert_eq!(runtime().block_on(verified), Ok(false));
            started.elapsed()
        };
        timed(Some(SCRYPT));
        let there = timed(Some(SCRYPT));
        for missing in [None, Some("!"), Some("")] {
            let took = timed(missing);
            assert!(took * 3 > there && there * 3 > took, "{took:?} {there:?}");
        }
    }

    #[test]
    fn only_so_many_wait() {
        let hasher = Hasher::new(Style::Argon2id, 1);
        let answers = runtime().block_on(async {
            let tries: Vec<_> = (0..60)
                .map(|_| {
                    let hasher = hasher.clone();
                    let stored = VECTORS[2].to_owned();
                    tokio::spawn(async move { hasher.verify(Plain::new("cat"), Some(stored)).await })
                })
                .collect();
            let mut answers = Vec::new();
            for one in tries {
                answers.push(one.await.expect("no panic"));
            }
            answers
        });
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Ok(true) | Err(Failure::Busy)))
        );
        assert!(answers.contains(&Ok(true)));
        let after = runtime().block_on(hasher.verify(Plain::new("cat"), Some(VECTORS[2].to_owned())));
        assert_eq!(after, Ok(true), "those that are gone count no longer");
    }
}
