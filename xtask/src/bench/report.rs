//! One table.

use super::server::{Kind, Server};
use crate::Result;

/// One run, or the median of several.
#[derive(Clone)]
pub(super) struct Measurement {
    /// The server's own CPU time per request, in microseconds.
    pub(super) cpu: f64,
    /// Requests per second.
    pub(super) rate: f64,
    /// Milliseconds.
    pub(super) p50: f64,
    /// Milliseconds.
    pub(super) p99: f64,
}

impl Measurement {
    /// Each figure's own median.
    pub(super) fn median(runs: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> f64| {
            let mut figures: Vec<f64> = runs.iter().map(figure).collect();
            figures.sort_by(f64::total_cmp);
            figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
        };
        Self {
            cpu: median(|run| run.cpu),
            rate: median(|run| run.rate),
            p50: median(|run| run.p50),
            p99: median(|run| run.p99),
        }
    }
}

/// A workload's measurements, in the order of the servers.
pub(super) struct Row {
    /// The workload.
    pub(super) name: &'static str,
    /// One for each server.
    pub(super) measurements: Vec<Measurement>,
}

/// Prints figures and ratios.
pub(super) fn print(kinds: &[Kind], rows: &[Row]) {
    let mut header = format!("{:24}", "server CPU, µs a request");
    for kind in kinds {
        header.push_str(&format!("{:>10}", kind.name()));
    }
    for pair in kinds.windows(2) {
        header.push_str(&format!(
            "{:>16}",
            format!("{}/{}", pair[0].name(), pair[1].name())
        ));
    }
    header.push_str("   requests/s (in thousands), p50 and p99 (ms) of each");
    println!("\n{header}");
    for row in rows {
        println!("{}", line(row));
    }
}

fn line(row: &Row) -> String {
    let mut line = format!("{:24}", row.name);
    for one in &row.measurements {
        line.push_str(&format!("{:>10.1}", one.cpu));
    }
    for pair in row.measurements.windows(2) {
        line.push_str(&format!("{:>16.2}", pair[0].cpu / pair[1].cpu));
    }
    line.push_str("  ");
    for one in &row.measurements {
        line.push_str(&format!(" {:6.1} {:.2} {:.1};", one.rate / 1e3, one.p50, one.p99));
    }
    line
}

/// Prints what the servers hold after the load.
pub(super) fn memory<'a>(servers: impl Iterator<Item = &'a Server>) -> Result<()> {
    println!("\nmemory after the load, MB: its own (with mapped pages of files)");
    for server in servers {
        let (own, all) = server.memory()?;
        println!("{:10}{own:>8.1} ({all:.1})", server.kind.name());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_the_middle_of_each_figure() {
        let run = |cpu, rate| Measurement {
            cpu,
            rate,
            p50: 0.0,
            p99: 0.0,
        };
        let median = Measurement::median(&[run(3.0, 10.0), run(1.0, 30.0), run(2.0, 20.0)]);
        assert_eq!((median.cpu, median.rate), (2.0, 20.0));
    }
}
