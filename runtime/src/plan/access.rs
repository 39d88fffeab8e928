//! Access rules, made ready at start: for each resource and operation, for each kind of caller, a condition.
//!
//! A rule enters a plan as a condition and nowhere else; nothing filters rows afterwards. What the caller alone decides
//! is decided here ([`Ruling::permit`]), so that a closed operation is refused whatever the row is.

use rest_schema::{DefaultValue, Field, FieldId, Operation, RelationId, ResourceId, Row, Rule, Schema};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::codec::Codec;
use crate::model::Model;
use crate::plan::eval::{self, Verdict};
use crate::plan::expr::{Expr, Slot};
use crate::plan::lower::{Kind, Lowering, Standing};
use crate::problem::{Code, Problem};
use crate::scope::{self, Act};

/// One rule, for every kind of caller.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// Of which resource's rows, and what is done to them: the caller is asked as whom he does that.
    of: ResourceId,
    act: Act,
    anonymous: Expr,
    account: Expr,
    /// For whom rules don't hold: what is left is whether the row is there.
    unrestricted: Expr,
}

/// What a rule means for one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit<'a> {
    /// Every row.
    Always,
    /// No row, whatever it is.
    Never,
    /// The rows for which this is TRUE.
    When(&'a Expr),
}

impl Permit<'_> {
    /// As a condition.
    pub fn condition(self) -> Expr {
        match self {
            Self::Always => Expr::Boolean(true),
            Self::Never => Expr::Boolean(false),
            Self::When(expr) => expr.clone(),
        }
    }
}

impl Ruling {
    /// What a rule says to each kind of caller whom rules hold; others pass.
    fn of(of: ResourceId, act: impl Into<Act>, rule: impl Fn(Kind) -> Expr) -> Self {
        Self {
            of,
            act: act.into(),
            anonymous: rule(Kind::Anonymous),
            account: rule(Kind::Account),
            unrestricted: Expr::Boolean(true),
        }
    }

    /// One that lets nobody pass whom rules hold.
    fn closed(of: ResourceId, act: impl Into<Act>) -> Self {
        Self::of(of, act, |_| Expr::Boolean(false))
    }

    /// It, and a condition that holds for everybody.
    fn and_for_all(&self, condition: &Expr) -> Self {
        let both = |one: &Expr| Expr::and([one.clone(), condition.clone()]);
        Self {
            anonymous: both(&self.anonymous),
            account: both(&self.account),
            unrestricted: both(&self.unrestricted),
            ..*self
        }
    }

    /// It and another, joined by `and` or `or`, where it is asked for.
    fn joined(&self, join: fn([Expr; 2]) -> Expr, other: &Self) -> Self {
        let join = |a: &Expr, b: &Expr| join([a.clone(), b.clone()]);
        Self {
            anonymous: join(&self.anonymous, &other.anonymous),
            account: join(&self.account, &other.account),
            unrestricted: join(&self.unrestricted, &other.unrestricted),
            ..*self
        }
    }

    /// What the caller alone decides of it.
    fn verdict(&self, caller: &Caller) -> Verdict {
        let kind = caller.kind_in(self.of, self.act);
        let account = caller.account.as_ref().filter(|_| kind == Kind::Account);
        match (self.expr(kind), account) {
            (Expr::Boolean(true), _) => Verdict::Always,
            (Expr::Boolean(false), _) => Verdict::Never,
            (_, None) => Verdict::ByRow,
            (expr, Some(account)) => {
                let has = |word| Some(caller.scopes.has(word));
                eval::judge(expr, &|slot| of_caller(slot, account, &has))
            }
        }
    }

    /// The same where a condition is known to hold.
    #[must_use]
    pub fn assuming(&self, fact: &Expr) -> Self {
        let known = |expr: &Expr| expr.map(&|part| (part == fact).then_some(Expr::Boolean(true)));
        Self {
            anonymous: known(&self.anonymous),
            account: known(&self.account),
            unrestricted: known(&self.unrestricted),
            ..*self
        }
    }

