//! A small HTTP/1.1 client that sends what it is told, right or wrong.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// How long an answer may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request as a test writes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// GET, POST …
    pub(crate) method: String,
    /// The path with its query string, as sent.
    pub(crate) target: String,
    /// In the order sent; `Host` and `Content-Length` are added where they are absent.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, if there is one.
    pub(crate) body: Option<Vec<u8>>,
}

impl Request {
    /// A request without a body.
    pub(crate) fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            ..Self::default()
        }
    }

    /// With a JSON body.
    pub(crate) fn json(mut self, body: impl Into<String>) -> Self {
        let media = if self.method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        self.body = Some(body.into().into_bytes());
        self.header("Content-Type", media)
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a token.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        let has = |name: &str| self.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        if !has("host") {
            head += &format!("Host: {address}\r\n");
        }
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = self
            .body
            .as_ref()
            .filter(|_| !has("content-length") && !has("transfer-encoding"))
        {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        let mut bytes = (head + "\r\n").into_bytes();
        bytes.extend_from_slice(self.body.as_deref().unwrap_or_default());
        bytes
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    /// 200, 404 …
    pub(crate) status: u16,
    /// In the order sent.
    pub(crate) headers: Vec<(String, String)>,
    /// Decoded from its framing.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// All values of a header, joined as RFC 9110, 5.3 allows.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// What a content coding (RFC 9110, 8.4) made of these bytes.
pub(crate) fn decoded(coding: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut plain = Vec::new();
    let read = match coding {
        "gzip" => flate2::read::GzDecoder::new(bytes).read_to_end(&mut plain),
        "br" => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut plain),
        "zstd" => {
            let decoder = zstd::stream::read::Decoder::new(bytes).map_err(|e| e.to_string())?;
            std::io::BufReader::new(decoder).read_to_end(&mut plain)
        }
        other => return Err(format!("no coding is called {other}")),
    };
    read.map_err(|e| format!("{coding}: {e}"))?;
    Ok(plain)
}

/// A client of one server, over one connection for as long as the server keeps it.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// Connects at the first request.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
        }
    }

    /// Sends a request and reads the answer to it.
    pub(crate) fn send(&mut self, request: &Request) -> Result<Answer, String> {
        let reused = self.connection.is_some();
        match self.exchange(request) {
            // The server may have closed a connection that it had kept.
            Err(_) if reused => self.exchange(request),
            answer => answer,
        }
    }

    fn exchange(&mut self, request: &Request) -> Result<Answer, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(self.address)?,
        };
        // A server that refuses a body early may close before it has read all: its answer counts.
        let sent = connection.get_mut().write_all(&request.bytes(self.address));
        let answer = read_answer(&mut connection, request.method == "HEAD").map_err(|e| match sent {
            Ok(()) => e,
            Err(sent) => format!("{e} (and sending: {sent})"),
        })?;
        let closes = answer
            .header("connection")
            .is_some_and(|v| v.eq_ignore_ascii_case("close"));
        if !closes {
            self.connection = Some(connection);
        }
        Ok(answer)
    }
}

/// Sends bytes as they are over a connection of their own, and reads one answer; `None` where the server just closes.
/// With `and_ends` nothing more will come, and the server is told so.
pub(crate) fn raw(address: SocketAddr, bytes: &[u8], and_ends: bool) -> Result<Option<Answer>, String> {
    let mut connection = connect(address)?;
    let _ = connection.get_mut().write_all(bytes);
    if and_ends {
        let _ = connection.get_mut().shutdown(Shutdown::Write);
    }
    match connection.fill_buf() {
        Ok([]) => Ok(None),
        Err(e) if e.kind() == ErrorKind::ConnectionReset => Ok(None),
        Err(e) => Err(format!("no answer: {e}")),
        Ok(_) => read_answer(&mut connection, bytes.starts_with(b"HEAD")).map(Some),
    }
}

/// A connection with a time-out.
pub(crate) fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>, String> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .map_err(|e| format!("no connection to {address}: {e}"))?;
    let prepared = stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_nodelay(true));
    prepared.map_err(|e| e.to_string())?;
    Ok(BufReader::new(stream))
}

/// Reads one answer; that to HEAD has no body whatever its headers say.
pub(crate) fn read_answer(from: &mut impl BufRead, head_only: bool) -> Result<Answer, String> {
    let status_line = line(from)?;
    let status: u16 = status_line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(|| format!("no status line: `{status_line}`"))?;
    let mut headers = Vec::new();
    loop {
        let line = line(from)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line
            .split_once(':')
            .ok_or_else(|| format!("no header line: `{line}`"))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut answer = Answer {
        status,
        headers,
        body: Vec::new(),
    };
    if status == 100 {
        return read_answer(from, head_only);
    }
    if !head_only && status != 204 && status != 304 {
        answer.body = read_body(from, &answer)?;
    }
    Ok(answer)
}

fn read_body(from: &mut impl BufRead, answer: &Answer) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    if answer
        .header("transfer-encoding")
        .is_some_and(|v| v.eq_ignore_ascii_case("chunked"))
    {
        loop {
            let size = line(from)?;
            let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| format!("no chunk size: `{size}`"))?;
            let mut chunk = vec![0; size];
            from.read_exact(&mut chunk)
                .map_err(|e| format!("chunk cut: {e}"))?;
            line(from)?;
            if size == 0 {
                return Ok(body);
            }
            body.append(&mut chunk);
        }
    }
    match answer.header("content-length").map(|v| v.parse::<usize>()) {
        Some(Ok(length)) => {
            body.resize(length, 0);
            from.read_exact(&mut body).map_err(|e| format!("body cut: {e}"))?;
        }
        Some(Err(_)) => return Err("Content-Length is no number".to_owned()),
        None => {
            from.read_to_end(&mut body)
                .map_err(|e| format!("body cut: {e}"))?;
        }
    }
    Ok(body)
}

fn line(from: &mut impl BufRead) -> Result<String, String> {
    let mut bytes = Vec::new();
    from.read_until(b'\n', &mut bytes)
        .map_err(|e| format!("no answer: {e}"))?;
    if bytes.pop() != Some(b'\n') {
        return Err("the server closed the connection without an answer".to_owned());
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| "a header line isn't text".to_owned())
}
