//! The shop, seeded and served: every kind of rule and relation at its work.

use std::fmt::Debug;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::folder;
use crate::support::api::Api;
use crate::support::http::Request;
use crate::support::server::{Server, output};

const PASSWORD: &str = "correct-horse";

/// Who does what; each has a token.
struct People {
    /// Buys.
    chloe: Api,
    /// A clerk of the first store.
    dai: Api,
    /// Staff.
    olga: Api,
    anonymous: Api,
}

/// Seeds the shop and goes through it.
pub(super) fn sells() -> Result<(), String> {
    let place = TempDir::new().map_err(|e| e.to_string())?;
    let text = |path: std::path::PathBuf| path.display().to_string();
    let (schema, rows) = (
        text(folder("shop").join("rest.yaml")),
        text(folder("shop").join("seed.yaml")),
    );
    let database = text(place.path().join("shop.db"));
    let seeded = output(&["seed", &schema, &rows, "--database", &database])?;
    if !seeded.status.success() {
        return Err(String::from_utf8_lossy(&seeded.stderr).into_owned());
    }
    let server = Server::start(&[
        "serve",
        &schema,
        "--database",
        &database,
        "--listen",
        "127.0.0.1:0",
    ])?;
    let person = |name: &str| Api::sign_in(server.address, &format!("{name}@example.com"), PASSWORD);
    let mut people = People {
        chloe: person("chloe")?,
        dai: person("dai")?,
        olga: person("olga")?,
        anonymous: Api::new(server.address),
    };
    shown(&mut people.anonymous)?;
    cart(&mut people)?;
    reviews(&mut people)?;
    team(&mut people)?;
    faults(&mut people.dai)?;
    categories(&mut people.olga)
}

/// Computed fields, relations of every kind, defaults that are expressions.
fn shown(api: &mut Api) -> Result<(), String> {
    let tea = api
        .get("/api/products/1?include=store.clerks,category.parent,datasheet,labels,reviews,related_from")?;
    same("stars", &tea["stars"], &json!(5.0))?;
    same("reviews", &tea["review_count"], &json!(1))?;
    same("in stock", &tea["in_stock"], &json!(true))?;
    same("the default slug", &tea["slug"], &json!("green-tea"))?;
    same("the store's", &tea["store"]["slug"], &json!("tea-bread"))?;
    same("open late", &tea["store"]["is_open_late"], &json!(true))?;
    same(
        "a clerk",
        &tea["store"]["clerks"]["items"][0]["name"],
        &json!("Dai"),
    )?;
    same(
        "the category above",
        &tea["category"]["parent"]["slug"],
        &json!("kitchen"),
    )?;
    same("has_one", &tea["datasheet"]["revision"], &json!(1))?;
    same("a label", &tea["labels"]["items"][0]["name"], &json!("organic"))?;
    same("related from", &tea["related_from"]["items"][0]["id"], &json!(2))?;
    same("JSON", &tea["attributes"]["grams"], &json!([50, 100]))?;
    same("a big number", &tea["barcode"], &json!(8_710_000_000_017_i64))?;
    same("what is private", &tea.get("tracking"), &None)?;
    let bytes = api.get("/api/products/5?fields=thumbnail,released_on")?;
    same("bytes", &bytes["thumbnail"], &json!("iVBORw0KGgo="))?;
    api.expect(404, Request::new("GET", "/api/products/4")).map(drop)
}

/// A cart is its owner's until it is placed.
fn cart(people: &mut People) -> Result<(), String> {
    let line = json!({ "order_number": 2, "product_id": 2, "quantity": 3 });
    let made = people.chloe.post("/api/order-lines", &line)?;
    same("the price taken over", &made["price"], &json!("3.95"))?;
    same("the amount", &made["amount"], &json!("11.85"))?;
    let again = Request::new("POST", "/api/order-lines").json(line.to_string());
    same(
        "twice",
        &people.chloe.refused(409, again)?,
        &vec!["/order_number taken".to_owned(), "/product_id taken".to_owned()],
    )?;
    let hidden = Request::new("POST", "/api/order-lines").json(line.to_string());
    same(
        "another's cart",
        &people.dai.refused(409, hidden)?,
        &vec!["/order_number no-such-item".to_owned()],
    )?;
    let order = people.chloe.get("/api/orders/2?include=lines.product")?;
    same("pieces", &order["pieces"], &json!(4))?;
    same("the total", &order["total"], &json!("35.85"))?;
    let status =
        |status: &str| Request::new("PATCH", "/api/orders/2").json(json!({ "status": status }).to_string());
    people.chloe.expect(403, status("sent"))?;
    people.chloe.expect(200, status("placed"))?;
    people.chloe.expect(403, status("cancelled"))?;
    people
        .chloe
        .expect(403, Request::new("DELETE", "/api/order-lines/2,2"))?;
    people.dai.expect(404, Request::new("GET", "/api/orders/2"))?;
    let sent = people.olga.expect(200, status("sent"))?;
    same("the note, for staff", &sent.get("gift_note"), &None)
}

