//! Statements as rustfmt writes them, with its default widths.

/// Characters of a line.
const LINE: usize = 100;

/// Characters of a chain of calls, and of the arguments of one call, that stay on one line.
const SHORT: usize = 60;

/// How far the statements of a test stand in.
const INDENT: usize = 4;

/// A test: its name in words, and its statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Test {
    /// Words joined by `_`.
    pub(super) name: String,
    /// Lines, without what they all stand in.
    pub(super) lines: Vec<String>,
}

impl Test {
    /// The function.
    pub(super) fn text(&self) -> String {
        let mut text = format!("#[tokio::test]\nasync fn {}() {{\n", self.name);
        for line in &self.lines {
            if !line.is_empty() {
                text.push_str(&" ".repeat(INDENT));
                text.push_str(line);
            }
            text.push('\n');
        }
        text.push_str("}\n");
        text
    }
}

/// Lines, each standing in by `depth` more.
pub(super) fn indented(lines: Vec<String>, depth: usize) -> Vec<String> {
    let line = |line: String| format!("{}{line}", " ".repeat(depth * INDENT));
    lines.into_iter().map(line).collect()
}

/// `let name = json!({…});`
pub(super) fn object(name: &str, members: &[(String, String)]) -> Vec<String> {
    let short = inline(members);
    let line = format!("let {name} = json!({short});");
    if INDENT + line.len() <= LINE && members.len() < 4 {
        return vec![line];
    }
    let mut lines = vec![format!("let {name} = json!({{")];
    lines.extend(
        members
            .iter()
            .map(|(name, value)| format!("    {name:?}: {value},")),
    );
    lines.push("});".to_owned());
    lines
}

/// `{"name": value, …}`
pub(super) fn inline(members: &[(String, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("{name:?}: {value}"))
        .collect();
    format!("{{{}}}", members.join(", "))
}

/// `receiver.method(arguments).await;`, with what stands before it; `deep` is how far it stands in beyond the others.
pub(super) fn asked(
    before: &str,
    receiver: &str,
    method: &str,
    arguments: &[&str],
    deep: usize,
) -> Vec<String> {
    let arguments = arguments.join(", ");
    let chain = format!("{receiver}.{method}({arguments}).await");
    let line = format!("{before}{chain};");
    if chain.len() <= SHORT && arguments.len() <= SHORT && INDENT * (deep + 1) + line.len() <= LINE {
        return vec![line];
    }
    // What is no wider than an indent stays before its first call.
    if receiver.len() <= INDENT {
        return vec![
            format!("{before}{receiver}.{method}({arguments})"),
            "    .await;".to_owned(),
        ];
    }
    vec![
        format!("{before}{receiver}"),
        format!("    .{method}({arguments})"),
        "    .await;".to_owned(),
    ]
}

/// `function(arguments);`
pub(super) fn called(function: &str, arguments: &[&str], deep: usize) -> Vec<String> {
    let line = format!("{function}({});", arguments.join(", "));
    let width = arguments.join(", ").len();
    if width <= SHORT && INDENT * (deep + 1) + line.len() <= LINE {
        return vec![line];
    }
    let mut lines = vec![format!("{function}(")];
    lines.extend(arguments.iter().map(|argument| format!("    {argument},")));
    lines.push(");".to_owned());
    lines
}

/// `for names in [rows] {`, `}` around lines.
pub(super) fn each(names: &str, rows: &[String], lines: Vec<String>) -> Vec<String> {
    let short = rows.join(", ");
    let head = format!("for {names} in [{short}] {{");
    let mut all = if short.len() + 2 <= SHORT && INDENT + head.len() <= LINE {
        vec![head]
    } else {
        let mut all = vec![format!("for {names} in [")];
        all.extend(rows.iter().flat_map(|row| indented(tuple(row), 1)));
        all.push("] {".to_owned());
        all
    };
    all.extend(indented(lines, 1));
    all.push("}".to_owned());
    all
}

/// A row of a table: on one line where its parts are short. Parts are told apart by `, ` outside of brackets and texts.
fn tuple(row: &str) -> Vec<String> {
    if row.starts_with("format!(") {
        let mut lines = formatted("", row);
        if let Some(last) = lines.last_mut() {
            last.push(',');
        }
        return lines;
    }
    let Some(parts) = row.strip_prefix('(').and_then(|row| row.strip_suffix(')')) else {
        return vec![format!("{row},")];
    };
    if parts.len() <= SHORT {
        return vec![format!("{row},")];
    }
    let mut lines = vec!["(".to_owned()];
    lines.extend(split(parts).into_iter().map(|part| format!("    {part},")));
    lines.push("),".to_owned());
    lines
}

/// `format!(…)` with what stands before it, on several lines where its arguments are long.
pub(super) fn formatted(before: &str, call: &str) -> Vec<String> {
    let arguments = call
        .strip_prefix("format!(")
        .and_then(|call| call.strip_suffix(')'));
    let Some(arguments) = arguments.filter(|arguments| arguments.len() > SHORT) else {
        return vec![format!("{before}{call}")];
    };
    let mut parts = split(arguments);
    if let Some(last) = parts.last_mut() {
        // A macro's last argument has no comma of rustfmt's.
        *last = format!("    {last}");
    }
    let count = parts.len();
    let mut lines = vec![format!("{before}format!(")];
    lines.extend(parts.into_iter().enumerate().map(|(place, part)| {
        if place + 1 == count {
            part
        } else {
            format!("    {part},")
        }
    }));
    lines.push(")".to_owned());
    lines
}

fn split(parts: &str) -> Vec<String> {
    let (mut all, mut depth, mut quoted, mut escaped) = (vec![String::new()], 0, false, false);
    for c in parts.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                all.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all.into_iter().map(|part| part.trim_start().to_owned()).collect()
}

/// `use path::{names};`, as many names on a line as fit.
pub(super) fn used(path: &str, names: &[&str]) -> String {
    let line = format!("use {path}::{{{}}};\n\n", names.join(", "));
    if line.trim_end().len() <= LINE {
        return line;
    }
    let mut text = format!("use {path}::{{\n");
    let mut line = String::new();
    for (place, name) in names.iter().enumerate() {
        // Behind all but the last there is room for a space.
        let behind = if place + 1 == names.len() { 1 } else { 2 };
        if INDENT + line.len() + name.len() + behind > LINE {
            text.push_str(&format!("    {}\n", line.trim_end()));
            line.clear();
        }
        line.push_str(&format!("{name}, "));
    }
    text.push_str(&format!("    {}\n}};\n\n", line.trim_end()));
    text
}
