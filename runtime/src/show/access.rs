//! Who may do what: the rules of a schema as a matrix, and what is open in it that is rarely meant to be.
//!
//! The rules are those that requests meet, compiled and asked as there, with what is known of a kind of caller alone.

use rest_schema::{Comparison, Expr, FieldId, FieldType, Operation, ResourceId, Row, Rule, Schema};

use crate::caller::Caller;
use crate::cell::Cell;
use crate::codec::Columns;
use crate::migrate::Finding;
use crate::model::Model;
use crate::plan::access::{Permit, Ruling, fields_of_me, is_there};
use crate::plan::eval::Verdict;
use crate::scope;
use crate::sql::dialect::Dialect;

/// What is granted to a kind of caller, as far as that alone tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// All of it.
    All,
    /// It is up to the row, or to the account.
    Some,
    /// Nothing.
    None,
}

impl Grant {
    /// `all`, `some`, `no`.
    pub fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Some => "some",
            Self::None => "no",
        }
    }
}

impl From<Verdict> for Grant {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Always => Self::All,
            Verdict::ByRow => Self::Some,
            Verdict::Never => Self::None,
        }
    }
}

/// One rule and what it grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The resource's name.
    pub resource: String,
    /// `read`, `create`, `update`, `delete`, `restore`; `link tags`; of a field `read email`, `write status`.
    pub operation: String,
    /// The rule as the schema says it, after what holds of every row; `None`: there is none, so nobody may.
    pub rule: Option<String>,
    /// The words that a token of limited scopes needs for it.
    pub scopes: Vec<String>,
    /// To whom isn't signed in.
    pub nobody: Grant,
    /// To a signed-in account, no administrator as far as that can be told; `None` where there are no accounts.
    pub account: Option<Grant>,
    /// To an administrator; `None` where the schema doesn't say who that is, or not in a way that tells.
    pub admin: Option<Grant>,
}

/// Who may do what in a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// All rules, by resource.
    pub lines: Vec<Line>,
    /// What is open that is rarely meant to be.
    pub open: Vec<Finding>,
}

/// The matrix of a schema.
pub fn matrix(schema: &Schema) -> Matrix {
    let model = Model::new(schema.clone(), Columns::ours(schema, Dialect::default()));
    let of = Asked::new(&model);
    let resources = || schema.resources().map(|(id, _)| id);
    Matrix {
        lines: resources().flat_map(|id| of.lines(id)).collect(),
        open: resources()
            .flat_map(|id| of.open_to_all(id))
            .chain(of.own_privileges())
            .collect(),
    }
}

const WRITES: [(Operation, &str); 4] = [
    (Operation::Create, "create"),
    (Operation::Update, "change"),
    (Operation::Delete, "delete"),
    (Operation::Restore, "restore"),
];

const OPERATIONS: [(Operation, &str); 5] = [
    (Operation::Read, "read"),
    (Operation::Create, "create"),
    (Operation::Update, "update"),
    (Operation::Delete, "delete"),
    (Operation::Restore, "restore"),
];

/// The kinds of callers, as far as the schema tells them apart.
struct Asked<'m> {
    model: &'m Model,
    /// What an account has that is an administrator, where that is known.
    admin: Option<Vec<(FieldId, Cell)>>,
    /// What one has that is none, as far as that is known.
    plain: Vec<(FieldId, Cell)>,
}

impl<'m> Asked<'m> {
    fn new(model: &'m Model) -> Self {
        let rule = model
            .schema
            .accounts
            .as_ref()
            .and_then(|accounts| accounts.admin.as_ref());
        let mut admin = Vec::new();
        let is_known = rule.is_some_and(|rule| facts(model, &rule.expr, &mut admin));
        // Of several conditions any may be the one that isn't met.
        let plain = match (&admin[..], rule.map(|rule| &rule.expr)) {
            ([(field, _)], Some(Expr::Ref(_))) => vec![(*field, Cell::Integer(0))],
            _ => Vec::new(),
        };
        Self {
            model,
            admin: is_known.then_some(admin),
            plain,
        }
    }

    fn nobody(ruling: &Ruling) -> Grant {
        match ruling.permit(&Caller::anonymous()) {
            Permit::Always => Grant::All,
            Permit::When(_) => Grant::Some,
            Permit::Never => Grant::None,
        }
    }

    fn account_of(&self, ruling: &Ruling, known: &[(FieldId, Cell)]) -> Option<Grant> {
        self.model.schema.accounts.as_ref()?;
        let found = |field: FieldId| known.iter().find(|(of, _)| *of == field);
        let me = |field| found(field).map(|(_, cell)| cell.clone());
        let verdict = ruling.verdict_of_an_account(&me, true);
        Some(verdict.into())
    }

    fn account(&self, ruling: &Ruling) -> Option<Grant> {
        self.account_of(ruling, &self.plain)
    }

