//! The program: what it says where it can't run, and that it serves until it is asked to end.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

fn program() -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_example-derive"));
    program.env_remove("REST_DATABASE").env_remove("REST_LISTEN");
    program
}

#[test]
fn without_a_database_it_says_how_one_is_given() {
    let ended = program().output().expect("it runs");
    assert_eq!(ended.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&ended.stderr),
        "error: no database was named; give `--database FILE`, or set REST_DATABASE\n"
    );
}

#[test]
fn it_serves_until_it_is_asked_to_end() {
    let folder = std::env::temp_dir().join(format!("shelf-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut running = program()
        .env("REST_DATABASE", folder.join("shelf.db"))
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it runs");
    let mut told = BufReader::new(running.stdout.take().expect("its output"));
    let mut first = String::new();
    told.read_line(&mut first).expect("a line");
    let address = first
        .trim_end()
        .strip_prefix("shelf at http://")
        .and_then(|rest| rest.strip_suffix("/api"));
    let mut connection = TcpStream::connect(address.expect("an address")).expect("a connection");
    connection
        .write_all(b"GET /api/books HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .expect("a request");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    drop(connection);
    let asked = Command::new("kill").arg(running.id().to_string()).status();
    assert!(asked.expect("kill runs").success());
    assert_eq!(running.wait().expect("it ends").code(), Some(0));
    std::fs::remove_dir_all(folder).expect("the folder goes");
}
