//! `tests/schemas/types.yaml` by hand.

use rest_runtime::types::{Date, Decimal, Json, Password, Time, Timestamp, Uuid};
use rest_runtime::{RestEnum, RestResource, RestService};

#[derive(RestService)]
#[rest(name = "types", managed, accounts(resource = Account, identify_by(name), password = password))]
pub struct Types {
    accounts: Account,
    samples: Sample,
    twins: Twin,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = "id = me.id"))]
pub struct Account {
    id: i64,
    #[rest(unique)]
    name: String,
    password: Password,
}

#[derive(RestEnum)]
pub enum Colour {
    Red,
    Green,
    Blue,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Sample {
    id: i64,
    #[rest(length = 2..=10, filterable, sortable)]
    a_string: Option<String>,
    #[rest(type = text, filterable, sortable)]
    a_text: Option<String>,
    #[rest(range = -1000..=2147483647, filterable, sortable)]
    an_integer: Option<i32>,
    #[rest(filterable, sortable)]
    a_bigint: Option<i64>,
    #[rest(filterable, sortable)]
    a_float: Option<f64>,
    #[rest(precision = 8, scale = 2, filterable, sortable)]
    a_decimal: Option<Decimal>,
    #[rest(filterable, sortable)]
    a_boolean: Option<bool>,
    #[rest(filterable, sortable)]
    a_date: Option<Date>,
    #[rest(filterable, sortable)]
    a_time: Option<Time>,
    #[rest(filterable, sortable)]
    a_timestamp: Option<Timestamp>,
    #[rest(filterable, sortable)]
    a_uuid: Option<Uuid>,
    a_json: Option<Json>,
    #[rest(length = ..=8)]
    a_bytes: Option<Vec<u8>>,
    #[rest(filterable, sortable)]
    an_enum: Option<Colour>,
    #[rest(type = email, filterable, sortable)]
    an_email: Option<String>,
    #[rest(type = url, filterable, sortable)]
    a_url: Option<String>,
    #[rest(type = slug, filterable, sortable)]
    a_slug: Option<String>,
}

#[derive(RestResource)]
#[rest(access(read = public, create = public, change = public))]
pub struct Twin {
    id: i64,
    a_string: String,
    an_integer: i32,
    a_boolean: bool,
    a_json: Json,
}
