//! A lending library among friends: a whole service in one file of structs.
//!
//! ```text
//! cargo run -p example-derive -- --database target/shelf.db
//! ```

use std::process::ExitCode;

use rest_runtime::types::{Date, ManyToMany, Password, Timestamp};
use rest_runtime::{Builder, Report, RestEnum, RestResource, RestService, Service, program};

/// Somebody who lends and borrows.
#[derive(Debug, RestResource)]
#[rest(sort = name, access(read = authenticated, create = public, update = "id = me.id"))]
pub struct Member {
    /// The key.
    pub id: i64,
    /// The name at sign-in, and on the shelf.
    #[rest(length = 2..=30, pattern = r"^[A-Za-z0-9_]+$", unique, example = "susan")]
    pub name: String,
    /// Where to be reached; shown to the member alone.
    #[rest(type = email, unique, readable = "id = me.id")]
    pub email: String,
    /// At sign-in.
    #[rest(length = 8..=200)]
    pub password: Password,
    /// Whether the member may put any book right.
    #[rest(default = false, private)]
    pub is_keeper: bool,
    /// How many books the member owns.
    #[rest(computed = "count(books)")]
    pub book_count: i64,
}

/// What a book is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, RestEnum)]
pub enum Condition {
    /// As from the shop.
    New,
    /// Read with care.
    Good,
    /// Read in the bath.
    Worn,
}

/// A book on somebody's shelf.
#[derive(Debug, RestResource)]
#[rest(sort = title, access(read = public, create = authenticated, change = "owner_id = me.id or me.is_keeper"))]
pub struct Book {
    /// The key.
    pub id: i64,
    /// As on the cover.
    #[rest(length = 1..=200, filterable, sortable)]
    pub title: String,
    /// Who wrote it, as on the cover.
    #[rest(length = 1..=200, filterable)]
    pub author: String,
    /// The day it came out.
    #[rest(range = "1450-01-01..")]
    pub published: Option<Date>,
    /// What it is like.
    #[rest(default = Good, filterable)]
    pub condition: Condition,
    /// Whose it is.
    #[rest(belongs_to = Member, inverse = books, default = me, readonly, on_delete = cascade)]
    pub owner_id: i64,
    /// What it is about.
    #[rest(inverse = books)]
    pub topics: ManyToMany<Topic>,
}

/// What books are about.
#[derive(Debug, RestResource)]
#[rest(key = name, sort = name, access(read = public, create = "me.is_keeper"))]
pub struct Topic {
    /// One or more words, joined by dashes.
    #[rest(type = slug, length = 2..=40)]
    pub name: String,
}

/// A book that somebody borrowed. The owner and the borrower know of it, and nobody else.
#[derive(Debug, RestResource)]
#[rest(sort = -since, index(book, -since))]
#[rest(rules(party = "borrower_id = me.id or book.owner_id = me.id"))]
#[rest(access(read = party, create = "book.owner_id != me.id", update = "book.owner_id = me.id"))]
#[rest(check(in_order(rule = "due > since", message = "it is due after it was lent")))]
pub struct Loan {
    /// The key.
    pub id: i64,
    /// The book.
    #[rest(belongs_to = Book, inverse = loans, immutable, on_delete = cascade)]
    pub book_id: i64,
    /// Who has it.
    #[rest(belongs_to = Member, inverse = loans, default = me, readonly, on_delete = cascade)]
    pub borrower_id: i64,
    /// Since when.
    #[rest(default = now, readonly)]
    pub since: Timestamp,
    /// Until when.
    pub due: Timestamp,
    /// Whether it came back.
    #[rest(default = false)]
    pub returned: bool,
}

/// A lending library among friends.
#[derive(RestService)]
#[rest(name = "shelf", accounts(resource = Member, identify_by(name, email), password = password, admin = "me.is_keeper"))]
pub struct Shelf {
    /// Who lends and borrows.
    pub members: Member,
    /// What there is to lend.
    pub books: Book,
    /// What it is about.
    pub topics: Topic,
    /// What is lent.
    pub loans: Loan,
}

