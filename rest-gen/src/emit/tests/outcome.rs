//! What the service is to answer, by the HTTP contract: the order of refusals over what the rules say.

use rest_schema::{Expr, FieldRole, Link, OnDelete, Operation, RelationId, RelationKind, Rule, Value};

use super::judge::Judge;
use super::scene::{Cell, Row, Scene, Slot, Who};
use super::truth::Truth;

/// The status for a caller to whom something is closed.
fn closed(me: Who) -> u16 {
    if me.is_none() { 401 } else { 403 }
}

/// Whether an operation is closed to a caller whatever the row.
pub(super) fn is_closed(scene: &Scene<'_>, rule: &Expr, me: Who) -> bool {
    Judge::blind(scene, me).truth(rule, &[]).refuses()
}

fn over<'s>(scene: &Scene<'s>, rule: Option<&Rule>, row: usize, me: Who) -> Truth {
    let row = &scene.rows[row];
    rule.map_or(Truth::FALSE, |rule| {
        Judge::new(scene, me).truth(&rule.expr, &[row])
    })
}

fn rule<'s>(scene: &Scene<'s>, row: usize, operation: Operation) -> Option<&'s Rule> {
    scene.resource_of(row).access.rule(operation)
}

/// Refused, let pass, or not known.
fn decided(truth: Truth, refusal: u16) -> Option<Result<(), u16>> {
    if truth.grants() {
        Some(Ok(()))
    } else {
        truth.refuses().then_some(Err(refusal))
    }
}

/// What comes before an operation on an item that is there: 405, 401 or 403, 404, 401 or 403.
fn before(scene: &Scene<'_>, row: usize, me: Who, operation: Operation) -> Option<Result<(), u16>> {
    let Some(asked) = rule(scene, row, operation) else {
        return Some(Err(405));
    };
    if is_closed(scene, &asked.expr, me) {
        return Some(Err(closed(me)));
    }
    let readable = over(scene, rule(scene, row, Operation::Read), row, me);
    match decided(readable, 404)? {
        Ok(()) => decided(over(scene, Some(asked), row, me), closed(me)),
        refused => Some(refused),
    }
}

/// GET of an item.
pub(super) fn read(scene: &Scene<'_>, row: usize, me: Who) -> Option<u16> {
    Some(before(scene, row, me, Operation::Read)?.err().unwrap_or(200))
}

/// GET of an item that is gone.
pub(super) fn read_gone(scene: &Scene<'_>, row: usize, me: Who) -> u16 {
    match rule(scene, row, Operation::Read) {
        None => 405,
        Some(asked) if is_closed(scene, &asked.expr, me) => closed(me),
        Some(_) => 404,
    }
}

/// GET of a collection.
pub(super) fn list(scene: &Scene<'_>, row: usize, me: Who) -> u16 {
    match read_gone(scene, row, me) {
        404 => 200,
        refused => refused,
    }
}

/// PATCH of an item that would then be the row of `changed`.
pub(super) fn update<'s>(scene: &Scene<'s>, changed: &Scene<'s>, row: usize, me: Who) -> Option<u16> {
    if let Err(refused) = before(scene, row, me, Operation::Update)? {
        return Some(refused);
    }
    let old = &scene.rows[row];
    if changed.rows[row] != *old {
        let asked = rule(scene, row, Operation::Update)?;
        let truth = Judge::after(changed, me, old).truth(&asked.expr, &[&changed.rows[row]]);
        if let Err(refused) = decided(truth, closed(me))? {
            return Some(refused);
        }
    }
    let readable = over(changed, rule(scene, row, Operation::Read), row, me);
    Some(decided(readable, 204)?.err().unwrap_or(200))
}

/// DELETE of an item.
pub(super) fn delete(scene: &Scene<'_>, row: usize, me: Who) -> Option<u16> {
    match before(scene, row, me, Operation::Delete)? {
        Err(refused) => Some(refused),
        Ok(()) => Some(if gone_with(scene, row).is_some() { 204 } else { 409 }),
    }
}

/// POST that brings an item back which was deleted.
pub(super) fn restore(scene: &Scene<'_>, row: usize, me: Who) -> Option<u16> {
    let Some(asked) = rule(scene, row, Operation::Restore) else {
        return Some(404);
    };
    if is_closed(scene, &asked.expr, me) {
        return Some(closed(me));
    }
    // Who may not restore it doesn't see it.
    for rule in [rule(scene, row, Operation::Read), Some(asked)] {
        if let Err(refused) = decided(over(scene, rule, row, me), 404)? {
            return Some(refused);
        }
    }
    Some(200)
}

