//! Rows to bytes, and what stands around them.

pub mod etag;
pub mod json;
pub mod link;
