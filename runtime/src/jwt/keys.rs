//! An issuer's keys: a JWK Set (RFC 7517), of a file or of an address.
//!
//! They are read when the first token comes that needs them, and again each ten minutes, so that a key that the issuer takes
//! back isn't taken here for much longer. Where they can't be read again, those that are here stay. A token by a key that
//! isn't among them has them read at once, for issuers change their keys; but not more than each ten seconds, for anybody
//! can make up the name of a key.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, Header};
use rest_schema::Jwt;
use serde_json::Value;
use tokio::sync::Mutex;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// After which keys are read again.
const FRESH: Duration = Duration::from_mins(10);
/// The least time between two readings that a token's unknown key, or a failure, asks for.
const AGAIN: Duration = Duration::from_secs(10);
/// What an address is waited for, all in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a set, at most.
const LONGEST: u64 = 1024 * 1024;
/// Bytes of a secret, at least (RFC 7518, 3.2).
const SECRET: usize = 32;

/// One that tokens may be signed by.
pub(super) struct Key {
    id: Option<String>,
    algorithm: Option<KeyAlgorithm>,
    family: AlgorithmFamily,
    pub(super) key: DecodingKey,
}

/// Those of an issuer.
#[derive(Debug)]
pub(super) struct Keys {
    source: Source,
    takes_secrets: bool,
    held: RwLock<Held>,
    /// One reads; the others wait for him.
    reading: Mutex<()>,
}

#[derive(Debug, Clone)]
enum Source {
    Nowhere,
    File(PathBuf),
    Address(String),
}

#[derive(Debug, Default)]
struct Held {
    keys: Option<Arc<[Key]>>,
    /// When they were read.
    read: Option<Instant>,
    /// When reading them failed last, and why.
    failed: Option<(Instant, String)>,
    /// When a token's unknown key had them read.
    asked: Option<Instant>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?}, {:?}, {:?})", self.id, self.algorithm, self.family)
    }
}

impl Key {
    /// Whether a token may be signed by it, as its header has it.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let is_named = header.kid.is_none() || self.id == header.kid;
        let is_for_it = self
            .algorithm
            .is_none_or(|algorithm| algorithm == KeyAlgorithm::from(header.alg));
        is_named && is_for_it && self.family == header.alg.family()
    }
}

impl Keys {
    /// Those of an address or a file; and why there are none, as far as that is seen without asking anybody else.
    pub(super) fn new(place: Option<&str>, takes_secrets: bool) -> (Self, Option<String>) {
        let source = match place {
            None => Source::Nowhere,
            Some(place) if place.contains("://") => Source::Address(place.to_owned()),
            Some(place) => Source::File(place.into()),
        };
        let mut held = Held::default();
        match &source {
            Source::Address(address) if Jwt::may_have_keys_of(address) => {}
            Source::Nowhere | Source::File(_) | Source::Address(_) => held.take(source.read(takes_secrets)),
        }
        let fault = held.failed.as_ref().map(|(_, why)| why.clone());
        let keys = Self {
            source,
            takes_secrets,
            held: RwLock::new(held),
            reading: Mutex::new(()),
        };
        (keys, fault)
    }

