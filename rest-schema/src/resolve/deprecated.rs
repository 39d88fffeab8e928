//! What is deprecated, since when, and until when.

use jiff::civil::Date;

use super::literal;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::Block;
use crate::schema::Deprecation;
use crate::types::FieldType;
use crate::value::Value;

/// What a block says of its end; `None` where it says nothing, or no.
pub(super) fn read(block: &Block, diagnostics: &mut Diagnostics) -> Option<Deprecation> {
    let written = block.block("deprecated")?;
    let mut day = |key: &str| -> Option<Date> {
        let text = written.text(key)?;
        match literal::parse(&FieldType::Date, &text.text, text.span) {
            Ok(Value::Date(day)) => Some(day),
            Ok(_) => None,
            Err(fault) => {
                diagnostics.push(fault);
                None
            }
        }
    };
    let (since, sunset) = (day("since"), day("sunset"));
    if let (Some(since), Some(sunset)) = (since, sunset)
        && sunset < since
    {
        let message = "it would be gone before it is deprecated";
        diagnostics.push(
            Diagnostic::new("contradiction", written.place("sunset"), message)
                .help("`sunset` is the same day as `since`, or a later one"),
        );
    }
    let has_day = since.is_some() || sunset.is_some();
    if has_day && written.flag("is") == Some(false) {
        let message = "what has a day of its end is deprecated";
        diagnostics.push(Diagnostic::new("contradiction", written.place("is"), message));
    }
    (written.is("is") || has_day).then_some(Deprecation { since, sunset })
}
