//! Rules: parsed all at once, since they use each other, then each checked over the draft and put in its place.

use std::collections::HashMap;

use super::{Draft, Origin};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{Block, Named};
use crate::rule::ast::{Node, NodeKind};
use crate::rule::{self, Checked, Place, Rules};
use crate::schema::{
    Check, DefaultValue, Expr, FieldId, FieldRole, IndexExpr, NamedRule, Operation, RelationId, ResourceId,
    Row, Rule, Schema,
};
use crate::source::{Excerpt, Span};
use crate::types::FieldType;

/// Where a rule goes when it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Access(Operation),
    Where,
    Named(usize),
    Check(usize),
    IndexWhere(usize),
    IndexTerm(usize, usize),
    Readable(u32),
    Writable(u32),
    Computed(u32),
    Default(u32),
    Link(u32),
    Admin,
    Active,
}

struct Job {
    resource: ResourceId,
    target: Target,
    text: Excerpt,
    node: Option<Node>,
}

const OPERATIONS: &[(&str, Operation)] = &[
    ("read", Operation::Read),
    ("create", Operation::Create),
    ("update", Operation::Update),
    ("delete", Operation::Delete),
    ("restore", Operation::Restore),
];

/// Checks all rules and puts them in.
pub(super) fn build(draft: &mut Draft, root: &Block, diagnostics: &mut Diagnostics) {
    let mut jobs = Vec::new();
    for id in draft.ids() {
        let block = draft.sketch(id).block.clone();
        of_resource(draft, id, &block, &mut jobs);
        of_fields(draft, id, &mut jobs);
        of_relations(id, &block, &mut jobs);
        of_indexes(draft, id, &block, &mut jobs);
        if !draft.is_stub(id) {
            unserved(draft, id, &block, diagnostics);
            restored(draft, id, &block, diagnostics);
        }
        if !draft.is_open() {
            mine(draft, id, diagnostics);
        }
    }
    if let (Some(accounts), Some(block)) = (&draft.schema.accounts, root.block("accounts")) {
        for (key, target) in [("admin", Target::Admin), ("active", Target::Active)] {
            jobs.extend(block.text(key).map(|text| job(accounts.resource, target, text)));
        }
    }
    for job in &mut jobs {
        job.node = rule::parse(&job.text, diagnostics);
    }
    join_conditions(&mut jobs);
    let checked = check_all(draft, &jobs, diagnostics);
    for (job, checked) in jobs.iter().zip(checked) {
        if let Some(checked) = checked {
            put(draft, job, checked);
        }
    }
    for id in draft.ids() {
        searched(draft, id, diagnostics);
    }
}

/// What holds of every row is part of each operation's rule, so that whatever asks for that has it.
fn join_conditions(jobs: &mut [Job]) {
    let conditions = jobs.iter().filter(|job| job.target == Target::Where);
    let conditions: HashMap<ResourceId, Node> = conditions
        .filter_map(|job| Some((job.resource, job.node.clone()?)))
        .collect();
    for job in jobs
        .iter_mut()
        .filter(|job| matches!(job.target, Target::Access(_)))
    {
        if let (Some(own), Some(condition)) = (&mut job.node, conditions.get(&job.resource)) {
            let span = own.span;
            let both = vec![condition.clone(), std::mem::replace(own, condition.clone())];
            *own = Node {
                kind: NodeKind::And(both),
                span,
            };
        }
    }
}

/// A search says which rows hold a word; where a row hides the field, that would tell what it hides.
fn searched(draft: &Draft, id: ResourceId, diagnostics: &mut Diagnostics) {
    let sketch = draft.sketch(id);
    for (field, origin) in draft.schema.resource(id).fields.iter().zip(&sketch.origins) {
        let by_row = |rule: &Rule| !is_of_caller(&rule.expr);
        if field.searchable && field.readable.as_ref().is_some_and(by_row) {
            let span = sketch
                .written(*origin)
                .map_or(Span::default(), |named| named.block.place("searchable"));
            let message = format!(
                "whether `{}` may be read depends on the row, so it can't be searched",
                field.name
            );
            let help = "a `readable` that the caller alone decides, as `me.is_admin`, or no `searchable`";
            diagnostics.push(Diagnostic::new("contradiction", span, message).help(help));
        }
    }
}