/// Only who bought it reviews a product, once, and stars never fall.
fn reviews(people: &mut People) -> Result<(), String> {
    let review = json!({ "product_id": 2, "stars": 3, "body": "Fine." });
    let request = || Request::new("POST", "/api/reviews").json(review.to_string());
    people.dai.expect(403, request())?;
    people.anonymous.expect(401, request())?;
    let made = people.chloe.expect(201, request())?;
    people.chloe.expect(409, request())?;
    let item = format!("/api/reviews/{}", made["id"]);
    let stars = |stars: u8| Request::new("PATCH", &item).json(json!({ "stars": stars }).to_string());
    people.chloe.expect(403, stars(2))?;
    people.chloe.expect(200, stars(4))?;
    let found = people
        .anonymous
        .get("/api/products?reviews.stars[gte]=4&fields=name")?;
    same(
        "products with good reviews",
        &found["items"],
        &json!([{ "name": "Black tea" }, { "name": "Green tea" }]),
    )
}

/// A clerk is of the team: reads and writes what strangers don't see.
fn team(people: &mut People) -> Result<(), String> {
    let cost = "/api/products/1?fields=cost";
    same(
        "the cost, for a clerk",
        &people.dai.get(cost)?,
        &json!({ "cost": "1.2500" }),
    )?;
    same("for a customer", &people.chloe.get(cost)?, &json!({}))?;
    people.dai.patch(
        "/api/products/1",
        &json!({ "cost": "1.3000", "attributes": { "origin": null } }),
    )?;
    let mine = Request::new("PATCH", "/api/products/1").json(r#"{"name": "Mine"}"#);
    people.chloe.expect(403, mine)?;
    people.dai.expect(403, Request::new("DELETE", "/api/stores/1"))?;
    people
        .dai
        .expect(200, Request::new("GET", "/api/products/4"))
        .map(drop)
}

/// What is wrong is told at its place.
fn faults(dai: &mut Api) -> Result<(), String> {
    let patch = |body: Value| Request::new("PATCH", "/api/products/1").json(body.to_string());
    let post = |body: Value| Request::new("POST", "/api/products").json(body.to_string());
    let told = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    same(
        "a check",
        &dai.refused(422, patch(json!({ "sale_price": "9.00" })))?,
        &told(&[" sale_below_price"]),
    )?;
    same(
        "what is set once",
        &dai.refused(422, patch(json!({ "sku": "TE-0007", "stars": 4 })))?,
        &told(&["/sku immutable", "/stars readonly"]),
    )?;
    let wrong = json!({ "name": "White tea", "sku": "te9", "price": "0.001", "store_id": 1, "size": "huge" });
    same(
        "values",
        &dai.refused(422, post(wrong))?,
        &told(&["/sku bad-pattern", "/price too-precise", "/size not-one-of"]),
    )?;
    let white = json!({ "name": "White tea", "sku": "TE-0009", "price": "1.00", "store_id": 1, "category_slug": "none" });
    same(
        "a key",
        &dai.refused(409, post(white))?,
        &told(&["/category_slug no-such-item"]),
    )?;
    let green = json!({ "name": "GREEN tea", "sku": "TE-0009", "price": "1.00", "store_id": 1 });
    dai.expect(409, post(green))?;
    let used = Request::new("DELETE", "/api/products/1");
    same("what is in use", &dai.refused(409, used)?, &told(&[" in-use"]))
}

/// Keys that clients choose; a relation that is set to null.
fn categories(olga: &mut Api) -> Result<(), String> {
    let bread = json!({ "slug": "bread", "name": "Bread", "position": 4, "parent_slug": "kitchen" });
    olga.post("/api/categories", &bread)?;
    let knives = Request::new("PUT", "/api/categories/knives").json(r#"{"name": "Knives"}"#);
    let made = olga.expect(201, knives)?;
    same("a default", &made["position"], &json!(0))?;
    olga.expect(204, Request::new("DELETE", "/api/categories/kitchen"))?;
    let tea = olga.get("/api/categories/tea?include=parent")?;
    same("its parent", &tea["parent"], &Value::Null)?;
    let order: Vec<Value> = olga.get("/api/categories")?["items"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|category| category["slug"].clone())
        .collect();
    same(
        "by position",
        &json!(order),
        &json!(["knives", "tea", "maps", "bread"]),
    )
}

fn same<T: PartialEq + Debug>(what: &str, got: &T, wanted: &T) -> Result<(), String> {
    match got == wanted {
        true => Ok(()),
        false => Err(format!("{what}: {got:?} instead of {wanted:?}")),
    }
}
