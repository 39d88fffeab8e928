//! The session of a Flask app, as its cookie tells it: read, and never written.
//!
//! A cookie is `payload.moment.signature`, each in base64url: JSON, compressed where it begins with a point; seconds since
//! 1970; HMAC-SHA1 under a key of the app's `SECRET_KEY`. A bad or an old one is nobody's, and no error. The token that
//! Flask-WTF gives forms and scripts is signed alike, under a key of its own.

use std::fmt;
use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::{Digest, Sha1};
use sha2::Sha512;
use subtle::ConstantTimeEq;

/// Bytes of a cookie's value that are looked at, at most; browsers keep no more.
const LONGEST: usize = 4_096;
/// Bytes that a compressed payload may have.
const UNPACKED: u64 = 64 * 1024;
/// Seconds that a clock may be ahead of ours.
const AHEAD: i64 = 60;
/// Seconds that Flask-WTF takes a token of its own (`WTF_CSRF_TIME_LIMIT`).
const FORM: i64 = 3_600;

/// What is made of a `SECRET_KEY`.
#[derive(Clone)]
pub(crate) struct SecretKey {
    cookies: [u8; 20],
    forms: [u8; 20],
    /// The key itself, by which Flask-Login signs whom it remembers.
    itself: Vec<u8>,
}

/// Who is signed in, by a cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    /// What the app's `get_id()` gave.
    pub(crate) user: String,
    /// What tells this session from others.
    pub(crate) identity: String,
    /// What the app's forms have to send, before it is signed.
    pub(crate) form: Option<String>,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

impl SecretKey {
    /// Derives its keys, as `itsdangerous` does.
    pub(crate) fn new(secret: &str) -> Self {
        let forms = Sha1::new()
            .chain_update(b"wtf-csrf-token")
            .chain_update(b"signer")
            .chain_update(secret);
        Self {
            cookies: mac(secret.as_bytes(), b"cookie-session")
                .finalize()
                .into_bytes()
                .into(),
            forms: forms.finalize().into(),
            itself: secret.as_bytes().to_vec(),
        }
    }
}

fn mac(key: &[u8], text: &[u8]) -> Hmac<Sha1> {
    // HMAC takes keys of any length.
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
    mac.update(text);
    mac
}

/// The session of a cookie's value at `now` (seconds since 1970), which may be so many seconds old; `None` where nobody is
/// signed in by it.
pub(crate) fn read(cookie: &str, keys: &[SecretKey], lifetime: u64, now: i64) -> Option<SignedIn> {
    let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX);
    let session = unsigned(cookie, keys.iter().map(|key| &key.cookies), lifetime, now)?;
    let text = |name: &str| match session.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    // Flask-Login before 0.5 had no underscores.
    let user = text("_user_id").or_else(|| text("user_id"))?;
    let form = text("csrf_token");
    let id = text("_id").or_else(|| form.clone()).unwrap_or_default();
    Some(SignedIn {
        identity: format!("{user}\n{id}"),
        user,
        form,
    })
}

/// Whom Flask-Login remembers by a cookie, `user|signature`: HMAC-SHA512 under the `SECRET_KEY`, in hexadecimal. It says
/// nothing of when it was made, so it holds as long as the key.
pub(crate) fn remembered(cookie: &str, keys: &[SecretKey]) -> Option<SignedIn> {
    let cookie = Some(cookie).filter(|cookie| cookie.len() <= LONGEST)?;
    let (user, signature) = cookie.rsplit_once('|')?;
    let is_by = |key: &SecretKey| {
        let mac = <Hmac<Sha512> as KeyInit>::new_from_slice(&key.itself);
        mac.is_ok_and(|mut mac| {
            mac.update(user.as_bytes());
            let ours = mac.finalize().into_bytes();
            let ours: String = ours.iter().map(|byte| format!("{byte:02x}")).collect();
            ours.as_bytes().ct_eq(signature.as_bytes()).into()
        })
    };
    keys.iter().any(is_by).then(|| SignedIn {
        identity: format!("{user}\nremembered"),
        user: user.to_owned(),
        form: None,
    })
}