/// Whether what a condition says is decided by the caller's own account, whatever the row is.
fn is_of_caller(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(_) | Expr::Authenticated | Expr::Scope(_) => true,
        Expr::Ref(reference) => reference.row == Row::Me && reference.path.is_empty(),
        Expr::Not(a) | Expr::IsNull(a) => is_of_caller(a),
        Expr::And(all) | Expr::Or(all) => all.iter().all(is_of_caller),
        Expr::Compare(_, a, b) => is_of_caller(a) && is_of_caller(b),
        Expr::In(a, list) => is_of_caller(a) && list.iter().all(is_of_caller),
        // What the database works out is asked for with each row.
        Expr::Now
        | Expr::Like(..)
        | Expr::Negate(_)
        | Expr::Call(..)
        | Expr::Arithmetic(..)
        | Expr::Exists { .. }
        | Expr::Aggregate { .. } => false,
    }
}

fn job(resource: ResourceId, target: Target, text: &Excerpt) -> Job {
    Job {
        resource,
        target,
        text: text.clone(),
        node: None,
    }
}

fn of_resource(draft: &mut Draft, id: ResourceId, block: &Block, jobs: &mut Vec<Job>) {
    let resource = draft.resource_mut(id);
    for (at, (name, text)) in block.rules("rules").iter().enumerate() {
        resource.rules.push(NamedRule {
            name: name.text.clone(),
            rule: super::fields::unchecked(text),
        });
        jobs.push(job(id, Target::Named(at), text));
    }
    for named in block.named("check") {
        if let Some(text) = named.block.text("rule") {
            jobs.push(job(id, Target::Check(resource.checks.len()), text));
            resource.checks.push(Check {
                name: named.name.text.clone(),
                rule: super::fields::unchecked(text),
                message: named.block.string("message"),
            });
        }
    }
    jobs.extend(block.text("where").map(|text| job(id, Target::Where, text)));
    let access = block.block("access");
    for (word, operation) in OPERATIONS {
        if let Some(text) = access.and_then(|access| access.text(word)) {
            jobs.push(job(id, Target::Access(*operation), text));
        }
    }
}

fn of_fields(draft: &Draft, id: ResourceId, jobs: &mut Vec<Job>) {
    let sketch = draft.sketch(id);
    let fields = draft.schema.resource(id).fields.iter().zip(&sketch.origins);
    for (index, (field, origin)) in (0u32..).zip(fields) {
        let Some(Named { block, .. }) = sketch.said(*origin) else {
            continue;
        };
        for (key, target) in [
            ("readable", Target::Readable(index)),
            ("writable", Target::Writable(index)),
        ] {
            jobs.extend(block.text(key).map(|text| job(id, target, text)));
        }
        if let (Origin::Field(_), Some(text)) = (origin, computed(block)) {
            jobs.push(job(id, Target::Computed(index), text));
        }
        if let Some(DefaultValue::Expression(_)) = &field.default {
            let text = block.literal("default").and_then(crate::raw::Node::scalar);
            jobs.extend(text.map(|text| job(id, Target::Default(index), &text)));
        }
    }
}

fn of_relations(id: ResourceId, block: &Block, jobs: &mut Vec<Job>) {
    let first = block.named("belongs_to").len();
    for (at, named) in block.named("many_to_many").iter().enumerate() {
        let index = u32::try_from(first + at).unwrap_or(u32::MAX);
        let access = named.block.text("access");
        jobs.extend(access.map(|text| job(id, Target::Link(index), text)));
    }
}

fn computed(block: &Block) -> Option<&Excerpt> {
    if block.level.row("computed").is_some() {
        block.text("computed")
    } else {
        None
    }
}

fn of_indexes(draft: &Draft, id: ResourceId, block: &Block, jobs: &mut Vec<Job>) {
    let texts = |source: &str| {
        let all = block.blocks("index").iter();
        all.flat_map(|index| index.texts("on").iter().chain(index.text("where")))
            .find(|text| text.text == source)
    };
    for (at, index) in draft.schema.resource(id).indexes.iter().enumerate() {
        if let Some(text) = index.condition.as_ref().and_then(|rule| texts(&rule.source)) {
            jobs.push(job(id, Target::IndexWhere(at), text));
        }
        for (term, what) in index.terms.iter().enumerate() {
            if let IndexExpr::Expression(rule) = &what.expr
                && let Some(text) = texts(&rule.source)
            {
                jobs.push(job(id, Target::IndexTerm(at, term), text));
            }
        }
    }
}

