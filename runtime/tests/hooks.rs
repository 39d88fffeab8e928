//! A program's own code in writes: what it sees, what it may do, and what becomes of a write in which it fails.
#![allow(missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use rest_runtime::problem::{Code, Problem};
use rest_runtime::schema::Operation;
use rest_runtime::types::{ManyToMany, Password, Uuid};
use rest_runtime::{Change, Draft, Hooks, RestResource, RestService, Service, Tx, test};
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Debug, RestResource)]
#[rest(access(read = public, create = public, update = "id = me.id"))]
struct User {
    id: i64,
    #[rest(length = 1..=20, unique)]
    name: String,
    #[rest(length = 3..=40)]
    password: Password,
    #[rest(computed = "count(notes)")]
    note_count: i64,
}

#[derive(Debug, Clone, RestResource)]
#[rest(access(read = public, create = public, change = public))]
struct Note {
    id: i64,
    #[rest(length = 1..=20)]
    text: String,
    #[rest(length = 1..=20, readonly, default = "none")]
    slug: String,
    #[rest(belongs_to = User, inverse(name = notes, nested))]
    owner_id: Option<i64>,
}

/// What happened to notes.
#[derive(Debug, RestResource)]
#[rest(collection = "log", access(read = public))]
struct Entry {
    id: i64,
    text: String,
}

/// Its key is the client's to choose, so PUT may make one.
#[derive(Debug, RestResource)]
#[rest(key(type = uuid, by_client), access(read = public, create = public, change = public))]
struct Label {
    id: Uuid,
    text: String,
    #[rest(private, default = "")]
    folded: String,
    #[rest(through = Mark, inverse = labels)]
    notes: ManyToMany<Note>,
}

/// The pairs of labels and notes.
#[derive(Debug, RestResource)]
#[rest(unique(label, note), access(read = public, create = public, change = public))]
struct Mark {
    id: i64,
    #[rest(default = "")]
    text: String,
    #[rest(belongs_to = Label)]
    label_id: Uuid,
    #[rest(belongs_to = Note)]
    note_id: i64,
}

#[derive(RestService)]
#[rest(name = "notes", accounts(resource = User, identify_by(name), password = password))]
#[allow(dead_code)]
struct Notes {
    users: User,
    notes: Note,
    entries: Entry,
    labels: Label,
    marks: Mark,
}

async fn api(hooks: impl Hooks<Note>) -> test::Api {
    let builder = Service::build::<Notes>().expect("a schema").hooks(hooks);
    builder.test().await.expect("a service")
}

async fn make(api: &test::Api, text: &str) -> test::Answer {
    api.anonymous().post("/api/notes", json!({ "text": text })).await
}

