//! Where a database is, and how it is to be used: a URL.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;

/// Connections for transactions, where the URL doesn't say.
const CONNECTIONS: usize = 10;
/// How long a connection may take to be made, where the URL doesn't say.
const PATIENCE: Duration = Duration::from_secs(5);

/// A database of PostgreSQL.
#[derive(Clone)]
pub struct Address {
    /// What the driver understands of the URL.
    pub(crate) config: Config,
    /// Connections for transactions, at most.
    pub(crate) connections: usize,
    /// Whether statements stay prepared. A pooler that gives a connection to others after each transaction can't keep
    /// them.
    pub(crate) keeps_statements: bool,
}

/// Without the password, which no log may hold.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.config.get_hosts().first();
        let host = match host {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        write!(f, "postgres://{host}")?;
        if let Some(port) = self.config.get_ports().first() {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text is the URL of such a database.
pub fn is_address(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

impl FromStr for Address {
    type Err = String;

    /// Reads `postgres://user:password@host:port/database?…`: the parameters of libpq that the driver knows, and our own
    /// `connections` (of the pool for transactions, 10) and `statement_cache` (`on`, or `off` behind a pooler).
    fn from_str(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut connections, mut keeps_statements) = (CONNECTIONS, true);
        let mut rest = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            match parameter.split_once('=') {
                Some(("connections", number)) => match number.parse() {
                    Ok(number) if (1..=1_000).contains(&number) => connections = number,
                    _ => return Err(format!("`connections={number}` isn't a number from 1 to 1000")),
                },
                Some(("statement_cache", "on")) => keeps_statements = true,
                Some(("statement_cache", "off")) => keeps_statements = false,
                Some(("statement_cache", word)) => {
                    return Err(format!("`statement_cache={word}` is neither `on` nor `off`"));
                }
                _ => rest.push(parameter),
            }
        }
        let separator = if rest.is_empty() { "" } else { "?" };
        let driver = format!("{base}{separator}{}", rest.join("&"));
        // The driver's message names the parameter, never the password.
        let mut config: Config = driver
            .parse()
            .map_err(|error| format!("the database's URL can't be read: {}", causes(&error)))?;
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("rest");
        }
        Ok(Self {
            config,
            connections,
            keeps_statements,
        })
    }
}

/// An error with all that caused it.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn read(url: &str) -> Result<Address, String> {
        url.parse()
    }

    #[test]
    fn an_address_says_where_and_keeps_its_password_to_itself() {
        let address =
            read("postgres://susan:hush@db.example:5433/blog?connections=3&sslmode=disable").expect("one");
        assert_eq!(address.connections, 3);
        assert!(address.keeps_statements);
        for shown in [address.to_string(), format!("{address:?}")] {
            assert_eq!(shown, "postgres://db.example:5433/blog");
        }
        assert!(
            !read("postgresql://localhost/x?statement_cache=off")
                .expect("one")
                .keeps_statements
        );
    }

    #[test]
    fn what_is_wrong_with_one_is_said_without_its_password() {
        for (url, told) in [
            ("postgres://a:hush@b/c?connections=0", "connections=0"),
            ("postgres://a:hush@b/c?connections=many", "connections=many"),
            ("postgres://a:hush@b/c?statement_cache=no", "statement_cache=no"),
            ("postgres://a:hush@b/c?sslmode=perhaps", "sslmode"),
            ("postgres://a:hush@b/c?colour=red", "colour"),
        ] {
            let error = read(url).expect_err("refused");
            assert!(error.contains(told) && !error.contains("hush"), "{error}");
        }
    }
}
