//! What writing and building a project costs: checking, generating, compiling, expanding the derives, and the binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{cargo, large, release};
use crate::Result;

/// Sizes of the schemas.
const SIZES: [usize; 3] = [1, 100, 1000];

/// A project of so many resources, and what it cost.
struct Project {
    resources: usize,
    folder: PathBuf,
    check: Duration,
    generate: Duration,
}

/// Measures, and prints beside the targets.
pub(super) fn run(rounds: usize) -> Result<()> {
    let program = release(&["rest-gen"])?.join("rest-gen");
    let directory = tempfile::tempdir()?;
    let projects = SIZES
        .iter()
        .map(|resources| write(&program, directory.path(), *resources, rounds))
        .collect::<Result<Vec<_>>>()?;
    for one in &projects {
        println!(
            "{:>5} resources: checked in {}, generated in {}",
            one.resources,
            told(one.check),
            told(one.generate)
        );
    }
    println!("targets: 100 resources in 100 ms, 1000 in 1 s");
    compile(&projects, &directory.path().join("target"))
}

/// Makes the project several times over; medians.
fn write(program: &Path, directory: &Path, resources: usize, rounds: usize) -> Result<Project> {
    let schema = directory.join(format!("large{resources}.yaml"));
    std::fs::write(&schema, large::schema(resources))?;
    let folder = directory.join(format!("large{resources}"));
    let (mut checks, mut generations) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        checks.push(time(Command::new(program).arg("check").arg(&schema))?);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        let mut new = Command::new(program);
        new.arg("new").arg(&folder).arg("--schema").arg(&schema);
        generations.push(time(&mut new)?);
    }
    Ok(Project {
        resources,
        folder,
        check: median(checks),
        generate: median(generations),
    })
}

/// Builds the dependencies once, and then each project's own code.
fn compile(projects: &[Project], target: &Path) -> Result<()> {
    let mut own = Vec::new();
    for project in projects {
        eprintln!("building {} resources", project.resources);
        // Once with all that it needs, and again with what is the project's own.
        time(&mut build(project, target, &[]))?;
        touch(project)?;
        own.push((
            project.resources,
            time(&mut build(project, target, &[]))?,
            expansion(project, target)?,
        ));
    }
    let Some(((_, one, expanded), others)) = own.split_first() else {
        return Ok(());
    };
    println!("\nbuild of the project's own code: 1 resource in {}", told(*one));
    for (resources, built, all) in others {
        let each = all.saturating_sub(*expanded) / u32::try_from(resources - 1)?;
        println!(
            "{resources:>5} resources: {:.2} times that (target for 100: 1.50), a struct's expansion {} (target: 3 ms)",
            built.as_secs_f64() / one.as_secs_f64(),
            told(each)
        );
    }
    for project in &projects[..2] {
        time(&mut build(project, target, &["--release"]))?;
        let binary = target.join("release/large");
        println!(
            "binary, release, {} resources: {:.1} MB (target: 15)",
            project.resources,
            std::fs::metadata(binary)?.len() as f64 / 1e6
        );
    }
    Ok(())
}

fn build(project: &Project, target: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo();
    command
        .current_dir(&project.folder)
        .env("CARGO_TARGET_DIR", target)
        .args(["build", "--quiet"])
        .args(arguments);
    command
}

/// How long the compiler spends on the macros of the library; that it tells is kept for its own developers, and
/// `RUSTC_BOOTSTRAP` is how a stable one is asked.
fn expansion(project: &Project, target: &Path) -> Result<Duration> {
    touch(project)?;
    let output = cargo()
        .current_dir(&project.folder)
        .env("CARGO_TARGET_DIR", target)
        .env("RUSTC_BOOTSTRAP", "1")
        .args(["rustc", "--quiet", "--lib", "--", "-Ztime-passes"])
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = told
        .lines()
        .chain(std::str::from_utf8(&output.stdout)?.lines())
        .find(|line| line.ends_with("macro_expand_crate"))
        .ok_or_else(|| format!("the compiler doesn't tell its passes:\n{told}"))?;
    let seconds = line
        .split_whitespace()
        .nth(1)
        .and_then(|word| word.trim_end_matches(';').parse().ok())
        .ok_or("the compiler's passes are told in another form")?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Has the library compiled anew.
fn touch(project: &Project) -> Result<()> {
    let file = std::fs::File::options()
        .append(true)
        .open(project.folder.join("src/lib.rs"))?;
    Ok(file.set_modified(std::time::SystemTime::now())?)
}

fn time(command: &mut Command) -> Result<Duration> {
    command.stdout(Stdio::null());
    let started = Instant::now();
    let status = command.status()?;
    let time = started.elapsed();
    if status.success() {
        Ok(time)
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn told(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}