async fn texts(api: &test::Api, collection: &str) -> Vec<String> {
    let list = api.anonymous().get(format!("/api/{collection}?sort=id")).await;
    let items = list.body["items"].as_array().cloned().unwrap_or_default();
    let text = |item: &Value| item["text"].as_str().unwrap_or_default().to_owned();
    items.iter().map(text).collect()
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn add(&self, what: impl Into<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(what.into());
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Gives notes a slug; refuses some.
struct Slugs;

impl Hooks<Note> for Slugs {
    async fn prepare(&self, draft: &mut Draft<Note>) -> Result<(), Problem> {
        // Anything may be waited for here.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let Some(text) = draft.get(Note::TEXT) else {
            return Ok(());
        };
        if text == "spam" {
            return Err(Problem::new(Code::Conflict).detail("no spam here"));
        }
        if text == "taken" && draft.db().unrestricted().list::<Note>().count().await? > 0 {
            return Err(Problem::new(Code::Conflict));
        }
        draft.set(Note::SLUG.set(text.replace(' ', "-")))
    }
}

#[tokio::test]
async fn prepare_changes_what_is_written() {
    let api = api(Slugs).await;
    let made = make(&api, "a b").await;
    assert_eq!(
        (made.status, &made.body["slug"]),
        (201, &json!("a-b")),
        "{made:?}"
    );
    let nobody = api.anonymous();
    let changed = nobody.patch("/api/notes/1", json!({"text": "c d"})).await;
    assert_eq!(
        changed.body["slug"], "c-d",
        "a read-only field, by the program: {changed:?}"
    );
    let changed = nobody.put("/api/notes/1", json!({"text": "e f"})).await;
    assert_eq!(changed.body["slug"], "e-f");
    let both = nobody
        .post("/api/notes", json!([{"text": "x y"}, {"text": "z"}]))
        .await;
    assert_eq!(both.body["items"][0]["slug"], "x-y", "{both:?}");
    let refused = make(&api, "spam").await;
    assert_eq!(
        (refused.status, &refused.body["detail"]),
        (409, &json!("no spam here"))
    );
    assert_eq!(make(&api, "taken").await.status, 409);
    let note = api
        .service()
        .db()
        .unrestricted()
        .insert([Note::TEXT.set("g h")])
        .await;
    assert_eq!(note.expect("a note").slug, "g-h", "who writes doesn't matter");
    assert_eq!(texts(&api, "notes").await, ["e f", "x y", "z", "g h"]);
}

struct Fold(Seen);

impl Hooks<Label> for Fold {
    async fn prepare(&self, draft: &mut Draft<Label>) -> Result<(), Problem> {
        self.0
            .add(format!("{:?} {}", draft.operation(), draft.key().is_some()));
        let text = draft.get(Label::TEXT).unwrap_or_default();
        draft.set(Label::FOLDED.set(text.to_lowercase()))
    }

    async fn committed(&self, change: Change<Label>) {
        let folded = change.after.map(|label| label.folded).unwrap_or_default();
        self.0.add(format!("{:?} {folded}", change.operation));
    }
}

#[tokio::test]
async fn a_put_that_creates_is_prepared_like_one_that_changes() {
    let seen = Seen::default();
    let builder = Service::build::<Notes>()
        .expect("a schema")
        .hooks(Fold(seen.clone()));
    let api = builder.test().await.expect("a service");
    let nobody = api.anonymous();
    let address = format!("/api/labels/{}", Uuid::from_u128(7));
    for (text, status) in [("One", 201), ("Two", 200)] {
        let put = nobody.put(&address, json!({"text": text})).await;
        assert_eq!(put.status, status, "{put:?}");
    }
    assert_eq!(
        seen.take(),
        ["Update true", "Create one", "Update true", "Update two"]
    );
}

struct Upper(Seen);

impl Hooks<Mark> for Upper {
    async fn prepare(&self, draft: &mut Draft<Mark>) -> Result<(), Problem> {
        self.0
            .add(format!("prepare {:?} {:?}", draft.operation(), draft.key()));
        if draft.operation() == Operation::Delete {
            return Ok(());
        }
        let text = draft.get(Mark::TEXT).unwrap_or_default();
        draft.set(Mark::TEXT.set(text.to_uppercase()))
    }

    async fn committed(&self, change: Change<Mark>) {
        let text = change.value(Mark::TEXT);
        self.0.add(format!("committed {:?} {text:?}", change.operation));
    }
}

#[tokio::test]
async fn a_pair_that_is_an_item_has_its_hooks_at_its_own_address_too() {
    let seen = Seen::default();
    let builder = Service::build::<Notes>()
        .expect("a schema")
        .hooks(Upper(seen.clone()));
    let api = builder.test().await.expect("a service");
    let nobody = api.anonymous();
    let label = Uuid::from_u128(7);
    nobody
        .put(format!("/api/labels/{label}"), json!({"text": "red"}))
        .await;
    make(&api, "one").await;
    let pair = format!("/api/labels/{label}/notes/1");
    for text in ["a", "b"] {
        let put = nobody.put(&pair, json!({"text": text})).await;
        assert_eq!(put.status, 204, "{put:?}");
    }
    assert_eq!(texts(&api, "marks").await, ["B"]);
    assert_eq!(nobody.delete(&pair).await.status, 204);
    assert_eq!(nobody.delete(&pair).await.status, 204);
    assert_eq!(
        seen.take(),
        [
            "prepare Update None",
            "committed Create Some(\"A\")",
            "prepare Update Some(1)",
            "committed Update Some(\"B\")",
            "prepare Delete Some(1)",
            "committed Delete None",
            "prepare Delete None",
        ]
    );
}

struct TooLong;

impl Hooks<Note> for TooLong {
    async fn prepare(&self, draft: &mut Draft<Note>) -> Result<(), Problem> {
        draft.set(Note::SLUG.set("a slug that is longer than twenty characters"))
    }
}

#[tokio::test]
async fn what_prepare_sets_is_within_the_limits() {
    let api = api(TooLong).await;
    let refused = make(&api, "x").await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.body["errors"][0]["pointer"], "/slug");
}

