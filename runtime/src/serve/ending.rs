//! `Deprecation` (RFC 9745) and `Sunset` (RFC 8594): what has a day of its end says so where it is asked or shown.

use std::sync::{Mutex, PoisonError};

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use rest_schema::{Deprecation, ResourceId};

use super::Exchange;
use super::router::Target;
use crate::request::prefer::Return;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// What is told of the end of what an answer shows.
#[derive(Debug, Default)]
pub(super) struct Ending(Mutex<Option<Deprecation>>);

impl Ending {
    /// Adds what is told of something shown.
    pub(super) fn add(&self, deprecated: Option<Deprecation>) {
        if let Some(deprecated) = deprecated {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *all = Some(all.map_or(deprecated, |all| all.and(deprecated)));
        }
    }

    fn told(&self) -> Option<Deprecation> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange<'_> {
    /// Tells of the end of what the address is of, and of what the answer shows: the earliest days.
    pub(super) fn tell_ending(&self, target: &Target<'_>, response: &mut Response<Body>) {
        let model = &self.service.engine.model;
        if !model.has_ends {
            return;
        }
        let asked = match target {
            Target::Collection(resource) | Target::Item(resource, _) | Target::Restore(resource, _) => {
                [Some(*resource), None]
            }
            Target::Related(relation, _) | Target::Pair(relation, ..) => {
                [Some(relation.resource), Some(model.relation(*relation).target)]
            }
            Target::Me | Target::Tokens | Target::Token(_) | Target::Health(_) | Target::About(_) => {
                [None, None]
            }
        };
        for resource in asked.into_iter().flatten() {
            self.ending.add(model.resource(resource).deprecated);
        }
        if response.headers().contains_key(CONTENT_TYPE) {
            let shown = self.shown_whole(target);
            self.ending
                .add(shown.and_then(|resource| model.deprecation(resource)));
        }
        let Some(told) = self.ending.told() else { return };
        let days = [
            (DEPRECATION, told.since.and_then(moment).map(structured)),
            (SUNSET, told.sunset.and_then(moment).map(http_date)),
        ];
        for (name, value) in days {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
    }

    /// Of what an answer with content shows all that a request doesn't choose from: that of a write.
    fn shown_whole(&self, target: &Target<'_>) -> Option<ResourceId> {
        let method = &self.parts.method;
        let of_many = |resource| {
            let wants_all = || self.preferences().returned == Some(Return::Representation);
            let shows = *method == Method::POST || *method == Method::PATCH && wants_all();
            shows.then_some(resource)
        };
        match target {
            Target::Collection(resource) => of_many(*resource),
            Target::Related(relation, _) => of_many(self.service.engine.model.relation(*relation).target),
            Target::Item(resource, _) if matches!(*method, Method::PUT | Method::PATCH) => Some(*resource),
            Target::Restore(resource, _) => Some(*resource),
            _ => None,
        }
    }
}

/// The beginning of a day, in UTC.
fn moment(day: Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// A date of RFC 9651, 3.3.7.
fn structured(moment: Timestamp) -> String {
    format!("@{}", moment.as_second())
}

fn http_date(moment: Timestamp) -> String {
    httpdate::fmt_http_date(moment.into())
}
