//! The same requests to a service on SQLite and to one on PostgreSQL: the answers are equal to the byte.

use libtest_mimic::Trial;
use rest_runtime::request::Operator;
use rest_runtime::request::filter::{OperatorRow, Takes};
use rest_schema::{Field, FieldType, Resource, ResourceId, Schema};
use serde_json::json;

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Answer, Request};
use crate::support::postgres::Cluster;
use crate::support::random::Random;
use crate::support::server::{Place, Server, schema_file};
use crate::trial;

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("twins::reads_of_the_blog", reads),
        trial("twins::writes_to_the_blog", writes),
        trial("twins::random_rows_of_every_type", every_type),
        trial("twins::random_questions_to_the_blog", || {
            questions("blog", Some("susan"))
        }),
        trial("twins::random_questions_to_every_kind_of_key", || {
            questions("keys", None)
        }),
        trial("twins::random_questions_under_rules", || {
            questions("rules", Some("ada"))
        }),
    ]
}

/// A service on either database, with the same rows.
struct Twins {
    _cluster: Cluster,
    _places: [Place; 2],
    servers: [Server; 2],
    clients: [Api; 2],
}

impl Twins {
    fn start(schema: &str) -> Result<Self, String> {
        let source = SchemaSource::Named(schema.to_owned());
        let cluster = Cluster::start()?;
        let places = [Place::new(&source)?, Place::on(&cluster, &source)?];
        let servers = [places[0].serve()?, places[1].serve()?];
        let clients = [0, 1].map(|one| Api::new(servers[one].address));
        Ok(Self {
            _cluster: cluster,
            _places: places,
            servers,
            clients,
        })
    }

    fn sign_in(&mut self, name: &str) -> Result<(), String> {
        for (client, server) in self.clients.iter_mut().zip(&self.servers) {
            *client = Api::sign_in(server.address, name, &format!("{name}-password"))?;
        }
        Ok(())
    }

    /// Both answers, which are equal.
    fn send(&mut self, request: &Request) -> Result<[Answer; 2], String> {
        self.send_each([request.clone(), request.clone()])
    }

    fn send_each(&mut self, requests: [Request; 2]) -> Result<[Answer; 2], String> {
        let Request {
            method, target, body, ..
        } = requests[0].clone();
        let [to_sqlite, to_postgres] = requests;
        let answers = [
            self.clients[0].send(to_sqlite)?,
            self.clients[1].send(to_postgres)?,
        ];
        let told = answers
            .each_ref()
            .map(|answer| format!("{} {}", answer.status, masked(&answer.text())));
        if told[0] == told[1] {
            return Ok(answers);
        }
        let same = told[0]
            .bytes()
            .zip(told[1].bytes())
            .take_while(|(a, b)| a == b)
            .count();
        Err(format!(
            "{method} {target} {}\nSQLite: {}\nPostgreSQL: {}\nthey said: {}{}",
            String::from_utf8_lossy(&body.unwrap_or_default()),
            around(&told[0], same),
            around(&told[1], same),
            self.servers[0].told(),
            self.servers[1].told(),
        ))
    }

    fn get(&mut self, targets: &[&str]) -> Result<(), String> {
        for target in targets {
            self.send(&Request::new("GET", target))?;
        }
        Ok(())
    }

    /// A page and all that follow it; the cursors differ, since each database has a key of its own.
    fn walk(&mut self, target: &str) -> Result<u16, String> {
        let mut answers = self.send(&Request::new("GET", target))?;
        let status = answers[0].status;
        for _ in 0..20 {
            let mut next = Vec::new();
            for answer in &answers {
                let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                next.extend(page["page"]["next"].as_str().map(str::to_owned));
            }
            let [sqlite, postgres] = next.as_slice() else {
                break;
            };
            let at = |cursor: &str| Request::new("GET", &format!("{target}&cursor={cursor}"));
            answers = self.send_each([at(sqlite), at(postgres)])?;
        }
        Ok(status)
    }

    fn stop(self) -> Result<(), String> {
        for server in self.servers {
            server.stop()?;
        }
        Ok(())
    }
}