/// Tells what it sees.
struct Watch(Seen);

impl Watch {
    fn tell(&self, moment: &str, change: &Change<Note>) {
        let text = |note: &Option<Note>| note.as_ref().map(|note| note.text.clone());
        self.0.add(format!(
            "{moment} {:?} {:?} -> {:?} ({:?})",
            change.operation,
            text(&change.before),
            text(&change.after),
            change.value(Note::TEXT),
        ));
    }
}

impl Hooks<Note> for Watch {
    async fn prepare(&self, draft: &mut Draft<Note>) -> Result<(), Problem> {
        self.0.add(format!(
            "prepare {:?} {:?} {:?}",
            draft.operation(),
            draft.key(),
            draft.get(Note::TEXT)
        ));
        Ok(())
    }

    async fn before(&self, _: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        self.tell("before", change);
        Ok(())
    }

    async fn within(&self, _: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        self.tell("within", change);
        Ok(())
    }

    async fn committed(&self, change: Change<Note>) {
        self.tell("committed", &change);
        tokio::task::yield_now().await;
        self.0.add("told");
        assert_ne!(
            change.value(Note::TEXT).as_deref(),
            Some("panic"),
            "too late to matter"
        );
    }
}

#[tokio::test]
async fn hooks_see_the_row_before_and_after() {
    let seen = Seen::default();
    let api = api(Watch(seen.clone())).await;
    let nobody = api.anonymous();
    make(&api, "one").await;
    nobody.patch("/api/notes/1", json!({"text": "two"})).await;
    nobody.patch("/api/notes/1", json!({"text": "two"})).await;
    nobody.delete("/api/notes/1").await;
    insta::assert_snapshot!(seen.take().join("\n"));
    assert_eq!(make(&api, "panic").await.status, 201, "what is committed stands");
    assert_eq!(make(&api, "").await.status, 422);
    assert_eq!(seen.take().len(), 5, "what is refused anyway isn't shown");
}

#[tokio::test]
async fn hooks_see_each_of_all_that_match() {
    let seen = Seen::default();
    let api = api(Watch(seen.clone())).await;
    let nobody = api.anonymous();
    for text in ["one", "two", "three"] {
        make(&api, text).await;
    }
    seen.take();
    let matching = "/api/notes?id[in]=1,3&max_affected=2";
    let changed = nobody.patch(matching, json!({"text": "same"})).await;
    assert_eq!(changed.body, json!({ "affected": 2 }));
    assert_eq!(nobody.delete(matching).await.body, json!({ "affected": 2 }));
    insta::assert_snapshot!(seen.take().join("\n"));
    let refused = nobody
        .patch("/api/notes?id=2&max_affected=1", json!({"text": ""}))
        .await;
    assert_eq!(
        (refused.status, seen.take().len()),
        (422, 0),
        "what is refused anyway isn't shown"
    );
}

