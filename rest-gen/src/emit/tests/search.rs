//! The bounded search for a scene in which rules say what a test needs.
//!
//! It starts from a scene and repairs it: the first goal that isn't met says which values, links or rows would meet it,
//! each of them is tried, and what is found is judged again as a whole. Where the bound is met first, nothing is found.

use rest_schema::{Expr, Field, FieldRole, Link, Ref, RelationId, RelationKind, Row as At, Value};

use super::judge::{Judge, each_ref};
use super::outcome::given_targets;
use super::sample::next;
use super::scene::{Cell, How, Pair, Row, Scene, Slot, Who};
use super::truth::Truth;

/// Scenes that one search may make.
const MOST_SCENES: usize = 4_000;

/// Repairs that may follow one another.
const MOST_REPAIRS: usize = 14;

/// Repairs of one condition that are followed.
const MOST_WAYS: usize = 6;

/// What holds where nobody may do anything.
static NEVER: Expr = Expr::Literal(Value::Boolean(false));

/// What a rule is to say.
#[derive(Debug, Clone)]
pub(super) struct Goal<'s> {
    pub(super) rule: &'s Expr,
    /// The guarded row, and the rows of the `exists` around.
    pub(super) levels: Vec<usize>,
    pub(super) me: Who,
    /// Whether it is to grant; otherwise it is not to.
    pub(super) grants: bool,
}

impl<'s> Goal<'s> {
    pub(super) fn grants(rule: &'s Expr, row: usize, me: Who) -> Self {
        Self {
            rule,
            levels: vec![row],
            me,
            grants: true,
        }
    }

    pub(super) fn refuses(rule: &'s Expr, row: usize, me: Who) -> Self {
        Self {
            grants: false,
            ..Self::grants(rule, row, me)
        }
    }

    fn truth(&self, scene: &Scene<'s>) -> Truth {
        truth(scene, self, self.rule)
    }

    fn is_met(&self, scene: &Scene<'s>) -> bool {
        let truth = self.truth(scene);
        if self.grants {
            truth.grants()
        } else {
            truth.refuses()
        }
    }

    /// Whether the scene meets it.
    pub(super) fn holds(&self, scene: &Scene<'s>) -> bool {
        self.is_met(scene)
    }

    /// Whether it is met by a row that was another before.
    pub(super) fn holds_after(&self, scene: &Scene<'s>, old: &Row<'s>) -> bool {
        let levels: Vec<&Row<'s>> = self.levels.iter().map(|place| &scene.rows[*place]).collect();
        let truth = Judge::after(scene, self.me, old).truth(self.rule, &levels);
        if self.grants {
            truth.grants()
        } else {
            truth.refuses()
        }
    }

    fn of(&self, rule: &'s Expr, grants: bool) -> Self {
        Self {
            rule,
            grants,
            ..self.clone()
        }
    }
}

fn truth<'s>(scene: &Scene<'s>, goal: &Goal<'s>, expr: &Expr) -> Truth {
    let levels: Vec<&Row<'s>> = goal.levels.iter().map(|place| &scene.rows[*place]).collect();
    Judge::new(scene, goal.me).truth(expr, &levels)
}

/// A search, with what is left of its bound.
#[derive(Debug)]
pub(super) struct Search {
    left: usize,
}

/// A value of a scene that may be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Field(usize, u32),
    Step(usize, RelationId),
}

