//! A shop in an app that was there before: resources as structs, code of its own in writes, routes of its own, and all of
//! it under `/shop` of an axum router with a tower layer.
//!
//! ```text
//! cargo run -p example-custom -- target/custom.db
//! ```

mod hooks;
mod models;
mod routes;

use std::error::Error;

use axum::Router;
use axum::http::HeaderValue;
use axum::response::Response;
use axum::routing::get;
use rest_runtime::{Builder, Report, Service};
use tokio::sync::mpsc;
use tower::util::MapResponseLayer;

use crate::hooks::{Mail, Orders, Products};
use crate::models::Shop;

/// The service, not open yet; what it has to say to customers goes into `mails`.
fn service(mails: mpsc::UnboundedSender<Mail>) -> Result<Builder, Report> {
    Ok(Service::build::<Shop>()?
        .hooks(Products)
        .hooks(Orders { mails })
        .routes(routes::router()))
}

/// The app: its own pages, the shop, and a layer over both.
fn app(shop: &Service) -> Router {
    let branded = MapResponseLayer::new(|mut response: Response| {
        let brand = HeaderValue::from_static("Corner Store");
        response.headers_mut().insert("x-brand", brand);
        response
    });
    Router::new()
        .route(
            "/",
            get(|| async { "The corner store. The shop is at /shop/api/products." }),
        )
        .nest("/shop", shop.router())
        .layer(branded)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = std::env::args().nth(1).unwrap_or_else(|| "shop.db".to_owned());
    let (mails, mut outbox) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        // Whoever sends mails would do it here.
        while let Some(Mail { to, text }) = outbox.recv().await {
            drop((to, text));
        }
    });
    let shop = service(mails)?.database(database).open()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, app(&shop)).await?;
    shop.shutdown().await;
    Ok(())
}

#[cfg(test)]
mod tests;
