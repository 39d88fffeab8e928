//! Every type in both forms: what is kept, what is shown, what is refused.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use proptest::prelude::*;
use rest_schema::value::{Decimal, Float};
use rest_schema::{FieldType, Value};
use uuid::Uuid;

use super::{Codec, Form, Unfit};
use crate::cell::{Cell, CellRef};

fn ours(ty: &FieldType) -> Codec {
    Codec::new(ty, &Form::Ours)
}

fn foreign(ty: &FieldType, declared: &str) -> Codec {
    Codec::new(ty, &Form::foreign(declared))
}

fn shown(codec: &Codec, cell: CellRef<'_>) -> Result<String, Unfit> {
    let mut out = Vec::new();
    codec.write_json(cell, &mut out)?;
    Ok(String::from_utf8(out).expect("UTF-8"))
}

fn text(text: &str) -> CellRef<'_> {
    CellRef::Text(text.as_bytes())
}

/// Kept, shown and read back.
fn holds(codec: &Codec, value: &Value, cell: &Cell, wire: &str) {
    assert_eq!(&codec.encode(value), cell, "encode {value:?} by {codec:?}");
    assert_eq!(
        codec.decode(cell.as_ref()).as_ref(),
        Ok(value),
        "decode {cell:?} by {codec:?}"
    );
    assert_eq!(
        shown(codec, cell.as_ref()).as_deref(),
        Ok(wire),
        "show {cell:?} by {codec:?}"
    );
}