impl Search {
    /// A scene that meets all goals and keeps all checks, made from this one.
    pub(super) fn find<'s>(scene: Scene<'s>, goals: &[Goal<'s>]) -> Option<Scene<'s>> {
        let mut search = Self { left: MOST_SCENES };
        search.solve(scene, goals, MOST_REPAIRS)
    }

    /// Whether no row breaks a check.
    pub(super) fn keeps_checks(scene: &Scene<'_>) -> bool {
        broken_check(scene).is_none()
    }

    fn solve<'s>(&mut self, scene: Scene<'s>, goals: &[Goal<'s>], depth: usize) -> Option<Scene<'s>> {
        let unmet = goals.iter().find(|goal| !goal.is_met(&scene)).cloned();
        let unmet = unmet
            .or_else(|| broken_check(&scene))
            .or_else(|| hidden_target(&scene));
        let Some(unmet) = unmet else {
            return scene.is_sound().then_some(scene);
        };
        if depth == 0 {
            return None;
        }
        for next in self.repairs(&scene, &unmet) {
            if self.left == 0 {
                return None;
            }
            if let Some(found) = self.solve(next, goals, depth - 1) {
                return Some(found);
            }
        }
        None
    }

    /// Scenes in which the goal, or a part of it that isn't met, is.
    fn repairs<'s>(&mut self, scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Scene<'s>> {
        match (goal.rule, goal.grants) {
            (Expr::Not(a), grants) => self.repairs(scene, &goal.of(a, !grants)),
            (Expr::And(all), true) | (Expr::Or(all), false) => {
                let mut parts = all.iter().map(|part| goal.of(part, goal.grants));
                let unmet = parts.find(|part| !part.is_met(scene));
                unmet.map_or_else(Vec::new, |unmet| self.repairs(scene, &unmet))
            }
            (Expr::Or(all), true) | (Expr::And(all), false) => all
                .iter()
                .flat_map(|part| self.repairs(scene, &goal.of(part, goal.grants)))
                .collect(),
            (Expr::Exists { .. }, true) => self.existing(scene, goal),
            (Expr::Exists { .. }, false) => self.missing(scene, goal),
            _ => self.values(scene, goal, &|next| goal.is_met(next)),
        }
    }

    fn spend(&mut self) -> bool {
        self.left = self.left.saturating_sub(1);
        self.left > 0
    }

    /// A scene in which a row breaks just this check.
    pub(super) fn breaking<'s>(scene: &Scene<'s>, check: &'s Expr, row: usize) -> Option<Scene<'s>> {
        let mut search = Self { left: MOST_SCENES };
        let goal = Goal::grants(check, row, None);
        let is_broken = |next: &Scene<'s>| {
            let mut others = next.resource_of(row).checks.iter().map(|check| &check.rule.expr);
            goal.truth(next) == Truth::FALSE
                && next.is_sound()
                && others.all(|other| other == check || goal.of(other, true).truth(next).passes())
        };
        search.values(scene, &goal, &is_broken).into_iter().next()
    }

    /// Other values for what a comparison speaks of: one of them, else two.
    fn values<'s>(
        &mut self,
        scene: &Scene<'s>,
        goal: &Goal<'s>,
        is_met: &dyn Fn(&Scene<'s>) -> bool,
    ) -> Vec<Scene<'s>> {
        let places = places_of(scene, goal);
        let literals = values_of(scene, goal);
        let mut ways = Vec::new();
        for place in &places {
            for next in options(scene, *place, &literals) {
                if ways.len() < MOST_WAYS && self.spend() && is_met(&next) {
                    ways.push(next);
                }
            }
        }
        if !ways.is_empty() {
            return ways;
        }
        for (at, first) in places.iter().enumerate() {
            for between in options(scene, *first, &literals) {
                for second in &places[at + 1..] {
                    for next in options(&between, *second, &literals) {
                        if ways.len() < MOST_WAYS && self.spend() && is_met(&next) {
                            ways.push(next);
                        }
                    }
                }
            }
        }
        ways
    }

    /// A row for an `exists`: one that is related already and can be made to fit, one that can be joined, a new one.
    fn existing<'s>(&mut self, scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Scene<'s>> {
        let Expr::Exists {
            row,
            path,
            relation,
            condition,
        } = goal.rule
        else {
            return Vec::new();
        };
        let Some(start) = walk(scene, goal, *row, path) else {
            return self.first_step(scene, goal, *row, path);
        };
        let related = scene.related(&scene.rows[start], *relation);
        let mut joined: Vec<(Scene<'s>, usize)> =
            related.into_iter().map(|place| (scene.clone(), place)).collect();
        joined.extend(join(scene, start, *relation));
        let mut ways = Vec::new();
        for (next, place) in joined {
            let Some(condition) = condition else {
                ways.push(next);
                continue;
            };
            let mut inner = goal.of(condition, true);
            inner.levels.push(place);
            if self.spend() {
                ways.extend(self.solve(next, &[inner], 4));
            }
        }
        ways.truncate(MOST_WAYS);
        ways
    }

    /// The path of an `exists` ends too early: its first missing step is made.
    fn first_step<'s>(
        &mut self,
        scene: &Scene<'s>,
        goal: &Goal<'s>,
        row: At,
        path: &[RelationId],
    ) -> Vec<Scene<'s>> {
        let mut ways = Vec::new();
        for length in 1..=path.len() {
            let before = walk(scene, goal, row, &path[..length - 1]);
            if let Some(at) = before.filter(|_| self.spend()) {
                ways.extend(options(scene, Place::Step(at, path[length - 1]), &[]));
            }
        }
        ways.truncate(MOST_WAYS);
        ways
    }

    /// No row for an `exists`: one that fits is made not to.
    fn missing<'s>(&mut self, scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Scene<'s>> {
        let Expr::Exists {
            row,
            path,
            relation,
            condition: Some(condition),
        } = goal.rule
        else {
            return Vec::new();
        };
        let Some(start) = walk(scene, goal, *row, path) else {
            return Vec::new();
        };
        for place in scene.related(&scene.rows[start], *relation) {
            let mut inner = goal.of(condition, false);
            inner.levels.push(place);
            if !inner.is_met(scene) {
                return self.repairs(scene, &inner);
            }
        }
        Vec::new()
    }
}

