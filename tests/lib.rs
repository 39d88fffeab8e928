//! The tests of this package are in its one test binary, `main.rs`.
