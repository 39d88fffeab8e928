//! A walk over all pages, while others write: every row that stays is seen exactly once.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Trial;

use crate::support::case::SchemaSource;
use crate::support::http::{Client, Request};
use crate::support::json::Json;
use crate::support::random::Random;
use crate::support::server::Place;
use crate::trial;

const SCHEMA: &str = "
service: walk
managed: true
page: { limit: 20, max: 1000 }
resources:
  Row:
    fields:
      weight: { type: integer, optional: true, index: true }
      word: { type: string, index: true }
      share: { type: decimal, precision: 6, scale: 2, optional: true, index: true }
    access: { read: public, create: public, change: public }
";

/// Few different values, so that pages end within runs of equal rows.
const SORTS: [&str; 8] = [
    "id",
    "-id",
    "weight",
    "-weight",
    "word,-weight",
    "-word,weight",
    "weight,word,share",
    "-share,word",
];

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = (1..)
        .zip(SORTS)
        .map(|(seed, sort)| {
            trial(
                &format!("walk::rows_that_stay_are_seen_once_by_{sort}"),
                move || forwards_and_back(sort, seed),
            )
        })
        .collect();
    trials.push(trial("walk::pages_are_the_sorted_whole", whole));
    trials
}

fn place() -> Result<Place, String> {
    Place::new(&SchemaSource::Inline(SCHEMA.to_owned()))
}

fn row(random: &mut Random) -> String {
    let weight = random.pick(&["null", "0", "1", "2", "-7"]);
    let word = random.pick(&["", "a", "b", "ba", "Z", "ä"]);
    let share = random.pick(&["null", "\"0.10\"", "\"-1.00\"", "\"10.00\""]);
    format!(r#"{{"weight": {weight}, "word": "{word}", "share": {share}}}"#)
}

fn ask(client: &mut Client, request: &Request, status: u16) -> Result<Json, String> {
    let answer = client.send(request)?;
    if answer.status != status {
        return Err(format!(
            "{} {}: {}",
            request.method,
            request.target,
            crate::support::run::shown(&answer)
        ));
    }
    if answer.body.is_empty() {
        Ok(Json::Null)
    } else {
        Json::parse(&answer.text())
    }
}

fn fill(client: &mut Client, rows: usize, random: &mut Random) -> Result<Vec<i64>, String> {
    let body: Vec<String> = (0..rows).map(|_| row(random)).collect();
    let made = ask(
        client,
        &Request::new("POST", "/api/rows").json(format!("[{}]", body.join(","))),
        201,
    )?;
    Ok(ids(&made))
}

fn ids(page: &Json) -> Vec<i64> {
    let items = page.get("items").map(Json::items).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.get("id")?.integer())
        .collect()
}

/// Rows that come, change and go; those that stay are never touched.
struct Others {
    rows: Vec<i64>,
    random: Random,
}

impl Others {
    fn disturb(&mut self, client: &mut Client) -> Result<(), String> {
        for _ in 0..3 {
            match self.random.below(3) {
                0 => {
                    let body = row(&mut self.random);
                    let made = ask(client, &Request::new("POST", "/api/rows").json(body), 201)?;
                    self.rows.extend(made.get("id").and_then(Json::integer));
                }
                1 if !self.rows.is_empty() => {
                    let id = self.rows.swap_remove(self.random.below(self.rows.len()));
                    ask(client, &Request::new("DELETE", &format!("/api/rows/{id}")), 204)?;
                }
                _ if !self.rows.is_empty() => {
                    let id = *self.random.pick(&self.rows);
                    let body = row(&mut self.random);
                    ask(
                        client,
                        &Request::new("PATCH", &format!("/api/rows/{id}")).json(body),
                        200,
                    )?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn forwards_and_back(sort: &str, seed: u64) -> Result<(), String> {
    let place = place()?;
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    let mut random = Random::new(seed);
    let all = fill(&mut client, 120, &mut random)?;
    let (stay, others): (Vec<i64>, Vec<i64>) = all.iter().partition(|id| *id % 2 == 0);
    let mut others = Others {
        rows: others,
        random: random.clone(),
    };
    let first = format!("/api/rows?sort={sort}&limit=7");
    let mut last = first.clone();
    let seen = walk(&mut client, &first, "next", |client, target| {
        target.clone_into(&mut last);
        others.disturb(client)
    })?;
    exactly_once(&stay, &seen, &format!("sort={sort}, forwards"))?;
    let back = walk(&mut client, &last, "prev", |client, _| others.disturb(client))?;
    exactly_once(&stay, &back, &format!("sort={sort}, backwards"))
}

/// Follows `links.next` or `links.prev` to the end.
fn walk(
    client: &mut Client,
    first: &str,
    direction: &str,
    mut between: impl FnMut(&mut Client, &str) -> Result<(), String>,
) -> Result<Vec<i64>, String> {
    let mut seen = Vec::new();
    let mut target = Some(first.to_owned());
    while let Some(address) = target {
        let page = ask(client, &Request::new("GET", &address), 200)?;
        seen.extend(ids(&page));
        if seen.len() > 10_000 {
            return Err("the walk doesn't end".to_owned());
        }
        between(client, &address)?;
        let link = page.get("links").and_then(|links| links.get(direction)?.text());
        target = link.map(str::to_owned);
    }
    Ok(seen)
}

fn exactly_once(stay: &[i64], seen: &[i64], what: &str) -> Result<(), String> {
    let mut times: BTreeMap<i64, u32> = stay.iter().map(|id| (*id, 0)).collect();
    for id in seen {
        times.entry(*id).and_modify(|n| *n += 1);
    }
    let wrong: Vec<_> = times.iter().filter(|(_, n)| **n != 1).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{what}: rows that stayed weren't seen exactly once (id, times): {wrong:?}"
    ))
}

/// Without writes the pages, put together, are what one large page shows.
fn whole() -> Result<(), String> {
    let place = place()?;
    let server = place.serve()?;
    let mut client = Client::new(server.address);
    fill(&mut client, 200, &mut Random::new(99))?;
    for sort in SORTS {
        let all = ask(
            &mut client,
            &Request::new("GET", &format!("/api/rows?sort={sort}&limit=1000")),
            200,
        )?;
        for limit in [1, 7, 199, 200] {
            let first = format!("/api/rows?sort={sort}&limit={limit}");
            let walked = walk(&mut client, &first, "next", |_, _| Ok(()))?;
            if walked != ids(&all) || walked.iter().collect::<BTreeSet<_>>().len() != 200 {
                return Err(format!(
                    "sort={sort}&limit={limit}: expected {:?}, got {walked:?}",
                    ids(&all)
                ));
            }
        }
    }
    Ok(())
}