    /// What it comes to for an account of which only this is known, by a token that has every word of the service's own, or
    /// none.
    pub fn verdict_of_an_account(&self, me: &dyn Fn(FieldId) -> Option<Cell>, has_words: bool) -> Verdict {
        eval::judge(&self.account, &|slot| known(slot, me, &|_| Some(has_words)))
    }

    /// The refusal where a caller may do nothing, or not do it to a row: who he is, and what his token's scopes are,
    /// decides between 401 and 403.
    pub fn refusal(&self, model: &Model, caller: &Caller) -> Problem {
        let Some(account) = &caller.account else {
            return Problem::new(Code::Unauthenticated);
        };
        if caller.kind_in(self.of, self.act) == Kind::Anonymous {
            let word = scope::word(&model.schema, self.of, self.act);
            return Problem::new(Code::InsufficientScope).scope(word);
        }
        // Words are unknown that the token lacks, to see whether it is up to them.
        let has = |word| caller.scopes.has(word).then_some(true);
        let known = |slot: &Slot| of_caller(slot, account, &has);
        let words = (0u16..).zip(&model.schema.tokens.scopes);
        let lacking = words.filter(|(word, _)| {
            let word = Slot::Scope(*word);
            known(&word).is_none() && eval::waits_for(self.expr(Kind::Account), &word, &known)
        });
        let lacking: Vec<&str> = lacking.map(|(_, name)| name.as_str()).collect();
        if lacking.is_empty() {
            Problem::new(Code::Forbidden)
        } else {
            Problem::new(Code::InsufficientScope).scope(lacking.join(" "))
        }
    }

    /// What it means for a caller.
    #[cfg_attr(feature = "mutants", track_caller)]
    pub fn permit(&self, caller: &Caller) -> Permit<'_> {
        #[cfg(feature = "mutants")]
        if super::mutant::is_left_out(std::panic::Location::caller()) {
            return Permit::Always;
        }
        if caller.is_unrestricted {
            return match &self.unrestricted {
                Expr::Boolean(true) => Permit::Always,
                expr => Permit::When(expr),
            };
        }
        match self.verdict(caller) {
            Verdict::Always => Permit::Always,
            Verdict::Never => Permit::Never,
            Verdict::ByRow => Permit::When(self.of_caller(caller)),
        }
    }

    /// The condition, where the row decides.
    #[cfg_attr(feature = "mutants", track_caller)]
    pub fn judged(&self, caller: &Caller) -> Expr {
        #[cfg(feature = "mutants")]
        if super::mutant::is_left_out(std::panic::Location::caller()) {
            return Expr::Boolean(true);
        }
        if caller.is_unrestricted {
            self.unrestricted.clone()
        } else {
            self.of_caller(caller).clone()
        }
    }

    /// The condition as it is for a caller whom rules hold, whether he is held by them or not.
    #[cfg_attr(feature = "mutants", track_caller)]
    pub fn held(&self, caller: &Caller) -> Expr {
        #[cfg(feature = "mutants")]
        if super::mutant::is_left_out(std::panic::Location::caller()) {
            return Expr::Boolean(true);
        }
        self.of_caller(caller).clone()
    }

    /// The expression as it is for a caller whom rules hold.
    pub fn of_caller(&self, caller: &Caller) -> &Expr {
        self.expr(caller.kind_in(self.of, self.act))
    }

    /// The condition for a kind of caller whom rules hold.
    pub fn expr(&self, kind: Kind) -> &Expr {
        match kind {
            Kind::Anonymous => &self.anonymous,
            Kind::Account => &self.account,
        }
    }
}

/// What is known of a slot when only the caller is; `has` says of a word whether his token has it.
fn of_caller(slot: &Slot, account: &Account, has: &dyn Fn(u16) -> Option<bool>) -> Option<Cell> {
    known(slot, &|field| Some(account.cell(field).clone()), has)
}

/// The same where of the account only this is known.
fn known(
    slot: &Slot,
    me: &dyn Fn(FieldId) -> Option<Cell>,
    has: &dyn Fn(u16) -> Option<bool>,
) -> Option<Cell> {
    match slot {
        Slot::Me(field) => me(*field),
        Slot::Scope(word) => has(*word).map(|has| Cell::Integer(i64::from(has))),
        Slot::Literal(cell) => Some(cell.clone()),
        Slot::Param(_) | Slot::Given(_) | Slot::Now(_) => None,
    }
}

