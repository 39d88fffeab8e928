//! A test of one's own, beside those that are generated.

use serde_json::json;

#[tokio::test]
async fn a_note_belongs_to_whoever_makes_it() {
    let service = notes::service().expect("a sound schema");
    let api = service.test().await.expect("a service");
    let susan = api
        .account(json!({"username": "susan", "email": "susan@example.com"}))
        .await;
    let answer = susan
        .post("/api/notes", json!({"title": "Groceries"}))
        .await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.body["owner_id"], *susan.key());
}
