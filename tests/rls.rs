//! The rules of a schema as row-level security: what a role that is held by it may do is what the service lets the same
//! caller do. Every row is asked for, and each change of a key or a word is tried by both.

use libtest_mimic::Trial;
use rest_schema::{DefaultValue, Field, FieldId, FieldType, Resource, ResourceId, Schema, Value as Of};
use serde_json::{Map, Value, json};

use crate::support::api::Api;
use crate::support::case::SchemaSource;
use crate::support::http::{Answer, Request};
use crate::support::postgres::Cluster;
use crate::support::random::Random;
use crate::support::run::shown;
use crate::support::server::{Place, Server, rest_gen};
use crate::trial;

/// The schemas, and what of their tables has to be compared at least: what both grant, and what both refuse.
const SCHEMAS: [(&str, usize, usize); 4] = [
    ("blog", 200, 150),
    ("gate", 120, 300),
    ("rules", 120, 450),
    ("teams", 200, 250),
];

/// The tests.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = SCHEMAS
        .into_iter()
        .map(|(name, granted, refused)| {
            trial(&format!("rls::{name}_is_as_the_service_has_it"), move || {
                agree(name, granted, refused)
            })
        })
        .collect();
    trials.push(trial(
        "rls::the_owner_is_not_held_by_it_and_it_may_be_run_again",
        again,
    ));
    trials.push(trial("rls::it_is_told_where_it_can_not_be_printed", unprinted));
    trials
}

