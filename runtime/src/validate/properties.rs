//! What holds of every body: none makes validation panic, faults have places in it, and what GET shows changes nothing.

use proptest::prelude::*;
use rest_schema::value::{Decimal, Float};
use rest_schema::{FieldType, Value};

use super::tests::{article_fields, changes_of, create, patch, put};
use crate::codec::{Codec, Form};
use crate::problem::{Fault, Place};
use crate::request::body::{Json, parse};

/// JSON of any shape, many of its members being fields.
fn any_body() -> impl Strategy<Value = Json> {
    let names: Vec<String> = article_fields().into_iter().map(|field| field.api_name).collect();
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::Integer),
        (i64::MAX as u64 + 1..).prop_map(Json::Unsigned),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(Json::Float),
        "\\PC{0,8}".prop_map(Json::Text),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{0,9}Z)?".prop_map(Json::Text),
        "-?[0-9]{0,22}[.]?[0-9]{0,22}".prop_map(Json::Text),
    ];
    let any = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            object("\\PC{0,4}".boxed(), inner),
        ]
    });
    let name = prop_oneof![4 => proptest::sample::select(names), 1 => "\\PC{0,6}"];
    prop_oneof![1 => any.clone(), 9 => object(name.boxed(), any)]
}

fn object(name: BoxedStrategy<String>, value: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    proptest::collection::btree_map(name, value, 0..12)
        .prop_map(|members| Json::Object(members.into_iter().collect()))
}

/// Whether a fault is about a member of the body, or one that is missing in it, or the whole of it.
fn has_a_place(fault: &Fault) -> bool {
    match &fault.place {
        Place::Pointer(pointer) => {
            pointer.is_empty() || pointer.starts_with('/') && !pointer[1..].contains('/')
        }
        Place::Parameter(_) | Place::Header(_) => false,
    }
}

/// A row that the article's rules allow.
fn any_row() -> impl Strategy<Value = Vec<Value>> {
    let fields = article_fields();
    fields
        .into_iter()
        .map(|field| {
            let value = match (field.name.as_str(), &field.ty) {
                ("title", _) => "[^\\x00]{2,10}".prop_map(Value::Text).boxed(),
                ("code", _) => "[a-z]{1,8}".prop_map(Value::Text).boxed(),
                ("score", _) => (0i64..=100).prop_map(Value::Integer).boxed(),
                ("link", _) => "https://[a-z]{1,8}/[a-z]{0,4}".prop_map(Value::Text).boxed(),
                (_, ty) => value_of(ty),
            };
            if field.optional {
                prop_oneof![1 => Just(Value::Null), 4 => value].boxed()
            } else {
                value
            }
        })
        .collect::<Vec<_>>()
}

fn value_of(ty: &FieldType) -> BoxedStrategy<Value> {
    match ty {
        FieldType::Integer => any::<i32>()
            .prop_map(|value| Value::Integer(value.into()))
            .boxed(),
        FieldType::Bigint => any::<i64>().prop_map(Value::Integer).boxed(),
        FieldType::Float => any::<f64>()
            .prop_filter_map("finite", |value| Float::new(value).map(Value::Float))
            .boxed(),
        FieldType::Decimal { scale, .. } => {
            let scale = *scale;
            (-999_999i128..=999_999)
                .prop_map(move |units| Value::Decimal(Decimal { units, scale }))
                .boxed()
        }
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::Date => (1i16..=9999, 1i8..=12, 1i8..=28)
            .prop_filter_map("a date", |(year, month, day)| {
                jiff::civil::Date::new(year, month, day).ok().map(Value::Date)
            })
            .boxed(),
        FieldType::Timestamp => (-62_135_596_800_000_000i64..253_402_207_200_000_000)
            .prop_filter_map("a moment", |micros| {
                jiff::Timestamp::from_microsecond(micros)
                    .ok()
                    .map(Value::Timestamp)
            })
            .boxed(),
        FieldType::Json => any_body().prop_map(|json| Value::Json(json.to_text())).boxed(),
        FieldType::Bytes => proptest::collection::vec(any::<u8>(), 0..12)
            .prop_map(Value::Bytes)
            .boxed(),
        FieldType::Enum(words) => proptest::sample::select(words.clone())
            .prop_map(Value::Text)
            .boxed(),
        _ => "[^\\x00]{0,12}".prop_map(Value::Text).boxed(),
    }
}

/// What GET shows of a row.
fn shown(row: &[Value]) -> String {
    let mut out = b"{".to_vec();
    for (field, value) in article_fields()
        .iter()
        .zip(row)
        .filter(|(field, _)| field.is_shown())
    {
        if field.ty == FieldType::Password {
            continue;
        }
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(Json::Text(field.api_name.clone()).to_text().as_bytes());
        out.push(b':');
        let codec = Codec::new(&field.ty, &Form::Ours);
        codec
            .write_json(codec.encode(value).as_ref(), &mut out)
            .expect("a value that fits");
    }
    out.push(b'}');
    String::from_utf8(out).expect("UTF-8")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_body_panics_and_every_fault_has_a_place(body in any_body(), row in any_row()) {
        let text = body.to_text();
        let created = create(&text).err().unwrap_or_default();
        let replaced = changes_of(&put(&text), &row).err().unwrap_or_default();
        let patched = changes_of(&patch(&text), &row).err().unwrap_or_default();
        for fault in created.iter().chain(&replaced).chain(&patched) {
            prop_assert!(has_a_place(fault), "{fault:?}");
        }
    }

    #[test]
    fn what_get_shows_changes_nothing_when_it_is_put_or_patched(row in any_row()) {
        let text = shown(&row);
        prop_assert!(parse(text.as_bytes()).is_ok(), "{}", text);
        prop_assert_eq!(changes_of(&put(&text), &row), Ok(vec![]), "{}", text);
        // A merge patch takes members that are null out of a document: what holds none is the same afterwards.
        if !text.contains("null") {
            prop_assert_eq!(changes_of(&patch(&text), &row), Ok(vec![]), "{}", text);
        }
    }
}
