//! What can be typed.

#[cfg(test)]
mod reference;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use rest_runtime::operate::NewToken;
use rest_runtime::program;

use crate::command;
use crate::command::generate::Mode;
use crate::database::Database;
use crate::error::{Error, Outcome};

/// Checks a schema, serves it, and looks after its accounts and rows.
#[derive(Debug, Parser)]
#[command(name = "rest-gen", version, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done, 1 the input has faults, 2 it couldn't run.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a project: Rust structs, a program that serves them, tests, and all around them
    New {
        /// The folder, empty or not there yet
        dir: PathBuf,
        /// The schema, a YAML file; a small one to start with where none is named
        #[arg(long, value_name = "FILE")]
        schema: Option<PathBuf>,
        /// The folder of the package rest-runtime, where it isn't to come from the registry
        #[arg(long, value_name = "PATH")]
        runtime: Option<PathBuf>,
    },
    /// Writes a project's generated files anew where they differ; your own files stay as they are
    Generate {
        /// The project
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Write nothing; fail where files are out of date, and name them
        #[arg(long, group = "mode")]
        check: bool,
        /// Write nothing; show what would be written, and what a new project would have in files that are yours
        #[arg(long, group = "mode")]
        diff: bool,
        /// Go on, and write whenever the schema changes
        #[arg(long, group = "mode")]
        watch: bool,
        /// Write generated files anew even where somebody has edited them
        #[arg(long)]
        force: bool,
    },
    /// Checks a schema and tells every fault at once
    Check {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// Print a stage of the way from the file to the service
        #[arg(long, value_enum)]
        show: Option<Stage>,
        /// How faults and stages are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Compare it with this SQLite database too, and look for stored values that don't fit; nothing is changed
        #[arg(long, value_name = "URL")]
        database: Option<String>,
    },
    /// Tells what a change of a schema means to clients; ends with 1 where one breaks them
    Diff {
        /// The schema that is served: a YAML file, a `.rs` file, or a folder of them
        old: PathBuf,
        /// The schema that is to be served
        new: PathBuf,
        /// How the changes are printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Prints who may do what, by resource, operation and kind of caller, and tells what is open
    Access {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        format: Report,
        /// Print the same rules as SQL instead: row-level security of PostgreSQL, for programs that come to the tables by
        /// another way
        #[arg(long, conflicts_with = "format")]
        rls: bool,
        /// Over the tables of this database, postgres://USER:PASSWORD@HOST/DATABASE; needed where they aren't ours
        #[arg(
            long,
            value_name = "URL",
            env = "REST_DATABASE",
            hide_env_values = true,
            requires = "rls"
        )]
        database: Option<String>,
    },
    /// Tells what becomes of a request: the rules that it meets, its plan and SQL, the answer; a write isn't carried out
    Explain {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// The request, like 'GET /api/posts?sort=-score' or 'QUERY /api/posts {"limit": 2}'
        request: String,
        /// Who asks: what names an account at sign-in; nobody by default
        #[arg(long = "as", value_name = "ACCOUNT")]
        account: Option<String>,
        /// On this database: a file of SQLite, sqlite:FILE, or postgres://USER:PASSWORD@HOST/DATABASE; on empty tables by default
        #[arg(long, value_name = "URL", env = "REST_DATABASE")]
        database: Option<String>,
        /// How it is printed
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Serves a schema on a database
    Serve {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        #[command(flatten)]
        options: program::Options,
    },
    /// Looks for what is wrong with a schema, its database and its surroundings, and says what to do; changes nothing
    Doctor {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        #[command(flatten)]
        options: program::Options,
    },
    /// Looks after the accounts of a service
    Account {
        #[command(subcommand)]
        command: Account,
    },
    /// Looks after the tokens of a service's accounts
    Token {
        #[command(subcommand)]
        command: Token,
    },
    /// Loads rows from a YAML file, all or none
    Seed {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// The rows: lists by resource; pairs of a many-to-many under `Resource.relation`
        rows: PathBuf,
        #[command(flatten)]
        database: Database,
    },
    /// Writes a schema back as YAML, with mixins and included files written out
    Export {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
    },
    /// Prints the OpenAPI document of a schema
    Openapi {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// The version of OpenAPI
        #[arg(long, value_name = "VERSION", default_value = "3.1", value_parser = ["3.1", "3.2"])]
        version: String,
    },
    /// Prints the JSON Schema of schemas, for editors
    Schema,
    /// Prints a script that completes this command line
    Completions {
        /// For which shell
        #[arg(value_enum)]
        shell: Shell,
    },
}

