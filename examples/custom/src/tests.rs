use rest_runtime::test::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;

use crate::hooks::Mail;
use crate::{app, service};

struct World {
    api: Api,
    susan: Client,
    staff: Client,
    mails: mpsc::UnboundedReceiver<Mail>,
}

/// The whole app, with five candles at 2.50.
async fn world() -> World {
    let (mails, received) = mpsc::unbounded_channel();
    let service = service(mails)
        .expect("sound structs")
        .test()
        .await
        .expect("a service");
    let app = app(service.service());
    let api = service.through(app);
    let susan = api.account(json!({"email": "susan@example.com"})).await;
    let staff = api
        .account(json!({"email": "ann@example.com", "is_staff": true}))
        .await;
    api.insert("Product", json!({"name": "candle", "price": "2.50", "stock": 5}))
        .await;
    World {
        api,
        susan,
        staff,
        mails: received,
    }
}

async fn stock(world: &World) -> i64 {
    let candle = world.api.anonymous().get("/shop/api/products/1").await;
    candle.body["stock"].as_i64().expect("a number")
}

#[tokio::test]
async fn an_order_takes_from_the_stock_and_is_confirmed() {
    let mut world = world().await;
    let made = world
        .susan
        .post("/shop/api/orders", json!({"product_id": 1, "quantity": 3}))
        .await;
    assert_eq!(
        (made.status, made.header("location")),
        (201, "/shop/api/orders/1")
    );
    assert_eq!(stock(&world).await, 2);
    let mail = world.mails.try_recv().expect("a mail");
    assert_eq!(mail.text, "Thank you for your order number 1.");
    assert_eq!(world.susan.delete("/shop/api/orders/1").await.status, 204);
    assert_eq!(stock(&world).await, 5, "it is given back");
    assert!(world.mails.try_recv().is_err());
}

#[tokio::test]
async fn what_is_not_there_is_not_sold() {
    let mut world = world().await;
    let order = |quantity: i32| {
        world
            .susan
            .post("/shop/api/orders", json!({"product_id": 1, "quantity": quantity}))
    };
    let (first, second) = tokio::join!(order(3), order(3));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let refused = if first.status == 409 { first } else { second };
    assert_eq!(refused.body["errors"][0]["code"], "out-of-stock");
    assert_eq!(stock(&world).await, 2);
    assert!(
        world.mails.try_recv().is_ok() && world.mails.try_recv().is_err(),
        "one mail"
    );
}

#[tokio::test]
async fn own_routes_know_who_asks() {
    let world = world().await;
    let address = "/shop/api/products/1/deliveries";
    let nobody = world.api.anonymous();
    for (client, status) in [(&nobody, 401), (&world.susan, 403), (&world.staff, 200)] {
        assert_eq!(client.post(address, json!({"amount": 10})).await.status, status);
    }
    assert_eq!(stock(&world).await, 15);
    let refused = world.staff.post(address, json!({"amount": -100})).await;
    assert_eq!(
        (refused.status, refused.body["errors"][0]["pointer"].as_str()),
        (422, Some("/stock"))
    );
    assert_eq!(refused.body["type"], "/shop/api/problems/invalid");

    world
        .susan
        .post("/shop/api/orders", json!({"product_id": 1, "quantity": 2}))
        .await;
    for (client, pieces) in [(&world.susan, 2), (&world.staff, 2)] {
        let sales = client.get("/shop/api/sales?product=1").await;
        assert_eq!(sales.body, json!({"orders": 1, "pieces": pieces}));
    }
    assert_eq!(nobody.get("/shop/api/sales?product=1").await.status, 401);
}

#[tokio::test]
async fn names_are_put_right_and_the_app_is_around_it_all() {
    let world = world().await;
    let made = world
        .staff
        .post(
            "/shop/api/products",
            json!({"name": "  red   candle ", "price": "3.00"}),
        )
        .await;
    assert_eq!(
        (made.status, made.body["name"].as_str()),
        (201, Some("red candle")),
        "{made:?}"
    );
    assert_eq!(made.header("x-brand"), "Corner Store");
    let page = world.api.anonymous().get("/").await;
    assert_eq!((page.status, page.header("x-brand")), (200, "Corner Store"));
    assert!(page.body.as_str().expect("a text").contains("/shop/api/products"));
}

#[tokio::test]
async fn a_browser_is_signed_in_by_its_session() {
    let world = world().await;
    let dana = json!({"email": "dana@example.com", "password": "correct-horse"});
    world.api.insert("Customer", dana.clone()).await;
    let nobody = world.api.anonymous();
    let wrong = json!({"email": "dana@example.com", "password": "wrong-horse"});
    assert_eq!(nobody.post("/shop/sign-in", wrong).await.status, 401);
    let answer = nobody.post("/shop/sign-in", dana).await;
    let cookie = answer.header("set-cookie").split(';').next().expect("a cookie");
    let token = answer.body["csrf_token"].as_str().expect("a token");
    let browser = nobody.header("cookie", cookie);
    let page = browser.header("x-csrf-token", token);
    assert_eq!(
        browser.get("/shop/api/me").await.body["email"],
        "dana@example.com"
    );
    let order = json!({"product_id": 1, "quantity": 1});
    assert_eq!(browser.post("/shop/api/orders", &order).await.status, 403);
    assert_eq!(page.post("/shop/api/orders", &order).await.status, 201);
    let sales = browser.get("/shop/api/sales?product=1").await;
    assert_eq!(sales.body, json!({"orders": 1, "pieces": 1}));
    assert_eq!(browser.post("/shop/sign-out", json!({})).await.status, 403);
    assert_eq!(page.post("/shop/sign-out", json!({})).await.status, 204);
    assert_eq!(browser.get("/shop/api/me").await.status, 401);
}
