//! The order of refusals: where a request is wrong in several ways, the first of these is told.
//!
//! It is the order of the steps that a request goes through (`serve/`, then the steps of a write in `storage/steps`).
//! The contract's tests send a request with each pair of what can be wrong.

use super::Code;

/// One step at which a request may be refused.
#[derive(Debug)]
pub struct Stage {
    /// As which problems.
    pub codes: &'static [Code],
    /// What is looked at.
    pub doc: &'static str,
}

const fn stage(codes: &'static [Code], doc: &'static str) -> Stage {
    Stage { codes, doc }
}

/// All steps, in their order.
pub const ORDER: &[Stage] = &[
    stage(
        &[Code::UriTooLong, Code::HeadersTooLarge],
        "the size of the request's head",
    ),
    stage(&[Code::NotFound], "whether there is such an address"),
    stage(&[Code::MethodNotAllowed], "whether it takes the method"),
    stage(
        &[
            Code::BadToken,
            Code::BadCredentials,
            Code::CsrfToken,
            Code::TooManyRequests,
            Code::Unavailable,
        ],
        "who asks, and whether there is room for him",
    ),
    stage(
        &[Code::NotAcceptable],
        "whether the answer may have a form that is served",
    ),
    stage(
        &[Code::BodyTooLarge, Code::UnsupportedMediaType],
        "what the head says of the body",
    ),
    stage(
        &[Code::Unauthenticated, Code::Forbidden, Code::InsufficientScope],
        "whether the operation is open to the caller, whatever the row",
    ),
    stage(
        &[Code::UnknownParameter, Code::BadHeader, Code::UnreadableBody],
        "whether parameters, headers and body can be read",
    ),
    stage(&[Code::NotFound], "whether the row is there, for the caller"),
    stage(
        &[Code::Forbidden],
        "whether the rule lets him do it to the row as it is",
    ),
    stage(
        &[Code::PreconditionRequired],
        "whether he says on which state he bases it",
    ),
    stage(&[Code::PreconditionFailed], "whether the row is in that state"),
    stage(&[Code::Invalid], "whether what he sends fits the schema"),
    stage(&[Code::Conflict], "whether it goes with what the database holds"),
    stage(
        &[Code::Forbidden],
        "whether the rule lets him have the row as it will be",
    ),
];
