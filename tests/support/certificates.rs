//! Certificates, as `openssl` makes them.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

/// An authority and certificates of its making for `localhost` and for the user `tests`.
#[derive(Debug)]
pub(crate) struct Certificates {
    folder: TempDir,
}

impl Certificates {
    /// New ones.
    pub(crate) fn new() -> Result<Self, String> {
        let all = Self {
            folder: TempDir::new().map_err(|e| e.to_string())?,
        };
        all.make("ca", "authority", "basicConstraints=critical,CA:TRUE", None)?;
        all.make("server", "localhost", "subjectAltName=DNS:localhost", Some("ca"))?;
        all.make("client", "tests", "extendedKeyUsage=clientAuth", Some("ca"))?;
        Ok(all)
    }

    fn make(&self, file: &str, name: &str, extension: &str, by: Option<&str>) -> Result<(), String> {
        let path = |name: &str| self.path(name).display().to_string();
        let (key, certificate) = (path(&format!("{file}.key")), path(&format!("{file}.crt")));
        let mut command = Command::new("openssl");
        command.args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ]);
        command.args([
            "-subj",
            &format!("/CN={name}"),
            "-addext",
            extension,
            "-keyout",
            &key,
            "-out",
            &certificate,
        ]);
        if let Some(by) = by {
            command.args([
                "-CA",
                &path(&format!("{by}.crt")),
                "-CAkey",
                &path(&format!("{by}.key")),
            ]);
            command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        }
        let run = command.output().map_err(|e| format!("openssl: {e}"))?;
        if run.status.success() {
            Ok(())
        } else {
            Err(String::from_utf8_lossy(&run.stderr).into_owned())
        }
    }

    /// A file: `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
