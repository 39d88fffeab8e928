//! A rule: parsed, checked and, where it means something, printed and read back as the same expression.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rest_fuzz::{BLOG, chosen};
use rest_schema::rule::ast::Node;
use rest_schema::rule::{Place, Rules, check, parse, print};
use rest_schema::{Diagnostics, Excerpt, Expr, FieldId, Operation, ResourceId, Span};

struct Bare;

impl Rules for Bare {
    fn named(&self, _: ResourceId, _: &str) -> Option<&Node> {
        None
    }

    fn names(&self, _: ResourceId) -> Vec<&str> {
        Vec::new()
    }

    fn access(&self, _: ResourceId, _: Operation) -> Option<&Node> {
        None
    }

    fn accounts(&self) -> Option<ResourceId> {
        BLOG.accounts.as_ref().map(|accounts| accounts.resource)
    }

    fn is_computed(&self, field: FieldId) -> bool {
        BLOG.field(field).computed.is_some()
    }
}

fn checked(resource: ResourceId, place: Place<'_>, text: &str) -> Option<Expr> {
    let mut diagnostics = Diagnostics::new();
    let excerpt = Excerpt::whole(text, Span::default());
    let checked = parse(&excerpt, &mut diagnostics)
        .and_then(|node| check(&BLOG, &Bare, resource, place, &node, &mut diagnostics));
    drop(diagnostics.finish());
    checked.map(|checked| checked.expr)
}

fuzz_target!(|input: (u8, u8, &str)| {
    let (resource, place, text) = input;
    let resource = chosen(&BLOG, resource);
    let place = match place % 6 {
        0 => Place::Access(Operation::Read),
        1 => Place::Access(Operation::Update),
        2 => Place::Condition,
        3 => Place::Index,
        4 => Place::Computed,
        _ => Place::Admin,
    };
    if let Some(expr) = checked(resource, place, text) {
        let printed = print(&BLOG, &expr);
        assert_eq!(checked(resource, place, &printed), Some(expr), "{printed}");
    }
});