/// A resource that nobody may use is served to nobody, which is rarely meant.
fn unserved(draft: &Draft, id: ResourceId, block: &Block, diagnostics: &mut Diagnostics) {
    let sketch = draft.sketch(id);
    if block
        .block("access")
        .is_none_or(|access| access.entries.is_empty())
        && !block.has("access")
    {
        let message = format!(
            "`{}` has no `access`, so nobody may do anything with it",
            sketch.name.text
        );
        diagnostics.push(
            Diagnostic::new("no-access", sketch.name.span, message)
                .help("say `access: { read: public }`")
                .warning(),
        );
    }
}

/// What is deleted for good can't be brought back.
fn restored(draft: &Draft, id: ResourceId, block: &Block, diagnostics: &mut Diagnostics) {
    let access = block.block("access").filter(|access| access.has("restore"));
    if let Some(access) = access
        && !block.has("soft_delete")
    {
        let name = &draft.sketch(id).name.text;
        let message = format!("what is deleted of `{name}` is gone, so nothing can be restored");
        diagnostics.push(
            Diagnostic::new("contradiction", access.place("restore"), message)
                .help("say `soft_delete: deleted_at`, or leave `restore` out"),
        );
    }
}

/// `default: me` is the key of the caller's account, so the relation leads to accounts.
fn mine(draft: &Draft, id: ResourceId, diagnostics: &mut Diagnostics) {
    let sketch = draft.sketch(id);
    let resource = draft.schema.resource(id);
    for (field, origin) in resource.fields.iter().zip(&sketch.origins) {
        let (Some(DefaultValue::Me), FieldRole::ForeignKey(relation)) = (&field.default, field.role) else {
            continue;
        };
        let Some(relation) = resource.relations.get(relation.index as usize) else {
            continue;
        };
        let span = sketch
            .written(*origin)
            .map_or(Span::default(), |named| named.block.place("default"));
        let accounts = draft.schema.accounts.as_ref().map(|accounts| accounts.resource);
        if accounts != Some(relation.target) && !draft.broken.contains(&relation.name) {
            let message = match accounts {
                Some(accounts) => {
                    let accounts = &draft.schema.resource(accounts).name;
                    format!("`me` is an account, and accounts are `{accounts}`")
                }
                None => "`me` is the caller's account, and the service has no accounts".to_owned(),
            };
            let help = "say `accounts:` at the top, or leave the default out";
            diagnostics.push(Diagnostic::new("bad-default", span, message).help(help));
        }
    }
}

/// What rules ask about each other.
struct Known<'a> {
    draft: &'a Draft,
    jobs: &'a [Job],
    places: HashMap<(ResourceId, Target), usize>,
}

impl Known<'_> {
    fn job(&self, resource: ResourceId, target: Target) -> Option<&Job> {
        self.jobs.get(*self.places.get(&(resource, target))?)
    }

    fn node(&self, resource: ResourceId, target: Target) -> Option<&Node> {
        self.job(resource, target)?.node.as_ref()
    }
}

impl Rules for Known<'_> {
    fn named(&self, resource: ResourceId, name: &str) -> Option<&Node> {
        let rules = &self.draft.schema.resource(resource).rules;
        let at = rules.iter().position(|rule| rule.name == name)?;
        self.node(resource, Target::Named(at))
    }

    fn names(&self, resource: ResourceId) -> Vec<&str> {
        let rules = &self.draft.schema.resource(resource).rules;
        rules.iter().map(|rule| rule.name.as_str()).collect()
    }

    fn access(&self, resource: ResourceId, operation: Operation) -> Option<&Node> {
        self.node(resource, Target::Access(operation))
    }

    fn accounts(&self) -> Option<ResourceId> {
        self.draft
            .schema
            .accounts
            .as_ref()
            .map(|accounts| accounts.resource)
    }

    fn scopes(&self) -> &[String] {
        &self.draft.schema.tokens.scopes
    }

    fn is_computed(&self, field: FieldId) -> bool {
        self.draft.schema.field(field).computed.is_some()
    }

    fn known(&self) -> Option<usize> {
        self.draft.known
    }
}

