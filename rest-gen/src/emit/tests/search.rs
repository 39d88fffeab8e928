//! The bounded search for a scene in which rules say what a test needs.
//!
//! It starts from a scene and repairs it: the first goal that isn't met says which values, links or rows would meet it,
//! each of them is tried, and what is found is judged again as a whole. Where the bound is met first, nothing is found.

use rest_schema::{Expr, RelationId, Row as At, Value};

use super::judge::Judge;
use super::other::{Place, join, options, places_of, values_of, walk};
use super::outcome::given_targets;
use super::scene::{Row, Scene, Who};
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
            .or_else(|| hidden_target(&scene))
            .or_else(|| inactive(&scene));
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

/// An account that can't sign in, which any may have to.
fn inactive<'s>(scene: &Scene<'s>) -> Option<Goal<'s>> {
    let accounts = scene.schema.accounts.as_ref()?;
    let rule = &accounts.active.as_ref()?.expr;
    let mut places = (0..scene.rows.len()).filter(|place| scene.rows[*place].resource == accounts.resource);
    places.find_map(|place| {
        let goal = Goal::grants(rule, place, Some(place));
        (!goal.is_met(scene)).then_some(goal)
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