/// What is done to a row that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// An operation of its own.
    Operation(Operation),
    /// Pairs of this many-to-many, which its resource declares, are made or undone.
    Link(RelationId),
}

impl From<Deed> for Act {
    fn from(deed: Deed) -> Self {
        match deed {
            Deed::Operation(operation) => operation.into(),
            Deed::Link(_) => Self::Write,
        }
    }
}

impl From<Operation> for Deed {
    fn from(operation: Operation) -> Self {
        Self::Operation(operation)
    }
}

/// Which rows are asked for, where a resource keeps those that were deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Which {
    /// Those that weren't deleted.
    #[default]
    There,
    /// Those that were (`deleted=only`).
    Deleted,
    /// Both (`deleted=with`).
    Any,
}

/// All rules of one resource. An operation without a rule is closed.
#[derive(Debug, Clone)]
pub struct ResourceRules {
    /// Who may read a row that is there.
    pub read: Ruling,
    /// Who may read a row that was deleted.
    pub read_deleted: Ruling,
    /// Who may read a row, whether it was deleted or not.
    pub read_any: Ruling,
    /// Who may create a row, judged as it will be.
    pub create: Ruling,
    /// Who may update a row, judged as it is.
    pub update: Ruling,
    /// Who may update a row, judged as it will be, the row before given.
    pub updated: Ruling,
    /// Who may delete a row.
    pub delete: Ruling,
    /// Who may bring a row back.
    pub restore: Ruling,
    /// By field: who may read it.
    pub readable: Vec<Option<Ruling>>,
    /// By field: who may write it, judged on the row as it stands.
    pub writable: Vec<Option<Ruling>>,
    /// By field: whether it has no column and is made of what the caller may read.
    pub computed: Vec<Option<Computed>>,
    /// By field: the expression of a default, over the given row.
    pub defaults: Vec<Option<Ruling>>,
    /// The checks, in the schema's order; NULL passes.
    pub checks: Vec<Expr>,
    /// By relation: who may link and unlink, where that has a rule of its own.
    pub links: Vec<Option<Ruling>>,
}

impl ResourceRules {
    /// The rule of an operation on the row as it is (create: as it will be).
    pub fn rule(&self, operation: Operation) -> &Ruling {
        match operation {
            Operation::Read => &self.read,
            Operation::Create => &self.create,
            Operation::Update => &self.update,
            Operation::Delete => &self.delete,
            Operation::Restore => &self.restore,
        }
    }

    /// The rule by which a deed is judged on the row as it is.
    pub fn deed(&self, deed: Deed) -> &Ruling {
        match deed {
            Deed::Operation(operation) => self.rule(operation),
            Deed::Link(relation) => self.link(relation).unwrap_or(&self.update),
        }
    }

    /// Who may link and unlink by a many-to-many that the resource declares, where that has a rule of its own.
    pub fn link(&self, relation: RelationId) -> Option<&Ruling> {
        self.links[relation.index as usize].as_ref()
    }

    /// Who may read a row of these.
    pub fn read(&self, which: Which) -> &Ruling {
        match which {
            Which::There => &self.read,
            Which::Deleted => &self.read_deleted,
            Which::Any => &self.read_any,
        }
    }
}

/// Compiles every rule of a schema; the result is by resource.
pub fn compile(schema: &Schema, codecs: &[Vec<Codec>]) -> Vec<ResourceRules> {
    schema
        .resources()
        .map(|(id, _)| compile_resource(schema, codecs, id))
        .collect()
}

