//! `docs/reference/command-line.md`, printed from the commands and compared; `UPDATE=1` writes it.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

const HEAD: &str = "# The command line

Results are printed on the standard output, everything else on the standard error. Exit codes: 0 done, 1 the input has
faults, 2 it couldn't run. Every option that names an environment variable can be set by it.

`serve` logs requests and what goes wrong on the standard error: lines on a terminal, JSON elsewhere. `RUST_LOG` says
what is logged (`RUST_LOG=warn`: no requests). On SIGINT or SIGTERM `/health/ready` turns to 503, requests under way are
finished, and it ends with 0; a second signal ends it at once.
";

#[test]
fn the_page_of_the_command_line() {
    let mut page = HEAD.to_owned();
    for command in super::Cli::command().get_subcommands() {
        section(command, "rest-gen", &mut page);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/command-line.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let is = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        is == page,
        "docs/reference/command-line.md is not what the commands say; UPDATE=1 rewrites it"
    );
}

fn section(command: &Command, before: &str, page: &mut String) {
    let name = format!("{before} {}", command.get_name());
    if command.has_subcommands() {
        for inner in command.get_subcommands() {
            section(inner, &name, page);
        }
        return;
    }
    let positional = command.get_positionals().map(|arg| format!(" {}", value(arg)));
    let _ = writeln!(page, "\n## `{name}{}`\n", positional.collect::<String>());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "{about}.");
    let arguments: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()))
        .collect();
    if !arguments.is_empty() {
        page.push_str("\n| argument | means |\n|---|---|\n");
    }
    for arg in arguments {
        let _ = writeln!(page, "| {} | {} |", spelled(arg), meaning(arg));
    }
}

fn value(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names
        .first()
        .map_or_else(|| arg.get_id().as_str().to_uppercase(), ToString::to_string)
}

fn spelled(arg: &Arg) -> String {
    match arg.get_long() {
        Some(long) => format!("`--{long} {}`", value(arg)),
        None => format!("`{}`", value(arg)),
    }
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|word| format!("`{}`", word.get_name()))
        .collect();
    if !words.is_empty() {
        let _ = write!(text, ": {}", words.join(", "));
    }
    let default = arg
        .get_default_values()
        .first()
        .and_then(|default| default.to_str());
    if let Some(default) = default {
        let _ = write!(text, "; `{default}` by default");
    }
    if let Some(variable) = arg.get_env().and_then(|variable| variable.to_str()) {
        let _ = write!(text, " (`{variable}`)");
    }
    if !arg.is_required_set() && arg.get_long().is_none() {
        text.push_str("; may be left out");
    }
    text
}
