//! A server of a few lines: for the tests of the runner itself, and for what a service sends to others.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};

/// What the fake was asked: the head's lines and the body.
pub(crate) struct Asked {
    /// Request line and headers.
    pub(crate) head: Vec<String>,
    /// As long as `Content-Length` says.
    pub(crate) body: Vec<u8>,
}

/// Starts a server that gives `answer`'s text for each request. It ends with the process.
pub(crate) fn start(answer: impl Fn(&Asked) -> String + Send + 'static) -> Result<SocketAddr, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            while let Some(asked) = read(&mut stream) {
                if stream.get_mut().write_all(answer(&asked).as_bytes()).is_err() {
                    break;
                }
            }
        }
    });
    Ok(address)
}

fn read(from: &mut impl BufRead) -> Option<Asked> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line).ok().filter(|n| *n > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let length = head
        .iter()
        .find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            value.parse().ok().filter(|_| is_length)
        })
        .unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Asked { head, body })
}