#[derive(Debug, Subcommand)]
enum Account {
    /// Makes an account; the password is asked for, or read from REST_PASSWORD or the standard input
    Create {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        #[command(flatten)]
        database: Database,
        /// A field of the account, like username=susan or is_admin=true
        #[arg(long, value_name = "NAME=VALUE")]
        set: Vec<String>,
    },
    /// Sets an account's password, read as for `create`, and revokes its tokens
    Password {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// What names the account at sign-in
        name: String,
        #[command(flatten)]
        database: Database,
    },
    /// Signs an account out everywhere: ends its sessions and revokes its tokens, at once and for every instance
    SignOut {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// What names the account at sign-in
        name: String,
        #[command(flatten)]
        database: Database,
    },
}

#[derive(Debug, Subcommand)]
enum Token {
    /// Makes a token of an account, as if it had signed in, and prints it: it is shown this once
    Create {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// What names the account at sign-in
        account: String,
        #[command(flatten)]
        database: Database,
        /// What the token is called
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// What it may do, like posts:read or posts:write; may be given more than once; everything by default
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// How long it lasts, like 90s, 15m, 1h, 90d; as the schema says by default
        #[arg(long, value_name = "TIME", value_parser = lifetime)]
        lifetime: Option<u64>,
    },
    /// Lists an account's tokens that haven't expired, the latest first: never what they are known by
    List {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// What names the account at sign-in
        account: String,
        #[command(flatten)]
        database: Database,
    },
    /// Revokes a token of an account, at once and for every instance
    #[command(group = clap::ArgGroup::new("which").required(true))]
    Revoke {
        /// The schema: a YAML file, a `.rs` file, or a folder of them
        file: PathBuf,
        /// What names the account at sign-in
        account: String,
        #[command(flatten)]
        database: Database,
        /// The token's number, as `list` shows it
        #[arg(long, group = "which")]
        id: Option<i64>,
        /// All tokens of the account
        #[arg(long, group = "which")]
        all: bool,
    },
}

fn lifetime(text: &str) -> Result<u64, String> {
    rest_schema::raw::duration(text).ok_or_else(|| "a time is written like 90s, 15m, 1h, 90d".to_owned())
}

/// A stage that can be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stage {
    /// As written, with the place of every key
    Raw,
    /// As meant: names bound, defaults decided, rules written out
    Schema,
    /// What a first page and an item of each resource read, access rules included
    Plan,
    /// The SQL of the tables (where they are ours) and of those reads
    Sql,
}

/// How things are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// How a report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Report {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For a review
    Markdown,
}

/// Reads the command line and does what it says.
pub(crate) fn run() -> Result<Outcome, Error> {
    // A mistyped command line ends here, by clap's own message and with its code 2.
    let cli = Cli::parse();
    match cli.command {
        Command::New { dir, schema, runtime } => {
            command::new::run(&dir, schema.as_deref(), runtime.as_deref())
        }
        Command::Generate {
            dir,
            check,
            diff,
            watch,
            force,
        } => command::generate::run(&dir, mode(check, diff, watch), force),
        Command::Check {
            file,
            show,
            format,
            database,
        } => command::check::run(&file, show, format, database.as_deref()),
        Command::Diff { old, new, format } => command::diff::run(&old, &new, format),
        Command::Access {
            file,
            format: _,
            rls: true,
            database,
        } => command::access::row_security(&file, database),
        Command::Access { file, format, .. } => command::access::run(&file, format),
        Command::Explain {
            file,
            request,
            account,
            database,
            format,
        } => command::explain::run(&file, &request, account.as_deref(), database, format),
        Command::Serve { file, options } => command::serve::run(&file, options),
        Command::Doctor { file, options } => command::doctor::run(&file, options),
        Command::Account { command } => match command {
            Account::Create { file, database, set } => command::account::create(&file, &database, &set),
            Account::SignOut { file, name, database } => command::account::sign_out(&file, &database, &name),
            Account::Password { file, name, database } => command::account::password(&file, &database, &name),
        },
        Command::Token { command } => match command {
            Token::Create {
                file,
                account,
                database,
                name,
                scopes,
                lifetime,
            } => {
                let wanted = NewToken {
                    name,
                    scopes,
                    lifetime,
                };
                command::token::create(&file, &database, &account, wanted)
            }
            Token::List {
                file,
                account,
                database,
            } => command::token::list(&file, &database, &account),
            Token::Revoke {
                file,
                account,
                database,
                id,
                all: _,
            } => command::token::revoke(&file, &database, &account, id),
        },
        Command::Seed { file, rows, database } => command::seed::run(&file, &rows, &database),
        Command::Export { file } => command::export::run(&file),
        Command::Openapi { file, version } => command::openapi::run(&file, &version),
        Command::Schema => command::schema::run(),
        Command::Completions { shell } => command::completions::run(shell),
    }
}

/// At most one of them is given.
fn mode(check: bool, diff: bool, watch: bool) -> Mode {
    match (check, diff, watch) {
        (true, _, _) => Mode::Check,
        (_, true, _) => Mode::Diff,
        (_, _, true) => Mode::Watch,
        _ => Mode::Write,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
