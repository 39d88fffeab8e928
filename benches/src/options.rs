//! The command line.

/// What is asked for.
pub(crate) struct Options {
    /// What the server does for a request.
    pub(crate) mode: Mode,
    /// The SQLite file, whose tables are created where they are missing; or the URL of a PostgreSQL's database that has them.
    pub(crate) database: String,
    /// Where to listen.
    pub(crate) listen: String,
    /// Tokens that are valid from the start, with the user each stands for.
    pub(crate) tokens: Vec<(String, i64)>,
}

/// What the server does for a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The whole contract.
    Contract,
    /// Rows to JSON.
    Bare,
    /// Rows of PostgreSQL's to JSON.
    Postgres,
}

const USAGE: &str = "usage: limit-server (--contract | --bare | --postgres) --database URL [--listen ADDRESS] [--token USER=TOKEN]...";

impl Options {
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments;
        let (mut mode, mut database, mut listen) = (None, None, "127.0.0.1:0".to_owned());
        let mut tokens = Vec::new();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} needs a value\n{USAGE}"))
            };
            match argument.as_str() {
                "--contract" => mode = Some(Mode::Contract),
                "--bare" => mode = Some(Mode::Bare),
                "--postgres" => mode = Some(Mode::Postgres),
                "--database" => database = Some(value()?),
                "--listen" => listen = value()?,
                "--token" => tokens.push(token(&value()?)?),
                _ => return Err(format!("unknown argument {argument}\n{USAGE}")),
            }
        }
        Ok(Self {
            mode: mode.ok_or(USAGE)?,
            database: database.ok_or(USAGE)?,
            listen,
            tokens,
        })
    }
}

fn token(text: &str) -> Result<(String, i64), String> {
    let (user, token) = text.split_once('=').ok_or(USAGE)?;
    let user = user.parse().map_err(|_| format!("{user} is not a user's id"))?;
    Ok((token.to_owned(), user))
}