fn compile_resource(schema: &Schema, codecs: &[Vec<Codec>], id: ResourceId) -> ResourceRules {
    let resource = schema.resource(id);
    let lowering = |kind, standing| Lowering {
        schema,
        codecs,
        kind,
        standing,
        read_rule: &|_| Expr::Null,
    };
    let granting = |rule: &Rule, act: Act, standing| {
        Ruling::of(id, act, |kind| lowering(kind, standing).granting(&rule.expr))
    };
    let given = |rule: &Rule| {
        Ruling::of(id, Act::Write, |kind| {
            lowering(kind, Standing::Given).value(&rule.expr)
        })
    };
    let access = &resource.access;
    let stored = |rule: &Option<Rule>, act| rule.as_ref().map(|rule| granting(rule, act, Standing::Stored));
    let operation = |operation: Operation| match access.rule(operation) {
        Some(rule) => granting(rule, operation.into(), Standing::Stored),
        None => Ruling::closed(id, operation),
    };
    let updated = access.update.as_ref();
    let (read, restore) = (operation(Operation::Read), operation(Operation::Restore));
    let there = is_there(schema, id);
    let read_there = read.and_for_all(&there);
    let read_deleted = read.and_for_all(&there.negated()).joined(Expr::and, &restore);
    ResourceRules {
        read_any: read_there.joined(Expr::or, &read_deleted),
        read: read_there,
        read_deleted,
        create: operation(Operation::Create),
        update: operation(Operation::Update),
        updated: match updated {
            Some(rule) => granting(rule, Act::Write, Standing::Changed),
            None => Ruling::closed(id, Act::Write),
        },
        delete: operation(Operation::Delete),
        restore,
        readable: resource
            .fields
            .iter()
            .map(|field| stored(&field.readable, Act::Read))
            .collect(),
        writable: resource
            .fields
            .iter()
            .map(|field| stored(&field.writable, Act::Write))
            .collect(),
        computed: resource
            .fields
            .iter()
            .map(|field| {
                let of = |kind| of_readable(schema, codecs, field, id, &|_| kind);
                Some(Computed {
                    anonymous: of(Kind::Anonymous)?,
                    account: of(Kind::Account)?,
                })
            })
            .collect(),
        defaults: resource
            .fields
            .iter()
            .map(|field| match &field.default {
                Some(DefaultValue::Expression(rule)) => Some(given(rule)),
                _ => None,
            })
            .collect(),
        checks: resource
            .checks
            .iter()
            .map(|check| lowering(Kind::Anonymous, Standing::Stored).value(&check.rule.expr))
            .collect(),
        links: resource
            .relations
            .iter()
            .map(|relation| stored(&relation.access, Act::Write))
            .collect(),
    }
}

/// What a field without a column is worked out by, for callers who are the same in every resource.
#[derive(Debug, Clone)]
pub struct Computed {
    anonymous: Expr,
    account: Expr,
}

impl Computed {
    /// For a kind of caller.
    pub fn expr(&self, kind: Kind) -> &Expr {
        match kind {
            Kind::Anonymous => &self.anonymous,
            Kind::Account => &self.account,
        }
    }
}

/// A field without a column is made of the rows that the caller may read, who may be somebody else in each resource;
/// `None`: it has a column.
pub fn of_readable(
    schema: &Schema,
    codecs: &[Vec<Codec>],
    field: &Field,
    of: ResourceId,
    kind_in: &dyn Fn(ResourceId) -> Kind,
) -> Option<Expr> {
    let no_read = |_: ResourceId| Expr::Null;
    let lowering = |kind, read_rule| Lowering {
        schema,
        codecs,
        kind,
        standing: Standing::Stored,
        read_rule,
    };
    let read_rule = |target: ResourceId| match &schema.resource(target).access.read {
        None => Expr::Boolean(false),
        Some(rule) => {
            let granted = lowering(kind_in(target), &no_read).granting(&rule.expr);
            Expr::and([granted, is_there(schema, target)])
        }
    };
    let lowering = lowering(kind_in(of), &read_rule);
    match (&field.computed, field.keys_of()) {
        (Some(rule), _) => Some(lowering.value(&rule.expr)),
        (None, Some(relation)) => Some(lowering.keys(relation)),
        (None, None) => None,
    }
}

/// That row 0 wasn't deleted, where its resource keeps rows that were.
pub fn is_there(schema: &Schema, resource: ResourceId) -> Expr {
    match schema.resource(resource).kept.deleted {
        Some(deleted) => Expr::IsNull(Box::new(Expr::Column(0, deleted))),
        None => Expr::Boolean(true),
    }
}

