//! Serves a schema of `tests/schemas` by structs that say the same: written by hand (`derived`) or by the generator
//! (`generated`). Which one is in `WAYS_SERVICE`, as `derived/blog`; the arguments are those of any service.

use std::process::ExitCode;

use rest_runtime::{Service, program};
use rest_ways::{derived, generated};

macro_rules! services {
    ($($name:literal => $structs:ty,)*) => {
        match std::env::var("WAYS_SERVICE").as_deref().unwrap_or_default() {
            $($name => program::run(|| Service::build::<$structs>()),)*
            other => {
                eprintln!("WAYS_SERVICE={other} is none of {}", [$($name),*].join(", "));
                ExitCode::from(2)
            }
        }
    };
}

fn main() -> ExitCode {
    services! {
        "derived/bin" => derived::bin::Bin,
        "derived/blog" => derived::blog::Blog,
        "derived/gate" => derived::gate::Gate,
        "derived/keys" => derived::keys::Keys,
        "derived/many" => derived::many::Many,
        "derived/rules" => derived::rules::Rules,
        "derived/sets" => derived::sets::Sets,
        "derived/shapes" => derived::shapes::Shapes,
        "derived/teams" => derived::teams::Teams,
        "derived/types" => derived::types::Types,
        "generated/bin" => generated::bin::Bin,
        "generated/blog" => generated::blog::Blog,
        "generated/gate" => generated::gate::Gate,
        "generated/keys" => generated::keys::Keys,
        "generated/many" => generated::many::Many,
        "generated/rules" => generated::rules::Rules,
        "generated/sets" => generated::sets::Sets,
        "generated/shapes" => generated::shapes::Shapes,
        "generated/teams" => generated::teams::Teams,
        "generated/types" => generated::types::Types,
    }
}
