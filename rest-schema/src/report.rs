//! What reading a schema gives: the schema, or all that keeps it from being one.

use std::fmt;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity, json, lines};
use crate::raw;
use crate::resolve;
use crate::schema::Schema;
use crate::source::Sources;

/// A schema, with what there is to say about it.
#[derive(Debug)]
pub struct Loaded {
    /// The schema.
    pub schema: Schema,
    /// What was read to get it.
    pub report: Report,
}

impl Loaded {
    /// Resolves what a front end gave, where it gave anything.
    ///
    /// # Errors
    ///
    /// Every fault there is, those of the front end too, and the warnings beside them.
    pub fn of(
        raw: Option<raw::Service>,
        sources: Sources,
        mut diagnostics: Diagnostics,
    ) -> Result<Self, Report> {
        let schema = raw
            .and_then(|raw| resolve(&raw, &mut diagnostics))
            .filter(|_| !diagnostics.has_faults());
        let report = Report {
            diagnostics: diagnostics.finish(),
            sources,
        };
        match schema {
            Some(schema) => Ok(Self { schema, report }),
            None => Err(report),
        }
    }
}

/// All that was found, and the files it was found in.
pub struct Report {
    /// Faults and warnings, by place.
    pub diagnostics: Vec<Diagnostic>,
    /// The files, the top one first.
    pub sources: Sources,
}

impl Report {
    /// How many faults there are.
    pub fn faults(&self) -> usize {
        let faults = self.diagnostics.iter();
        faults.filter(|one| one.severity == Severity::Fault).count()
    }

    /// A line per diagnostic.
    pub fn lines(&self) -> String {
        lines(&self.diagnostics, &self.sources)
    }

    /// A JSON array for editors and scripts.
    pub fn json(&self) -> serde_json::Value {
        json(&self.diagnostics, &self.sources)
    }

    /// Drawn with excerpts; with ANSI colours or plain.
    #[cfg(feature = "draw")]
    pub fn draw(&self, coloured: bool) -> String {
        crate::diagnostic::draw::draw(&self.diagnostics, &self.sources, coloured)
    }
}

/// Each diagnostic with its place, and below it what would be right.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, one) in self.diagnostics.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            f.write_str(lines(std::slice::from_ref(one), &self.sources).trim_end())?;
            if let Some(nearest) = &one.nearest {
                write!(f, "\n  did you mean `{nearest}`?")?;
            }
            if let Some(help) = &one.help {
                write!(f, "\n  help: {help}")?;
            }
        }
        Ok(())
    }
}

/// For people too: it is what an `unwrap` or a failed `main` shows.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema has faults\n{self}")
    }
}

impl std::error::Error for Report {}

#[cfg(test)]
mod tests {
    use crate::written::{self, Writer};

    #[test]
    fn a_report_is_for_people() {
        let mut writer = Writer::new();
        writer.file("src/main.rs");
        writer.text("service", "blog", (3, 8));
        writer.open("resources", (5, 1));
        writer.open("Post", (6, 5));
        writer.open("access", (6, 5));
        writer.close();
        writer.open("fields", (8, 1));
        writer.word("title", "strin", (8, 5));
        writer.word("price", "decimal", (9, 5));
        let Err(report) = written::read(writer) else {
            panic!("it has no fault");
        };
        let told = "src/main.rs:8:5: error[unknown-type]: no type is called `strin`\n  did you mean `string`?\n\
                    src/main.rs:9:5: error[missing-key]: `price` is a decimal without `precision`\n  \
                    help: say `precision: 8, scale: 2` for up to 999999.99";
        assert_eq!(report.to_string(), told);
        assert_eq!(format!("{report:?}"), format!("the schema has faults\n{told}"));
    }
}
