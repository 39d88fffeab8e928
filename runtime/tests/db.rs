//! Rows as structs: the same rules, checks and answers as by HTTP, for a caller or for the program itself.
#![allow(missing_docs)]

use rest_runtime::problem::Code;
use rest_runtime::types::{Decimal, Json, ManyToMany, Password, Timestamp, Uuid};
use rest_runtime::{Caller, RestEnum, RestResource, RestService, Service, Tx, test};
use serde_json::json;

#[derive(Debug, RestResource)]
#[rest(access(read = public, create = public, update = "id = me.id"))]
struct User {
    id: i64,
    #[rest(length = 1..=20, unique)]
    username: String,
    #[rest(length = 3..=40)]
    password: Password,
    #[rest(default = false, private)]
    is_admin: bool,
    #[rest(computed = "count(posts)")]
    post_count: i64,
}

#[derive(RestEnum, Debug, Clone, Copy, PartialEq)]
enum Status {
    Draft,
    Published,
}

#[derive(Debug, RestResource)]
#[rest(access(read = "status = 'published' or author_id = me.id", create = authenticated, change = "author_id = me.id"))]
struct Post {
    id: i64,
    #[rest(length = 1..=100, filterable, sortable)]
    title: String,
    #[rest(default = Draft, filterable)]
    status: Status,
    #[rest(default = 0, readonly)]
    views: i32,
    #[rest(precision = 8, scale = 2)]
    price: Option<Decimal>,
    data: Option<Json>,
    #[rest(default = now, readonly)]
    created_at: Timestamp,
    #[rest(belongs_to = User, inverse = posts, default = me, readonly)]
    author_id: i64,
    #[rest(inverse = posts)]
    #[allow(dead_code)]
    tags: ManyToMany<Tag>,
}

#[derive(Debug, RestResource)]
#[rest(key = name, access(read = public, create = public))]
struct Tag {
    #[rest(type = slug)]
    name: String,
}

#[derive(Debug, RestResource)]
#[rest(key(post, place), access(read = public, create = public, change = public))]
struct Line {
    #[rest(belongs_to = Post, inverse = lines)]
    post_id: i64,
    place: i32,
    mark: Uuid,
    #[rest(belongs_to = Line)]
    next: Option<(i64, i32)>,
}

#[derive(RestService)]
#[rest(name = "blog", accounts(resource = User, identify_by(username), password = password))]
#[allow(dead_code)]
struct Blog {
    users: User,
    posts: Post,
    tags: Tag,
    lines: Line,
}

async fn api() -> test::Api {
    let builder = Service::build::<Blog>().expect("a schema");
    builder.test().await.expect("a service")
}

fn code<T: std::fmt::Debug>(result: Result<T, rest_runtime::Problem>) -> Code {
    result.expect_err("a refusal").code()
}

#[tokio::test]
async fn what_is_inserted_is_whole() {
    let api = api().await;
    let db = api.service().db();
    let all = db.unrestricted();
    let susan = all
        .insert([
            User::USERNAME.set("susan"),
            User::PASSWORD.set("secret"),
            User::IS_ADMIN.set(true),
        ])
        .await
        .expect("an account");
    assert_eq!(
        (
            susan.id,
            susan.username.as_str(),
            susan.is_admin,
            susan.post_count
        ),
        (1, "susan", true, 0)
    );
    let post = all
        .insert([
            Post::TITLE.set("Hello"),
            Post::AUTHOR_ID.set(susan.id),
            Post::VIEWS.set(7),
            Post::STATUS.set(Status::Published),
            Post::PRICE.set(Decimal::new(1250, 2)),
            Post::DATA.set(json!({"a": [1, null]})),
        ])
        .await
        .expect("a post");
    assert_eq!(
        (post.title.as_str(), post.views, post.status),
        ("Hello", 7, Status::Published)
    );
    assert_eq!(
        post.price.map(|price| price.to_string()),
        Some("12.50".to_owned())
    );
    assert_eq!(post.data, Some(json!({"a": [1, null]})));
    assert!(post.created_at <= Timestamp::now());
    let again = all.get::<Post>(post.id).await.expect("a read").expect("a post");
    assert_eq!(again.created_at, post.created_at);
    let susan = all
        .get::<User>(susan.id)
        .await
        .expect("a read")
        .expect("an account");
    assert_eq!(susan.post_count, 1);
    assert!(all.get::<Post>(99).await.expect("a read").is_none());
    // A password given plain was hashed: it signs in.
    let credentials = json!({"identifier": "susan", "password": "secret"});
    assert_eq!(api.anonymous().post("/api/tokens", credentials).await.status, 201);
}

