//! Tokens of another issuer whose keys are at an address: each kind of key, keys that change, an issuer that is away.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::support::case::SchemaSource;
use crate::support::certificates::Certificates;
use crate::support::fake;
use crate::support::http::{Answer, Client, Request};
use crate::support::nginx::Nginx;
use crate::support::postgres::{Cluster, free_port};
use crate::support::run::shown;
use crate::support::server::{Place, Server};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let on_both = |name: &str, test: Test| {
        trial(&format!("jwt::{name}"), move || {
            Place::on_both(&SchemaSource::Named("gate".to_owned()), test)
        })
    };
    vec![
        on_both("each_kind_of_key_is_understood", kinds),
        on_both("a_key_is_taken_for_its_algorithm_alone", confused),
        on_both("keys_come_by_https_from_whom_is_trusted", by_https),
        on_both("keys_change", changed),
        on_both("an_issuer_that_is_away_is_no_fault_of_the_caller", away),
        on_both("issuer_and_audience_are_the_operators_to_say", said),
        on_both("without_keys_it_starts_and_tells", without),
    ]
}

type Test = fn(Place, Option<&Cluster>) -> Result<(), String>;

/// An issuer: its keys, as `openssl` makes them, and the server that gives their public halves.
struct Issuer {
    folder: tempfile::TempDir,
    /// What its server answers: a set, or that it has a fault.
    given: Arc<Mutex<Option<JwkSet>>>,
    address: String,
}

/// A key with its name and what it signs by.
struct Key {
    private: EncodingKey,
    header: Header,
}

impl Issuer {
    fn new() -> Result<Self, String> {
        let given = Arc::new(Mutex::new(Some(JwkSet::default())));
        let told = Arc::clone(&given);
        let address = fake::start(move |_| {
            let set = told.lock().unwrap_or_else(PoisonError::into_inner);
            let (status, body) = match &*set {
                Some(set) => ("200 OK", serde_json::to_string(set).unwrap_or_default()),
                None => ("500 Internal Server Error", String::new()),
            };
            let length = body.len();
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/jwk-set+json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        })?;
        Ok(Self {
            folder: tempfile::tempdir().map_err(|e| e.to_string())?,
            given,
            address: format!("http://{address}/keys"),
        })
    }

    /// A new key; `how` is what `openssl genpkey` is told.
    fn key(&self, name: &str, algorithm: Algorithm, how: &[&str]) -> Result<Key, String> {
        let made = self.folder.path().join(format!("{name}.pem"));
        let path = self.folder.path().join(name);
        openssl(&[&["genpkey", "-quiet", "-out", &text(&made)], how].concat())?;
        let form: &[&str] = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 | Algorithm::EdDSA => &["pkcs8", "-topk8", "-nocrypt"],
            _ => &["rsa", "-traditional"],
        };
        let files = ["-in", &text(&made), "-outform", "DER", "-out", &text(&path)];
        openssl(&[form, &files].concat())?;
        Key::read(name, algorithm, &path)
    }

    fn gives(&self, keys: &[&Key]) -> Result<(), String> {
        let keys: Result<Vec<_>, _> = keys.iter().map(|key| key.public()).collect();
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = Some(JwkSet { keys: keys? });
        Ok(())
    }

    fn fails(&self) {
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn openssl(arguments: &[&str]) -> Result<(), String> {
    let done = Command::new("openssl").args(arguments).output();
    let done = done.map_err(|e| e.to_string())?;
    if done.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&done.stderr).into_owned())
    }
}

impl Key {
    fn read(name: &str, algorithm: Algorithm, path: &Path) -> Result<Self, String> {
        let der = std::fs::read(path).map_err(|e| e.to_string())?;
        let private = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(&der),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_rsa_der(&der),
        };
        let mut header = Header::new(algorithm);
        header.kid = Some(name.to_owned());
        Ok(Self { private, header })
    }

    fn public(&self) -> Result<Jwk, String> {
        let mut jwk = Jwk::from_encoding_key(&self.private, self.header.alg).map_err(|e| e.to_string())?;
        jwk.common.key_id.clone_from(&self.header.kid);
        Ok(jwk)
    }

    /// A token for ada.
    fn token(&self, but: &Value) -> Result<String, String> {
        let mut claims = json!({
            "iss": "https://login.example.com/", "aud": "gate", "sub": "ada", "exp": 4_102_444_800_u64,
            "org": { "house": 1 }, "scope": "*",
        });
        for (name, value) in but.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        encode(&self.header, &claims, &self.private).map_err(|e| e.to_string())
    }
}

