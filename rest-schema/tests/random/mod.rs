//! Schemas made of random bytes; other tests of the workspace use them too.

use std::fmt::Write as _;

/// Choices, taken from random bytes; zeros once they are used up, so that shrinking makes schemas smaller.
struct Dice<'a>(std::slice::Iter<'a, u8>);

impl Dice<'_> {
    fn up_to(&mut self, most: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or_default()) % (most + 1)
    }

    /// True once in `n` throws.
    fn one_in(&mut self, n: usize) -> bool {
        self.up_to(n - 1) == n - 1
    }

    fn pick<'b, T: ?Sized>(&mut self, list: &[&'b T]) -> &'b T {
        list[self.up_to(list.len() - 1)]
    }
}

/// A field's entries by its type: some rules, some defaults, all of them sound.
const FIELDS: &[&str] = &[
    "type: string",
    "type: string, length: 1..64, pattern: '^[a-z]+$', default: abc",
    "type: string, default: 'database'",
    "type: string, default: \"it's # a: b, 'c' \\u0007\\n\\ttail \"",
    "type: string, default: 'true', example: '12'",
    "type: string, default: ' '",
    "type: text, optional: true, default: now",
    "type: integer, range: -5..10, default: -3",
    "type: bigint, default: database",
    "type: float, range: 0.5.., default: 1e3",
    "type: decimal, precision: 8, scale: 2, range: ..99.5, default: 12.3",
    "type: decimal, precision: 38, default: 99999999999999999999999999999999999999",
    "type: boolean, default: false",
    "type: date, default: now, range: 1900-01-01..2100-12-31",
    "type: time, default: '12:30:00', range: '00:00:00..23:00:00'",
    "type: timestamp, default: '2024-02-29T12:00:00Z'",
    "type: timestamp, default: now",
    "type: uuid, default: uuid",
    "type: uuid, default: 0190a1b2-0000-7000-8000-000000000000",
    "type: json, default: {a: [1, 2.5, null, true, 'x y', {}], 'b c': \"\\u0001\"}",
    "type: json, default: null",
    "type: json, default: 'database', optional: true",
    "type: bytes, length: ..100, default: aGVsbG8=",
    "type: enum, values: [draft, 'no', 'true', 'a b', '1', database], default: database",
    "type: email, example: a@example.com",
    "type: url, default: 'https://example.com/?a=b#c'",
    "type: slug, default: slug(other)",
    "type: bigint, default: number * 2 + 1",
    "computed: lower(other) || '!'",
    "computed: count(all)",
];

const FLAGS: &[&str] = &[
    "optional: true",
    "immutable: true",
    "deprecated: true",
    "description: \"one line\"",
    "description: \"two\\nlines: a\\n\"",
    "api_name: wire_NN",
    "column: \"the column NN\"",
    "was: old_name",
    "private: true",
    "writeonly: true",
    "readable: authenticated",
    "writable: other = 'x' or me.name = other",
    "readonly: true",
    "unique: true",
    "index: true",
    "filterable: true",
    "searchable: true",
    "sortable: false",
    "sortable: true",
];

const RULES: &[&str] = &[
    "public",
    "authenticated",
    "other = 'it''s'",
    "number > 3 and not (other like 'a%' or flag)",
    "me.name = other",
    "named",
    "exists(all where number < this.number)",
    "coalesce(number, 0) in (1, 2, 3)",
    "now is not null",
];

/// A YAML text; often a sound schema, else one more to be refused without a panic.
pub(crate) fn schema(bytes: &[u8]) -> String {
    let dice = &mut Dice(bytes.iter());
    let count = 1 + dice.up_to(3);
    let mut text = format!(
        "service: {}\n",
        dice.pick(&["blog", "'a: b'", "\"x\\ty\"", "'true'"])
            .replace("\\t", " ")
    );
    for line in [
        "prefix: /",
        "prefix: /a/b",
        "managed: true",
        "storage: { journal: wal }",
        "tokens: { lifetime: 90s, max_lifetime: 3d }",
        "tokens: { lifetime: 1h, scopes: [publish, audit] }",
        "page: { limit: 7, max: 9 }",
        "limits: { body: 3KiB, bulk: 5, requests: 60, window: 90s, statement_timeout: 10s }",
        "cors: { origins: ['https://a.example', 'http://localhost:3000'], credentials: true, max_age: 1h }",
        "caching: { max_age: 2m }",
        "sessions: { idle: 30m, flask: { user: name } }",
        "jwt: { issuer: a, audience: b, algorithms: [PS384, HS256], keys: k.json, user: name }",
        "jwt: { issuer: 'https://a.example/', audience: [b, c], keys: 'https://a.example/keys', subject: uid, claims: { name: org.name }, scopes: scope }",
        "sessions: { lifetime: 3d, flask: { cookie: app, lifetime: 1d, remember: remember_token } }",
    ] {
        let key = line.split(':').next().unwrap_or_default();
        if dice.one_in(4) && !text.contains(&format!("\n{key}:")) {
            text += line;
            text.push('\n');
        }
    }
    text += "resources:\n  User:\n    fields: { name: { type: string, unique: true }, secret: password }\n    access: { read: public }\n";
    for at in 0..count {
        resource(dice, at, count, &mut text);
    }
    text += "accounts: { resource: User, identify_by: [name], password: secret, admin: me.name = 'root'";
    text += dice.pick(&[" }\n", ", active: me.name != 'gone' or now is null }\n"]);
    text
}

