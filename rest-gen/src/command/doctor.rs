//! `rest-gen doctor`
//!
//! For somebody who is called at night: everything is looked at, whatever is found on the way, and each finding says what
//! to do about it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::Duration;

use rest_runtime::Location;
use rest_runtime::migrate::Finding;
use rest_runtime::program::{Options, location_of};
use rest_schema::{Schema, Severity};

use crate::error::{Error, Outcome};
use crate::load::load;
use crate::output;

/// How long whoever listens may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The variables that are read.
const VARIABLES: [&str; 7] = [
    "REST_CONFIG",
    "REST_DATABASE",
    "REST_REPLICAS",
    "REST_LISTEN",
    "REST_ADMIN_LISTEN",
    "REST_TRUSTED_PROXIES",
    "REST_PASSWORD",
];

/// Looks at everything, and tells it.
pub(crate) fn run(file: &Path, options: Options) -> Result<Outcome, Error> {
    let mut report = Report::default();
    let schema = report.schema(file)?;
    let options = options
        .settle()
        .map_err(|failure| Error::new(failure.to_string()))?;
    report.database(schema.as_ref(), options.database.as_deref());
    for replica in &options.replicas {
        report.replica(replica);
    }
    report.address("listen", &options.listen);
    if let Some(address) = &options.admin_listen {
        report.address("admin-listen", address);
    }
    report.environment(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()));
    output::result(&report.text)?;
    Ok(if report.faults == 0 {
        Outcome::Done
    } else {
        Outcome::Faults
    })
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grade {
    Ok,
    Warning,
    Fault,
}

/// What was found, as it is printed.
#[derive(Debug, Default)]
struct Report {
    text: String,
    faults: usize,
}

impl Report {
    fn tell(&mut self, grade: Grade, part: &str, message: &str, help: Option<&str>) {
        let word = match grade {
            Grade::Ok => "ok",
            Grade::Warning => "warning",
            Grade::Fault => "FAULT",
        };
        self.faults += usize::from(grade == Grade::Fault);
        self.text += &format!("{word:<8} {part:<13} {message}\n");
        if let Some(help) = help {
            self.text += &format!("{:<22} {help}\n", "");
        }
    }

    fn finding(&mut self, grade: Grade, finding: &Finding) {
        let message = format!("{}: {}", finding.place, finding.message);
        let help = [finding.help.as_deref(), finding.statement.as_deref()];
        let help: Vec<&str> = help.into_iter().flatten().collect();
        let help = help.join("; ");
        self.tell(
            grade,
            "database",
            &message,
            Some(help.as_str()).filter(|help| !help.is_empty()),
        );
    }

    /// The diagnostics are drawn as `check` draws them.
    fn schema(&mut self, file: &Path) -> Result<Option<Schema>, Error> {
        let loaded = load(file)?;
        output::diagnostics(&loaded.diagnostics, &loaded.sources);
        let count = |severity| {
            loaded
                .diagnostics
                .iter()
                .filter(|one| one.severity == severity)
                .count()
        };
        let (faults, warnings) = (count(Severity::Fault), count(Severity::Warning));
        let shown = file.display();
        match &loaded.schema {
            None => {
                let help = format!("`rest-gen check {shown}` tells them, each with what would be right");
                self.tell(
                    Grade::Fault,
                    "schema",
                    &format!("{shown} has {}", some(faults, "fault")),
                    Some(&help),
                );
            }
            Some(schema) if warnings > 0 => {
                let message = format!("{shown}: {}, {}", of(schema), some(warnings, "warning"));
                self.tell(Grade::Warning, "schema", &message, None);
            }
            Some(schema) => self.tell(Grade::Ok, "schema", &format!("{shown}: {}", of(schema)), None),
        }
        Ok(loaded.schema)
    }

    fn replica(&mut self, url: &str) {
        let follows = location_of(url).map_err(|failure| failure.to_string());
        match follows.and_then(|location| rest_runtime::follows(&location).map_err(|e| e.to_string())) {
            Ok(true) => self.tell(Grade::Ok, "replica", "answers, and follows another server", None),
            Ok(false) => {
                let help = "it would never be read from; make it a standby of the database's server";
                self.tell(Grade::Fault, "replica", "it follows no other server", Some(help));
            }
            Err(told) => self.tell(Grade::Fault, "replica", &told, None),
        }
    }

    fn database(&mut self, schema: Option<&Schema>, url: Option<&str>) {
        let Some(url) = url else {
            let help = "say `--database FILE`, or set REST_DATABASE";
            return self.tell(Grade::Fault, "database", "none is named", Some(help));
        };
        let before = self.text.len();
        let path = match location_of(url) {
            Ok(Location::File(path)) => path,
            Ok(location) => {
                if let Some(schema) = schema {
                    self.fit(schema, &location);
                }
                if self.text.len() == before {
                    let message = match schema {
                        Some(_) => "answers, and its tables fit the schema",
                        None => "is looked at when the schema has no faults",
                    };
                    self.tell(Grade::Ok, "database", message, None);
                }
                return;
            }
            Err(failure) => return self.tell(Grade::Fault, "database", &failure.to_string(), None),
        };
        if !path.exists() {
            return self.missing(schema, &path);
        }
        match rest_runtime::diagnose(&path) {
            Ok(faults) => faults.iter().for_each(|fault| self.finding(Grade::Fault, fault)),
            Err(error) => return self.tell(Grade::Fault, "database", &error.to_string(), None),
        }
        if let Some(schema) = schema {
            self.fit(schema, &Location::from(&path));
        }
        if self.text.len() == before {
            let message = match schema {
                Some(_) => "is sound, and what it holds fits the schema",
                None => "is sound; whether it fits can be told when the schema has no faults",
            };
            self.tell(
                Grade::Ok,
                "database",
                &format!("{} {message}", path.display()),
                None,
            );
        }
    }

