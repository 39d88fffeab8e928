//! Where a database is, and how it is to be used: a URL.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::tls::Wanted;

/// Connections for transactions, where the URL doesn't say.
const CONNECTIONS: usize = 10;
/// How long a connection may take to be made, where the URL doesn't say.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// How long a statement may run, where neither the URL nor a schema says.
const STATEMENT: Duration = Duration::from_secs(30);
/// How long it may wait for a lock.
const LOCK: Duration = Duration::from_secs(5);
/// How long what was sent may go unacknowledged before the connection counts as gone, and how long nothing may be heard of
/// the other side before it is asked whether it is there.
const SILENCE: Duration = Duration::from_secs(30);

/// A database of PostgreSQL.
#[derive(Clone)]
pub struct Address {
    /// What the driver understands of the URL.
    pub(crate) config: Config,
    /// How a connection is made where there is TLS.
    pub(crate) connector: MakeRustlsConnect,
    /// Connections for transactions, at most.
    pub(crate) connections: usize,
    /// Whether statements stay prepared. A pooler that gives a connection to others after each transaction can't keep
    /// them.
    pub(crate) keeps_statements: bool,
    /// How long a statement may run, where the URL or a schema says it.
    statement_timeout: Option<Duration>,
}

impl Address {
    /// The same, where a statement may run so long if the URL says nothing of it.
    pub(crate) fn with_statement_timeout(self, time: Duration) -> Self {
        Self {
            statement_timeout: self.statement_timeout.or(Some(time)),
            ..self
        }
    }

    /// How long a statement may run.
    pub(crate) fn statement_timeout(&self) -> Duration {
        self.statement_timeout.unwrap_or(STATEMENT)
    }

    /// What the driver connects by: with what every connection is set to that is ours from beginning to end.
    pub(crate) fn settings(&self) -> Config {
        let mut config = self.config.clone();
        if self.keeps_statements {
            let statement = self.statement_timeout();
            // What the URL says comes last, and so goes before ours. A pooler takes none of it.
            let theirs = config.get_options().unwrap_or_default().to_owned();
            let options = format!(
                "-c statement_timeout={} -c lock_timeout={} -c idle_in_transaction_session_timeout=60000 -c \
                 timezone=UTC {theirs}",
                statement.as_millis(),
                LOCK.min(statement).as_millis()
            );
            config.options(options.trim_end());
        }
        config
    }

    /// Its host and port.
    pub(crate) fn place(&self) -> String {
        let host = match self.config.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            #[cfg(unix)]
            Some(tokio_postgres::config::Host::Unix(path)) => path.display().to_string(),
            None => String::new(),
        };
        match self.config.get_ports().first() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

/// Without the password, which no log may hold.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = self.config.get_dbname().unwrap_or_default();
        write!(f, "postgres://{}/{database}", self.place())
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

    /// Reads `postgres://user:password@host:port/database?…`: the parameters of libpq that the driver knows, and our own:
    /// `connections` (of the pool for transactions, 10), `statement_timeout` (`30s`) and `statement_cache` (`on`, or `off`
    /// behind a pooler). `sslmode`, `sslrootcert`, `sslcert` and `sslkey` are as in libpq, but that the system's
    /// certificates are trusted where no file is named.
    fn from_str(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut ours = Ours::default();
        let mut rest = Vec::new();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            if !ours.take(parameter)? {
                rest.push(parameter);
            }
        }
        let separator = if rest.is_empty() { "" } else { "?" };
        let driver = format!("{base}{separator}{}", rest.join("&"));
        // The driver's message names the parameter, never the password.
        let config: Config = driver
            .parse()
            .map_err(|error| format!("the database's URL can't be read: {}", causes(&error)))?;
        ours.with(config)
    }
}

/// The parameters that are ours.
struct Ours {
    connections: usize,
    keeps_statements: bool,
    statement_timeout: Option<Duration>,
    tls: Wanted,
}

impl Default for Ours {
    fn default() -> Self {
        Self {
            connections: CONNECTIONS,
            keeps_statements: true,
            statement_timeout: None,
            tls: Wanted::default(),
        }
    }
}

