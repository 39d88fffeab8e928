//! A schema's text: read, checked and drawn, whatever it says; one without a fault is written and read back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rest_schema::read_one;

fuzz_target!(|text: &str| {
    match read_one("rest.yaml", text) {
        Ok(loaded) => drop(loaded.report.draw(false)),
        Err(report) => {
            assert!(report.faults() > 0);
            drop((report.draw(true), report.json()));
        }
    }
});
