//! What the cases and the other tests stand on. Nothing here knows how the service works inside.

pub(crate) mod api;
pub(crate) mod browser;
pub(crate) mod case;
pub(crate) mod certificates;
pub(crate) mod contract;
pub(crate) mod fake;
pub(crate) mod holder;
pub(crate) mod http;
pub(crate) mod json;
pub(crate) mod matching;
pub(crate) mod nginx;
pub(crate) mod pooler;
pub(crate) mod postgres;
pub(crate) mod random;
pub(crate) mod run;
pub(crate) mod selftest;
pub(crate) mod server;
pub(crate) mod tools;
pub(crate) mod wire;
