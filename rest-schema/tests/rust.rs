//! Structs read from files, without compiling them.
#![cfg(all(feature = "rust", feature = "yaml", feature = "draw"))]
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use rest_schema::rust::read_files;
use rest_schema::{Report, read_one};

fn files(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
        .collect()
}

/// What is said of one file.
fn told(text: &str) -> String {
    match read_files(&files(&[("main.rs", text)])) {
        Ok(loaded) => loaded.report.draw(false),
        Err(report) => report.draw(false),
    }
}

fn faults(report: &Report) -> BTreeSet<String> {
    let faults = report
        .diagnostics
        .iter()
        .filter(|one| one.severity == rest_schema::Severity::Fault);
    faults
        .map(|one| format!("{} [{}]", one.message, one.code))
        .collect()
}

const USER: &str = r#"
    use rest_runtime::types::*;

    /// Who writes.
    #[derive(Debug, RestResource)]
    #[serde(rename = "x")]
    #[rest(access(read = public, create = public))]
    pub struct User {
        pub id: i64,
        #[rest(type = email, unique)]
        pub email: String,
        pub password: Password,
    }
"#;

const POST: &str = r#"
    mod inner {
        #[derive(rest_runtime::RestEnum, Clone, Copy)]
        pub(crate) enum Status { Draft, #[rest(name = "out")] Published }
    }

    fn not_ours<'a>(x: &'a str) -> impl Fn(u8) -> u8 + 'a { move |_| x.len() as u8 }

    #[derive(RestResource)]
    #[rest(sort = -title, access(read = "status = 'out' or author_id = me.id", create = authenticated))]
    pub struct Post {
        pub id: Uuid,
        #[rest(length = 1..=9)]
        pub title: String,
        #[rest(default = Status::Draft)]
        pub status: inner::Status,
        #[rest(belongs_to = super::User, inverse = posts, default = me, readonly)]
        pub author_id: i64,
    }

    #[derive(RestService)]
    #[rest(name = "blog", accounts(resource = User, identify_by(email), password = password))]
    struct Blog { users: User, posts: Post }

    #[cfg(test)]
    mod tests {
        #[derive(RestService)]
        #[rest(name = "another")]
        struct Another { users: User }
    }
"#;

const YAML: &str = "
service: blog
accounts: { resource: User, identify_by: [email], password: password }
resources:
  User:
    description: Who writes.
    fields: { email: { type: email, unique: true }, password: password }
    access: { read: public, create: public }
  Post:
    key: uuid
    sort: -title
    fields:
      title: { type: string, length: 1..9 }
      status: { type: enum, values: [draft, out], default: draft }
    belongs_to: { author: { to: User, inverse: posts, default: me, readonly: true } }
    access: { read: status = 'out' or author_id = me.id, create: authenticated }
";

#[test]
fn structs_of_several_files_are_one_service() {
    let list = files(&[
        ("src/user.rs", USER),
        ("src/lib.rs", "mod user;"),
        ("src/post.rs", POST),
    ]);
    let loaded = read_files(&list).unwrap();
    assert_eq!(loaded.schema, read_one("rest.yaml", YAML).unwrap().schema);
    assert_eq!(loaded.report.lines(), "");
}

#[test]
fn faults_between_files_stand_where_they_are() {
    let post = POST
        .replace("inverse = posts", "inverse = email")
        .replace("me.id", "me.uid")
        .replace("identify_by(email)", "identify_by(emial)")
        .replace("Status::Draft", "Status::Drft");
    let list = files(&[("src/user.rs", USER), ("src/post.rs", &post)]);
    let report = read_files(&list).unwrap_err();
    insta::assert_snapshot!("between_files", report.draw(false));
}

#[test]
fn a_type_that_is_nowhere_is_told_once() {
    let text = format!("{USER}{}", POST.replace("inner::Status", "Stats"));
    insta::assert_snapshot!("unknown_type", told(&text));
}

#[test]
fn files_without_a_service() {
    insta::assert_snapshot!("no_service", told(USER));
    insta::assert_snapshot!("no_service_at_all", told("fn main() {}"));
}

#[test]
fn a_resource_that_is_nowhere() {
    insta::assert_snapshot!("no_resource", told(POST));
}

#[test]
fn what_is_not_rust_is_told() {
    let unread = |item: &str| told(&format!("#[derive(RestResource)] struct Post {item}"));
    insta::assert_snapshot!("not_an_item", unread("{ id: i64, title }"));
    insta::assert_snapshot!("not_rust", unread("{ \"open }"));
}

#[test]
fn two_services_are_one_too_many() {
    let more = "#[derive(RestService)] #[rest(name = \"b\")] struct More { users: User }";
    insta::assert_snapshot!("two_services", told(&format!("{USER}{POST}{more}")));
}

/// The derive and the reader of files use one front end; here it is held to it: the reader tells of each file in
/// `tests/ui` what the compiler told.
#[test]
fn the_reader_tells_what_the_derive_tells() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/ui");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let stderr = std::fs::read_to_string(path.with_extension("stderr")).unwrap();
        let compiler = stderr.lines().filter_map(|line| line.strip_prefix("error: "));
        let compiler: BTreeSet<String> = compiler.map(str::to_owned).collect();
        let text = serviced(&std::fs::read_to_string(&path).unwrap());
        let reader = match read_files(&files(&[("case.rs", &text)])) {
            Ok(_) => BTreeSet::new(),
            Err(report) => faults(&report),
        };
        // Without a name for a missing type the compiler has words of its own.
        let missing: Vec<_> = compiler.difference(&reader).collect();
        assert!(missing.is_empty(), "{}: {missing:?}\n{reader:?}", path.display());
        assert!(!reader.is_empty(), "{}", path.display());
        count += 1;
    }
    assert!(count > 100);
}

/// A case with a service, where it has none.
fn serviced(text: &str) -> String {
    if text.contains("RestService") {
        return text.to_owned();
    }
    let names = text.split("RestResource)]").skip(1).filter_map(|rest| {
        let rest = rest.split_once("struct ")?.1;
        rest.split(|c: char| !c.is_alphanumeric()).next()
    });
    let fields: Vec<String> = names
        .enumerate()
        .map(|(at, name)| format!("r{at}: {name}"))
        .collect();
    format!(
        "{text}#[derive(RestService)] #[rest(name = \"case\")] struct Case {{ {} }}",
        fields.join(", ")
    )
}