/// Without what is no two times the same: a problem's own address, and cursors.
fn masked(text: &str) -> String {
    let mut out = text.to_owned();
    for mark in ["\"instance\":\"", "\"next\":\"", "\"prev\":\"", "cursor="] {
        let mut from = 0;
        while let Some(place) = out[from..].find(mark) {
            let start = from + place + mark.len();
            let end = out[start..].find(['"', '&']).map_or(out.len(), |end| start + end);
            out.replace_range(start..end, "");
            from = start;
        }
    }
    out
}

/// The text around a byte, since a page is long.
fn around(text: &str, place: usize) -> String {
    let bytes = &text.as_bytes()[place.saturating_sub(300)..(place + 300).min(text.len())];
    String::from_utf8_lossy(bytes).into_owned()
}

fn reads() -> Result<(), String> {
    let mut twins = Twins::start("blog")?;
    let targets = [
        "/api/users?limit=100&count=exact",
        "/api/posts?limit=100",
        "/api/posts?limit=100&sort=score",
        "/api/posts?limit=100&sort=-score",
        "/api/posts?limit=100&sort=title",
        "/api/posts?limit=100&include=author,tags",
        "/api/posts?title=Rust%20again",
        "/api/posts?title[contains]=ust",
        "/api/posts?title[icontains]=RUST",
        "/api/posts?title[startswith]=Hel",
        "/api/posts?title[endswith]=ust",
        "/api/posts?q=rust&count=exact&limit=100",
        "/api/posts?q=%22hello+rust%22",
        "/api/posts?q=h*+f*",
        "/api/posts?title[in]=Hello%20Rust,Nothing",
        "/api/posts?score[gte]=10&limit=100",
        "/api/posts?author.username=susan&limit=100",
        "/api/posts?tags.name=rust&limit=100",
        "/api/posts?status=draft",
        "/api/users/1?include=following,posts.tags",
        "/api/posts/1",
        "/api/posts/999",
        "/api/posts/99999999999",
        "/api/users?sort=username&fields=username,post_count&limit=100",
        "/api/messages",
        "/api/nothing",
    ];
    twins.get(&targets)?;
    for name in ["susan", "admin"] {
        twins.sign_in(name)?;
        twins.get(&targets)?;
        twins.get(&["/api/me", "/api/notices", "/api/comments?limit=100"])?;
    }
    twins.stop()
}

fn writes() -> Result<(), String> {
    let mut twins = Twins::start("blog")?;
    twins.sign_in("susan")?;
    let send = |method: &str, target: &str, body: serde_json::Value| {
        Request::new(method, target).json(body.to_string())
    };
    // A sequence of PostgreSQL's isn't turned back where a row is refused, so refused rows come after all that are made.
    let requests = vec![
        send("POST", "/api/tags", json!([{ "name": "b" }, { "name": "c" }])),
        send("POST", "/api/tags", json!({ "name": "sqlite" })),
        send("POST", "/api/tags", json!({ "name": "sqlite" })),
        send(
            "POST",
            "/api/comments",
            json!({ "text": "Well said.", "post_id": 1 }),
        ),
        send(
            "POST",
            "/api/comments",
            json!({ "text": "To nothing.", "post_id": 999 }),
        ),
        send("POST", "/api/posts", json!({ "title": "" })),
        send(
            "POST",
            "/api/users",
            json!({ "username": "susan", "email": "a@example.org", "password": "long enough" }),
        ),
        send(
            "PATCH",
            "/api/posts/1",
            json!({ "title": "Hello again", "score": null }),
        ),
        send("PATCH", "/api/posts/1", json!({ "title": "Hello again" })),
        send("PATCH", "/api/users/2", json!({ "about_me": "No." })),
        send("PATCH", "/api/users/1", json!({ "about_me": "Writes more." })),
        send("PATCH", "/api/posts/999", json!({ "title": "None" })),
        Request::new("DELETE", "/api/tags/1"),
        Request::new("DELETE", "/api/posts/1"),
        Request::new("GET", "/api/posts?limit=100&include=comments,tags"),
        Request::new("DELETE", "/api/tokens/current"),
        Request::new("GET", "/api/posts"),
    ];
    for request in requests {
        twins.send(&request)?;
    }
    twins.stop()
}

/// The table of the guide, shown: should one of these become equal, its line goes.
/// How many random requests a test sends.
const REQUESTS: usize = 400;