impl Ours {
    /// Whether a parameter is one of ours.
    fn take(&mut self, parameter: &str) -> Result<bool, String> {
        let refused = |expected: &str| Err(format!("`{parameter}` isn't {expected}"));
        match parameter.split_once('=') {
            Some(("connections", number)) => match number.parse() {
                Ok(number) if (1..=1_000).contains(&number) => self.connections = number,
                _ => return refused("a number from 1 to 1000"),
            },
            Some(("statement_cache", "on")) => self.keeps_statements = true,
            Some(("statement_cache", "off")) => self.keeps_statements = false,
            Some(("statement_cache", _)) => return refused("`on` or `off`"),
            Some(("statement_timeout", time)) => match duration(time) {
                time @ Some(_) => self.statement_timeout = time,
                None => return refused("a time from 1ms to 3600s, as `500ms` or `30s`"),
            },
            Some((name, value)) => {
                let value = percent_decode_str(value).decode_utf8_lossy();
                return self.tls.take(name, &value);
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    fn with(self, mut config: Config) -> Result<Address, String> {
        config.ssl_mode(self.tls.driver_mode());
        if config.get_hosts().is_empty() {
            config.host("localhost");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("rest");
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE).keepalives_idle(SILENCE);
        }
        Ok(Address {
            config,
            connector: self.tls.connector()?,
            connections: self.connections,
            keeps_statements: self.keeps_statements,
            statement_timeout: self.statement_timeout,
        })
    }
}

impl Address {
    /// What begins a transaction. Behind a pooler a connection has the settings of others, but for the transaction.
    pub(crate) fn begin(&self, isolation: &str) -> String {
        let mut begin = format!("BEGIN {isolation}");
        if !self.keeps_statements {
            let statement = self.statement_timeout();
            begin += &format!(
                "; SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}; SET LOCAL timezone = 'UTC'",
                statement.as_millis(),
                LOCK.min(statement).as_millis()
            );
        }
        begin
    }
}

fn duration(text: &str) -> Option<Duration> {
    let milliseconds = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => number.parse().ok()?,
        (None, Some(number)) => number.parse::<u64>().ok()?.checked_mul(1_000)?,
        (None, None) => return None,
    };
    (1..=3_600_000)
        .contains(&milliseconds)
        .then(|| Duration::from_millis(milliseconds))
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
    use super::{Address, Duration};

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
    fn what_the_url_sets_goes_before_what_we_set() {
        let address =
            read("postgres://a/b?statement_timeout=500ms&options=-c%20lock_timeout%3D9s").expect("one");
        let settings = address.with_statement_timeout(Duration::from_secs(1)).settings();
        let options = settings.get_options().expect("some");
        assert!(
            options.starts_with("-c statement_timeout=500 -c lock_timeout=500 "),
            "{options}"
        );
        assert!(options.ends_with(" -c lock_timeout=9s"), "{options}");
        let address = read("postgres://a/b").expect("one");
        assert_eq!(address.begin("READ ONLY"), "BEGIN READ ONLY");
        let settings = address.with_statement_timeout(Duration::from_secs(1)).settings();
        let options = settings.get_options().expect("some");
        assert!(options.starts_with("-c statement_timeout=1000 "), "{options}");
        let pooled = read("postgres://a/b?statement_timeout=2s&statement_cache=off").expect("one");
        assert_eq!(pooled.settings().get_options(), None);
        assert!(
            pooled
                .begin("")
                .starts_with("BEGIN ; SET LOCAL statement_timeout = 2000;")
        );
    }

    #[test]
    fn what_is_wrong_with_one_is_said_without_its_password() {
        for (url, told) in [
            ("postgres://a:hush@b/c?connections=0", "connections=0"),
            ("postgres://a:hush@b/c?connections=many", "connections=many"),
            ("postgres://a:hush@b/c?statement_cache=no", "statement_cache=no"),
            (
                "postgres://a:hush@b/c?statement_timeout=0s",
                "statement_timeout=0s",
            ),
            ("postgres://a:hush@b/c?statement_timeout=5", "as `500ms` or `30s`"),
            (
                "postgres://a:hush@b/c?sslmode=perhaps",
                "disable, prefer, require, verify-ca, verify-full",
            ),
            (
                "postgres://a:hush@b/c?sslmode=verify-ca&sslrootcert=none.crt",
                "none.crt (`sslrootcert`)",
            ),
            ("postgres://a:hush@b/c?sslcert=a.crt", "go together"),
            ("postgres://a:hush@b/c?colour=red", "colour"),
        ] {
            let error = read(url).expect_err("refused");
            assert!(error.contains(told) && !error.contains("hush"), "{error}");
        }
    }
}
