//! Which pages of other origins may call.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::Block;
use crate::schema::{Cors, Origins};
use crate::source::Excerpt;

/// Seconds that a browser may remember what it was allowed, where nothing is said.
const MAX_AGE: u64 = 600;

/// Takes over what `cors` says.
pub(super) fn read(block: &Block, diagnostics: &mut Diagnostics) -> Option<Cors> {
    let credentials = block.is("credentials");
    let origins = origins(block, diagnostics)?;
    if credentials && origins == Origins::Any {
        let message = "`credentials` can't be given to every origin: any page could then act as its visitor";
        let help = "list the origins that may; a token is sent without `credentials`";
        diagnostics.push(Diagnostic::new("contradiction", block.place("credentials"), message).help(help));
    }
    Some(Cors {
        origins,
        credentials,
        max_age: block.number("max_age").unwrap_or(MAX_AGE),
    })
}

fn origins(block: &Block, diagnostics: &mut Diagnostics) -> Option<Origins> {
    let written = block.texts("origins");
    if !block.has("origins") {
        let message = "`cors` has no `origins`";
        let help = "name those that may call, `origins: https://app.example.com`; `\"*\"` is every one";
        diagnostics.push(Diagnostic::new("missing-key", block.span, message).help(help));
    }
    if let Some(any) = written.iter().find(|origin| origin.text == "*") {
        if written.len() > 1 {
            let message = "`*` is every origin, so no other is left to be named";
            diagnostics.push(Diagnostic::new("contradiction", any.span, message));
        }
        return Some(Origins::Any);
    }
    let mut listed: Vec<String> = Vec::new();
    for origin in written {
        match fault(&origin.text) {
            Some(help) => diagnostics.push(bad(origin, help)),
            None if listed.contains(&origin.text) => {}
            None => listed.push(origin.text.clone()),
        }
    }
    (!listed.is_empty()).then_some(Origins::Listed(listed))
}

fn bad(origin: &Excerpt, help: String) -> Diagnostic {
    let message = format!("`{}` is no origin as browsers send it", origin.text);
    Diagnostic::new("bad-origin", origin.span, message).help(help)
}

/// What to write instead where a text isn't an origin (RFC 6454, 6.2): such a one would never be met.
fn fault(text: &str) -> Option<String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Some("write scheme and host, `https://app.example.com`".to_owned());
    };
    if text.contains('*') {
        return Some("write each origin out, or `\"*\"` alone for all".to_owned());
    }
    if let Some((authority, _)) = rest.split_once('/') {
        return Some(format!("an origin has no path; write `{scheme}://{authority}`"));
    }
    if text.bytes().any(|b| b.is_ascii_uppercase()) {
        return Some(format!("write `{}`", text.to_ascii_lowercase()));
    }
    let is_host = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b);
    let is_scheme = |b: u8| b.is_ascii_alphanumeric() || b"+-.".contains(&b);
    let good = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(is_scheme)
        && !rest.is_empty()
        && rest.bytes().all(is_host);
    if !good {
        return Some("write scheme, host and port in ASCII, `https://app.example.com:8443`".to_owned());
    }
    let usual = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = rest.strip_suffix(usual)?;
    Some(format!(
        "browsers leave the usual port out; write `{scheme}://{host}`"
    ))
}
