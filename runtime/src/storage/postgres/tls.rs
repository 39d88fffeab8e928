//! TLS to a database, with the words of libpq (its documentation, "SSL Support"): `sslmode`, `sslrootcert`, `sslcert`,
//! `sslkey`.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// What a URL says of TLS.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    mode: Option<Mode>,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

/// libpq's `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

const MODES: [(&str, Mode); 5] = [
    ("disable", Mode::Disable),
    ("prefer", Mode::Prefer),
    ("require", Mode::Require),
    ("verify-ca", Mode::VerifyCa),
    ("verify-full", Mode::VerifyFull),
];

impl Wanted {
    /// Whether a parameter of a URL is of TLS.
    pub(super) fn take(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            "sslmode" => match MODES.iter().find(|(word, _)| *word == value) {
                Some((_, mode)) => self.mode = Some(*mode),
                None => {
                    let words = MODES.map(|(word, _)| word).join(", ");
                    return Err(format!("`sslmode={value}` isn't one of {words}"));
                }
            },
            "sslrootcert" => self.root = Some(value.to_owned()),
            "sslcert" => self.certificate = Some(value.to_owned()),
            "sslkey" => self.key = Some(value.to_owned()),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Whether there has to be TLS; how far a certificate is trusted is the connector's.
    pub(super) fn driver_mode(&self) -> SslMode {
        match self.mode {
            Some(Mode::Disable) => SslMode::Disable,
            None | Some(Mode::Prefer) => SslMode::Prefer,
            Some(Mode::Require | Mode::VerifyCa | Mode::VerifyFull) => SslMode::Require,
        }
    }

    /// What makes connections.
    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, String> {
        let provider = Arc::new(ring::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().map_err(told)?;
        let verifier = self.verifier(provider)?;
        let config = config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let config = match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => {
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(|error| format!("the key {key} (`sslkey`) can't be read: {error}"))?;
                let chain = certificates("sslcert", certificate)?;
                config.with_client_auth_cert(chain, key).map_err(told)?
            }
            (None, None) => config.with_no_client_auth(),
            _ => return Err("`sslcert` and `sslkey` go together".to_owned()),
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn verifier(&self, provider: Arc<CryptoProvider>) -> Result<Verifier, String> {
        // With a certificate to trust, `require` means `verify-ca`, as in libpq.
        let verifies = match self.mode {
            Some(Mode::VerifyCa | Mode::VerifyFull) => true,
            Some(Mode::Require) => self.root.is_some(),
            None | Some(Mode::Disable | Mode::Prefer) => false,
        };
        let chain = if verifies {
            let roots = Arc::new(self.roots()?);
            let built = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            Some(built.map_err(told)?)
        } else {
            None
        };
        let checks_name = self.mode == Some(Mode::VerifyFull);
        Ok(Verifier {
            chain,
            checks_name,
            provider,
        })
    }

    /// The certificates that are trusted: those of a file, or the system's.
    fn roots(&self) -> Result<RootCertStore, String> {
        let mut roots = RootCertStore::empty();
        match self.root.as_deref() {
            Some(path) if path != "system" => {
                for certificate in certificates("sslrootcert", path)? {
                    roots.add(certificate).map_err(told)?;
                }
            }
            _ => drop(roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        }
        if roots.is_empty() {
            return Err("no certificate is trusted; name a file of them by `sslrootcert`".to_owned());
        }
        Ok(roots)
    }
}

fn certificates(parameter: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let failed = |error| format!("the certificate {path} (`{parameter}`) can't be read: {error}");
    let all = CertificateDer::pem_file_iter(Path::new(path)).map_err(failed)?;
    all.map(|one| one.map_err(failed)).collect()
}

fn told(error: impl std::fmt::Display) -> String {
    format!("TLS can't be used so: {error}")
}

/// Trusts as far as `sslmode` says.
#[derive(Debug)]
struct Verifier {
    /// What verifies chains; nothing: every certificate will do.
    chain: Option<Arc<WebPkiServerVerifier>>,
    /// Whether the host's name has to be the certificate's.
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(chain) = &self.chain else {
            return Ok(ServerCertVerified::assertion());
        };
        // The name is looked at last, when all else is right.
        match chain.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.checks_name => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