    fn lines(&self, id: ResourceId) -> Vec<Line> {
        let (model, resource) = (self.model, self.model.resource(id));
        let rules = model.rules(id);
        // Of rows that were deleted nothing is told here.
        let there = is_there(&model.schema, id);
        let line = |operation: String, ruling: &Ruling, rule: Option<&Rule>, deed: Operation| {
            let ruling = &ruling.assuming(&there);
            let admin = self.admin.as_ref();
            Line {
                resource: resource.name.clone(),
                operation,
                rule: rule.map(|rule| rule.source.clone()),
                scopes: rule.map_or_else(Vec::new, |rule| self.scopes(id, deed, rule)),
                nobody: Self::nobody(ruling),
                account: self.account(ruling),
                admin: admin.and_then(|known| self.account_of(ruling, known)),
            }
        };
        let restores = resource.kept.deleted.is_some();
        let mut lines = Vec::new();
        for (operation, word) in OPERATIONS {
            if operation != Operation::Restore || restores {
                let rule = resource.access.rule(operation);
                lines.push(Line {
                    rule: resource.rule_text(operation),
                    ..line(word.to_owned(), rules.rule(operation), rule, operation)
                });
            }
        }
        for (relation, own) in resource.relations.iter().zip(&rules.links) {
            if let (Some(ruling), Some(rule)) = (own, &relation.access) {
                let word = format!("link {}", relation.name);
                lines.push(line(word, ruling, Some(rule), Operation::Update));
            }
        }
        let fields = resource
            .fields
            .iter()
            .zip(rules.readable.iter().zip(&rules.writable));
        for (field, (readable, writable)) in fields {
            let of_field = [
                ("read", readable, &field.readable, Operation::Read),
                ("write", writable, &field.writable, Operation::Update),
            ];
            for (word, ruling, rule, operation) in of_field {
                if let (Some(ruling), Some(rule), None) = (ruling, rule, field.keys_of()) {
                    let word = format!("{word} {}", field.api_name);
                    lines.push(line(word, ruling, Some(rule), operation));
                }
            }
        }
        lines
    }

    fn scopes(&self, id: ResourceId, deed: Operation, rule: &Rule) -> Vec<String> {
        let schema = &self.model.schema;
        if schema.accounts.is_none() {
            return Vec::new();
        }
        let own = rule.expr.needed_scopes().into_iter().map(str::to_owned);
        std::iter::once(scope::word(schema, id, deed.into()))
            .chain(own)
            .collect()
    }

    /// Writes that anybody may do, or every account to every row, and addresses that anybody may read.
    fn open_to_all(&self, id: ResourceId) -> Vec<Finding> {
        let (resource, rules) = (self.model.resource(id), self.model.rules(id));
        let accounts = self.model.schema.accounts.as_ref();
        let is_accounts = accounts.is_some_and(|accounts| accounts.resource == id);
        let mut open = Vec::new();
        for (operation, verb) in WRITES {
            let (Some(rule), ruling) = (resource.access.rule(operation), rules.rule(operation)) else {
                continue;
            };
            let name = &resource.name;
            let told = |message: String, help: &str| {
                let place = format!("{name}: `{}`", rule.source);
                Finding::new(place, message).help(help)
            };
            // An account is made by somebody who has none yet.
            let is_sign_up = is_accounts && operation == Operation::Create;
            if Self::nobody(ruling) == Grant::All && !is_sign_up {
                let message = format!("anybody may {verb} a {name}, without signing in");
                open.push(told(
                    message,
                    "say `authenticated`, or whose it has to be, unless it is meant so",
                ));
            } else if operation != Operation::Create && self.account(ruling) == Some(Grant::All) {
                let message = format!("every account may {verb} every {name}, its own or not");
                open.push(told(
                    message,
                    "say whose it has to be, as `author_id = me.id`, unless it is meant so",
                ));
            }
        }
        let reads_all = Self::nobody(&rules.read) != Grant::None;
        for (field, readable) in resource.fields.iter().zip(&rules.readable) {
            let is_shown = field.is_shown()
                && readable
                    .as_ref()
                    .is_none_or(|rule| Self::nobody(rule) != Grant::None);
            if is_accounts && reads_all && is_shown && field.ty == FieldType::Email {
                let place = format!("{}.{}", resource.name, field.name);
                let message = "anybody may read the addresses of accounts, without signing in";
                open.push(Finding::new(place, message).help("say `readable: id = me.id`"));
            }
        }
        open
    }