/// The service, not open yet.
///
/// # Errors
///
/// What is wrong with the structs, all at once.
pub fn service() -> Result<Builder, Report> {
    Service::build::<Shelf>()
}

fn main() -> ExitCode {
    program::run(service)
}

#[cfg(test)]
mod tests {
    use rest_runtime::test::Api;
    use serde_json::json;

    async fn api() -> Api {
        let service = super::service().expect("sound structs");
        service.test().await.expect("a service")
    }

    #[tokio::test]
    async fn a_book_is_lent_and_comes_back() {
        let api = api().await;
        let susan = api
            .account(json!({"name": "susan", "email": "susan@example.com"}))
            .await;
        let david = api
            .account(json!({"name": "david", "email": "david@example.com"}))
            .await;
        let mary = api
            .account(json!({"name": "mary", "email": "mary@example.com"}))
            .await;
        api.insert("Topic", json!({"name": "whales"})).await;
        let book = json!({"title": "Moby-Dick", "author": "Herman Melville", "owner_id": susan.key(), "topics": ["whales"]});
        let book = api.insert("Book", book).await;

        let lent = json!({"book_id": book, "due": "2100-01-01T00:00:00Z"});
        assert_eq!(
            susan.post("/api/loans", &lent).await.status,
            403,
            "one's own book isn't borrowed"
        );
        let made = david.post("/api/loans", &lent).await;
        assert_eq!((made.status, &made.body["borrower_id"]), (201, david.key()));
        let loan = made.header("location");
        let early = json!({"due": "1999-01-01T00:00:00Z"});
        let refused = susan.patch(loan, &early).await;
        assert_eq!(
            (refused.status, refused.body["errors"][0]["code"].as_str()),
            (422, Some("in_order"))
        );

        assert_eq!(mary.get(loan).await.status, 404, "it is between the two");
        assert_eq!(david.patch(loan, json!({"returned": true})).await.status, 403);
        let back = susan.patch(loan, json!({"returned": true})).await;
        assert_eq!((back.status, &back.body["returned"]), (200, &json!(true)));
    }

    #[tokio::test]
    async fn what_is_private_stays_so() {
        let api = api().await;
        let susan = api
            .account(json!({"name": "susan", "email": "susan@example.com", "is_keeper": true}))
            .await;
        let david = api
            .account(json!({"name": "david", "email": "david@example.com"}))
            .await;
        assert_eq!(susan.get("/api/me").await.body["email"], "susan@example.com");
        let seen = david.get("/api/members/1").await;
        assert_eq!(seen.body, json!({"id": 1, "name": "susan", "book_count": 0}));
        assert_eq!(api.anonymous().get("/api/members").await.status, 401);
        for (client, status) in [(&susan, 201), (&david, 403)] {
            assert_eq!(
                client.post("/api/topics", json!({"name": "whales"})).await.status,
                status
            );
        }
    }

    #[tokio::test]
    async fn books_are_found_by_topic() {
        let api = api().await;
        let susan = api
            .account(json!({"name": "susan", "email": "susan@example.com"}))
            .await;
        for name in ["whales", "boats"] {
            api.insert("Topic", json!({"name": name})).await;
        }
        for (title, topics) in [
            ("Moby-Dick", json!(["whales", "boats"])),
            ("Three Men in a Boat", json!(["boats"])),
        ] {
            let book = json!({"title": title, "author": "x", "owner_id": susan.key(), "topics": topics});
            api.insert("Book", book).await;
        }
        let found = api
            .anonymous()
            .get("/api/books?topics.name=whales&fields=title")
            .await;
        assert_eq!(found.body["items"], json!([{"title": "Moby-Dick"}]), "{found:?}");
        let counted = susan.get("/api/me?fields=book_count").await;
        assert_eq!(counted.body["book_count"], 2);
    }
}