/// What a program may do that connects as a role of its own; `attempt` undoes what it did.
const ROLE: &str = "
DO $$ BEGIN CREATE ROLE program; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO program;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO program;
CREATE FUNCTION attempt(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE changed bigint;
BEGIN
    PERFORM set_config('rest.account', who, true);
    SET LOCAL ROLE program;
    EXECUTE statement;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RAISE EXCEPTION '%', changed USING ERRCODE = 'UD001';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE FUNCTION seen(who text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    PERFORM set_config('rest.account', who, true);
    SET LOCAL ROLE program;
    EXECUTE 'SELECT coalesce(json_agg(row), ''[]'') FROM (' || statement || ') row' INTO found;
    RESET ROLE;
    RETURN found;
END $$;
";

/// Whoever asks.
struct Who {
    /// The key of his account; nothing for nobody.
    key: String,
    api: Api,
}

struct Stage<'c> {
    cluster: &'c Cluster,
    place: Place,
    schema: Schema,
    server: Server,
    granted: usize,
    refused: usize,
}

/// Something that is tried both ways.
struct Try {
    statement: String,
    request: Request,
    /// What undoes it.
    undo: String,
}

fn agree(name: &str, granted: usize, refused: usize) -> Result<(), String> {
    let cluster = Cluster::start()?;
    let mut stage = Stage::new(&cluster, name)?;
    for mut who in stage.everybody()? {
        let ids: Vec<ResourceId> = stage.schema.resources().map(|(id, _)| id).collect();
        for id in ids {
            stage.reads(id, &mut who)?;
            stage.writes(id, &mut who)?;
        }
    }
    stage.server.stop()?;
    if stage.granted < granted || stage.refused < refused {
        return Err(format!(
            "of {name} {} granted and {} refused are too few",
            stage.granted, stage.refused
        ));
    }
    Ok(())
}

fn printed(arguments: &[&str]) -> Result<String, String> {
    let done = rest_gen(arguments)?.output().map_err(|e| e.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if done.status.success() {
        Ok(text(&done.stdout))
    } else {
        Err(text(&done.stderr))
    }
}

impl<'c> Stage<'c> {
    fn new(cluster: &'c Cluster, name: &str) -> Result<Self, String> {
        let place = Place::on(cluster, &SchemaSource::Named(name.to_owned()))?;
        let text = std::fs::read_to_string(&place.schema).map_err(|e| e.to_string())?;
        let schema = rest_schema::read_one("rest.yaml", &text).map_err(|e| e.to_string())?;
        let server = place.serve()?;
        let database = place.database_name();
        cluster.sql(
            &database,
            &printed(&["access", &place.schema.display().to_string(), "--rls"])?,
        )?;
        cluster.sql(&database, ROLE)?;
        Ok(Self {
            cluster,
            place,
            schema: schema.schema,
            server,
            granted: 0,
            refused: 0,
        })
    }

    fn ask(&self, sql: &str) -> Result<String, String> {
        self.cluster.ask(&self.place.database_name(), sql)
    }

    fn column(&self, field: FieldId) -> String {
        format!("\"{}\"", self.schema.field(field).column)
    }

    /// Nobody, and every account.
    fn everybody(&self) -> Result<Vec<Who>, String> {
        let mut all = vec![Who {
            key: String::new(),
            api: Api::new(self.server.address),
        }];
        let accounts = self.schema.accounts.as_ref().ok_or("no accounts")?;
        let table = &self.schema.resource(accounts.resource).table;
        let key = self.column(self.schema.resource(accounts.resource).key.fields[0]);
        let name = self.column(accounts.identify_by[0]);
        for line in self
            .ask(&format!(
                "SELECT {key} || ' ' || {name} FROM \"{table}\" ORDER BY {key}"
            ))?
            .lines()
        {
            let (key, name) = line.split_once(' ').ok_or("no account")?;
            all.push(Who {
                key: key.to_owned(),
                api: Api::sign_in(self.server.address, name, &format!("{name}-password"))?,
            });
        }
        Ok(all)
    }

    /// Which rows he sees.
    fn reads(&mut self, id: ResourceId, who: &mut Who) -> Result<(), String> {
        let resource = self.schema.resource(id);
        let fields = &resource.key.fields;
        let columns: Vec<String> = fields.iter().map(|field| self.column(*field)).collect();
        let statement = format!(
            "SELECT {0} FROM \"{1}\" ORDER BY {0}",
            columns.join(", "),
            resource.table
        );
        let by_role = self.ask(&format!("SELECT seen('{}', $q${statement}$q$)", who.key))?;
        let by_role: Vec<Value> = serde_json::from_str(by_role.trim()).map_err(|e| e.to_string())?;
        let by_role: Vec<Value> = by_role
            .iter()
            .map(|row| {
                row.as_object()
                    .map(|row| row.values().cloned().collect())
                    .unwrap_or_default()
            })
            .collect();
        let names: Vec<&str> = fields
            .iter()
            .map(|field| self.schema.field(*field).name.as_str())
            .collect();
        let target = format!("/api/{}?limit=100&sort={}", resource.collection, names.join(","));
        let answer = who.api.send(Request::new("GET", &target))?;
        let items: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
        let by_service: Vec<Value> = match answer.status {
            200 => items["items"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|item| names.iter().map(|name| item[name].clone()).collect())
                .collect(),
            401 | 403 | 404 => Vec::new(),
            _ => return Err(shown(&answer)),
        };
        self.granted += by_service.len();
        if by_role == by_service {
            Ok(())
        } else {
            let of = &resource.name;
            Err(format!(
                "`{}` sees of {of} {by_service:?} here, {by_role:?} there",
                who.key
            ))
        }
    }

    /// Everything that he could do to the rows there are, and what he could make.
    fn writes(&mut self, id: ResourceId, who: &mut Who) -> Result<(), String> {
        let resource = self.schema.resource(id).clone();
        let rows = self.rows(&resource)?;
        let mut tries = Vec::new();
        for row in &rows {
            tries.extend(self.deeds(&resource, row));
            for (at, field) in resource.fields.iter().enumerate() {
                let of = FieldId {
                    resource: id,
                    index: u32::try_from(at).unwrap_or(u32::MAX),
                };
                for value in self.values(&resource, of, field)? {
                    tries.push(self.change(&resource, row, field, &value));
                }
            }
        }
        tries.extend(self.makings(&resource, who)?);
        if tries.is_empty() {
            return Ok(());
        }
        let calls: Vec<String> = tries
            .iter()
            .map(|one| format!("(attempt('{}', $q${}$q$))", who.key, one.statement))
            .collect();
        let told = self.ask(&format!("SELECT * FROM (VALUES {}) told", calls.join(", ")))?;
        let lines: Vec<&str> = told.lines().filter(|line| is_told(line)).collect();
        if lines.len() != tries.len() {
            return Err(format!(
                "{} of {} attempts were told:\n{told}",
                lines.len(),
                tries.len()
            ));
        }
        for (one, line) in tries.into_iter().zip(lines) {
            let by_role = !line.starts_with("42501") && line != "UD001 0";
            let answer = who.api.send(one.request.clone())?;
            self.compare(&one, by_role, line, &answer, who)?;
        }
        Ok(())
    }

    fn compare(
        &mut self,
        one: &Try,
        by_role: bool,
        line: &str,
        answer: &Answer,
        who: &Who,
    ) -> Result<(), String> {
        let body: Value = serde_json::from_str(&answer.text()).unwrap_or_default();
        let codes: Vec<&str> = body["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|fault| fault["code"].as_str())
            .collect();
        let by_service = match answer.status {
            // What is made and may not be read is one more row that can't be found: SQL has no such thing.
            204 if answer.header("location").is_none() => return self.undo(one, answer),
            200 | 201 | 204 | 412 => true,
            401 | 403 | 404 => false,
            // Where anybody may read what is there, that it isn't there is for the foreign key to say.
            409 if codes.contains(&"no-such-item") && line.starts_with("23503") => return Ok(()),
            409 if codes.contains(&"no-such-item") => false,
            // What is wrong with it besides isn't of rules.
            409 | 422 => return Ok(()),
            _ => return Err(shown(answer)),
        };
        *if by_service {
            &mut self.granted
        } else {
            &mut self.refused
        } += 1;
        if by_role != by_service {
            let statement = &one.statement;
            return Err(format!(
                "`{}`: {statement}\n{line}, and the service:\n{}",
                who.key,
                shown(answer)
            ));
        }
        self.undo(one, answer)
    }

    fn undo(&self, one: &Try, answer: &Answer) -> Result<(), String> {
        let made = answer.header("location").unwrap_or_default();
        let key = made.rsplit('/').next().unwrap_or_default();
        match answer.status {
            200 | 204 => self.ask(&one.undo).map(drop),
            201 => self.ask(&one.undo.replace("<key>", key)).map(drop),
            _ => Ok(()),
        }
    }

    /// The rows of a table, each with all columns.
    fn rows(&self, resource: &Resource) -> Result<Vec<Map<String, Value>>, String> {
        let of = &resource.table;
        let rows = self.ask(&format!("SELECT coalesce(json_agg(t), '[]') FROM \"{of}\" t"))?;
        serde_json::from_str(rows.trim()).map_err(|e| e.to_string())
    }

    /// Deleting and changing a row as it is, without doing it: no version of it is ever called so.
    fn deeds(&self, resource: &Resource, row: &Map<String, Value>) -> Vec<Try> {
        let (is_it, target) = (self.is_row(resource, row), self.address(resource, row));
        let first = self.column(resource.key.fields[0]);
        let of = &resource.table;
        let conditional = |method: &str| {
            let request = Request::new(method, &target).header("If-Match", "\"none.none\"");
            if method == "PATCH" {
                request.json("{}")
            } else {
                request
            }
        };
        let deed = |statement: String, request: Request| Try {
            statement,
            request,
            undo: String::new(),
        };
        let mut all = Vec::new();
        if resource.access.update.is_some() {
            let statement = format!("UPDATE \"{of}\" SET {first} = {first} WHERE {is_it}");
            all.push(deed(statement, conditional("PATCH")));
        }
        if resource.access.delete.is_some() && resource.kept.deleted.is_none() {
            all.push(deed(
                format!("DELETE FROM \"{of}\" WHERE {is_it}"),
                conditional("DELETE"),
            ));
        }
        all
    }

    fn is_row(&self, resource: &Resource, row: &Map<String, Value>) -> String {
        let fields = resource.key.fields.iter();
        let all: Vec<String> = fields
            .map(|field| {
                format!(
                    "{} = {}",
                    self.column(*field),
                    sql(&row[&self.schema.field(*field).column])
                )
            })
            .collect();
        all.join(" AND ")
    }

    fn address(&self, resource: &Resource, row: &Map<String, Value>) -> String {
        let fields = resource.key.fields.iter();
        let key: Vec<String> = fields
            .map(|field| match &row[&self.schema.field(*field).column] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
            .collect();
        format!("/api/{}/{}", resource.collection, key.join(","))
    }

    /// What a field could be: the keys that there are and one that there isn't, every word.
    fn values(&self, resource: &Resource, of: FieldId, field: &Field) -> Result<Vec<Value>, String> {
        let is_for_clients =
            !field.readonly && !field.immutable && field.writable.is_none() && field.computed.is_none();
        if !is_for_clients || resource.key.fields.contains(&of) || resource.access.update.is_none() {
            return Ok(Vec::new());
        }
        self.candidates(of, field)
    }

    fn candidates(&self, of: FieldId, field: &Field) -> Result<Vec<Value>, String> {
        let relations = &self.schema.resource(of.resource).relations;
        let target = relations.iter().find_map(|relation| match &relation.link {
            rest_schema::Link::Keys { local, remote } if local == &[of] && relation.declared => {
                remote.first().copied()
            }
            _ => None,
        });
        if let Some(key) = target {
            let table = &self.schema.resource(key.resource).table;
            let column = self.column(key);
            let keys = self.ask(&format!(
                "SELECT coalesce(json_agg({column}), '[]') FROM \"{table}\""
            ))?;
            let mut keys: Vec<Value> = serde_json::from_str(keys.trim()).map_err(|e| e.to_string())?;
            if keys.iter().all(Value::is_number) {
                keys.push(json!(987_654));
            }
            return Ok(keys);
        }
        Ok(match &field.ty {
            FieldType::Boolean => vec![json!(true), json!(false)],
            FieldType::Enum(words) => words.iter().map(|word| json!(word)).collect(),
            _ => Vec::new(),
        })
    }

    fn change(&self, resource: &Resource, row: &Map<String, Value>, field: &Field, value: &Value) -> Try {
        let (of, is_it) = (&resource.table, self.is_row(resource, row));
        let set = |value: &Value| {
            format!(
                "UPDATE \"{of}\" SET \"{}\" = {} WHERE {is_it}",
                field.column,
                sql(value)
            )
        };
        let request = Request::new("PATCH", &self.address(resource, row));
        Try {
            statement: set(value),
            request: request.json(json!({ &field.name: value }).to_string()),
            undo: set(&row[&field.column]),
        }
    }

    /// New rows, of what keys and words there are.
    fn makings(&self, resource: &Resource, who: &Who) -> Result<Vec<Try>, String> {
        let (Some((id, _)), true) = (
            self.schema.resources().find(|(_, one)| one.name == resource.name),
            resource.access.create.is_some(),
        ) else {
            return Ok(Vec::new());
        };
        let mut random = Random::new(7);
        let mut all = Vec::new();
        for number in 0..12 {
            let (mut body, mut columns, mut values) = (Map::new(), Vec::new(), Vec::new());
            for (at, field) in resource.fields.iter().enumerate() {
                let of = FieldId {
                    resource: id,
                    index: u32::try_from(at).unwrap_or(u32::MAX),
                };
                let Some((sent, kept)) = self.made(of, field, who, &mut random, number)? else {
                    continue;
                };
                if let Some(sent) = sent {
                    body.insert(field.name.clone(), sent);
                }
                columns.push(format!("\"{}\"", field.column));
                values.push(kept);
            }
            let of = &resource.table;
            let key: Vec<String> = resource
                .key
                .fields
                .iter()
                .map(|field| self.column(*field))
                .collect();
            let undo = match &key[..] {
                [key] => format!("DELETE FROM \"{of}\" WHERE {key}::text = '<key>'"),
                keys => format!(
                    "DELETE FROM \"{of}\" WHERE concat_ws(',', {}) = '<key>'",
                    keys.join(", ")
                ),
            };
            let request = Request::new("POST", &format!("/api/{}", resource.collection));
            all.push(Try {
                statement: format!(
                    "INSERT INTO \"{of}\" ({}) VALUES ({})",
                    columns.join(", "),
                    values.join(", ")
                ),
                request: request.json(Value::Object(body).to_string()),
                undo,
            });
        }
        Ok(all)
    }

    /// A field of a new row: what a client sends, and what is kept; `None` where the table makes it.
    fn made(
        &self,
        of: FieldId,
        field: &Field,
        who: &Who,
        random: &mut Random,
        number: usize,
    ) -> Result<Option<(Option<Value>, String)>, String> {
        if field.computed.is_some()
            || field.keys_of().is_some()
            || field.ty == FieldType::Password && field.optional
        {
            return Ok(None);
        }
        let is_me = |column: &str| {
            let accounts = self.schema.accounts.as_ref().map(|accounts| accounts.resource);
            let table = accounts
                .map(|id| self.schema.resource(id).table.clone())
                .unwrap_or_default();
            format!(
                "(SELECT \"{column}\" FROM \"{table}\" WHERE id::text = '{}')",
                who.key
            )
        };
        let candidates = self.candidates(of, field)?;
        let is_for_clients = !field.readonly;
        if is_for_clients && !candidates.is_empty() {
            let value = random.pick(&candidates).clone();
            let kept = sql(&value);
            return Ok(Some((Some(value), kept)));
        }
        if let Some(default) = &field.default {
            return Ok(match default {
                DefaultValue::Me if who.key.is_empty() => Some((None, "NULL".to_owned())),
                DefaultValue::Me => Some((None, format!("'{}'", who.key))),
                DefaultValue::Literal(Of::Text(text)) => Some((None, format!("'{text}'"))),
                DefaultValue::Literal(Of::Integer(number)) => Some((None, number.to_string())),
                DefaultValue::Literal(Of::Boolean(flag)) => Some((None, flag.to_string())),
                DefaultValue::Expression(rule) => rule
                    .source
                    .strip_prefix("me.")
                    .map(|column| (None, is_me(column))),
                _ => None,
            });
        }
        if field.optional
            || self.schema.resource(of.resource).key.fields == [of] && field.ty == FieldType::Bigint
        {
            return Ok(None);
        }
        Ok(match &field.ty {
            FieldType::Integer | FieldType::Bigint => Some((Some(json!(7)), "7".to_owned())),
            FieldType::String | FieldType::Text | FieldType::Slug | FieldType::Password => {
                let text = format!("made-{number}");
                Some((Some(json!(text)), format!("'{text}'")))
            }
            FieldType::Email => {
                let text = format!("made-{number}@example.com");
                Some((Some(json!(text)), format!("'{text}'")))
            }
            _ => None,
        })
    }
}

fn is_told(line: &str) -> bool {
    let state = line.split(' ').next().unwrap_or_default();
    state.len() == 5
        && state
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn sql(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        other => other.to_string(),
    }
}

/// Printed once more, over the columns that the database has.
fn again() -> Result<(), String> {
    let cluster = Cluster::start()?;
    let mut stage = Stage::new(&cluster, "rules")?;
    let count = |stage: &Stage<'_>| stage.ask("SELECT count(*) FROM project");
    let before = count(&stage)?;
    let (file, location) = (stage.place.schema.display().to_string(), stage.place.location());
    let sql = printed(&["access", &file, "--rls", "--database", &location])?;
    cluster.sql(&stage.place.database_name(), &sql)?;
    if before != count(&stage)? || before.trim() == "0" {
        return Err(format!("the owner sees other rows than the {before} before"));
    }
    for mut who in stage.everybody()? {
        for index in 0..stage.schema.resources.len() {
            let id = ResourceId(u32::try_from(index).unwrap_or(u32::MAX));
            stage.reads(id, &mut who)?;
        }
    }
    stage.server.stop().map(drop)
}

fn unprinted() -> Result<(), String> {
    let place = Place::named("rules")?;
    let text = std::fs::read_to_string(&place.schema).map_err(|e| e.to_string())?;
    let file = place.schema.display().to_string();
    let location = place.location();
    let other = place.folder.path().join("other.db");
    for location in [location, other.display().to_string()] {
        match printed(&["access", &file, "--rls", "--database", &location]) {
            Err(told) if told.contains("PostgreSQL's") => {}
            other => return Err(format!("{other:?}")),
        }
    }
    if other.exists() {
        return Err("a database was made".to_owned());
    }
    std::fs::write(&place.schema, text.replace("managed: true", "managed: false"))
        .map_err(|e| e.to_string())?;
    match printed(&["access", &file, "--rls"]) {
        Err(told) if told.contains("name the database") => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