#[tokio::test]
async fn hooks_see_what_is_made_along_with_another_item() {
    let seen = Seen::default();
    let api = api(Watch(seen.clone())).await;
    let nobody = api.anonymous();
    let user = |name: &str, notes: Value| json!({"name": name, "password": "secret", "notes": notes});
    let notes = json!([{"text": "one"}, {"text": "two"}]);
    let made = nobody.post("/api/users", user("susan", notes)).await;
    assert_eq!((made.status, &made.body["note_count"]), (201, &json!(2)));
    insta::assert_snapshot!(seen.take().join("\n"));
    let taken = nobody
        .post("/api/users", user("susan", json!([{"text": "three"}])))
        .await;
    assert_eq!(taken.status, 409);
    let told = seen.take();
    assert!(
        told.iter().all(|told| told.starts_with("prepare")),
        "nothing was made: {told:?}"
    );
    assert_eq!(texts(&api, "notes").await, ["one", "two"]);
    nobody.post("/api/users", user("miguel", json!([]))).await;
    assert_eq!(seen.take(), Vec::<String>::new(), "there is nothing to see");
}

/// Keeps a log in the same transaction, and refuses or fails by what a note says.
struct Log(Arc<AtomicUsize>);

impl Hooks<Note> for Log {
    async fn within(&self, tx: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let all = tx.unrestricted();
        let text = change.value(Note::TEXT).unwrap_or_else(|| "deleted".to_owned());
        all.insert([Entry::TEXT.set(text.as_str())]).await?;
        match text.as_str() {
            "refuse" => Err(Problem::new(Code::Conflict).detail("refused")),
            "panic" => panic!("a note that makes the hook panic"),
            "sleep" => {
                tokio::time::sleep(Duration::from_secs(3_600)).await;
                Ok(())
            }
            "yield" => {
                tokio::task::yield_now().await;
                Ok(())
            }
            "wait" => {
                let (kept, other) = tokio::sync::oneshot::channel::<()>();
                other.await.map_err(Problem::internal)?;
                drop(kept);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn a_hook_that_fails_undoes_its_own_write_and_no_other() {
    let api = api(Log(Arc::default())).await;
    let api = &api;
    let write = |text: &'static str| make(api, text);
    let (kept, panicked, refused, slept, yielded, waited, also) = tokio::join!(
        write("kept"),
        write("panic"),
        write("refuse"),
        write("sleep"),
        write("yield"),
        write("wait"),
        write("also")
    );
    let answers = [kept, panicked, refused, slept, yielded, waited, also];
    assert_eq!(
        answers.each_ref().map(|answer| answer.status),
        [201, 500, 409, 500, 500, 500, 201]
    );
    assert_eq!(answers[1].body["code"], "internal");
    for answer in &answers {
        let told = answer.body.to_string();
        assert!(
            !told.contains("a note that") && !told.contains("Log"),
            "nothing internal is told: {told}"
        );
    }
    assert_eq!(texts(api, "notes").await, ["kept", "also"]);
    assert_eq!(texts(api, "log").await, ["kept", "also"]);
}

#[tokio::test]
async fn a_hook_that_waits_for_something_else_is_named() {
    let api = api(Log(Arc::default())).await;
    let db = api.service().db();
    let all = db.unrestricted();
    for text in ["sleep", "yield", "wait"] {
        let refused = all.insert([Note::TEXT.set(text)]).await.expect_err("it waits");
        assert_eq!(
            (refused.code(), refused.cause().as_deref()),
            (
                Code::Internal,
                Some(
                    "the hook `within` by hooks::Log of Note waits for something other than its transaction"
                )
            )
        );
    }
    let panicked = all
        .insert([Note::TEXT.set("panic")])
        .await
        .expect_err("it panics");
    assert_eq!(
        panicked.cause().as_deref(),
        Some("the hook `within` by hooks::Log of Note panicked: a note that makes the hook panic")
    );
    assert_eq!(texts(&api, "notes").await, [""; 0]);
}

#[tokio::test]
async fn a_batch_that_lost_its_transaction_runs_its_hooks_again() {
    // A batch takes no further write once it has taken its time, so on a busy machine the writes may not be one.
    for _ in 0..20 {
        if a_batch_loses_its_transaction().await > 3 {
            return;
        }
    }
    panic!("no hook ran twice");
}

/// How often the hook ran for the three writes that stand.
async fn a_batch_loses_its_transaction() -> usize {
    let runs = Arc::new(AtomicUsize::new(0));
    let told = Seen::default();
    let builder = Service::build::<Notes>().expect("a schema");
    let builder = builder.hooks(Log(Arc::clone(&runs))).hooks(Watch(told.clone()));
    let api = &builder.test().await.expect("a service");
    let lock = rusqlite::Connection::open(api.directory().join("data.db")).expect("the database");
    lock.execute_batch(
        "CREATE TRIGGER no BEFORE INSERT ON note WHEN new.text = 'rollback' BEGIN SELECT RAISE(ROLLBACK, 'no'); END;
         BEGIN IMMEDIATE",
    )
    .expect("a trigger");
    // Queued while the writer is held up with the one that it has taken.
    let first = tokio::spawn(made(api.clone(), "first"));
    let second = tokio::spawn(made(api.clone(), "first"));
    waiting(api, 1).await;
    let lost = tokio::spawn(made(api.clone(), "rollback"));
    waiting(api, 2).await;
    let last = tokio::spawn(made(api.clone(), "last"));
    waiting(api, 3).await;
    lock.execute_batch("COMMIT").expect("an end");
    for made in [first, second, last] {
        let made = made.await.expect("an answer");
        assert_eq!(made.status, 201, "{made:?}");
    }
    let lost = lost.await.expect("an answer");
    assert!(lost.status >= 400, "{lost:?}");
    assert_eq!(texts(api, "notes").await, ["first", "first", "last"]);
    assert_eq!(texts(api, "log").await, ["first", "first", "last"]);
    let told = told.take();
    let committed = told.iter().filter(|line| line.starts_with("committed"));
    assert_eq!(committed.count(), 3, "told once: {told:?}");
    runs.load(Ordering::Relaxed)
}

async fn made(api: test::Api, text: &'static str) -> test::Answer {
    make(&api, text).await
}

/// Waits until this many writes wait for the writer.
async fn waiting(api: &test::Api, writes: usize) {
    let admin = api.service().admin_router();
    let wanted = format!("write_queue{{database=\"data\"}} {writes}\n");
    loop {
        let asked = Request::get("/metrics").body(Body::empty()).expect("a request");
        let answer = admin.clone().oneshot(asked).await.expect("an answer");
        let told = to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        if String::from_utf8_lossy(&told).contains(&wanted) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// A note that is made makes the next one.
struct Chain;

impl Hooks<Note> for Chain {
    async fn within(&self, tx: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        let Some(left) = change
            .after
            .as_ref()
            .and_then(|note| note.text.parse::<u32>().ok())
        else {
            return Ok(());
        };
        if left > 0 {
            let next = (left - 1).to_string();
            tx.unrestricted().insert([Note::TEXT.set(next)]).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn writes_within_writes_have_hooks_too_and_an_end() {
    let api = api(Chain).await;
    assert_eq!(make(&api, "3").await.status, 201);
    assert_eq!(texts(&api, "notes").await, ["3", "2", "1", "0"]);
    let db = api.service().db();
    let refused = db
        .unrestricted()
        .insert([Note::TEXT.set("100")])
        .await
        .expect_err("too deep");
    let cause = refused.cause().unwrap_or_default();
    assert!(
        cause.contains("hooks write more than 8 deep, at last Note"),
        "{cause}"
    );
    assert_eq!(texts(&api, "notes").await.len(), 4, "all of it is undone");
}

/// Tries what fails, and goes on.
struct Careful(Seen);

impl Hooks<Note> for Careful {
    async fn before(&self, tx: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        if change.operation != Operation::Create || change.value(Note::TEXT).as_deref() != Some("go") {
            return Ok(());
        }
        let inner = tx.as_caller().insert([Note::TEXT.set("refuse")]).await;
        self.0
            .add(format!("{:?}", inner.map_err(|problem| problem.code()).err()));
        let password = [User::NAME.set("eve"), User::PASSWORD.set("secret")];
        let plain = tx.unrestricted().insert(password).await;
        self.0.add(plain.expect_err("plain").cause().unwrap_or_default());
        let count = tx.unrestricted().list::<Note>().count().await?;
        self.0
            .add(format!("{count} notes, new one {:?}", change.after.is_some()));
        Ok(())
    }

    async fn within(&self, tx: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        if change.value(Note::TEXT).as_deref() == Some("refuse") {
            tx.unrestricted().insert([Entry::TEXT.set("never")]).await?;
            return Err(Problem::new(Code::Conflict));
        }
        // What the hook changes is what the answer shows.
        let id = change.after.as_ref().map(|note| note.id).unwrap_or_default();
        if change.operation == Operation::Create {
            tx.unrestricted().update(id, [Note::SLUG.set("late")]).await?;
        }
        Ok(())
    }

    async fn committed(&self, change: Change<Note>) {
        self.0.add(format!(
            "committed {:?} {:?}",
            change.operation,
            change.value(Note::SLUG)
        ));
    }
}

#[tokio::test]
async fn a_write_that_fails_within_another_is_undone_alone() {
    let seen = Seen::default();
    let api = api(Careful(seen.clone())).await;
    let made = make(&api, "go").await;
    assert_eq!(
        (made.status, &made.body["slug"]),
        (201, &json!("late")),
        "{made:?}"
    );
    assert_eq!(texts(&api, "notes").await, ["go"]);
    assert_eq!(texts(&api, "log").await, [""; 0]);
    assert_eq!(
        seen.take(),
        [
            "Some(Conflict)",
            "a password can't be hashed within a write; hash it before, by `Db::hash`",
            "0 notes, new one false",
            "committed Create Some(\"none\")",
            "committed Update Some(\"late\")",
        ]
    );
}

/// Goes around its transaction.
struct Around(Arc<Mutex<Option<rest_runtime::Db>>>);

impl Hooks<Note> for Around {
    async fn within(&self, _: &mut Tx, change: &Change<Note>) -> Result<(), Problem> {
        let db = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let db = db.ok_or(Code::Internal)?;
        match change.value(Note::TEXT).as_deref() {
            Some("read") => db.unrestricted().get::<Note>(1).await.map(drop),
            _ => db
                .unrestricted()
                .insert([Entry::TEXT.set("never")])
                .await
                .map(drop),
        }
    }
}

#[tokio::test]
async fn a_transaction_is_not_gone_around() {
    let db = Arc::new(Mutex::new(None));
    let api = api(Around(Arc::clone(&db))).await;
    *db.lock().unwrap_or_else(PoisonError::into_inner) = Some(api.service().db());
    for text in ["read", "write"] {
        let refused = api
            .service()
            .db()
            .unrestricted()
            .insert([Note::TEXT.set(text)])
            .await;
        let cause = refused.expect_err("it goes around").cause().unwrap_or_default();
        assert!(cause.contains("by its `Tx` only"), "{cause}");
    }
    assert_eq!(texts(&api, "log").await, [""; 0]);
}

/// What is computed of a row is there once the row is.
struct Counts(Seen);

impl Hooks<User> for Counts {
    async fn before(&self, _: &mut Tx, change: &Change<User>) -> Result<(), Problem> {
        let count = |user: &Option<User>| user.as_ref().map(|user| user.note_count);
        self.0
            .add(format!("{:?} {:?}", count(&change.before), count(&change.after)));
        Ok(())
    }

    async fn within(&self, _: &mut Tx, change: &Change<User>) -> Result<(), Problem> {
        let after = change
            .after
            .as_ref()
            .map(|user| (user.note_count, user.name.clone()));
        self.0
            .add(format!("{after:?} by {}", change.caller.is_signed_in()));
        Ok(())
    }
}

#[tokio::test]
async fn what_is_computed_is_known_of_stored_rows() {
    let seen = Seen::default();
    let builder = Service::build::<Notes>()
        .expect("a schema")
        .hooks(Counts(seen.clone()));
    let api = builder.test().await.expect("a service");
    let susan = api.account(json!({"name": "susan"})).await;
    assert_eq!(seen.take(), [""; 0], "what an operator loads meets no hooks");
    api.insert("Note", json!({"text": "x", "owner_id": susan.key()}))
        .await;
    let changed = susan.patch("/api/users/1", json!({"name": "sue"})).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(seen.take(), ["Some(1) None", "Some((1, \"sue\")) by true"]);
}
