//! The hand-written server.
fn main() {}