/// A check that a row of the scene breaks, as a goal: it may be NULL, so it is its contrary that isn't to hold.
fn broken_check<'s>(scene: &Scene<'s>) -> Option<Goal<'s>> {
    (0..scene.rows.len()).find_map(|place| {
        let checks = scene.resource_of(place).checks.iter();
        let mut goals = checks.map(|check| Goal::grants(&check.rule.expr, place, None));
        goals.find(|goal| !goal.truth(scene).passes())
    })
}

/// A row that a body points at and that its maker may not read.
fn hidden_target<'s>(scene: &Scene<'s>) -> Option<Goal<'s>> {
    (0..scene.rows.len()).find_map(|place| {
        let maker = scene.rows[place].maker?;
        let targets = given_targets(scene, place).into_iter();
        let mut goals = targets.map(|target| {
            let rule = scene.resource_of(target).access.read.as_ref();
            Goal::grants(rule.map_or(&NEVER, |rule| &rule.expr), target, maker)
        });
        goals.find(|goal| !goal.is_met(scene))
    })
}

fn walk<'s>(scene: &Scene<'s>, goal: &Goal<'s>, row: At, path: &[RelationId]) -> Option<usize> {
    let start = match row {
        At::Level(level) => *goal.levels.get(usize::from(level))?,
        At::Old => *goal.levels.first()?,
        At::Me => goal.me?,
    };
    path.iter().try_fold(start, |at, step| {
        scene.related(&scene.rows[at], *step).first().copied()
    })
}

/// What a comparison speaks of.
fn places_of<'s>(scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Place> {
    let mut places = Vec::new();
    each_ref(goal.rule, &mut |reference: &Ref| {
        for length in 0..reference.path.len() {
            let step = reference.path[length];
            if let Some(at) = walk(scene, goal, reference.row, &reference.path[..length]) {
                places.push(Place::Step(at, step));
            }
        }
        if let Some(at) = walk(scene, goal, reference.row, &reference.path) {
            places.push(match scene.schema.field(reference.field).role {
                FieldRole::ForeignKey(relation) => Place::Step(at, relation),
                FieldRole::Key | FieldRole::Plain => Place::Field(at, reference.field.index),
            });
        }
    });
    let mut seen = Vec::new();
    for place in places {
        if !seen.contains(&place) {
            seen.push(place);
        }
    }
    seen
}

/// The values that a comparison names or holds now, with their neighbours.
fn values_of<'s>(scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Value> {
    let mut all = Vec::new();
    literals(goal.rule, &mut all);
    let levels: Vec<&Row<'s>> = goal.levels.iter().map(|place| &scene.rows[*place]).collect();
    let judge = Judge::new(scene, goal.me);
    each_ref(goal.rule, &mut |reference: &Ref| {
        if let Cell::Value(value) = judge.cell(&Expr::Ref(reference.clone()), &levels) {
            all.push(value);
        }
    });
    let around = all
        .iter()
        .flat_map(|value| [next(value, true), next(value, false)]);
    let around: Vec<Value> = around.flatten().collect();
    all.extend(around);
    all
}

fn literals(expr: &Expr, all: &mut Vec<Value>) {
    match expr {
        Expr::Literal(value) => all.push(value.clone()),
        Expr::Like(a, pattern) => {
            literals(a, all);
            all.push(Value::Text(pattern.replace(['%', '_'], "a")));
        }
        Expr::Not(a) | Expr::IsNull(a) | Expr::Negate(a) => literals(a, all),
        Expr::And(parts) | Expr::Or(parts) | Expr::Call(_, parts) => {
            parts.iter().for_each(|part| literals(part, all));
        }
        Expr::Compare(_, a, b) | Expr::Arithmetic(_, a, b) => {
            literals(a, all);
            literals(b, all);
        }
        Expr::In(a, list) => {
            literals(a, all);
            list.iter().for_each(|part| literals(part, all));
        }
        _ => {}
    }
}

/// The scene with something else at a place, each way there is.
fn options<'s>(scene: &Scene<'s>, place: Place, literals: &[Value]) -> Vec<Scene<'s>> {
    match place {
        Place::Field(row, index) => values_at(scene, row, index, literals),
        Place::Step(row, relation) => targets_at(scene, row, relation),
    }
}

