//! What the shop keeps.

use rest_runtime::types::{Decimal, Password, Timestamp};
use rest_runtime::{RestResource, RestService};

/// Who buys, and who works here.
#[derive(Debug, RestResource)]
#[rest(access(read = "id = me.id or me.is_staff", create = public))]
pub(crate) struct Customer {
    /// The key.
    pub id: i64,
    /// The name at sign-in.
    #[rest(type = email, unique)]
    pub email: String,
    /// At sign-in.
    #[rest(length = 8..=200)]
    pub password: Password,
    /// Whether it is one of us.
    #[rest(default = false, private)]
    pub is_staff: bool,
}

/// What is sold.
#[derive(Debug, RestResource)]
#[rest(sort = name, access(read = public, create = "me.is_staff", change = "me.is_staff"))]
pub(crate) struct Product {
    /// The key.
    pub id: i64,
    /// What it is called.
    #[rest(length = 1..=80, unique)]
    pub name: String,
    /// What one costs.
    #[rest(precision = 8, scale = 2, range = 0.01..)]
    pub price: Decimal,
    /// How many there are. Orders take from it, and a delivery adds to it.
    #[rest(range = 0.., default = 0, readonly)]
    pub stock: i32,
}

/// What somebody bought.
#[derive(Debug, RestResource)]
#[rest(sort = -placed_at, access(read = "customer_id = me.id or me.is_staff", create = authenticated))]
#[rest(access(delete = "customer_id = me.id"))]
pub(crate) struct Order {
    /// The key.
    pub id: i64,
    /// How many.
    #[rest(range = 1..=100)]
    pub quantity: i32,
    /// Of what.
    #[rest(belongs_to = Product, inverse = orders)]
    pub product_id: i64,
    /// Who.
    #[rest(belongs_to = Customer, inverse = orders, default = me, readonly)]
    pub customer_id: i64,
    /// When.
    #[rest(default = now, readonly)]
    pub placed_at: Timestamp,
}

/// A corner store.
#[derive(RestService)]
#[rest(name = "shop", accounts(resource = Customer, identify_by(email), password = password, admin = "me.is_staff"))]
#[rest(sessions(idle = "2h", lifetime = "14d"))]
pub(crate) struct Shop {
    /// Who buys.
    pub customers: Customer,
    /// What is sold.
    pub products: Product,
    /// What was bought.
    pub orders: Order,
}
