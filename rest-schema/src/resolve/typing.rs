//! The type that a field says, with what that type needs to be known.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::Named;
use crate::source::Excerpt;
use crate::types::{FieldType, TYPES};

/// The type that a field's block says.
pub(super) fn field_type(named: &Named, diagnostics: &mut Diagnostics) -> Option<FieldType> {
    let block = &named.block;
    let Some(word) = block.text("type") else {
        // Where `type` was there and wrong, that is reported already.
        if !block.has("computed") && block.entry("type").is_none() {
            let message = format!("`{}` has no type", named.name.text);
            let help = "say `type: string`, or `computed:` and an expression";
            diagnostics.push(Diagnostic::new("missing-key", named.name.span, message).help(help));
        }
        return None;
    };
    match word.text.as_str() {
        "enum" => values(named, diagnostics).map(FieldType::Enum),
        "decimal" => decimal(named, diagnostics),
        name => simple(name).or_else(|| {
            diagnostics.push(unknown_type(word));
            None
        }),
    }
}

fn simple(name: &str) -> Option<FieldType> {
    [
        FieldType::String,
        FieldType::Text,
        FieldType::Integer,
        FieldType::Bigint,
        FieldType::Float,
        FieldType::Boolean,
        FieldType::Date,
        FieldType::Time,
        FieldType::Timestamp,
        FieldType::Uuid,
        FieldType::Json,
        FieldType::Bytes,
        FieldType::Email,
        FieldType::Url,
        FieldType::Slug,
        FieldType::Password,
    ]
    .into_iter()
    .find(|ty| ty.name() == name)
}

/// Names that other programs have for our types.
const FOREIGN_TYPES: &[(&str, &str)] = &[
    ("int", "integer"),
    ("i32", "integer"),
    ("i64", "bigint"),
    ("long", "bigint"),
    ("bool", "boolean"),
    ("str", "string"),
    ("varchar", "string"),
    ("char", "string"),
    ("datetime", "timestamp"),
    ("timestamptz", "timestamp"),
    ("double", "float"),
    ("real", "float"),
    ("number", "float"),
    ("numeric", "decimal"),
    ("money", "decimal"),
    ("jsonb", "json"),
    ("object", "json"),
    ("blob", "bytes"),
    ("binary", "bytes"),
    ("uri", "url"),
];

fn unknown_type(word: &Excerpt) -> Diagnostic {
    if word.text == "array" || word.text.ends_with("[]") {
        return Diagnostic::new("not-yet", word.span, "arrays aren't served by this version")
            .help("a `json` field can hold a list, or a resource of its own its entries");
    }
    let message = format!("no type is called `{}`", word.text);
    let names = TYPES.iter().map(|row| row.name);
    let mut fault = Diagnostic::new("unknown-type", word.span, message).near(&word.text, names.clone());
    let lower = word.text.to_lowercase();
    if let Some((_, ours)) = FOREIGN_TYPES.iter().find(|(theirs, _)| *theirs == lower) {
        fault.nearest = Some((*ours).to_owned());
    }
    if fault.nearest.is_none() {
        fault = fault.help(format!("the types are {}", names.collect::<Vec<_>>().join(", ")));
    }
    fault
}

fn values(named: &Named, diagnostics: &mut Diagnostics) -> Option<Vec<String>> {
    let block = &named.block;
    let written = block.texts("values");
    if !block.has("values") {
        let message = format!("`{}` is an enum without `values`", named.name.text);
        let help = "say `values: [draft, published]`";
        diagnostics.push(Diagnostic::new("missing-key", block.place("type"), message).help(help));
        return None;
    }
    let mut values: Vec<String> = Vec::with_capacity(written.len());
    for value in written {
        if values.contains(&value.text) {
            let message = format!("`{}` stands in `values` twice", value.text);
            diagnostics.push(Diagnostic::new("duplicate-name", value.span, message));
        } else if value.text.is_empty() || value.text.chars().any(char::is_control) {
            let message = "a value of an enum is a text without control characters, and not empty";
            diagnostics.push(Diagnostic::new("bad-literal", value.span, message));
        } else {
            values.push(value.text.clone());
        }
    }
    (!values.is_empty()).then_some(values)
}

fn decimal(named: &Named, diagnostics: &mut Diagnostics) -> Option<FieldType> {
    let block = &named.block;
    let Some(precision) = block.number("precision") else {
        if !block.has("precision") {
            let message = format!("`{}` is a decimal without `precision`", named.name.text);
            let help = "say `precision: 8, scale: 2` for up to 999999.99";
            diagnostics.push(Diagnostic::new("missing-key", block.place("type"), message).help(help));
        }
        return None;
    };
    let scale = block.number("scale").unwrap_or(0);
    match (u8::try_from(precision), u8::try_from(scale)) {
        (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
            Some(FieldType::Decimal { precision, scale })
        }
        _ => {
            let message = format!("a decimal can't have {precision} digits, {scale} of them after the point");
            let help = "`precision` counts all digits, 1 to 38, and `scale` those after the point";
            diagnostics.push(Diagnostic::new("wrong-type", block.place("precision"), message).help(help));
            None
        }
    }
}