    /// The keys as they are known.
    pub(super) async fn current(&self) -> Result<Arc<[Key]>, String> {
        if !self.held(Held::is_due) {
            return self.held(Held::known);
        }
        let _turn = match self.held(|held| held.keys.clone()) {
            None => self.reading.lock().await,
            // Who reads them again does it for all; the others go on with those that are here.
            Some(known) => match self.reading.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(known),
            },
        };
        if self.held(Held::is_due) {
            self.read().await;
        }
        self.held(Held::known)
    }

    /// The keys as they are by now, where these may be older.
    pub(super) async fn anew(&self, seen: &Arc<[Key]>) -> Arc<[Key]> {
        let _turn = self.reading.lock().await;
        let known = self.held(Held::known).unwrap_or_else(|_| Arc::clone(seen));
        if !Arc::ptr_eq(&known, seen) {
            return known;
        }
        let is_early = self.held(|held| held.asked.is_some_and(|asked| asked.elapsed() < AGAIN));
        if is_early {
            return known;
        }
        self.write(|held| held.asked = Some(Instant::now()));
        self.read().await;
        self.held(Held::known).unwrap_or(known)
    }

    async fn read(&self) {
        let (source, takes_secrets) = (self.source.clone(), self.takes_secrets);
        let read = tokio::task::spawn_blocking(move || source.read(takes_secrets)).await;
        let read = read.unwrap_or_else(|error| Err(error.to_string()));
        if let Err(why) = &read {
            tracing::warn!(target: "rest::jwt", %why, "the issuer's keys can't be read");
        }
        self.write(|held| held.take(read));
    }

    fn held<T>(&self, look: impl FnOnce(&Held) -> T) -> T {
        look(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, change: impl FnOnce(&mut Held)) {
        change(&mut self.held.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Held {
    /// Whether they should be read: never yet, or too long ago; and not where that failed a moment ago.
    fn is_due(&self) -> bool {
        let is_old = self.read.is_none_or(|read| read.elapsed() >= FRESH);
        let has_failed = self.failed.as_ref().is_some_and(|(at, _)| at.elapsed() < AGAIN);
        is_old && !has_failed
    }

    fn known(&self) -> Result<Arc<[Key]>, String> {
        let why = || {
            self.failed
                .as_ref()
                .map(|(_, why)| why.clone())
                .unwrap_or_default()
        };
        self.keys.clone().ok_or_else(why)
    }

    fn take(&mut self, read: Result<Vec<Key>, String>) {
        match read {
            Ok(keys) => {
                self.keys = Some(keys.into());
                self.read = Some(Instant::now());
                self.failed = None;
            }
            Err(why) => self.failed = Some((Instant::now(), why)),
        }
    }
}

impl Source {
    fn read(&self, takes_secrets: bool) -> Result<Vec<Key>, String> {
        match self {
            Self::Nowhere => Err("the issuer's keys aren't known".to_owned()),
            Self::File(path) => {
                let place = path.display();
                let text = std::fs::read_to_string(path)
                    .map_err(|error| format!("{place} can't be read: {error}"))?;
                keys(&text, takes_secrets).map_err(|why| format!("{place}: {why}"))
            }
            Self::Address(address) if !Jwt::may_have_keys_of(address) => {
                Err(format!("{address}: keys come by https, or from this machine"))
            }
            // Whoever answers there would know a secret, and so would who reads along.
            Self::Address(address) => fetched(address)
                .and_then(|text| keys(&text, false))
                .map_err(|why| format!("{address}: {why}")),
        }
    }
}

fn fetched(address: &str) -> Result<String, String> {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots = roots.iter().map(|root| Certificate::from_der(root).to_owned());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(roots.collect())))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    let agent = ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_global(Some(PATIENCE))
        // Where the keys are is for the schema or the operator to say.
        .max_redirects(0)
        .build()
        .new_agent();
    let mut answer = agent.get(address).call().map_err(|error| error.to_string())?;
    if answer.status() != 200 {
        return Err(format!("it answers with {}", answer.status()));
    }
    let body = answer.body_mut().with_config().limit(LONGEST);
    body.read_to_string().map_err(|error| error.to_string())
}

/// Those of a set that tokens may be signed by. A set may hold others, which aren't for us.
fn keys(text: &str, takes_secrets: bool) -> Result<Vec<Key>, String> {
    let set: Value = serde_json::from_str(text).map_err(|error| format!("it isn't JSON: {error}"))?;
    let all = set["keys"]
        .as_array()
        .ok_or("it isn't a JWK Set: it has no list `keys`")?;
    let mut keys = Vec::new();
    for jwk in all {
        let Ok(jwk) = serde_json::from_value::<Jwk>(jwk.clone()) else {
            continue;
        };
        let is_secret = matches!(jwk.algorithm, AlgorithmParameters::OctetKey(_));
        if jwk.common.public_key_use == Some(PublicKeyUse::Encryption) || is_secret && !takes_secrets {
            continue;
        }
        let Ok(key) = DecodingKey::from_jwk(&jwk) else {
            continue;
        };
        if is_secret && key.try_get_as_bytes().is_ok_and(|secret| secret.len() < SECRET) {
            return Err(format!("a secret has {SECRET} bytes at least"));
        }
        keys.push(Key {
            id: jwk.common.key_id,
            algorithm: jwk.common.key_algorithm,
            family: key.family(),
            key,
        });
    }
    if keys.is_empty() {
        return Err("it holds no key that tokens could be signed by".to_owned());
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const LONG: &str = "YSBzZWNyZXQgb2YgdGhlIGlzc3VlcidzLCBzaGFyZWQgd2l0aCB0aGUgc2VydmljZQ";

    fn set(all: &Value) -> String {
        json!({ "keys": all }).to_string()
    }

    fn point() -> Value {
        json!({ "kty": "EC", "crv": "P-256", "kid": "a", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" })
    }

    #[test]
    fn a_set_may_hold_what_is_not_for_us() {
        let mut encrypts = point();
        encrypts["use"] = json!("enc");
        let text = set(&json!([
            { "kty": "AKP", "alg": "ML-DSA-44", "pub": "x" }, 7, { "kty": "RSA" }, { "kty": "oct", "k": LONG }, encrypts, point(),
        ]));
        let found = keys(&text, false).expect("a key");
        assert_eq!(found.len(), 1);
        assert_eq!(keys(&text, true).expect("two keys").len(), 2);
    }

    #[test]
    fn a_set_without_a_key_says_why() {
        let why = |text: &str| keys(text, true).expect_err("no keys");
        assert!(why("{").starts_with("it isn't JSON"));
        assert_eq!(why("[]"), "it isn't a JWK Set: it has no list `keys`");
        assert_eq!(
            why(&set(&json!([]))),
            "it holds no key that tokens could be signed by"
        );
        let short = set(&json!([{ "kty": "oct", "k": "c2hvcnQ" }]));
        assert_eq!(why(&short), "a secret has 32 bytes at least");
    }

    #[test]
    fn a_key_fits_by_its_name_its_algorithm_and_its_kind() {
        let mut narrow = point();
        narrow["alg"] = json!("ES256");
        let text = set(&json!([point(), narrow]));
        let found = keys(&text, false).expect("keys");
        let fits = |algorithm, name: Option<&str>| -> Vec<bool> {
            let mut header = Header::new(algorithm);
            header.kid = name.map(str::to_owned);
            found.iter().map(|key| key.fits(&header)).collect()
        };
        assert_eq!(fits(Algorithm::ES256, Some("a")), [true, true]);
        assert_eq!(fits(Algorithm::ES256, None), [true, true]);
        assert_eq!(fits(Algorithm::ES384, None), [true, false]);
        assert_eq!(fits(Algorithm::ES256, Some("b")), [false, false]);
        assert_eq!(fits(Algorithm::HS256, Some("a")), [false, false]);
    }

    proptest! {
        #[test]
        fn no_set_panics(text in "\\PC{0,80}", key in "[A-Za-z0-9_-]{0,60}") {
            let _ = keys(&text, true);
            for kind in ["EC", "RSA", "oct", "OKP"] {
                let jwk = json!({ "kty": kind, "crv": "P-256", "x": key, "y": key, "n": key, "e": key, "k": key });
                let _ = keys(&set(&json!([jwk])), true);
            }
        }
    }
}
