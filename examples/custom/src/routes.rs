//! Addresses of the shop's own, beside those of its resources.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Json, Router};
use rest_runtime::password::Plain;
use rest_runtime::problem::{Code, Problem};
use rest_runtime::session::Session;
use rest_runtime::{Caller, Db, Service, Tx};
use serde::{Deserialize, Serialize};

use crate::hooks::is_staff;
use crate::models::{Customer, Order, Product};

/// They come before the service's own.
pub(crate) fn router() -> Router<Service> {
    Router::new()
        .route("/api/products/{id}/deliveries", post(deliver))
        .route("/api/sales", get(sales))
        .route("/sign-in", post(sign_in))
        .route("/sign-out", post(sign_out))
}

/// What the page's script sends.
#[derive(Debug, Deserialize)]
struct SignIn {
    email: String,
    password: String,
}

/// What it has to send from then on, with all that changes anything.
#[derive(Debug, Serialize)]
struct SignedIn {
    csrf_token: String,
}

/// Signs a browser in.
async fn sign_in(
    State(service): State<Service>,
    parts: Parts,
    Json(said): Json<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    let password = Plain::new(said.password);
    let session = service.sign_in(&parts, &said.email, password).await?;
    let csrf_token = session.csrf_token().to_owned();
    Ok((
        [(SET_COOKIE, session.set_cookie())],
        Json(SignedIn { csrf_token }),
    ))
}

/// Signs it out; who asks for the `Caller` is held to the session's token.
async fn sign_out(
    State(service): State<Service>,
    _: Caller,
    parts: Parts,
) -> Result<impl IntoResponse, Problem> {
    service.end_session(&parts).await?;
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, Session::forget_cookie())]))
}

/// What came.
#[derive(Debug, Deserialize)]
struct Delivery {
    amount: i32,
}

/// What is there now.
#[derive(Debug, Serialize)]
struct Stock {
    stock: i32,
}

/// Adds what was delivered to the stock, which no client may set.
async fn deliver(
    caller: Caller,
    db: Db,
    Path(id): Path<i64>,
    Json(delivery): Json<Delivery>,
) -> Result<Json<Stock>, Problem> {
    staff_only(&caller, &db).await?;
    // In one transaction: no order takes from the stock between the reading and the writing.
    let stock = db.transaction(&caller, async move |tx: &mut Tx| {
        let all = tx.unrestricted();
        let product = all.get::<Product>(id).await?.ok_or(Code::NotFound)?;
        let stock = product.stock.saturating_add(delivery.amount);
        // Within the field's limits, or 422: nobody delivers less than nothing.
        let product = all.update(id, [Product::STOCK.set(stock)]).await?;
        Ok(product.stock)
    });
    Ok(Json(Stock { stock: stock.await? }))
}

/// How much of a product was sold.
#[derive(Debug, Deserialize)]
struct Sold {
    product: i64,
}

/// How many orders and pieces.
#[derive(Debug, Serialize)]
struct Sales {
    orders: usize,
    pieces: i64,
}

/// As far as the caller may know: a customer's own, and for staff all.
async fn sales(caller: Caller, db: Db, Query(of): Query<Sold>) -> Result<Json<Sales>, Problem> {
    let seen = db.as_caller(&caller);
    let orders = seen
        .list::<Order>()
        .filter(Order::PRODUCT_ID.eq(of.product))
        .all()
        .await?;
    Ok(Json(Sales {
        orders: orders.len(),
        pieces: orders.iter().map(|order| i64::from(order.quantity)).sum(),
    }))
}

async fn staff_only(caller: &Caller, db: &Db) -> Result<(), Problem> {
    let me = db.me::<Customer>(caller).await?;
    match me.as_ref() {
        None => Err(Code::Unauthenticated.into()),
        me if is_staff(me) => Ok(()),
        Some(_) => Err(Code::Forbidden.into()),
    }
}
