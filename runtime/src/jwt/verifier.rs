//! Signature, issuer, audience and time of a token.

use std::str::FromStr;
use std::sync::Arc;

use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header};
use rest_schema::{Jwt, JwtAlgorithm};
use serde_json::{Map, Value};

use super::keys::{Key, Keys};
use super::{Claims, Refused};

/// Seconds by which clocks may differ.
const LEEWAY: u64 = 60;

/// Checks the tokens of one issuer.
#[derive(Debug)]
pub(crate) struct Verifier {
    /// What is held against a token of each algorithm that is taken.
    taken: Vec<Validation>,
    keys: Keys,
}

impl Verifier {
    /// For an issuer; and why its keys can't be had, where they can't.
    pub(super) fn new(jwt: &Jwt) -> (Self, Option<String>) {
        let names = jwt.algorithms.iter().map(|algorithm| algorithm.name());
        // Both lists are those of RFC 7518.
        let algorithms = names.filter_map(|name| Algorithm::from_str(name).ok());
        let takes_secrets = jwt.algorithms.iter().copied().any(JwtAlgorithm::is_by_secret);
        let (keys, fault) = Keys::new(jwt.keys.as_deref(), takes_secrets);
        let verifier = Self {
            taken: algorithms.map(|algorithm| validation(algorithm, jwt)).collect(),
            keys,
        };
        (verifier, fault)
    }

    /// What a token says, if it is good.
    pub(crate) async fn claims(&self, token: &str) -> Result<Claims, Refused> {
        let header = decode_header(token).map_err(|error| bad(&error))?;
        if header.crit.is_some() {
            return Err(Refused::Bad(
                "it asks for what isn't understood (`crit`)".to_owned(),
            ));
        }
        let of_its = self
            .taken
            .iter()
            .find(|taken| taken.algorithms.contains(&header.alg));
        let Some(validation) = of_its else {
            let message = format!("tokens signed by {:?} aren't taken", header.alg);
            return Err(Refused::Bad(message));
        };
        let mut keys = self.keys.current().await.map_err(Refused::NoKeys)?;
        if !keys.iter().any(|key| key.fits(&header)) {
            // The issuer may have another key by now.
            keys = self.keys.anew(&keys).await;
        }
        checked(token, &header, validation, &keys)
    }
}

fn validation(algorithm: Algorithm, jwt: &Jwt) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.set_issuer(&[&jwt.issuer]);
    validation.set_audience(&jwt.audience);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    validation
}

fn checked(
    token: &str,
    header: &Header,
    validation: &Validation,
    keys: &Arc<[Key]>,
) -> Result<Claims, Refused> {
    let mut refused = Refused::Bad("none of the issuer's keys is the one that it names".to_owned());
    for key in keys.iter().filter(|key| key.fits(header)) {
        match decode::<Map<String, Value>>(token, &key.key, validation) {
            Ok(token) => return Ok(Claims(token.claims)),
            Err(error) => refused = bad(&error),
        }
    }
    Err(refused)
}

/// For whoever sent it; what it is signed by is checked before anything that it says.
fn bad(error: &Error) -> Refused {
    Refused::Bad(match error.kind() {
        ErrorKind::ExpiredSignature => "it has expired (`exp`)".to_owned(),
        ErrorKind::ImmatureSignature => "it isn't valid yet (`nbf`)".to_owned(),
        ErrorKind::InvalidIssuer => "it is another issuer's (`iss`)".to_owned(),
        ErrorKind::InvalidAudience => "it was made for others (`aud`)".to_owned(),
        ErrorKind::InvalidSignature => "it isn't signed by the issuer".to_owned(),
        ErrorKind::MissingRequiredClaim(claim) => format!("it has no claim `{claim}`"),
        ErrorKind::InvalidClaimFormat(claim) => format!("its claim `{claim}` can't be read"),
        _ => "it can't be read".to_owned(),
    })
}