    /// What rules ask of the caller's account and the account may set itself.
    fn own_privileges(&self) -> Vec<Finding> {
        let schema = &self.model.schema;
        let Some(accounts) = &schema.accounts else {
            return Vec::new();
        };
        let resource = schema.resource(accounts.resource);
        let rules = self.model.rules(accounts.resource);
        let may_change = self.account(&rules.update) != Some(Grant::None);
        let may_sign_up = Self::nobody(&rules.create) != Grant::None;
        let mut asked = fields_of_me(schema);
        asked.extend(accounts.active.iter().flat_map(|rule| of_me(&rule.expr)));
        asked.sort_unstable();
        asked.dedup();
        let mut open = Vec::new();
        // What names an account is its own to choose, and unique.
        let is_name = |id: &FieldId| resource.key.fields.contains(id) || accounts.identify_by.contains(id);
        for id in asked.into_iter().filter(|id| !is_name(id)) {
            let field = schema.field(id);
            let is_granted = rules.writable[id.index as usize]
                .as_ref()
                .is_none_or(|rule| self.account(rule) != Some(Grant::None));
            if !field.is_accepted() || !is_granted {
                continue;
            }
            let when = match (may_change && !field.immutable, may_sign_up) {
                (true, _) => "may set it itself",
                (false, true) => "is made by anybody, who may set it",
                (false, false) => continue,
            };
            let place = format!("{}.{}", resource.name, field.name);
            let message = format!("rules ask `me.{}`, and an account {when}", field.name);
            let help =
                "say `readonly: true` of the field, or `writable:` with who may, unless it is meant so";
            open.push(Finding::new(place, message).help(help));
        }
        open
    }
}

/// The field of the account that an expression is.
fn field_of_me(expr: &Expr) -> Option<FieldId> {
    match expr {
        Expr::Ref(reference) if reference.row == Row::Me && reference.path.is_empty() => {
            Some(reference.field)
        }
        _ => None,
    }
}

/// The fields of the account of which a rule speaks.
fn of_me(expr: &Expr) -> Vec<FieldId> {
    let within = expr.parts().into_iter().flat_map(of_me);
    field_of_me(expr).into_iter().chain(within).collect()
}

/// What has to be so for a condition over `me`, where it says so by itself; whether it does.
fn facts(model: &Model, expr: &Expr, known: &mut Vec<(FieldId, Cell)>) -> bool {
    match expr {
        Expr::And(all) => all.iter().all(|part| facts(model, part, known)),
        Expr::Compare(Comparison::Equal, a, b) => match (field_of_me(a), field_of_me(b), &**a, &**b) {
            (Some(field), _, _, Expr::Literal(value)) | (_, Some(field), Expr::Literal(value), _) => {
                known.push((field, model.codec(field).encode(value)));
                true
            }
            _ => false,
        },
        _ => match field_of_me(expr) {
            Some(field) => {
                known.push((field, Cell::Integer(1)));
                true
            }
            None => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEAMS: &str = "
service: teams
managed: true
tokens: { scopes: [publish] }
resources:
  Team:
    fields: { name: string }
    access: { read: id = me.team_id, create: public, delete: authenticated }
  Person:
    soft_delete: gone
    fields:
      name: { type: string, unique: true }
      email: email
      password: password
      is_admin: { type: boolean, default: false, readonly: true }
      rank: { type: integer, default: 0, writable: me.is_admin }
      is_out: { type: boolean, default: false }
    belongs_to:
      team: { to: Team, inverse: people }
    access: { read: public, create: public, change: id = me.id, restore: me.is_admin }
  Page:
    fields: { text: { type: string, readable: me.rank > 3 } }
    belongs_to:
      team: { to: Team, default: me.team_id, readonly: true }
    many_to_many:
      editors: { to: Person, access: me.is_admin }
    where: team_id = me.team_id
    access: { read: public, create: scope(publish), change: me.is_admin or me in editors }
accounts: { resource: Person, identify_by: [name], password: password, admin: me.is_admin, active: not me.is_out }
";

    fn of(yaml: &str) -> Matrix {
        matrix(&rest_schema::read_one("s.yaml", yaml).expect("a schema").schema)
    }

    #[test]
    fn each_rule_says_what_it_grants_to_whom() {
        let matrix = of(TEAMS);
        let word = |grant: Option<Grant>| grant.map_or("-", Grant::word);
        let lines = matrix.lines.iter().map(|line| {
            let grants = [Some(line.nobody), line.account, line.admin].map(word).join(" ");
            let rule = line.rule.as_deref().unwrap_or("-");
            format!(
                "{} {}: {grants}: {}: {rule}",
                line.resource,
                line.operation,
                line.scopes.join(" ")
            )
        });
        insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn what_is_open_is_told() {
        let open = of(TEAMS).open.into_iter();
        let told = open.map(|finding| format!("{}: {}", finding.place, finding.message));
        insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn without_accounts_there_is_nobody_else() {
        let yaml = "service: s\nmanaged: true\nresources:\n  A: { fields: { t: string }, access: { read: public, create: public } }\n";
        let matrix = of(yaml);
        let is_alone = |line: &Line| line.account.is_none() && line.admin.is_none() && line.scopes.is_empty();
        assert!(matrix.lines.iter().all(is_alone));
        assert_eq!(matrix.open.len(), 1);
    }
}
