//! `tests/schemas/shapes.yaml` by hand.

use rest_runtime::types::{Date, Decimal, Timestamp, Uuid};
use rest_runtime::{RestEnum, RestResource, RestService};

#[derive(RestService)]
#[rest(name = "shapes", managed)]
pub struct Shapes {
    products: Product,
    orders: Order,
    lines: Line,
    bookings: Booking,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Product {
    id: i64,
    #[rest(length = 1..=40)]
    name: String,
    #[rest(type = slug, unique, immutable, default = "slug(name)")]
    slug: String,
    #[rest(precision = 8, scale = 2, range = 0..=1000)]
    price: Decimal,
    #[rest(private, default = hidden)]
    secret: String,
    #[rest(writeonly)]
    pin: Option<String>,
    #[rest(computed = "upper(name)")]
    shout: String,
}

#[derive(RestResource)]
#[rest(check(in_order(rule = "ends >= starts", message = "an order ends after it starts")))]
#[rest(access(read = public, create = public, change = public))]
pub struct Order {
    id: i64,
    starts: Date,
    ends: Option<Date>,
    note: Option<String>,
    #[rest(computed = "sum(lines.amount)")]
    total: Option<i64>,
    #[rest(computed = "count(lines)")]
    line_count: i64,
}

#[derive(RestResource)]
#[rest(unique(order, product))]
#[rest(access(read = public, create = public, change = public))]
pub struct Line {
    id: i64,
    #[rest(range = 1..=100, default = 1)]
    amount: i32,
    #[rest(precision = 8, scale = 2, default = "product.price", immutable)]
    price: Decimal,
    #[rest(belongs_to = Order, inverse = lines, on_delete = cascade)]
    order_id: i64,
    #[rest(belongs_to = Product, inverse = lines, on_delete = restrict)]
    product_id: i64,
}

#[derive(RestEnum)]
pub enum Hold {
    Held,
    Free,
}

#[derive(RestResource)]
#[rest(index(on(room), unique, where = "status = 'held'"))]
#[rest(access(read = public, create = public, change = public))]
pub struct Booking {
    id: i64,
    #[rest(filterable)]
    room: String,
    #[rest(default = Hold::Held)]
    status: Hold,
    #[rest(default = uuid, readonly)]
    code: Uuid,
    #[rest(default = now, readonly)]
    made_at: Timestamp,
}