fn every_type() -> Result<(), String> {
    let schema = schema("types")?;
    let (id, sample) = resource(&schema, "Sample")?;
    let mut random = Random::new(7);
    let mut twins = Twins::start("types")?;
    let row = |random: &mut Random, share: usize| {
        let mut some = Vec::new();
        for field in sample
            .fields
            .iter()
            .filter(|field| field.is_accepted() && !field.readonly)
        {
            if random.below(100) < share {
                some.push(format!("\"{}\": {}", field.api_name, value(field, random).0));
            }
        }
        format!("{{{}}}", some.join(", "))
    };
    let mut accepted = 0;
    for _ in 0..REQUESTS / 4 {
        let request = Request::new("POST", "/api/samples").json(row(&mut random, 70));
        accepted += usize::from(twins.send(&request)?[0].status == 201);
    }
    for _ in 0..REQUESTS / 4 {
        let target = format!("/api/samples/{}", 1 + random.below(accepted));
        let request = Request::new("PATCH", &target).json(row(&mut random, 30));
        accepted += usize::from(twins.send(&request)?[0].status == 200);
    }
    if accepted < REQUESTS / 3 {
        return Err(format!("only {accepted} of the writes are accepted"));
    }
    ask(&mut twins, &schema, &[id], &mut random)?;
    twins.stop()
}

fn questions(name: &str, caller: Option<&str>) -> Result<(), String> {
    let schema = schema(name)?;
    let mut random = Random::new(11);
    let mut twins = Twins::start(name)?;
    if let Some(caller) = caller {
        twins.sign_in(caller)?;
    }
    let all: Vec<ResourceId> = schema.resources().map(|(id, _)| id).collect();
    ask(&mut twins, &schema, &all, &mut random)?;
    twins.stop()
}

fn schema(name: &str) -> Result<Schema, String> {
    let file = schema_file(name);
    let yaml = std::fs::read_to_string(&file).map_err(|e| e.to_string())?;
    match rest_schema::read_one(name, &yaml) {
        Ok(loaded) => Ok(loaded.schema),
        Err(report) => Err(rest_schema::diagnostic::lines(
            &report.diagnostics,
            &report.sources,
        )),
    }
}

fn resource<'s>(schema: &'s Schema, name: &str) -> Result<(ResourceId, &'s Resource), String> {
    schema
        .resources()
        .find(|(_, resource)| resource.name == name)
        .ok_or_else(|| format!("{name} isn't there"))
}

/// Random questions; most are such as the service answers, since a test of refusals alone would show little.
fn ask(twins: &mut Twins, schema: &Schema, among: &[ResourceId], random: &mut Random) -> Result<(), String> {
    let mut answered = 0;
    for _ in 0..REQUESTS {
        let target = question(schema, *random.pick(among), random);
        answered += usize::from(twins.walk(&target)? == 200);
    }
    for _ in 0..REQUESTS / 4 {
        let id = *random.pick(among);
        let target = format!("/api/{}", schema.resource(id).collection);
        let body = format!("{{\"filter\": {}, \"limit\": 50}}", tree(schema, id, random, 3));
        let asked = Request::new("QUERY", &target).json(body);
        answered += usize::from(twins.send(&asked)?[0].status == 200);
    }
    if answered < REQUESTS / 2 {
        return Err(format!("only {answered} of {REQUESTS} questions are answered"));
    }
    Ok(())
}

fn question(schema: &Schema, id: ResourceId, random: &mut Random) -> String {
    let resource = schema.resource(id);
    let mut parts = vec![format!("limit={}", 1 + random.below(30))];
    for _ in 0..random.below(3) {
        parts.extend(filter(schema, id, random));
    }
    if resource.fields.iter().any(|field| field.searchable) && random.below(3) == 0 {
        let words = [
            "rust",
            "Hello",
            "\"hello rust\"",
            "t*",
            "FIRST.",
            "c* -",
            "engine",
            "charter",
            "\"",
            "member*",
        ];
        parts.push(format!("q={}", encoded(random.pick::<&str>(&words))));
    }
    let sortable: Vec<&Field> = resource.fields.iter().filter(|field| field.sortable).collect();
    let mut sort: Vec<String> = Vec::new();
    for _ in 0..random.below(3) {
        let Some(field) = sortable.get(random.below(sortable.len().max(1))) else {
            continue;
        };
        if !sort.iter().any(|term| term.ends_with(&field.api_name)) {
            sort.push(format!("{}{}", random.pick(&["", "-"]), field.api_name));
        }
    }
    if !sort.is_empty() {
        parts.push(format!("sort={}", sort.join(",")));
    }
    let include: Vec<&str> = resource
        .relations
        .iter()
        .filter(|_| random.below(4) == 0)
        .map(|relation| relation.name.as_str())
        .collect();
    if !include.is_empty() {
        parts.push(format!("include={}", include.join(",")));
    }
    let shown: Vec<&str> = resource
        .fields
        .iter()
        .filter(|field| field.is_shown())
        .map(|f| f.api_name.as_str())
        .collect();
    if random.below(4) == 0 {
        parts.push(format!("fields={}", random.pick(&shown)));
    }
    if random.below(4) == 0 {
        parts.push("count=exact".to_owned());
    }
    format!("/api/{}?{}", resource.collection, parts.join("&"))
}