/// Whether a token is what Flask-WTF gives the forms of a session.
pub(crate) fn is_form_token(token: &str, form: &str, keys: &[SecretKey], now: i64) -> bool {
    match unsigned(token, keys.iter().map(|key| &key.forms), FORM, now) {
        Some(Value::String(told)) => told.as_bytes().ct_eq(form.as_bytes()).into(),
        _ => false,
    }
}

/// What was signed by one of these keys, if it isn't too old.
fn unsigned<'k>(
    text: &str,
    mut keys: impl Iterator<Item = &'k [u8; 20]>,
    lifetime: i64,
    now: i64,
) -> Option<Value> {
    if text.len() > LONGEST {
        return None;
    }
    let (signed, signature) = text.rsplit_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    if !keys.any(|key| mac(key, signed.as_bytes()).verify_slice(&signature).is_ok()) {
        return None;
    }
    let (payload, moment) = signed.rsplit_once('.')?;
    let moment = URL_SAFE_NO_PAD
        .decode(moment)
        .ok()
        .filter(|moment| moment.len() <= 8)?;
    let moment = moment
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let age = now.checked_sub(i64::try_from(moment).ok()?)?;
    if age > lifetime || age < -AHEAD {
        return None;
    }
    let json = match payload.strip_prefix('.') {
        None => URL_SAFE_NO_PAD.decode(payload).ok()?,
        Some(packed) => {
            let packed = URL_SAFE_NO_PAD.decode(packed).ok()?;
            let mut unpacked = Vec::new();
            let reader = flate2::read::ZlibDecoder::new(&packed[..]);
            reader.take(UNPACKED).read_to_end(&mut unpacked).ok()?;
            unpacked
        }
    };
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "you-will-never-guess";
    /// As `flask_login.utils.encode_cookie` gives it.
    const REMEMBERED: &str = "ada|35c886f61965e0eacf4918052d66357307a8e8f8f9e0a5290ed68559088a6ceab12096809dbedfb9f0613c11b6b9d914bd8c123486750fa5ec32a3df356382c0";

    #[test]
    fn who_is_remembered_is_known_by_the_apps_signature_alone() {
        let keys = |secret: &str| [SecretKey::new(secret)];
        let found = remembered(REMEMBERED, &keys(SECRET)).expect("somebody");
        assert_eq!((found.user.as_str(), found.form), ("ada", None));
        assert_eq!(remembered(REMEMBERED, &keys("another")), None);
        assert_eq!(
            remembered(&REMEMBERED.replacen("ada", "ben", 1), &keys(SECRET)),
            None
        );
        for wrong in [
            "",
            "|",
            "ada",
            "ada|",
            "ada|35c8",
            &REMEMBERED[..REMEMBERED.len() - 1],
        ] {
            assert_eq!(remembered(wrong, &keys(SECRET)), None, "{wrong}");
        }
        assert_eq!(
            remembered(&format!("{}{REMEMBERED}", "a".repeat(LONGEST)), &keys(SECRET)),
            None
        );
    }
    /// Made by Flask 3.1 at 1700000000, of `{"_user_id":"7"}`.
    const COOKIE: &str = "eyJfdXNlcl9pZCI6IjcifQ.ZVPxAA.vt2YfDEzBBlIFOyuzZxh-rpfI_M";
    const THEN: i64 = 1_700_000_000;

    fn keys() -> Vec<SecretKey> {
        vec![SecretKey::new("another"), SecretKey::new(SECRET)]
    }

    fn sign(key: &[u8; 20], payload: &str, moment: i64) -> String {
        let bytes = moment.to_be_bytes();
        let begins = bytes.iter().position(|byte| *byte != 0).unwrap_or(7);
        let signed = format!("{payload}.{}", URL_SAFE_NO_PAD.encode(&bytes[begins..]));
        let signature = mac(key, signed.as_bytes()).finalize().into_bytes();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn user(cookie: &str, now: i64) -> Option<String> {
        read(cookie, &keys(), 100, now).map(|signed| signed.user)
    }

    #[test]
    fn what_flask_signed_is_read() {
        assert_eq!(user(COOKIE, THEN).as_deref(), Some("7"));
        assert_eq!(user(COOKIE, THEN + 100).as_deref(), Some("7"));
        assert_eq!(user(COOKIE, THEN - AHEAD).as_deref(), Some("7"));
        assert_eq!(sign(&keys()[1].cookies, "eyJfdXNlcl9pZCI6IjcifQ", THEN), COOKIE);
    }

    #[test]
    fn what_is_old_or_of_tomorrow_is_nobody_s() {
        assert_eq!(user(COOKIE, THEN + 101), None);
        assert_eq!(user(COOKIE, THEN - AHEAD - 1), None);
    }

    #[test]
    fn a_slip_anywhere_is_nobody_s() {
        for place in 0..COOKIE.len() {
            let other = if COOKIE.as_bytes()[place] == b'x' {
                "y"
            } else {
                "x"
            };
            let mut wrong = COOKIE.to_owned();
            wrong.replace_range(place..=place, other);
            // The last characters of a base64 text have bits that mean nothing; a strict reader refuses them.
            assert_eq!(user(&wrong, THEN), None, "{wrong}");
        }
        assert_eq!(read(COOKIE, &[SecretKey::new("another")], 100, THEN), None);
        assert_eq!(read(COOKIE, &[], 100, THEN), None);
        for wrong in ["", ".", "..", "...", "a.b.c", &"a".repeat(5_000)] {
            assert_eq!(user(wrong, THEN), None);
        }
    }

    #[test]
    fn a_payload_may_be_packed_and_is_bounded() {
        let packed = |json: &str| {
            let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            packer.write_all(json.as_bytes()).expect("bytes");
            let payload = format!(".{}", URL_SAFE_NO_PAD.encode(packer.finish().expect("bytes")));
            sign(&keys()[1].cookies, &payload, THEN)
        };
        let json = r#"{"_fresh":true,"_id":"abc","_user_id":"12","csrf_token":"f00"}"#;
        let signed = read(&packed(json), &keys(), 100, THEN).expect("somebody");
        assert_eq!(
            (
                signed.user.as_str(),
                signed.identity.as_str(),
                signed.form.as_deref()
            ),
            ("12", "12\nabc", Some("f00"))
        );
        let bomb = format!("{{\"_user_id\":\"1\",\"a\":\"{}\"}}", "a".repeat(1_000_000));
        assert_eq!(user(&packed(&bomb), THEN), None);
    }

    #[test]
    fn who_is_not_signed_in_is_nobody() {
        let of = |json: &str| {
            let cookie = sign(&keys()[1].cookies, &URL_SAFE_NO_PAD.encode(json), THEN);
            user(&cookie, THEN)
        };
        assert_eq!(of(r#"{"csrf_token":"f00"}"#), None);
        assert_eq!(of(r#"{"_user_id":null}"#), None);
        assert_eq!(of("[]"), None);
        assert_eq!(of("{"), None);
        assert_eq!(of(r#"{"user_id":3}"#).as_deref(), Some("3"));
    }

    #[test]
    fn a_form_s_token_is_of_its_session() {
        // As Flask-WTF 1.2 makes them.
        let key = &keys()[1].forms;
        let token = sign(key, &URL_SAFE_NO_PAD.encode("\"f00\""), THEN);
        let is_right = |token: &str, form: &str, now| is_form_token(token, form, &keys(), now);
        assert!(is_right(&token, "f00", THEN + FORM));
        assert!(!is_right(&token, "f01", THEN));
        assert!(!is_right(&token, "f00", THEN + FORM + 1));
        let other = sign(&keys()[1].cookies, &URL_SAFE_NO_PAD.encode("\"f00\""), THEN);
        assert!(!is_right(&other, "f00", THEN));
    }

    proptest! {
        #[test]
        fn no_cookie_panics(text in "[a-zA-Z0-9._-]{0,80}", payload in proptest::collection::vec(any::<u8>(), 0..60), packed: bool) {
            let _ = read(&text, &keys(), 100, THEN);
            let point = if packed { "." } else { "" };
            let payload = format!("{point}{}", URL_SAFE_NO_PAD.encode(payload));
            let _ = read(&sign(&keys()[1].cookies, &payload, THEN), &keys(), 100, THEN);
        }
    }
}
