//! The OpenAPI document for people: Swagger UI, from the program itself.
//!
//! Nothing of it comes from elsewhere and nothing is written into the page, so its policy lets in the service's own
//! files alone. Addresses are relative: they hold under any prefix.

use std::borrow::Cow;
use std::sync::Arc;

use axum::http::header::{CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use bytes::Bytes;
use utoipa_swagger_ui::Config;

/// What the page may load and call. Styles of elements are set by scripts, and pictures in style sheets are `data:`.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The files beside the page, with the media types in which they are told.
pub(crate) const FILES: [(&str, &[&str]); 3] = [
    (STYLE, &["text/css"]),
    (BUNDLE, &["text/javascript"]),
    (START, &["text/javascript"]),
];

const STYLE: &str = "swagger-ui.css";
const BUNDLE: &str = "swagger-ui-bundle.js";
const START: &str = "start.js";

/// The page of a service.
pub(super) fn page(service: &str) -> Bytes {
    let title = service
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    Bytes::from(format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/{STYLE}">
</head>
<body>
<div id="docs"></div>
<noscript>This page needs scripts; the document itself is <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/{BUNDLE}"></script>
<script src="docs/{START}"></script>
</body>
</html>
"#
    ))
}

/// A file beside it.
pub(super) fn file(name: &str) -> Option<Bytes> {
    if name == START {
        return Some(Bytes::from_static(include_bytes!("docs/start.js")));
    }
    let found = utoipa_swagger_ui::serve(name, Arc::new(Config::from("openapi.json")));
    // They are part of the program, and aren't copied.
    Some(match found.ok().flatten()?.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    })
}

/// Says what the page may do.
pub(super) fn guard(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// The media types of a file beside the page; empty: there is none of this name.
pub(super) fn media_of(name: &str) -> &'static [&'static str] {
    let found = FILES.iter().find(|(file, _)| *file == name);
    found.map_or(&[], |(_, media)| *media)
}