/// The rows that go with a row; `None` where something holds it.
pub(super) fn gone_with(scene: &Scene<'_>, row: usize) -> Option<Vec<usize>> {
    let mut gone = vec![row];
    let mut at = 0;
    while let Some(target) = gone.get(at).copied() {
        at += 1;
        for place in 0..scene.rows.len() {
            for on_delete in pointing(scene, place, target) {
                match on_delete {
                    OnDelete::Restrict if !gone.contains(&place) => return None,
                    OnDelete::Cascade if !gone.contains(&place) => gone.push(place),
                    OnDelete::Restrict | OnDelete::Cascade | OnDelete::SetNull => {}
                }
            }
        }
    }
    Some(gone)
}

/// What the relations of a row that lead to another do when that is deleted.
fn pointing(scene: &Scene<'_>, place: usize, target: usize) -> Vec<OnDelete> {
    let row = &scene.rows[place];
    let relations = (0u32..).zip(&scene.resource_of(place).relations);
    let relations = relations.filter(|(_, relation)| relation.kind == RelationKind::BelongsTo);
    relations
        .filter(|(index, _)| {
            let id = RelationId {
                resource: row.resource,
                index: *index,
            };
            place != target && row.maker.is_none() && scene.related(row, id).contains(&target)
        })
        .map(|(_, relation)| relation.on_delete)
        .collect()
}

/// POST of a row by somebody, its maker or not.
pub(super) fn create(scene: &Scene<'_>, row: usize, me: Who) -> Option<u16> {
    let Some(asked) = rule(scene, row, Operation::Create) else {
        return Some(405);
    };
    if is_closed(scene, &asked.expr, me) {
        return Some(closed(me));
    }
    let made = made_by(scene, row, me);
    if lacks_an_account(&made, row) {
        return Some(422);
    }
    for target in given_targets(&made, row) {
        let truth = over(&made, rule(&made, target, Operation::Read), target, me);
        if let Err(refused) = decided(truth, 409)? {
            return Some(refused);
        }
    }
    Some(
        decided(over(&made, Some(asked), row, me), closed(me))?
            .err()
            .unwrap_or(201),
    )
}

/// The scene as it would be if another made the row.
pub(super) fn made_by<'s>(scene: &Scene<'s>, row: usize, me: Who) -> Scene<'s> {
    let mut made = scene.clone();
    made.rows[row].maker = Some(me);
    let resource = scene.resource_of(row);
    for relation in &resource.relations {
        let Link::Keys { local, remote } = &relation.link else {
            continue;
        };
        for (own, other) in local.iter().zip(remote) {
            let is_me = resource.fields[own.index as usize].default == Some(rest_schema::DefaultValue::Me);
            let is_left = matches!(scene.rows[row].slots[own.index as usize], Slot::Left(_));
            if relation.kind == RelationKind::BelongsTo && is_me && is_left {
                let cell = me.map_or(Cell::NULL, |me| scene.cell(me, other.index));
                made.rows[row].slots[own.index as usize] = Slot::Left(cell);
            }
        }
    }
    made
}

/// Whether a field that is the maker's account can't be NULL, and is.
fn lacks_an_account(scene: &Scene<'_>, row: usize) -> bool {
    let fields = scene.resource_of(row).fields.iter().zip(&scene.rows[row].slots);
    fields.into_iter().any(|(field, slot)| {
        let is_me = field.default == Some(rest_schema::DefaultValue::Me);
        is_me && !field.optional && *slot == Slot::Left(Cell::Value(Value::Null))
    })
}

/// The rows that a body points at.
pub(super) fn given_targets(scene: &Scene<'_>, row: usize) -> Vec<usize> {
    let is_given = |of: &Row<'_>, index: u32| matches!(of.slots[index as usize], Slot::Given(_));
    let made = &scene.rows[row];
    let fields = (0u32..).zip(&scene.resource_of(row).fields);
    let mut relations: Vec<RelationId> = fields
        .filter(|(index, _)| is_given(made, *index))
        .filter_map(|(_, field)| match field.role {
            FieldRole::ForeignKey(relation) => Some(relation),
            FieldRole::Key | FieldRole::Keys(_) | FieldRole::Plain => None,
        })
        .collect();
    relations.dedup();
    relations
        .into_iter()
        .flat_map(|relation| scene.related(made, relation))
        .collect()
}