/// Which accounts may sign in and use their tokens, as row 0.
pub fn active(schema: &Schema, codecs: &[Vec<Codec>]) -> Expr {
    let lowering = Lowering {
        schema,
        codecs,
        kind: Kind::Account,
        standing: Standing::Account,
        read_rule: &|_| Expr::Null,
    };
    let rule = schema
        .accounts
        .as_ref()
        .and_then(|accounts| accounts.active.as_ref());
    rule.map_or(Expr::Boolean(true), |rule| lowering.granting(&rule.expr))
}

/// The fields of the account that any rule of the schema speaks of: what a caller's row must hold.
pub fn fields_of_me(schema: &Schema) -> Vec<FieldId> {
    let mut fields = Vec::new();
    if let Some(accounts) = &schema.accounts {
        fields.extend(schema.resource(accounts.resource).key.fields.iter().copied());
    }
    for rule in all_rules(schema) {
        collect_me(schema, &rule.expr, &mut fields);
    }
    fields.sort_unstable();
    fields.dedup();
    fields
}

fn all_rules(schema: &Schema) -> Vec<&Rule> {
    let mut rules: Vec<&Rule> = Vec::new();
    rules.extend(
        schema
            .accounts
            .iter()
            .filter_map(|accounts| accounts.admin.as_ref()),
    );
    for resource in &schema.resources {
        let access = &resource.access;
        rules.extend(
            [
                &access.read,
                &access.create,
                &access.update,
                &access.delete,
                &access.restore,
            ]
            .into_iter()
            .flatten(),
        );
        rules.extend(
            resource
                .relations
                .iter()
                .filter_map(|relation| relation.access.as_ref()),
        );
        for field in &resource.fields {
            rules.extend(
                [&field.readable, &field.writable, &field.computed]
                    .into_iter()
                    .flatten(),
            );
            if let Some(DefaultValue::Expression(rule)) = &field.default {
                rules.push(rule);
            }
        }
    }
    rules
}

fn collect_me(schema: &Schema, expr: &rest_schema::Expr, fields: &mut Vec<FieldId>) {
    use rest_schema::Expr as S;
    match expr {
        S::Ref(reference) if reference.row == Row::Me => match reference.path.first() {
            // Only the keys that the first step starts from; the rest is found by a query.
            Some(step) => fields.extend(starts(schema, *step)),
            None => fields.push(reference.field),
        },
        S::Exists {
            row: Row::Me,
            path,
            relation,
            ..
        } => fields.extend(starts(schema, *path.first().unwrap_or(relation))),
        _ => {}
    }
    for part in expr.parts() {
        collect_me(schema, part, fields);
    }
}

fn starts(schema: &Schema, relation: rest_schema::RelationId) -> Vec<FieldId> {
    match &schema.relation(relation).link {
        rest_schema::Link::Keys { local, .. } => local.clone(),
        rest_schema::Link::Join { local, .. } => local.iter().map(|join| join.field).collect(),
    }
}

/// Whether a rule means something else for each account.
pub fn speaks_of_me(schema: &Schema, expr: &rest_schema::Expr) -> bool {
    use rest_schema::Expr as S;
    let mut fields = Vec::new();
    collect_me(schema, expr, &mut fields);
    let is_of_caller = |part: &S| matches!(part, S::Authenticated | S::Scope(_));
    !fields.is_empty() || expr.any(&is_of_caller) || matches!(expr, S::Aggregate { .. })
}

/// A caller's account as rules see it: the cells of [`fields_of_me`], by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account's resource.
    pub resource: ResourceId,
    /// The fields known, sorted.
    pub fields: std::sync::Arc<[FieldId]>,
    /// Their cells.
    pub cells: Vec<Cell>,
}

impl Account {
    /// The cells of its key; `of` is its resource.
    pub fn key(&self, of: &rest_schema::Resource) -> Vec<Cell> {
        let fields = of.key.fields.iter();
        fields.map(|field| self.cell(*field).clone()).collect()
    }

    /// A field's cell; NULL where no rule speaks of it.
    pub fn cell(&self, field: FieldId) -> &Cell {
        match self.fields.binary_search(&field) {
            Ok(place) => &self.cells[place],
            Err(_) => &Cell::Null,
        }
    }
}
