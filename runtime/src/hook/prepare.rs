//! The hooks before a write.

use std::sync::Arc;

use super::draft::{RawDraft, Work};
use crate::problem::Problem;
use crate::service::Inner;
use crate::storage::steps::{Action, Change, Put, Several};
use crate::validate::New;
use crate::write::Asking;

/// Runs a resource's `prepare` over each row of a write. What is refused anyway isn't shown to them.
pub(crate) async fn prepare(service: &Arc<Inner>, asked: &Asking, action: Action) -> Result<Action, Problem> {
    match action {
        Action::Create { rows, many } => {
            let mut prepared = Vec::with_capacity(rows.len());
            for row in rows {
                match one(service, asked, None, Work::Create(row)).await? {
                    Work::Create(row) => prepared.push(along(service, asked, row).await?),
                    Work::Update(..) | Work::Delete => return Err(changed()),
                }
            }
            Ok(Action::Create { rows: prepared, many })
        }
        Action::Update {
            key,
            update,
            create,
            expected,
        } if !update.is_faulty() || matches!(create, Some(Ok(_))) => {
            let work = Work::Update(*update, create);
            let Work::Update(update, create) = one(service, asked, Some(&key), work).await? else {
                return Err(changed());
            };
            Ok(Action::Update {
                key,
                update: Box::new(update),
                create,
                expected,
            })
        }
        Action::Delete { key, expected } => {
            one(service, asked, Some(&key), Work::Delete).await?;
            Ok(Action::Delete { key, expected })
        }
        Action::Several(several) => {
            let mut rows = Vec::with_capacity(several.rows.len());
            for (key, change) in several.rows {
                let change = match change {
                    Change::Update(update) if update.is_faulty() => Change::Update(update),
                    Change::Update(update) => {
                        let work = Work::Update(*update, None);
                        match one(service, asked, Some(&key), work).await? {
                            Work::Update(update, _) => Change::Update(Box::new(update)),
                            Work::Create(_) | Work::Delete => return Err(changed()),
                        }
                    }
                    Change::Delete => {
                        one(service, asked, Some(&key), Work::Delete).await?;
                        Change::Delete
                    }
                };
                rows.push((key, change));
            }
            Ok(Action::Several(Several { rows, ..several }))
        }
        Action::Paired(mut paired) => {
            let key = (!paired.key.is_empty()).then_some(&paired.key);
            match paired.put.take() {
                None => {
                    one(service, asked, key, Work::Delete).await?;
                }
                Some(Put { update, create }) => {
                    let work = Work::Update(*update, Some(create));
                    let Work::Update(update, Some(create)) = one(service, asked, key, work).await? else {
                        return Err(changed());
                    };
                    let update = Box::new(update);
                    paired.put = Some(Put { update, create });
                }
            }
            Ok(Action::Paired(paired))
        }
        // What is refused anyway; and bare pairs, which have no hooks.
        other @ (Action::Update { .. } | Action::Restore { .. } | Action::Link { .. }) => Ok(other),
    }
}

/// What is made along with a row is prepared by the code of its own resource.
async fn along(service: &Arc<Inner>, asked: &Asking, mut row: New) -> Result<New, Problem> {
    for along in &mut row.along {
        let asked = Asking {
            resource: service.engine.model.relation(along.relation).target,
            caller: asked.caller.clone(),
            now: asked.now,
            wanted: None,
        };
        let action = Action::Create {
            rows: std::mem::take(&mut along.rows),
            many: true,
        };
        if let Action::Create { rows, .. } = Box::pin(prepare(service, &asked, action)).await? {
            along.rows = rows;
        }
    }
    Ok(row)
}

async fn one(
    service: &Arc<Inner>,
    asked: &Asking,
    key: Option<&Vec<crate::cell::Cell>>,
    work: Work,
) -> Result<Work, Problem> {
    let mut draft = RawDraft {
        service: Arc::clone(service),
        resource: asked.resource,
        caller: asked.caller.clone(),
        key: key.cloned(),
        work,
    };
    for hooked in service.engine.hooks.of(asked.resource) {
        draft = hooked.hooks.prepare(&hooked.binding, draft).await?;
    }
    Ok(draft.work)
}

fn changed() -> Problem {
    Problem::internal("a draft came back as another kind of write")
}