    fn missing(&mut self, schema: Option<&Schema>, path: &Path) {
        let shown = path.display();
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !folder.is_dir()) {
            let help = "make the folder, or name a file elsewhere";
            return self.tell(
                Grade::Fault,
                "database",
                &format!("{shown} lies in a folder that isn't there"),
                Some(help),
            );
        }
        match schema.map(|schema| schema.managed) {
            Some(Some(false)) => {
                let help = "the program that owns it makes it, or `--create-from tables.sql` does";
                self.tell(
                    Grade::Fault,
                    "database",
                    &format!("{shown} isn't there"),
                    Some(help),
                );
            }
            _ => self.tell(
                Grade::Ok,
                "database",
                &format!("{shown} will be made by the service"),
                None,
            ),
        }
    }

    fn fit(&mut self, schema: &Schema, database: &Location) {
        match rest_runtime::examine(schema, database) {
            Ok(found) => {
                let faults = found.mismatches.iter().chain(&found.stored);
                faults.for_each(|fault| self.finding(Grade::Fault, fault));
                found
                    .advice
                    .iter()
                    .for_each(|advice| self.finding(Grade::Warning, advice));
            }
            Err(error) => self.tell(Grade::Fault, "database", &error.to_string(), None),
        }
    }

    /// It can be had, or one of ours answers there.
    fn address(&mut self, option: &str, address: &str) {
        let Some(found) = address.to_socket_addrs().ok().and_then(|mut all| all.next()) else {
            let message = format!("`{address}` isn't an address to listen at");
            return self.tell(
                Grade::Fault,
                option,
                &message,
                Some("write it like 127.0.0.1:8000"),
            );
        };
        match TcpListener::bind(found) {
            Ok(_) => self.tell(Grade::Ok, option, &format!("{address} is free"), None),
            Err(error) if error.kind() != std::io::ErrorKind::AddrInUse => {
                let help = "name an address of this machine, and a port from 1024 on";
                self.tell(
                    Grade::Fault,
                    option,
                    &format!("{address} can't be had: {error}"),
                    Some(help),
                );
            }
            Err(_) => match asked(found) {
                Some(200) => self.tell(
                    Grade::Ok,
                    option,
                    &format!("{address}: a service answers, and is ready"),
                    None,
                ),
                Some(503) => {
                    let help = "it is ending, or its database can't be read: its log says which";
                    self.tell(
                        Grade::Fault,
                        option,
                        &format!("{address}: a service answers, and isn't ready"),
                        Some(help),
                    );
                }
                _ => {
                    let help = "end that, or name another address";
                    self.tell(
                        Grade::Fault,
                        option,
                        &format!("{address} is in use by another program"),
                        Some(help),
                    );
                }
            },
        }
    }

    /// Variables that look as if they were for us.
    fn environment(&mut self, names: impl Iterator<Item = String>) {
        let mut names: Vec<String> = names.collect();
        names.sort();
        let is_set = |name: &str| names.iter().any(|set| set == name);
        if is_set("DATABASE_URL") && !is_set("REST_DATABASE") {
            let help = "if it is meant for the service, set REST_DATABASE";
            self.tell(
                Grade::Warning,
                "environment",
                "DATABASE_URL is set, and not read",
                Some(help),
            );
        }
        let strange = names
            .iter()
            .filter(|name| name.starts_with("REST_") && !VARIABLES.contains(&name.as_str()));
        for name in strange {
            let help = format!("these are read: {}", VARIABLES.join(", "));
            self.tell(
                Grade::Warning,
                "environment",
                &format!("{name} is set, and not read"),
                Some(&help),
            );
        }
    }
}

/// The status of `/health/ready`, where a service of ours answers; other servers don't give their answers an id.
fn asked(address: std::net::SocketAddr) -> Option<u16> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.set_write_timeout(Some(PATIENCE)).ok()?;
    stream
        .write_all(b"GET /health/ready HTTP/1.1\r\nHost: doctor\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut bytes = Vec::new();
    stream.take(16 * 1024).read_to_end(&mut bytes).ok()?;
    let answer = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
    let status = answer.strip_prefix("http/1.1 ")?.get(..3)?.parse().ok()?;
    answer.contains("\r\nx-request-id: ").then_some(status)
}

fn of(schema: &Schema) -> String {
    some(schema.resources.len(), "resource")
}

/// `1 fault`, `2 faults`
fn some(count: usize, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(names: &[&str]) -> String {
        let mut report = Report::default();
        report.environment(names.iter().map(|name| (*name).to_owned()));
        report.text
    }

    #[test]
    fn variables_that_are_not_read_are_told() {
        assert_eq!(told(&["PATH", "REST_DATABASE", "DATABASE_URL"]), "");
        assert!(
            told(&["DATABASE_URL"]).starts_with("warning  environment   DATABASE_URL is set, and not read\n")
        );
        assert!(told(&["REST_DATABSE"]).contains("REST_DATABSE is set"));
    }
}