fn refuses(codec: &Codec, cells: &[CellRef<'_>]) {
    for cell in cells {
        assert!(shown(codec, *cell).is_err(), "{codec:?} shows {cell:?}");
        assert!(codec.decode(*cell).is_err(), "{codec:?} decodes {cell:?}");
    }
}

fn decimal(text: &str) -> Value {
    Value::Decimal(Decimal::parse(text).expect("a decimal"))
}

fn moment(text: &str) -> Value {
    Value::Timestamp(text.parse().expect("a moment"))
}

#[test]
fn null_is_null_for_every_type() {
    for ty in types() {
        for codec in [ours(&ty), foreign(&ty, "")] {
            assert_eq!(codec.decode(CellRef::Null), Ok(Value::Null));
            assert_eq!(codec.encode(&Value::Null), Cell::Null);
            if ty != FieldType::Password {
                assert_eq!(shown(&codec, CellRef::Null).as_deref(), Ok("null"));
            }
        }
    }
}

#[test]
fn text_is_kept_as_it_is() {
    for ty in [
        FieldType::String,
        FieldType::Text,
        FieldType::Email,
        FieldType::Url,
        FieldType::Slug,
    ] {
        let codec = ours(&ty);
        holds(
            &codec,
            &Value::Text("a \"é\"".into()),
            &Cell::Text("a \"é\"".into()),
            r#""a \"é\"""#,
        );
        refuses(
            &codec,
            &[
                CellRef::Integer(1),
                CellRef::Real(1.0),
                CellRef::Blob(b"a"),
                CellRef::Text(b"\xff"),
            ],
        );
    }
}

#[test]
fn a_password_is_read_and_never_shown() {
    let codec = foreign(&FieldType::Password, "VARCHAR(256)");
    assert_eq!(
        codec.decode(text("scrypt:1$a$b")),
        Ok(Value::Text("scrypt:1$a$b".into()))
    );
    assert_eq!(
        codec.decode(CellRef::Blob(b"$2b$12$x")),
        Ok(Value::Text("$2b$12$x".into()))
    );
    assert!(shown(&codec, text("scrypt:1$a$b")).is_err());
    assert!(shown(&codec, CellRef::Null).is_err());
}

#[test]
fn integers_have_their_bits() {
    let codec = ours(&FieldType::Integer);
    holds(
        &codec,
        &Value::Integer(-2_147_483_648),
        &Cell::Integer(-2_147_483_648),
        "-2147483648",
    );
    refuses(
        &codec,
        &[CellRef::Integer(2_147_483_648), CellRef::Real(1.0), text("1")],
    );
    let codec = ours(&FieldType::Bigint);
    holds(
        &codec,
        &Value::Integer(i64::MAX),
        &Cell::Integer(i64::MAX),
        "9223372036854775807",
    );
    refuses(&codec, &[CellRef::Real(1.0), text("1")]);
}

#[test]
fn floats_are_finite() {
    let codec = ours(&FieldType::Float);
    let float = |value| Value::Float(Float::new(value).expect("finite"));
    holds(&codec, &float(2.5), &Cell::Real(2.5), "2.5");
    holds(&codec, &float(1e300), &Cell::Real(1e300), "1e+300");
    assert_eq!(codec.decode(CellRef::Integer(2)), Ok(float(2.0)));
    assert_eq!(shown(&codec, CellRef::Real(-0.0)).as_deref(), Ok("0.0"));
    assert_eq!(codec.encode(&Value::Integer(2)), Cell::Real(2.0));
    refuses(
        &codec,
        &[CellRef::Real(f64::INFINITY), CellRef::Real(f64::NAN), text("1.0")],
    );
}

#[test]
fn our_decimals_are_scaled_integers() {
    let codec = ours(&FieldType::Decimal {
        precision: 8,
        scale: 2,
    });
    holds(&codec, &decimal("12.30"), &Cell::Integer(1230), r#""12.30""#);
    holds(&codec, &decimal("-0.05"), &Cell::Integer(-5), r#""-0.05""#);
    assert_eq!(codec.encode(&decimal("12.3")), Cell::Integer(1230));
    assert_eq!(codec.encode(&Value::Integer(3)), Cell::Integer(300));
    assert_eq!(
        codec.encode(&decimal("0.125")),
        Cell::Real(12.5),
        "between two stored values"
    );
    refuses(
        &codec,
        &[CellRef::Integer(100_000_000), CellRef::Real(12.3), text("12.30")],
    );
}

#[test]
fn foreign_decimals_are_numbers_or_text() {
    let ty = FieldType::Decimal {
        precision: 8,
        scale: 2,
    };
    let codec = foreign(&ty, "NUMERIC(8, 2)");
    holds(&codec, &decimal("12.30"), &Cell::Real(12.3), r#""12.30""#);
    assert_eq!(shown(&codec, CellRef::Integer(12)).as_deref(), Ok(r#""12.00""#));
    assert_eq!(
        shown(&codec, CellRef::Real(0.1 + 0.2)).as_deref(),
        Ok(r#""0.30""#)
    );
    assert_eq!(shown(&codec, text("7.5")).as_deref(), Ok(r#""7.50""#));
    refuses(
        &codec,
        &[
            CellRef::Real(1e9),
            CellRef::Real(f64::INFINITY),
            text("1e3"),
            text("7.555"),
            CellRef::Blob(b"1"),
        ],
    );
    let codec = foreign(&ty, "VARCHAR(20)");
    holds(
        &codec,
        &decimal("12.30"),
        &Cell::Text("12.30".into()),
        r#""12.30""#,
    );
    assert_eq!(codec.encode(&Value::Integer(3)), Cell::Text("3.00".into()));
}

#[test]
fn booleans_are_zero_and_one() {
    for codec in [ours(&FieldType::Boolean), foreign(&FieldType::Boolean, "BOOLEAN")] {
        holds(&codec, &Value::Boolean(true), &Cell::Integer(1), "true");
        holds(&codec, &Value::Boolean(false), &Cell::Integer(0), "false");
        refuses(&codec, &[CellRef::Integer(2), CellRef::Real(1.0), text("true")]);
    }
}

#[test]
fn dates_are_iso() {
    for codec in [ours(&FieldType::Date), foreign(&FieldType::Date, "DATE")] {
        let value = Value::Date("2024-02-29".parse().expect("a date"));
        holds(
            &codec,
            &value,
            &Cell::Text("2024-02-29".into()),
            r#""2024-02-29""#,
        );
        refuses(
            &codec,
            &[
                text("2023-02-29"),
                text("1900-02-29"),
                text("2024-13-01"),
                text("2024-00-10"),
                text("2024-1-1"),
                text("2024-01-01 00:00:00"),
                text(""),
                CellRef::Integer(20_240_229),
            ],
        );
    }
}

#[test]
fn times_have_six_digits_inside_and_none_to_spare_outside() {
    let time = |text: &str| Value::Time(text.parse().expect("a time"));
    let codec = ours(&FieldType::Time);
    holds(
        &codec,
        &time("01:02:03"),
        &Cell::Text("01:02:03.000000".into()),
        r#""01:02:03""#,
    );
    holds(
        &codec,
        &time("23:59:59.12"),
        &Cell::Text("23:59:59.120000".into()),
        r#""23:59:59.12""#,
    );
    refuses(
        &codec,
        &[
            text("01:02:03"),
            text("24:00:00.000000"),
            text("01:60:00.000000"),
            text("01:02:03.00000x"),
        ],
    );
    let codec = foreign(&FieldType::Time, "TIME");
    assert_eq!(shown(&codec, text("01:02:03")).as_deref(), Ok(r#""01:02:03""#));
    refuses(&codec, &[text("01:02"), text("01:02:03.5"), text("é1:02:03")]);
}

#[test]
fn moments_are_rearranged() {
    let codec = ours(&FieldType::Timestamp);
    holds(
        &codec,
        &moment("2024-01-02T03:04:05Z"),
        &Cell::Text("2024-01-02 03:04:05.000000".into()),
        r#""2024-01-02T03:04:05Z""#,
    );
    holds(
        &codec,
        &moment("2024-01-02T03:04:05.678Z"),
        &Cell::Text("2024-01-02 03:04:05.678000".into()),
        r#""2024-01-02T03:04:05.678Z""#,
    );
    refuses(
        &codec,
        &[
            text("2024-01-02 03:04:05"),
            text("2024-01-02T03:04:05.000000"),
            text("2024-01-02"),
        ],
    );
    let codec = foreign(&FieldType::Timestamp, "DATETIME");
    assert_eq!(
        codec.decode(text("2024-01-02 03:04:05")),
        Ok(moment("2024-01-02T03:04:05Z"))
    );
    assert_eq!(
        shown(&codec, text("2024-01-02 03:04:05")).as_deref(),
        Ok(r#""2024-01-02T03:04:05Z""#)
    );
    refuses(
        &codec,
        &[
            text("2024-01-02T03:04:05Z"),
            text("2024-01-02"),
            text("2024-01-02 03:04:05.678"),
            CellRef::Integer(1_704_164_645),
        ],
    );
}

#[test]
fn a_moment_beyond_the_clock_is_still_shown() {
    let codec = foreign(&FieldType::Timestamp, "DATETIME");
    assert_eq!(
        shown(&codec, text("9999-12-31 23:59:59.999999")).as_deref(),
        Ok(r#""9999-12-31T23:59:59.999999Z""#)
    );
}

#[test]
fn uuids_take_the_form_of_their_column() {
    let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00ab);
    let (long, short) = (id.hyphenated().to_string(), id.simple().to_string());
    let wire = format!("\"{long}\"");
    holds(
        &ours(&FieldType::Uuid),
        &Value::Uuid(id),
        &Cell::Text(long.clone()),
        &wire,
    );
    refuses(
        &ours(&FieldType::Uuid),
        &[
            text(&short),
            text(&long.to_uppercase()),
            CellRef::Blob(id.as_bytes()),
            text("x"),
        ],
    );
    for (declared, cell) in [
        ("CHAR(32)", Cell::Text(short.clone())),
        ("VARCHAR(36)", Cell::Text(long.clone())),
        ("TEXT", Cell::Text(long.clone())),
        ("BINARY(16)", Cell::Blob(id.as_bytes().to_vec())),
        ("BLOB", Cell::Blob(id.as_bytes().to_vec())),
    ] {
        let codec = foreign(&FieldType::Uuid, declared);
        holds(&codec, &Value::Uuid(id), &cell, &wire);
        for other in [
            text(&long),
            text(&short),
            text(&short.to_uppercase()),
            CellRef::Blob(id.as_bytes()),
        ] {
            assert_eq!(shown(&codec, other).as_deref(), Ok(wire.as_str()), "{declared}");
        }
        refuses(&codec, &[text("x"), CellRef::Blob(b"x"), CellRef::Integer(1)]);
    }
}

#[test]
fn json_is_embedded() {
    let document = r#"{"a":[1,null,"x, y"]}"#;
    holds(
        &ours(&FieldType::Json),
        &Value::Json(document.into()),
        &Cell::Text(document.into()),
        document,
    );
    let codec = foreign(&FieldType::Json, "JSON");
    let python = r#"{"a": [1, null, "x, y"]}"#;
    holds(
        &codec,
        &Value::Json(document.into()),
        &Cell::Text(python.into()),
        document,
    );
    assert_eq!(shown(&codec, CellRef::Integer(12)).as_deref(), Ok("12"));
    assert_eq!(shown(&codec, CellRef::Real(1.5)).as_deref(), Ok("1.5"));
    assert_eq!(
        shown(&codec, text("[1,\n 2]")).as_deref(),
        Ok("[1,2]"),
        "one line"
    );
    for codec in [ours(&FieldType::Json), codec] {
        refuses(
            &codec,
            &[
                text("{"),
                text(""),
                text("NaN"),
                text("1 2"),
                CellRef::Blob(b"1"),
                CellRef::Text(b"\"\xff\""),
            ],
        );
    }
}

#[test]
fn bytes_are_base64() {
    let codec = ours(&FieldType::Bytes);
    holds(
        &codec,
        &Value::Bytes(vec![0, 255, 16]),
        &Cell::Blob(vec![0, 255, 16]),
        r#""AP8Q""#,
    );
    holds(&codec, &Value::Bytes(vec![1]), &Cell::Blob(vec![1]), r#""AQ==""#);
    refuses(&codec, &[text("AQ=="), CellRef::Integer(1)]);
}

#[test]
fn an_enum_holds_its_words_only() {
    let ty = FieldType::Enum(vec!["draft".into(), "published".into()]);
    for codec in [ours(&ty), foreign(&ty, "VARCHAR(9)")] {
        holds(
            &codec,
            &Value::Text("draft".into()),
            &Cell::Text("draft".into()),
            r#""draft""#,
        );
        refuses(
            &codec,
            &[
                text("Draft"),
                text(""),
                CellRef::Integer(0),
                CellRef::Blob(b"draft"),
            ],
        );
    }
}

fn types() -> Vec<FieldType> {
    vec![
        FieldType::String,
        FieldType::Text,
        FieldType::Integer,
        FieldType::Bigint,
        FieldType::Float,
        FieldType::Decimal {
            precision: 15,
            scale: 4,
        },
        FieldType::Boolean,
        FieldType::Date,
        FieldType::Time,
        FieldType::Timestamp,
        FieldType::Uuid,
        FieldType::Json,
        FieldType::Bytes,
        FieldType::Enum(vec!["a".into(), "b c".into()]),
        FieldType::Email,
        FieldType::Url,
        FieldType::Slug,
    ]
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
        FieldType::Decimal { precision, scale } => {
            let (most, scale) = (10i128.pow(u32::from(*precision)), *scale);
            (-most + 1..most)
                .prop_map(move |units| Value::Decimal(Decimal { units, scale }))
                .boxed()
        }
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        FieldType::Date => (0i32..3_652_058)
            .prop_map(|day| Value::Date(nth_day(day)))
            .boxed(),
        FieldType::Time => (0i64..86_400_000_000)
            .prop_map(|micros| Value::Time(time_at(micros)))
            .boxed(),
        FieldType::Timestamp => (-62_135_596_800_000_000i64..253_402_207_200_000_000)
            .prop_map(|micros| Value::Timestamp(Timestamp::from_microsecond(micros).expect("in range")))
            .boxed(),
        FieldType::Uuid => any::<u128>()
            .prop_map(|bits| Value::Uuid(Uuid::from_u128(bits)))
            .boxed(),
        FieldType::Json => json().prop_map(|json| Value::Json(json.to_string())).boxed(),
        FieldType::Bytes => proptest::collection::vec(any::<u8>(), 0..40)
            .prop_map(Value::Bytes)
            .boxed(),
        FieldType::Enum(words) => proptest::sample::select(words.clone())
            .prop_map(Value::Text)
            .boxed(),
        _ => "(?s).{0,40}".prop_map(Value::Text).boxed(),
    }
}

fn nth_day(day: i32) -> Date {
    let first = Date::new(1, 1, 1).expect("a date");
    first.checked_add(jiff::Span::new().days(day)).expect("in range")
}

fn time_at(micros: i64) -> Time {
    Time::midnight().wrapping_add(jiff::Span::new().microseconds(micros))
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        ".{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(serde_json::Value::from),
            proptest::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// What a client should read, by another road than the codec's.
fn wire(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(flag) => (*flag).into(),
        Value::Integer(integer) => (*integer).into(),
        Value::Float(float) => float.get().into(),
        Value::Decimal(decimal) => decimal.to_string().into(),
        Value::Text(text) => text.as_str().into(),
        Value::Timestamp(moment) => moment.to_string().into(),
        Value::Date(date) => date.to_string().into(),
        Value::Time(time) => time.to_string().into(),
        Value::Uuid(uuid) => uuid.to_string().into(),
        Value::Json(document) => serde_json::from_str(document).expect("JSON"),
        Value::Bytes(bytes) => {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
    }
}

fn typed_values() -> impl Strategy<Value = (FieldType, Value)> {
    proptest::sample::select(types())
        .prop_flat_map(|ty| value_of(&ty).prop_map(move |value| (ty.clone(), value)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_kept_reads_back(
        (ty, value) in typed_values(),
        declared in proptest::sample::select(vec!["", "CHAR(32)", "VARCHAR(36)", "NUMERIC(15, 4)", "BLOB", "TEXT"]),
    ) {
        for codec in [ours(&ty), foreign(&ty, declared)] {
            let cell = codec.encode(&value);
            prop_assert_eq!(codec.decode(cell.as_ref()), Ok(value.clone()), "{:?}", codec);
            let shown = shown(&codec, cell.as_ref()).expect("shown");
            let read: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
            prop_assert_eq!(read, wire(&value), "{:?}", codec);
        }
    }

    #[test]
    fn texts_of_moments_sort_as_moments(a in value_of(&FieldType::Timestamp), b in value_of(&FieldType::Timestamp)) {
        let codec = ours(&FieldType::Timestamp);
        let (Value::Timestamp(x), Value::Timestamp(y)) = (&a, &b) else { unreachable!() };
        let (Cell::Text(s), Cell::Text(t)) = (codec.encode(&a), codec.encode(&b)) else { unreachable!() };
        prop_assert_eq!(x.cmp(y), s.cmp(&t));
    }

    #[test]
    fn no_cell_panics_a_codec(ty in proptest::sample::select(types()), bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        for codec in [ours(&ty), foreign(&ty, "NUMERIC")] {
            for cell in [CellRef::Text(&bytes), CellRef::Blob(&bytes)] {
                let shown = shown(&codec, cell).is_ok();
                prop_assert_eq!(shown, codec.decode(cell).is_ok());
            }
        }
    }
}