fn resource(dice: &mut Dice<'_>, at: usize, count: usize, text: &mut String) {
    let _ = writeln!(text, "  R{at}:");
    for line in [
        "table: \"Table NN\"",
        "collection: things_NN",
        "deprecated: true",
        "description: 'a # b'",
    ] {
        if dice.one_in(4) {
            let _ = writeln!(text, "    {}", line.replace("NN", &at.to_string()));
        }
    }
    let keys = [
        "",
        "",
        "uuid",
        "code",
        "[code, up]",
        "{ type: uuid, name: uid, column: UID }",
        "{ by_client: true }",
    ];
    let key = dice.pick(&keys);
    if !key.is_empty() {
        let _ = writeln!(text, "    key: {key}");
    }
    let _ = writeln!(
        text,
        "    fields:\n      code: string\n      other: string\n      number: integer\n      flag: boolean"
    );
    for field in 0..dice.up_to(4) {
        let entries = one_field(dice, field);
        let _ = writeln!(text, "      f{field}: {{ {entries} }}");
    }
    relations(dice, at, count, key.starts_with('['), text);
    constraints(dice, text);
    let _ = writeln!(text, "    rules:\n      named: other = 'x' or flag\n    access:");
    let condition = dice.one_in(4);
    let many = dice.one_in(2);
    for operation in if many {
        ["read", "create", "change"]
    } else {
        ["read", "update", "delete"]
    } {
        let rule = dice.pick(RULES).replace('"', "\\\"");
        let _ = writeln!(text, "      {operation}: \"{rule}\"");
    }
    if condition {
        let _ = writeln!(text, "    where: \"{}\"", dice.pick(RULES).replace('"', "\\\""));
    }
}

fn one_field(dice: &mut Dice<'_>, at: usize) -> String {
    let mut entries = vec![dice.pick(FIELDS).to_owned()];
    for _ in 0..dice.up_to(2) {
        let flag = dice.pick(FLAGS).replace("NN", &at.to_string());
        let key = flag.split(':').next().unwrap_or_default();
        let computed =
            entries[0].starts_with("computed") && !matches!(key, "description" | "deprecated" | "readable");
        if !computed && !entries.iter().any(|entry| entry.contains(&format!("{key}:"))) {
            entries.push(flag);
        }
    }
    entries.join(", ")
}

fn relations(dice: &mut Dice<'_>, at: usize, count: usize, composite: bool, text: &mut String) {
    let _ = writeln!(
        text,
        "    belongs_to:\n      up: {{ to: User, inverse: ups_{at} }}"
    );
    let _ = writeln!(
        text,
        "      parent: {{ to: R{at}, optional: true, inverse: all, column: parent_key }}"
    );
    if dice.one_in(2) {
        let to = dice.up_to(count - 1);
        let options = [
            "optional: true, on_delete: set_null",
            "unique: true",
            "index: true, sortable: false, description: d",
            "immutable: true, readable: authenticated",
            "deprecated: { sunset: 2030-01-01 }, filterable: false",
        ];
        let options = dice.pick(&options);
        let inverse = if options.contains("unique") {
            format!("one_{at}")
        } else {
            format!("{{ name: many_{at}, limit: 3, sort: [-number, code], description: 'x: y' }}")
        };
        let _ = writeln!(text, "      near: {{ to: R{to}, {options}, inverse: {inverse} }}");
    }
    // A table of pairs holds keys of one field.
    if !composite && dice.one_in(2) {
        let own = format!("table: pairs_{at}, from_column: a, to_column: b, ");
        let said = [
            "",
            "writable: true, ",
            "writable: true, api_name: fars, access: public, ",
            "access: authenticated, ",
        ];
        let said = said[dice.up_to(3)];
        let (to, names) = match dice.up_to(2) {
            0 => (format!("R{at}"), own),
            1 => ("User".to_owned(), own),
            _ => ("User".to_owned(), String::new()),
        };
        let _ = writeln!(
            text,
            "    many_to_many:\n      far: {{ to: {to}, {names}{said}inverse: back_{at} }}"
        );
    }
}

fn constraints(dice: &mut Dice<'_>, text: &mut String) {
    for line in [
        "unique: [[number, parent], [code, other]]",
        "index: [[-number], [up, -code], { on: [lower(other), number], unique: true, where: flag }, [number]]",
        "check: { small: number < 10, both: { rule: \"other != ''\", message: 'not: this' } }",
        "sort: [-number, up]",
        "sort: other",
        "version: changes",
        "timestamps: { created: made_at, updated: other_at }",
        "preconditions: required",
        "audit: true",
        "caching: { max_age: 90s, shared_max_age: 1h }",
    ] {
        if dice.one_in(3)
            && !(line == "sort: other" && text.lines().last().is_some_and(|line| line.contains("sort")))
        {
            let _ = writeln!(text, "    {line}");
        }
    }
}
