//! Rust types as types of fields.

use proc_macro2::TokenStream;
use syn::spanned::Spanned;
use syn::{GenericArgument, Path, PathArguments, Type, TypePath};

/// What a field's Rust type says.
#[derive(Clone)]
pub(super) struct RustType {
    /// Whether it is an `Option`.
    pub(super) optional: bool,
    /// What it is, or is an option of.
    pub(super) what: What,
}

#[derive(Clone)]
pub(super) enum What {
    /// A value of a type of the schema.
    Value(&'static str),
    /// An enum that derives RestEnum; so is every type whose name says nothing else.
    Enum(Path),
    /// The key of a resource whose key has several fields.
    Tuple(Vec<Type>),
    /// A relation over a table of pairs, and the struct that it leads to.
    ManyToMany(Path),
    /// A type that no field has: what to say of it, and the type of the schema that comes nearest.
    Unfit(String, &'static str),
}

/// Rust types by the last word of their path, with the schema's type.
const TYPES: &[(&str, &str)] = &[
    ("String", "string"),
    ("i32", "integer"),
    ("i64", "bigint"),
    ("f64", "float"),
    ("Decimal", "decimal"),
    ("bool", "boolean"),
    ("Date", "date"),
    ("Time", "time"),
    ("Timestamp", "timestamp"),
    ("Uuid", "uuid"),
    ("Json", "json"),
    ("Value", "json"),
    ("Password", "password"),
];

/// What people write first, and the type of ours that holds it.
const UNFIT: &[(&str, &str)] = &[
    ("u8", "integer"),
    ("u16", "integer"),
    ("i8", "integer"),
    ("i16", "integer"),
    ("u32", "bigint"),
    ("u64", "bigint"),
    ("u128", "bigint"),
    ("usize", "bigint"),
    ("i128", "bigint"),
    ("isize", "bigint"),
    ("f32", "float"),
    ("str", "string"),
    ("char", "string"),
    ("Cow", "string"),
    ("PathBuf", "string"),
    ("Url", "string"),
    ("BigDecimal", "decimal"),
    ("NaiveDate", "date"),
    ("NaiveTime", "time"),
    ("NaiveDateTime", "timestamp"),
    ("DateTime", "timestamp"),
    ("OffsetDateTime", "timestamp"),
    ("PrimitiveDateTime", "timestamp"),
    ("SystemTime", "timestamp"),
    ("Zoned", "timestamp"),
    ("Duration", "integer"),
    ("HashMap", "json"),
    ("BTreeMap", "json"),
    ("HashSet", "json"),
    ("BTreeSet", "json"),
    ("Map", "json"),
    ("Bytes", "bytes"),
];

/// Reads a type; `is_enum`: whatever its name says, it is an enum.
pub(super) fn read(ty: &Type, is_enum: bool) -> RustType {
    let ty = plain(ty);
    if let Some([inner]) = arguments(ty, "Option").as_deref() {
        let inner = plain(inner);
        let what = match arguments(inner, "Option") {
            Some(_) => unfit("an option of an option is one option", "string"),
            None => what(inner, is_enum),
        };
        return RustType { optional: true, what };
    }
    RustType {
        optional: false,
        what: what(ty, is_enum),
    }
}

fn what(ty: &Type, is_enum: bool) -> What {
    match ty {
        Type::Tuple(tuple) if tuple.elems.len() > 1 => What::Tuple(tuple.elems.iter().cloned().collect()),
        Type::Path(TypePath {
            qself: None, path, ..
        }) => named(ty, path, is_enum),
        Type::Reference(_) => unfit("a struct holds its values, and borrows none", "string"),
        Type::Array(_) | Type::Slice(_) => unfit("a list of values has no column of its own", "bytes"),
        _ => unfit("no field has such a type", "string"),
    }
}

fn named(ty: &Type, path: &Path, is_enum: bool) -> What {
    let Some(last) = path.segments.last() else {
        return unfit("no field has such a type", "string");
    };
    let name = last.ident.to_string();
    let find = |table: &'static [(&str, &'static str)]| {
        let found = table.iter().find(|(rust, _)| *rust == name);
        found.map(|(_, ours)| *ours)
    };
    if is_enum {
        return What::Enum(path.clone());
    }
    if let Some([inner]) = arguments(ty, "Vec").as_deref() {
        return match inner {
            Type::Path(byte) if byte.path.is_ident("u8") => What::Value("bytes"),
            _ => unfit("a list of values has no column of its own", "json"),
        };
    }
    if let Some([Type::Path(target)]) = arguments(ty, "ManyToMany").as_deref() {
        return What::ManyToMany(target.path.clone());
    }
    if let Some([inner]) = arguments(ty, "Box").or_else(|| arguments(ty, "Arc")).as_deref() {
        return unfit("a field holds its value itself", rust_name(inner));
    }
    match (find(TYPES), find(UNFIT)) {
        (Some(ours), _) if last.arguments.is_none() => What::Value(ours),
        (_, Some(ours)) => unfit(&format!("no field has the Rust type `{name}`"), ours),
        _ if last.arguments.is_none() => What::Enum(path.clone()),
        _ => unfit("no field has such a type", "string"),
    }
}

fn unfit(message: &str, near: &'static str) -> What {
    What::Unfit(message.to_owned(), near)
}

fn rust_name(inner: &Type) -> &'static str {
    match read(inner, false).what {
        What::Value(ours) | What::Unfit(_, ours) => ours,
        _ => "string",
    }
}

/// Macros wrap types of fields in groups that nobody sees.
fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        ty => ty,
    }
}

/// The type arguments of a type whose path ends with `name`.
fn arguments(ty: &Type, name: &str) -> Option<Vec<Type>> {
    let Type::Path(TypePath {
        qself: None, path, ..
    }) = ty
    else {
        return None;
    };
    let last = path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(around) = &last.arguments else {
        return None;
    };
    let types = around.args.iter().map(|argument| match argument {
        GenericArgument::Type(ty) => Some(plain(ty).clone()),
        _ => None,
    });
    types.collect()
}

/// The Rust type that a type of the schema has, as a struct's field would say it.
pub(super) fn rust_of(ours: &str) -> &'static str {
    let row = crate::types::TYPES.iter().find(|row| row.name == ours);
    row.map_or("String", |row| row.rust)
}

/// Whether a field of a Rust type that is `inferred` can be said to be `said`: texts have several types.
pub(super) fn agrees(inferred: &str, said: &str) -> bool {
    inferred == said || (inferred == "string" && matches!(said, "text" | "email" | "url" | "slug"))
}

/// The first and the last token of a type.
pub(super) fn ends(ty: &Type) -> (proc_macro2::Span, proc_macro2::Span) {
    let mut tokens = TokenStream::new();
    quote::ToTokens::to_tokens(ty, &mut tokens);
    let mut spans = tokens.into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(|| ty.span());
    (first, spans.last().unwrap_or(first))
}