#[tokio::test]
async fn a_hash_is_kept_as_it_is() {
    let api = api().await;
    let db = api.service().db();
    let all = db.unrestricted();
    let susan = all
        .insert([User::USERNAME.set("susan"), User::PASSWORD.set("secret")])
        .await
        .expect("susan");
    let david = [User::USERNAME.set("david"), User::PASSWORD.set(susan.password)];
    all.insert(david).await.expect("david");
    let hashed = db.hash("other").await.expect("a hash");
    all.insert([User::USERNAME.set("mary"), User::PASSWORD.set(hashed)])
        .await
        .expect("mary");
    for (name, password, status) in [
        ("david", "secret", 201),
        ("mary", "other", 201),
        ("mary", "secret", 401),
    ] {
        let credentials = json!({"identifier": name, "password": password});
        assert_eq!(
            api.anonymous().post("/api/tokens", credentials).await.status,
            status,
            "{name}"
        );
    }
}

#[tokio::test]
async fn rules_hold_for_callers() {
    let api = api().await;
    let susan = api.account(json!({"username": "susan"})).await;
    let david = api.account(json!({"username": "david"})).await;
    let (susan, david) = (susan.caller().await, david.caller().await);
    let db = api.service().db();
    let hers = db.as_caller(&susan);
    let post = hers.insert([Post::TITLE.set("Mine")]).await.expect("a post");
    assert_eq!(post.author_id, 1, "default: me");
    assert_eq!(
        db.me::<User>(&susan)
            .await
            .expect("a read")
            .expect("susan")
            .username,
        "susan"
    );

    let his = db.as_caller(&david);
    assert!(
        his.get::<Post>(post.id).await.expect("a read").is_none(),
        "a draft is hidden"
    );
    assert_eq!(
        code(his.update(post.id, [Post::TITLE.set("x")]).await),
        Code::NotFound
    );
    let published = hers
        .update(post.id, [Post::STATUS.set(Status::Published)])
        .await
        .expect("published");
    assert_eq!(
        (published.status, published.title.as_str()),
        (Status::Published, "Mine")
    );
    assert!(his.get::<Post>(post.id).await.expect("a read").is_some());
    assert_eq!(
        code(his.update(post.id, [Post::TITLE.set("x")]).await),
        Code::Forbidden
    );
    assert_eq!(code(his.delete::<Post>(post.id).await), Code::Forbidden);

    let nobody = db.as_caller(&Caller::anonymous());
    assert_eq!(
        code(nobody.insert([Post::TITLE.set("x")]).await),
        Code::Unauthenticated
    );
    let views = [Post::TITLE.set("x"), Post::VIEWS.set(1000)];
    let refused = hers.insert(views).await.expect_err("a read-only field");
    assert_eq!(refused.all_faults().len(), 1, "{refused}");
    assert_eq!(
        code(
            hers.insert([
                User::USERNAME.set("x"),
                User::PASSWORD.set("xyz"),
                User::IS_ADMIN.set(true)
            ])
            .await
        ),
        Code::Invalid
    );
    hers.delete::<Post>(post.id).await.expect("deleted");
    assert_eq!(code(hers.delete::<Post>(post.id).await), Code::NotFound);
}

