//! Who plays in a test: a row, an account to which a rule grants an operation on it, and a stranger.

use rest_schema::{Expr, Operation, ResourceId, Schema};

use super::scene::{How, Scene, Who};
use super::search::{Goal, Search};

/// A scene with its parts.
#[derive(Debug, Clone)]
pub(super) struct Cast<'s> {
    pub(super) scene: Scene<'s>,
    /// The row that is asked for, or made.
    pub(super) row: usize,
    /// To whom the rules grant it.
    pub(super) granted: Who,
    /// An account without any relation to the row.
    pub(super) stranger: Option<usize>,
}

/// Who may be the caller to whom the rules grant something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Caller {
    /// Somebody who isn't signed in.
    Nobody,
    /// An account of its own.
    Account,
    /// The row itself, an account.
    Row,
}

/// Where else the rules are not to grant it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    /// Neither to nobody nor to the stranger.
    Both,
    /// Not to nobody.
    Nobody,
    /// It doesn't matter.
    None,
}

/// What is tried where only the grant counts.
const PLAIN: [(Caller, Apart); 3] = [
    (Caller::Nobody, Apart::None),
    (Caller::Account, Apart::None),
    (Caller::Row, Apart::None),
];

/// What is tried where it matters who else is refused, the most telling first.
const TELLING: [(Caller, Apart); 7] = [
    (Caller::Account, Apart::Both),
    (Caller::Row, Apart::Both),
    (Caller::Nobody, Apart::None),
    (Caller::Account, Apart::Nobody),
    (Caller::Row, Apart::Nobody),
    (Caller::Account, Apart::None),
    (Caller::Row, Apart::None),
];

/// What a cast is looked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'o> {
    pub(super) resource: ResourceId,
    /// What the rules are to grant to one caller.
    pub(super) operations: &'o [Operation],
    /// Whether the row has what it could leave out, too.
    pub(super) full: bool,
    /// Whether it matters that the rules refuse others.
    pub(super) apart: bool,
}

impl Wanted<'_> {
    /// The row is made over HTTP where that is to be granted.
    fn is_made(&self) -> bool {
        self.operations.contains(&Operation::Create)
    }

    /// A cast for which the rules say so, if the search finds one.
    pub(super) fn find<'s>(&self, schema: &'s Schema) -> Option<Cast<'s>> {
        let tries: &[_] = if self.apart { &TELLING } else { &PLAIN };
        let mut tries = tries.iter();
        tries.find_map(|(caller, apart)| self.attempt(schema, *caller, *apart))
    }

    /// The same with an account for the caller.
    pub(super) fn as_account<'s>(&self, schema: &'s Schema) -> Option<Cast<'s>> {
        self.attempt(schema, Caller::Account, Apart::None)
    }

    fn attempt<'s>(&self, schema: &'s Schema, caller: Caller, apart: Apart) -> Option<Cast<'s>> {
        let cast = self.start(schema, caller)?;
        let access = &schema.resource(self.resource).access;
        let mut goals = Vec::new();
        for operation in self.operations {
            let rule = &access.rule(*operation)?.expr;
            goals.push(Goal::grants(rule, cast.row, cast.granted));
        }
        if !self.is_made() {
            goals.push(Goal::grants(&access.read.as_ref()?.expr, cast.row, cast.granted));
        }
        goals.extend(self.apart(schema, &cast, apart));
        let scene = Search::find(cast.scene.clone(), &goals)?;
        Some(Cast { scene, ..cast })
    }

    fn apart<'s>(&self, schema: &'s Schema, cast: &Cast<'s>, apart: Apart) -> Vec<Goal<'s>> {
        let Some(rule) = self.rule(schema) else {
            return Vec::new();
        };
        let mut goals = Vec::new();
        if apart != Apart::None {
            goals.push(Goal::refuses(rule, cast.row, None));
        }
        if let (Apart::Both, Some(stranger)) = (apart, cast.stranger) {
            goals.push(Goal::refuses(rule, cast.row, Some(stranger)));
        }
        goals
    }

    fn rule<'s>(&self, schema: &'s Schema) -> Option<&'s Expr> {
        let last = self.operations.last()?;
        schema
            .resource(self.resource)
            .access
            .rule(*last)
            .map(|rule| &rule.expr)
    }

    /// The cast before anything is asked of it.
    fn start<'s>(&self, schema: &'s Schema, caller: Caller) -> Option<Cast<'s>> {
        let mut scene = Scene::new(schema);
        let accounts = schema.accounts.as_ref().map(|accounts| accounts.resource);
        let is_account = accounts == Some(self.resource);
        let granted = match caller {
            Caller::Account => Some(scene.add(accounts?, How::THERE, &[])?),
            Caller::Row if self.is_made() || !is_account => return None,
            Caller::Nobody | Caller::Row => None,
        };
        let maker = self.is_made().then_some(granted);
        let how = How {
            full: self.full,
            maker,
        };
        let row = scene.add(self.resource, how, &[])?;
        let granted = if caller == Caller::Row { Some(row) } else { granted };
        let stranger = match accounts.filter(|_| self.apart) {
            Some(accounts) => scene.add(accounts, How::THERE, &[]),
            None => None,
        };
        Some(Cast {
            scene,
            row,
            granted,
            stranger,
        })
    }

    /// A row with a stranger, whatever the rules say.
    pub(super) fn anybody<'s>(&self, schema: &'s Schema) -> Option<Cast<'s>> {
        let cast = self.start(schema, Caller::Nobody)?;
        let scene = Search::find(cast.scene.clone(), &[])?;
        Some(Cast { scene, ..cast })
    }
}