/// A condition on a field of the resource or of one that it leads to.
fn filter(schema: &Schema, id: ResourceId, random: &mut Random) -> Option<String> {
    let mut resource = schema.resource(id);
    let mut path = String::new();
    if random.below(3) == 0 && !resource.relations.is_empty() {
        let relation = random.pick(&resource.relations);
        path = format!("{}.", relation.name);
        resource = schema.resource(relation.target);
    }
    let fields: Vec<&Field> = resource.fields.iter().filter(|field| field.filterable).collect();
    let field = fields.get(random.below(fields.len().max(1)))?;
    let rows: Vec<&OperatorRow> = Operator::of_kind(field.ty.kind()).collect();
    let row = rows.get(random.below(rows.len().max(1)))?;
    let one = |random: &mut Random| encoded(&value(field, random).1);
    let given = match row.takes {
        Takes::Flag => (*random.pick(&["true", "false"])).to_owned(),
        Takes::One => one(random),
        Takes::List => (0..=random.below(3))
            .map(|_| one(random))
            .collect::<Vec<_>>()
            .join(","),
        Takes::Text => {
            let whole = value(field, random).1;
            encoded(
                &whole
                    .chars()
                    .skip(random.below(3))
                    .take(1 + random.below(2))
                    .collect::<String>(),
            )
        }
    };
    Some(format!("{path}{}[{}]={given}", field.api_name, row.word))
}

/// The filter of a QUERY, of so many levels at most.
fn tree(schema: &Schema, id: ResourceId, random: &mut Random, levels: usize) -> String {
    let resource = schema.resource(id);
    let inner = |random: &mut Random, id: ResourceId| tree(schema, id, random, levels - 1);
    let relation = |random: &mut Random| {
        let relation = resource
            .relations
            .get(random.below(resource.relations.len().max(1)))?;
        Some(format!(
            "{{\"{}\": {}}}",
            relation.name,
            inner(random, relation.target)
        ))
    };
    let several = |random: &mut Random| {
        let all: Vec<String> = (0..=random.below(2)).map(|_| inner(random, id)).collect();
        all.join(", ")
    };
    let made = match (levels, random.below(8)) {
        (0, _) | (_, 0..=2) => leaf(resource, random),
        (_, 3) => Some(format!("{{\"any\": [{}]}}", several(random))),
        (_, 4) => Some(format!("{{\"all\": [{}]}}", several(random))),
        (_, 5) => Some(format!("{{\"not\": {}}}", inner(random, id))),
        (_, 6) => relation(random),
        _ => relation(random).map(|inner| format!("{{\"none\": {inner}}}")),
    };
    made.unwrap_or_else(|| "{}".to_owned())
}

fn leaf(resource: &Resource, random: &mut Random) -> Option<String> {
    let fields: Vec<&Field> = resource.fields.iter().filter(|field| field.filterable).collect();
    let field = fields.get(random.below(fields.len().max(1)))?;
    let rows: Vec<&OperatorRow> = Operator::of_kind(field.ty.kind()).collect();
    let row = rows.get(random.below(rows.len().max(1)))?;
    let given = match row.takes {
        Takes::Flag => (*random.pick(&["true", "false"])).to_owned(),
        Takes::One => value(field, random).0,
        Takes::List => format!("[{}, {}]", value(field, random).0, value(field, random).0),
        Takes::Text => json!(value(field, random).1.chars().take(2).collect::<String>()).to_string(),
    };
    Some(format!(
        "{{\"{}\": {{\"{}\": {given}}}}}",
        field.api_name, row.word
    ))
}

fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| {
            if plain(byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

/// A value of a field's type, as JSON and as a filter takes it.
fn value(field: &Field, random: &mut Random) -> (String, String) {
    let quoted = |text: String| (json!(text).to_string(), text);
    let bare = |text: String| (text.clone(), text);
    match &field.ty {
        FieldType::Enum(words) => quoted(random.pick(words).clone()),
        FieldType::Email => quoted(format!(
            "{}@example.org",
            random.pick(&["a", "B", "susan", "z.9"])
        )),
        FieldType::Url => quoted(format!(
            "https://example.org/{}",
            random.pick(&["", "a", "B", "%C3%A4"])
        )),
        FieldType::Slug => quoted((*random.pick(&["a", "a-b", "a1", "b"])).to_owned()),
        FieldType::String | FieldType::Text | FieldType::Password => quoted(word(random)),
        FieldType::Integer => bare((*random.pick(&[-1000, -1, 0, 1, 2, 10, 999, i32::MAX])).to_string()),
        FieldType::Bigint => {
            bare((*random.pick(&[i64::MIN, -1, 0, 1, 9_007_199_254_740_993, i64::MAX])).to_string())
        }
        FieldType::Float => bare(float(random)),
        FieldType::Decimal { precision, scale } => {
            let most = 10_u64.pow(u32::from((*precision).min(15)));
            let units = *random.pick(&[0, 1, most - 1, random.clone().next() % most]);
            let (one, sign) = (10_u64.pow(u32::from(*scale)), random.pick(&["", "-"]));
            let sign = if units == 0 { "" } else { sign };
            let (whole, rest, width) = (units / one, units % one, usize::from(*scale));
            quoted(if width == 0 {
                format!("{sign}{whole}")
            } else {
                format!("{sign}{whole}.{rest:0width$}")
            })
        }
        FieldType::Boolean => bare((*random.pick(&["true", "false"])).to_owned()),
        FieldType::Date => quoted(date(random)),
        FieldType::Time => quoted(time(random)),
        FieldType::Timestamp => quoted(format!("{}T{}Z", date(random), time(random))),
        FieldType::Uuid => {
            let digits = format!("{:016x}{:016x}", random.next(), random.next());
            quoted(format!(
                "{}-{}-{}-{}-{}",
                &digits[..8],
                &digits[8..12],
                &digits[12..16],
                &digits[16..20],
                &digits[20..]
            ))
        }
        // `jsonb` orders members and writes numbers in its own way, which has a test of its own.
        FieldType::Json => bare(
            (*random.pick(&[
                "null",
                "[]",
                "{}",
                "[1, 2.50, -3]",
                "{\"a\": {\"b\": [true]}}",
                "\"ä\\n\\u0001\"",
                "12",
            ]))
            .to_owned(),
        ),
        FieldType::Keys(_) => bare("[]".to_owned()),
        FieldType::Bytes => quoted((*random.pick(&["", "AA==", "AAEC", "/////w=="])).to_owned()),
    }
}

fn word(random: &mut Random) -> String {
    const PARTS: [&str; 16] = [
        "a",
        "A",
        "b",
        "B",
        "ä",
        "Ä",
        "ß",
        "z",
        "_",
        "%",
        "\\",
        "*",
        "[",
        "'",
        "é\u{301}",
        "𝄞",
    ];
    (0..2 + random.below(4)).map(|_| *random.pick(&PARTS)).collect()
}

fn float(random: &mut Random) -> String {
    let some = f64::from_bits(random.next());
    let some = if some.is_finite() { some } else { 1.0 / 3.0 };
    let all = [
        0.0,
        0.1,
        -0.1,
        1e22,
        1e21,
        123_456_789.125,
        1.7e308,
        5e-324,
        -1.0 / 3.0,
        some,
        some,
    ];
    format!("{:?}", random.pick(&all))
}

fn date(random: &mut Random) -> String {
    (*random.pick(&[
        "0001-01-01",
        "1969-12-31",
        "1970-01-01",
        "2000-02-29",
        "2026-06-30",
        "9999-12-31",
    ]))
    .to_owned()
}

fn time(random: &mut Random) -> String {
    (*random.pick(&["00:00:00", "12:30:00.5", "12:30:00.000001", "23:59:59.999999"])).to_owned()
}