#[tokio::test]
async fn limits_hold_for_all() {
    let api = api().await;
    let db = api.service().db();
    let all = db.unrestricted();
    let refused = all
        .insert([Post::TITLE.set("")])
        .await
        .expect_err("too short, and nobody's");
    let told: Vec<_> = refused
        .all_faults()
        .iter()
        .map(|fault| fault.code.to_string())
        .collect();
    assert_eq!(
        (refused.code(), told),
        (Code::Invalid, vec!["required".to_owned(), "too-short".to_owned()])
    );
    let orphan = all.insert([Post::TITLE.set("x"), Post::AUTHOR_ID.set(9)]).await;
    assert_eq!(code(orphan), Code::Conflict);
    all.insert([Tag::NAME.set("rust")]).await.expect("a tag");
    assert_eq!(code(all.insert([Tag::NAME.set("rust")]).await), Code::Conflict);
    assert_eq!(
        code(all.update("rust", [Tag::NAME.set("other")]).await),
        Code::Invalid,
        "a key stays"
    );
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_counted() {
    let api = api().await;
    let susan = api.account(json!({"username": "susan"})).await;
    let david = api.account(json!({"username": "david"})).await;
    for (title, author, status, price) in [
        ("a", &susan, "published", Some("1.00")),
        ("b", &susan, "draft", None),
        ("c", &david, "published", Some("3.00")),
        ("d", &david, "draft", Some("4.00")),
    ] {
        let row = json!({"title": title, "author_id": author.key(), "status": status, "price": price});
        api.insert("Post", row).await;
    }
    let db = api.service().db();
    let all = db.unrestricted();
    let titles = |posts: Vec<Post>| posts.into_iter().map(|post| post.title).collect::<String>();
    let list = || all.list::<Post>();
    for (found, expected) in [
        (list(), "abcd"),
        (list().sort(Post::TITLE.desc()), "dcba"),
        (list().filter(Post::STATUS.eq(Status::Published)), "ac"),
        (list().filter(Post::TITLE.is_in(["a", "d", "x"])), "ad"),
        (list().filter(Post::TITLE.not_in(["a", "d"])), "bc"),
        (
            list().filter(Post::TITLE.ne("a")).filter(Post::TITLE.lt("d")),
            "bc",
        ),
        (list().filter(Post::TITLE.starts_with("c")), "c"),
        (list().filter(Post::PRICE.is_null()), "b"),
        (list().filter(Post::PRICE.eq(None)), "b"),
        (list().filter(Post::PRICE.gte(Decimal::new(3, 0))), "cd"),
        (list().query("author.username=susan&sort=-title"), "ba"),
        (
            list()
                .query("author.username=susan")
                .sort(Post::TITLE.asc())
                .limit(1),
            "a",
        ),
        (
            list()
                .sort(Post::AUTHOR_ID.desc())
                .sort(Post::TITLE.desc())
                .limit(3),
            "dcb",
        ),
    ] {
        assert_eq!(titles(found.all().await.expect("posts")), expected);
    }
    assert_eq!(
        list()
            .filter(Post::AUTHOR_ID.eq(1))
            .limit(1)
            .count()
            .await
            .expect("a number"),
        2
    );
    assert_eq!(list().query("limit=1").all().await.expect("posts").len(), 1);
    let first = list().sort(Post::TITLE.desc()).first().await.expect("a read");
    assert_eq!(first.map(|post| post.title), Some("d".to_owned()));
    let susan = susan.caller().await;
    let hers = db.as_caller(&susan);
    assert_eq!(titles(hers.list().all().await.expect("posts")), "abc");
    assert_eq!(hers.list::<Post>().count().await.expect("a number"), 3);
    assert_eq!(
        code(list().query("nothing=1").all().await),
        Code::UnknownParameter
    );
    assert_eq!(code(list().query("fields=title").all().await), Code::BadValue);
    let computed = all
        .list::<User>()
        .filter(User::POST_COUNT.gt(1))
        .all()
        .await
        .expect_err("computed");
    assert!(
        computed
            .cause()
            .unwrap_or_default()
            .contains("User.post_count is computed"),
        "{computed:?}"
    );
}

#[tokio::test]
async fn composite_keys_are_tuples() {
    let api = api().await;
    api.account(json!({"username": "susan"})).await;
    api.insert("Post", json!({"title": "x", "author_id": 1})).await;
    let db = api.service().db();
    let all = db.unrestricted();
    let line = |place: i32, next: Option<(i64, i32)>| {
        [
            Line::POST_ID.set(1),
            Line::PLACE.set(place),
            Line::MARK.set(Uuid::nil()),
            Line::NEXT.set(next),
        ]
    };
    all.insert(line(2, None)).await.expect("a line");
    let first = all.insert(line(1, Some((1, 2)))).await.expect("a line");
    assert_eq!(
        (first.post_id, first.place, first.mark, first.next),
        (1, 1, Uuid::nil(), Some((1, 2)))
    );
    let next = all
        .list::<Line>()
        .filter(Line::NEXT.eq((1, 2)))
        .all()
        .await
        .expect("lines");
    assert_eq!(next.len(), 1);
    let last = all
        .list::<Line>()
        .filter(Line::NEXT.is_null())
        .all()
        .await
        .expect("lines");
    assert_eq!(last[0].place, 2);
    all.update::<Line>((1i64, 1), [Line::NEXT.set(None)])
        .await
        .expect("changed");
    all.delete::<Line>((1i64, 2)).await.expect("deleted");
    assert_eq!(all.list::<Line>().count().await.expect("a number"), 1);
}

#[tokio::test]
async fn a_transaction_is_done_whole_or_not_at_all() {
    let api = api().await;
    let susan = api.account(json!({"username": "susan"})).await.caller().await;
    let db = api.service().db();
    let made = db.transaction(&susan, async |tx: &mut Tx| {
        let post = tx.as_caller().insert([Post::TITLE.set("a")]).await?;
        tx.as_caller().update(post.id, [Post::TITLE.set("b")]).await?;
        tx.unrestricted()
            .insert([
                Line::POST_ID.set(post.id),
                Line::PLACE.set(1),
                Line::MARK.set(Uuid::nil()),
            ])
            .await?;
        tx.as_caller().get::<Post>(post.id).await
    });
    let made = made.await.expect("done").expect("a post");
    assert_eq!((made.title.as_str(), made.author_id), ("b", 1));

    let all = db.unrestricted();
    let refused = db.transaction(&susan, async |tx: &mut Tx| {
        tx.as_caller().insert([Post::TITLE.set("never")]).await?;
        tx.as_caller().insert([Post::TITLE.set("")]).await.map(drop)
    });
    assert_eq!(code(refused.await), Code::Invalid);
    let waits = db.transaction(&susan, async |tx: &mut Tx| {
        tx.as_caller().insert([Post::TITLE.set("never")]).await?;
        tokio::task::yield_now().await;
        Ok(())
    });
    let cause = waits.await.expect_err("it waits").cause().unwrap_or_default();
    assert!(
        cause.contains("waits for something other than its transaction"),
        "{cause}"
    );
    assert_eq!(all.list::<Post>().count().await.expect("a number"), 1);

    // Nobody writes between the reading and the writing.
    let add = || {
        db.transaction(&susan, async |tx: &mut Tx| {
            let post = tx.unrestricted().get::<Post>(1).await?.ok_or(Code::NotFound)?;
            tx.unrestricted()
                .update(1, [Post::VIEWS.set(post.views + 1)])
                .await
                .map(drop)
        })
    };
    let (a, b, c) = tokio::join!(add(), add(), add());
    a.and(b).and(c).expect("three views");
    assert_eq!(
        all.get::<Post>(1).await.expect("a read").map(|post| post.views),
        Some(3)
    );
}

#[derive(Debug, RestResource)]
#[rest(name = "Post", access(read = public))]
#[allow(dead_code)]
struct Other {
    id: Uuid,
    title: i64,
    author_id: String,
    #[rest(belongs_to = User)]
    owner_id: i64,
    price: bool,
}

#[tokio::test]
async fn every_mismatch_is_told_with_its_field() {
    let builder = Service::build::<Blog>().expect("a schema").resource::<Other>();
    let error = builder.test().await.expect_err("another struct");
    assert!(error.is_misfit());
    insta::assert_snapshot!(error);
}