fn values_at<'s>(scene: &Scene<'s>, row: usize, index: u32, literals: &[Value]) -> Vec<Scene<'s>> {
    let resource = scene.resource_of(row);
    let rules = scene.rules(resource, index);
    // Other rows may hold a key already.
    if rules.is_key || !scene.is_settable(row, index) {
        return Vec::new();
    }
    let fit = |value: &&Value| rules.field.ty.parse_text(&value.to_wire()).as_ref() == Ok(*value);
    let mut values: Vec<Value> = literals.iter().filter(fit).cloned().collect();
    values.extend(rescaled(rules.field, literals));
    values.extend(rules.candidates());
    let mut scenes = Vec::new();
    for value in values {
        let cell = Cell::Value(value.clone());
        let is_sound = value == Value::Null || rules.fault(&value).is_none();
        if is_sound && scene.cell(row, index) != cell {
            let mut next = scene.clone();
            next.rows[row].slots[index as usize] = Slot::Given(cell);
            scenes.push(next);
        }
    }
    scenes
}

/// Numbers as decimals of the field's own scale.
fn rescaled(field: &Field, literals: &[Value]) -> Vec<Value> {
    if !matches!(field.ty, rest_schema::FieldType::Decimal { .. }) {
        return Vec::new();
    }
    let read = |value: &Value| field.ty.parse_text(&value.to_wire()).ok();
    literals.iter().filter_map(read).collect()
}

fn targets_at<'s>(scene: &Scene<'s>, row: usize, relation: RelationId) -> Vec<Scene<'s>> {
    let found = scene.schema.relation(relation);
    let Link::Keys { local, .. } = &found.link else {
        return Vec::new();
    };
    if found.kind != RelationKind::BelongsTo || !local.iter().all(|id| scene.is_settable(row, id.index)) {
        return Vec::new();
    }
    let now = scene.related(&scene.rows[row], relation);
    let mut scenes = Vec::new();
    for target in 0..scene.rows.len() {
        let is_other = scene.rows[target].resource == found.target && !now.contains(&target) && target != row;
        if is_other && scene.rows[target].maker.is_none() {
            let mut next = scene.clone();
            next.link(row, relation, target);
            scenes.push(next);
        }
    }
    let mut fresh = scene.clone();
    if let Some(target) = fresh.add(found.target, How::THERE, &[]) {
        fresh.link(row, relation, target);
        scenes.push(fresh);
    }
    let is_optional = |id: &rest_schema::FieldId| scene.schema.field(*id).optional;
    if local.iter().any(is_optional) && !now.is_empty() {
        let mut next = scene.clone();
        for id in local.iter().filter(|id| is_optional(id)) {
            next.rows[row].slots[id.index as usize] = Slot::Given(Cell::NULL);
        }
        scenes.push(next);
    }
    scenes
}

/// Ways to give a row one more related row, with that row.
fn join<'s>(scene: &Scene<'s>, start: usize, relation: RelationId) -> Vec<(Scene<'s>, usize)> {
    let found = scene.schema.relation(relation);
    if scene.rows[start].maker.is_some() {
        // Nothing can point at a row that isn't there yet.
        return Vec::new();
    }
    match &found.link {
        Link::Keys { local, remote } => {
            let cells = local.iter().map(|id| scene.cell(start, id.index));
            let given: Vec<(u32, Cell)> = remote.iter().map(|id| id.index).zip(cells).collect();
            let mut fresh = scene.clone();
            let added = fresh.add(found.target, How::THERE, &given);
            added.map(|place| (fresh, place)).into_iter().collect()
        }
        Link::Join { .. } => {
            let Some(declared) = (if found.declared {
                Some(relation)
            } else {
                found.inverse
            }) else {
                return Vec::new();
            };
            let is_one = |place: &usize| scene.rows[*place].resource == found.target && *place != start;
            let mut ways: Vec<(Scene<'s>, usize)> = (0..scene.rows.len())
                .filter(is_one)
                .map(|place| (scene.clone(), place))
                .collect();
            let mut fresh = scene.clone();
            ways.extend(
                fresh
                    .add(found.target, How::THERE, &[])
                    .map(|place| (fresh, place)),
            );
            for (scene, place) in &mut ways {
                let (from, to) = if found.declared {
                    (start, *place)
                } else {
                    (*place, start)
                };
                scene.pairs.push(Pair {
                    relation: declared,
                    from,
                    to,
                });
            }
            ways
        }
    }
}
