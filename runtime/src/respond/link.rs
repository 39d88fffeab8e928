//! Addresses in answers: path-absolute, so that no answer depends on the host.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a path segment and in a query (RFC 3986's unreserved characters).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Appends a part of a path segment.
pub fn push_segment(text: &str, out: &mut String) {
    out.extend(utf8_percent_encode(text, ESCAPED));
}

/// An address with a query as it was sent.
pub fn itself(path: &str, raw: Option<&str>) -> String {
    let mut text = path.to_owned();
    let parameters = raw.unwrap_or_default().split('&');
    for (place, parameter) in parameters.filter(|parameter| !parameter.is_empty()).enumerate() {
        text.push(if place == 0 { '?' } else { '&' });
        for c in parameter.chars() {
            // What may stand in a query (RFC 3986, 3.4): brackets, which browsers leave as they are, may not.
            if c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(c) {
                text.push(c);
            } else {
                text.extend(utf8_percent_encode(c.encode_utf8(&mut [0; 4]), ESCAPED));
            }
        }
    }
    text
}

/// `Link` (RFC 8288), with where the service is described (RFC 8631).
pub fn header(links: &crate::respond::json::Links, prefix: &str) -> String {
    let mut text = format!("<{}>; rel=\"self\"", links.own);
    for (rel, link) in [("next", &links.next), ("prev", &links.prev)] {
        if let Some((_, Some(address))) = link {
            text.push_str(&format!(", <{address}>; rel=\"{rel}\""));
        }
    }
    text.push_str(&format!(", <{prefix}/openapi.json>; rel=\"service-desc\""));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_takes_the_place_of_the_one_before() {
        let with_cursor = |raw| {
            let query = crate::request::query::with_cursor(raw, "b");
            itself("/api/posts", Some(&query))
        };
        assert_eq!(
            with_cursor(Some("limit=2&cursor=a&tags.name=x")),
            "/api/posts?limit=2&tags.name=x&cursor=b"
        );
        // However its name was spelled: two cursors would be refused.
        assert_eq!(
            with_cursor(Some("%63ursor=a&limit=2")),
            "/api/posts?limit=2&cursor=b"
        );
        assert_eq!(itself("/api/posts", None), "/api/posts");
        assert_eq!(itself("/api/posts", Some("a=\"<>")), "/api/posts?a=%22%3C%3E");
        assert_eq!(
            itself("/api/posts", Some("id[in]=1,2&q=a%20b")),
            "/api/posts?id%5Bin%5D=1,2&q=a%20b"
        );
    }
}