fn check_all(draft: &Draft, jobs: &[Job], diagnostics: &mut Diagnostics) -> Vec<Option<Checked>> {
    let places = jobs
        .iter()
        .enumerate()
        .map(|(at, job)| ((job.resource, job.target), at))
        .collect();
    let known = Known { draft, jobs, places };
    jobs.iter()
        .map(|job| {
            let node = job.node.as_ref()?;
            let mut found = Diagnostics::new();
            let place = place(&draft.schema, job);
            let checked = rule::check(&draft.schema, &known, job.resource, place, node, &mut found);
            let blameless = names_broken(draft, &job.text.text);
            // What is wrong with the condition of all rows is told once.
            let elsewhere = known
                .job(job.resource, Target::Where)
                .filter(|condition| condition.target != job.target);
            for fault in found.finish() {
                let is_elsewhere = elsewhere.is_some_and(|other| other.text.span.contains(fault.span));
                if !blameless && !is_elsewhere {
                    diagnostics.push(fault);
                }
            }
            checked
        })
        .collect()
}

/// Whether a rule speaks of a name that has a fault of its own.
fn names_broken(draft: &Draft, text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .any(|word| draft.broken.contains(word))
}

fn place<'a>(schema: &'a Schema, job: &Job) -> Place<'a> {
    let resource = schema.resource(job.resource);
    match job.target {
        Target::Access(operation) => Place::Access(operation),
        Target::Where => Place::Where,
        Target::Named(at) => Place::Named(resource.rules.get(at).map_or("", |rule| &rule.name)),
        Target::Check(_) | Target::IndexWhere(_) => Place::Condition,
        Target::IndexTerm(..) => Place::Index,
        Target::Readable(_) => Place::Readable,
        Target::Writable(_) | Target::Link(_) => Place::Writable,
        Target::Computed(_) => Place::Computed,
        Target::Default(field) => Place::Default(
            resource
                .fields
                .get(field as usize)
                .map_or(&FieldType::String, |field| &field.ty),
        ),
        Target::Admin => Place::Admin,
        Target::Active => Place::Active,
    }
}

fn put(draft: &mut Draft, job: &Job, checked: Checked) {
    let rule = Rule {
        source: job.text.text.clone(),
        expr: checked.expr,
    };
    if let (Target::Admin | Target::Active, Some(accounts)) = (job.target, &mut draft.schema.accounts) {
        let of_accounts = if job.target == Target::Admin {
            &mut accounts.admin
        } else {
            &mut accounts.active
        };
        *of_accounts = Some(rule);
        return;
    }
    let resource = draft.resource_mut(job.resource);
    match job.target {
        Target::Access(Operation::Read) => resource.access.read = Some(rule),
        Target::Access(Operation::Create) => resource.access.create = Some(rule),
        Target::Access(Operation::Update) => resource.access.update = Some(rule),
        Target::Access(Operation::Delete) => resource.access.delete = Some(rule),
        Target::Access(Operation::Restore) => resource.access.restore = Some(rule),
        Target::Where => resource.condition = Some(rule),
        Target::Named(at) => resource.rules[at].rule = rule,
        Target::Check(at) => resource.checks[at].rule = rule,
        Target::IndexWhere(at) => resource.indexes[at].condition = Some(rule),
        Target::IndexTerm(at, term) => resource.indexes[at].terms[term].expr = IndexExpr::Expression(rule),
        Target::Readable(at) => resource.fields[at as usize].readable = Some(rule),
        Target::Writable(at) => resource.fields[at as usize].writable = Some(rule),
        Target::Link(at) => {
            // The keys in bodies are written under the same rule.
            let relation = RelationId {
                resource: job.resource,
                index: at,
            };
            let fields = resource.fields.iter_mut();
            for field in fields.filter(|field| field.keys_of() == Some(relation)) {
                field.writable = Some(rule.clone());
            }
            resource.relations[at as usize].access = Some(rule);
        }
        Target::Default(at) => resource.fields[at as usize].default = Some(DefaultValue::Expression(rule)),
        Target::Computed(at) => {
            let field = &mut resource.fields[at as usize];
            field.ty = checked.ty;
            field.optional = checked.nullable;
            field.computed = Some(rule);
        }
        Target::Admin | Target::Active => {}
    }
}