/// The gate, taking this issuer's tokens by these algorithms.
fn served(place: &Place, issuer: &Issuer, algorithms: &str, more: &[(&str, &str)]) -> Result<Server, String> {
    let schema = std::fs::read_to_string(&place.schema).map_err(|e| e.to_string())?;
    let schema = schema.replace(
        "algorithms: [ES256, HS256]",
        &format!("algorithms: [{algorithms}]"),
    );
    std::fs::write(&place.schema, schema).map_err(|e| e.to_string())?;
    let with: Vec<(&str, &str)> = [("REST_JWKS", issuer.address.as_str())]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
    place.serve_with(&with)
}

fn ask(server: &Server, token: &str) -> Result<Answer, String> {
    let request = Request::new("GET", "/api/me").header("Authorization", &format!("Bearer {token}"));
    Client::new(server.address).send(&request)
}

fn is_ada(server: &Server, token: &str) -> Result<(), String> {
    let answer = ask(server, token)?;
    let me: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
    if answer.status == 200 && me["name"] == "ada" {
        Ok(())
    } else {
        Err(shown(&answer))
    }
}

fn is_refused(server: &Server, token: &str, detail: &str) -> Result<(), String> {
    let answer = ask(server, token)?;
    let problem: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
    if answer.status == 401 && problem["detail"] == detail {
        Ok(())
    } else {
        Err(format!("not `{detail}`, but\n{}", shown(&answer)))
    }
}

const P256: &[&str] = &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn kinds(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    let issuer = Issuer::new()?;
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let p384 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
    let keys = [
        issuer.key("a", Algorithm::RS256, &rsa)?,
        issuer.key("b", Algorithm::PS512, &rsa)?,
        issuer.key("c", Algorithm::ES256, P256)?,
        issuer.key("d", Algorithm::ES384, &p384)?,
        issuer.key("e", Algorithm::EdDSA, &["-algorithm", "ED25519"])?,
    ];
    issuer.gives(&keys.iter().collect::<Vec<_>>())?;
    let server = served(&place, &issuer, "RS256, PS512, ES256, ES384, EdDSA", &[])?;
    for key in &keys {
        is_ada(&server, &key.token(&json!({}))?)?;
        is_refused(
            &server,
            &key.token(&json!({ "exp": 1_700_000_000 }))?,
            "it has expired (`exp`)",
        )?;
        // A name isn't needed, where one of the keys is the one.
        let mut header = key.header.clone();
        header.kid = None;
        let nameless = Key {
            private: key.private.clone(),
            header,
        };
        is_ada(&server, &nameless.token(&json!({}))?)?;
    }
    server.stop().map(drop)
}

/// What is signed by the issuer's public key as if that were a secret, by an algorithm that isn't the key's, or by somebody
/// else's key of the same name.
fn confused(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    let issuer = Issuer::new()?;
    let key = issuer.key("a", Algorithm::ES256, P256)?;
    issuer.gives(&[&key])?;
    let server = served(&place, &issuer, "ES256, ES384, EdDSA", &[])?;
    is_ada(&server, &key.token(&json!({}))?)?;
    let public = serde_json::to_vec(&key.public()?).map_err(|e| e.to_string())?;
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("a".to_owned());
    let private = EncodingKey::from_secret(&public).map_err(|e| e.to_string())?;
    let by_public = Key { private, header };
    is_refused(
        &server,
        &by_public.token(&json!({}))?,
        "tokens signed by HS256 aren't taken",
    )?;
    let other = issuer.key("b", Algorithm::EdDSA, &["-algorithm", "ED25519"])?;
    let mut header = other.header.clone();
    header.kid = Some("a".to_owned());
    let other = Key {
        private: other.private,
        header,
    };
    let detail = "none of the issuer's keys is the one that it names";
    is_refused(&server, &other.token(&json!({}))?, detail)?;
    let forged = issuer.key("a", Algorithm::ES256, P256)?;
    is_refused(
        &server,
        &forged.token(&json!({}))?,
        "it isn't signed by the issuer",
    )?;
    server.stop().map(drop)
}

