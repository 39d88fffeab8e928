//! Rows to bytes, and what stands around them.

pub mod etag;
pub mod format;
pub mod json;
pub mod link;
