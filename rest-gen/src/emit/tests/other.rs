//! Other scenes than this one: each differs in one value, one link or one row, as a goal would like it.

use rest_schema::{
    Expr, Field, FieldRole, Link, Ref, RelationId, RelationKind, ResourceId, Row as At, Value,
};

use super::judge::{Judge, each_ref};
use super::sample::next;
use super::scene::{Cell, How, Pair, Row, Scene, Slot};
use super::search::Goal;

/// A value of a scene that may be another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Field(usize, u32),
    Step(usize, RelationId),
}

pub(super) fn walk<'s>(scene: &Scene<'s>, goal: &Goal<'s>, row: At, path: &[RelationId]) -> Option<usize> {
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
pub(super) fn places_of<'s>(scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Place> {
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
                FieldRole::Key | FieldRole::Keys(_) | FieldRole::Plain => {
                    Place::Field(at, reference.field.index)
                }
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
pub(super) fn values_of<'s>(scene: &Scene<'s>, goal: &Goal<'s>) -> Vec<Value> {
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
pub(super) fn options<'s>(scene: &Scene<'s>, place: Place, literals: &[Value]) -> Vec<Scene<'s>> {
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

/// Rows that a row may be paired with: those there are, and one more.
fn ends<'s>(scene: &Scene<'s>, start: usize, target: ResourceId) -> Vec<(Scene<'s>, usize)> {
    let is_one = |place: &usize| scene.rows[*place].resource == target && *place != start;
    let mut ways: Vec<(Scene<'s>, usize)> = (0..scene.rows.len())
        .filter(is_one)
        .map(|place| (scene.clone(), place))
        .collect();
    let mut fresh = scene.clone();
    ways.extend(fresh.add(target, How::THERE, &[]).map(|place| (fresh, place)));
    ways
}

/// Ways to give a row one more related row, with that row.
pub(super) fn join<'s>(scene: &Scene<'s>, start: usize, relation: RelationId) -> Vec<(Scene<'s>, usize)> {
    let found = scene.schema.relation(relation);
    if scene.rows[start].maker.is_some() {
        // Nothing can point at a row that isn't there yet.
        return Vec::new();
    }
    if let Some(through) = found.through {
        let points = |scene: &Scene<'s>, place: usize, relation: RelationId| match &scene
            .schema
            .relation(relation)
            .link
        {
            Link::Keys { local, remote } => scene.holding(place, remote, local),
            Link::Join { .. } => Vec::new(),
        };
        let linked = |(mut scene, place): (Scene<'s>, usize)| {
            let given = [
                points(&scene, start, through.from),
                points(&scene, place, through.to),
            ]
            .concat();
            scene.add(through.resource(), How::THERE, &given)?;
            Some((scene, place))
        };
        return ends(scene, start, found.target)
            .into_iter()
            .filter_map(linked)
            .collect();
    }
    match &found.link {
        Link::Keys { local, remote } => {
            let given = scene.holding(start, local, remote);
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
            let mut ways = ends(scene, start, found.target);
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