/// An issuer behind nginx: its certificate is one that the service trusts, or isn't.
fn by_https(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    let issuer = Issuer::new()?;
    let key = issuer.key("a", Algorithm::ES256, P256)?;
    issuer.gives(&[&key])?;
    let certificates = Certificates::new()?;
    let port = free_port()?;
    let behind = issuer.address.strip_prefix("http://").unwrap_or_default();
    let behind = behind.split('/').next().unwrap_or_default().parse();
    let behind = behind.map_err(|e: std::net::AddrParseError| e.to_string())?;
    let _nginx = Nginx::configured(&[behind], |folder| {
        for file in ["server.crt", "server.key"] {
            // Written, not copied: the key is for its owner alone, and nginx is somebody else. It says itself what it lacks.
            let text = std::fs::read(certificates.path(file)).unwrap_or_default();
            let _ = std::fs::write(folder.join(file), text);
        }
        let at = folder.display();
        let server = format!(
            "listen 127.0.0.1:{port} ssl; ssl_certificate {at}/server.crt; ssl_certificate_key {at}/server.key; \
             location / {{ proxy_pass http://service; }}"
        );
        (String::new(), server)
    })?;
    let address = format!("https://localhost:{port}/keys");
    let trusted = certificates.path("ca.crt").display().to_string();
    let trusting = [
        ("REST_JWKS", address.as_str()),
        ("SSL_CERT_FILE", trusted.as_str()),
    ];
    let server = served(&place, &issuer, "ES256", &trusting)?;
    is_ada(&server, &key.token(&json!({}))?)?;
    server.stop()?;
    let server = served(&place, &issuer, "ES256", &[("REST_JWKS", address.as_str())])?;
    let answer = ask(&server, &key.token(&json!({}))?)?;
    if answer.status != 503 {
        return Err(shown(&answer));
    }
    server.told_up_to("certificate")?;
    server.stop().map(drop)
}

fn changed(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    let issuer = Issuer::new()?;
    let (first, second) = (
        issuer.key("first", Algorithm::ES256, P256)?,
        issuer.key("second", Algorithm::ES256, P256)?,
    );
    issuer.gives(&[&first])?;
    let server = served(&place, &issuer, "ES256", &[])?;
    is_ada(&server, &first.token(&json!({}))?)?;
    // The issuer signs by another key from now on, and takes the first one back.
    issuer.gives(&[&second])?;
    is_ada(&server, &second.token(&json!({}))?)?;
    let detail = "none of the issuer's keys is the one that it names";
    is_refused(&server, &first.token(&json!({}))?, detail)?;
    // Nor does it help who makes names up, or that the issuer is away.
    issuer.fails();
    let third = issuer.key("third", Algorithm::ES256, P256)?;
    is_refused(&server, &third.token(&json!({}))?, detail)?;
    is_ada(&server, &second.token(&json!({}))?)?;
    server.stop().map(drop)
}

fn away(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    let issuer = Issuer::new()?;
    let key = issuer.key("a", Algorithm::ES256, P256)?;
    issuer.fails();
    let server = served(&place, &issuer, "ES256", &[])?;
    let token = key.token(&json!({}))?;
    let answer = ask(&server, &token)?;
    if answer.status != 503 || answer.header("retry-after").as_deref() != Some("10") {
        return Err(shown(&answer));
    }
    // Who needs no issuer isn't held up by it.
    let others = Client::new(server.address).send(&Request::new("GET", "/health/ready"))?;
    if others.status != 200 {
        return Err(shown(&others));
    }
    server.told_up_to("the issuer's keys can't be read")?;
    server.stop().map(drop)
}

fn said(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    let issuer = Issuer::new()?;
    let key = issuer.key("a", Algorithm::ES256, P256)?;
    issuer.gives(&[&key])?;
    let more = [
        ("REST_JWT_ISSUER", "https://staging.example.com"),
        ("REST_JWT_AUDIENCE", "gate-1 gate-2"),
    ];
    let server = served(&place, &issuer, "ES256", &more)?;
    is_refused(&server, &key.token(&json!({}))?, "it is another issuer's (`iss`)")?;
    let staging = json!({ "iss": "https://staging.example.com" });
    is_refused(&server, &key.token(&staging)?, "it was made for others (`aud`)")?;
    let staging = json!({ "iss": "https://staging.example.com", "aud": ["other", "gate-2"] });
    is_ada(&server, &key.token(&staging)?)?;
    server.stop().map(drop)
}

fn without(place: Place, _: Option<&Cluster>) -> Result<(), String> {
    for (keys, why) in [
        ("nowhere.json", "nowhere.json can't be read"),
        (
            "http://login.example.com/keys",
            "keys come by https, or from this machine",
        ),
    ] {
        untold(&place, keys, why)?;
    }
    Ok(())
}

fn untold(place: &Place, keys: &str, why: &str) -> Result<(), String> {
    let server = place.serve_with(&[("REST_JWKS", keys)])?;
    let issuer = Issuer::new()?;
    let key = issuer.key("a", Algorithm::ES256, P256)?;
    let answer = ask(&server, &key.token(&json!({}))?)?;
    if answer.status != 503 {
        return Err(shown(&answer));
    }
    server.told_up_to(why)?;
    server.told_up_to("set REST_JWKS")?;
    server.stop().map(drop)
}
