//! Where mutants are built and tried.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::copy;
use super::list::{Mutant, Test};
use crate::failure::{Context, Failure, Result};
use crate::workspace::Workspace;

/// A test that takes longer hangs, which is one way to fail. On a sound worker each takes a second or two.
const PATIENCE: Duration = Duration::from_secs(12);
/// The same for a fault of the matrix, which is tried on every executor.
const PATIENCE_WITH_ENGINE: Duration = Duration::from_secs(60);
/// The same on a sound worker.
const PATIENCE_WITHOUT_BUG: Duration = Duration::from_secs(300);
/// How long a test waits for something that must come soon, in seconds; longer than that, it fails.
const PATIENCE_OF_TESTS: &str = "3";
/// How long a soak lasts, in seconds.
const SOAK_SECONDS: &str = "6";
/// Some bugs are races: a test has so many chances to lose one.
const CHANCES: usize = 4;

/// A copy of the sources and its build folder.
pub(super) struct Laboratory {
    sources: PathBuf,
    build: PathBuf,
}

/// What became of a mutant.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The test failed,
    Killed,
    /// or did not come to its end.
    Hung,
    /// Nobody noticed.
    Survived,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Killed => "killed",
            Self::Hung => "hung",
            Self::Survived => "SURVIVED",
        })
    }
}

/// What cargo says of an artifact, as JSON.
#[derive(Deserialize)]
struct Message {
    executable: Option<PathBuf>,
    message: Option<Diagnostic>,
}

#[derive(Deserialize)]
struct Diagnostic {
    level: String,
    rendered: Option<String>,
}

impl Laboratory {
    /// The copy of that number, as the sources are now.
    pub(super) fn prepare(workspace: &Workspace, lane: usize, with_engine: bool) -> Result<Self> {
        let kind = if with_engine { "engine" } else { "small" };
        let folder = workspace.target.join("mutants").join(format!("{kind}-{lane}"));
        let laboratory = Self {
            sources: folder.join("sources"),
            build: folder.join("build"),
        };
        copy::refresh(&workspace.root, &laboratory.sources, with_engine)?;
        if with_engine && !laboratory.build.exists() {
            let ours = workspace.target.join("debug");
            copy::borrow_build(&workspace.root, &ours, &laboratory.build.join("debug"))?;
        }
        Ok(laboratory)
    }

    /// An error unless the tests pass on a worker without a bug.
    pub(super) fn check_healthy(&self, tests: &[Test]) -> Result<()> {
        let mut built: HashMap<(&str, &str), PathBuf> = HashMap::new();
        let mut tried: Vec<Test> = Vec::new();
        for &test in tests {
            if tried.contains(&test) {
                continue;
            }
            tried.push(test);
            let program = match built.get(&(test.package, test.binary)) {
                Some(program) => program.clone(),
                None => self
                    .build(test)?
                    .map_err(|said| Failure::new(format!("the tests do not build without a mutant either:\n{said}")))?,
            };
            built.insert((test.package, test.binary), program.clone());
            let verdict = run_test(&program, test, Health::Sound)?;
            if verdict != Verdict::Survived {
                return Err(Failure::new(format!(
                    "`{test}` fails without a mutant too: run `cargo test -p {} --test {}`",
                    test.package, test.binary
                )));
            }
        }
        Ok(())
    }

    /// Tries one mutant.
    pub(super) fn try_mutant(&self, mutant: &Mutant) -> Result<Verdict> {
        let path = self.sources.join(mutant.file);
        let source = std::fs::read_to_string(&path).context(|| format!("reading {}", path.display()))?;
        copy::write(&path, mutant.mutated(&source)?.as_bytes())?;
        let outcome = self.try_changed(mutant);
        copy::write(&path, source.as_bytes())?;
        outcome
    }

    fn try_changed(&self, mutant: &Mutant) -> Result<Verdict> {
        let program = self
            .build(mutant.test)?
            .map_err(|said| Failure::new(format!("the mutant \"{}\" does not compile:\n{said}", mutant.bug)))?;
        for _ in 0..CHANCES {
            match run_test(&program, mutant.test, Health::Mutant)? {
                Verdict::Survived => {}
                noticed => return Ok(noticed),
            }
        }
        Ok(Verdict::Survived)
    }

    /// The program of a test, or what the compiler says.
    fn build(&self, test: Test) -> Result<std::result::Result<PathBuf, String>> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(cargo)
            .current_dir(&self.sources)
            .args([
                "test",
                "--no-run",
                "--message-format=json",
                "--package",
                test.package,
                "--test",
                test.binary,
            ])
            .arg("--target-dir")
            .arg(&self.build)
            // Of this repository's cargo: not meant for the copy's.
            .env_remove("CARGO_MANIFEST_DIR")
            .output()
            .context(|| "running cargo".to_owned())?;
        Ok(read_messages(&output))
    }
}

fn read_messages(output: &Output) -> std::result::Result<PathBuf, String> {
    let said = String::from_utf8_lossy(&output.stdout);
    let messages = said
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok());
    let (mut program, mut errors) = (None, String::new());
    for message in messages {
        program = message.executable.or(program);
        if let Some(diagnostic) = message.message.filter(|diagnostic| diagnostic.level == "error") {
            errors.push_str(&diagnostic.rendered.unwrap_or_default());
        }
    }
    match program {
        Some(program) if output.status.success() => Ok(program),
        _ => Err(format!("{errors}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// What a test runs on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Health {
    /// The sources as they are. The machine may be busy, so that the test may take its time.
    Sound,
    /// A bug is in them. Whether the test fails or is given up early makes no difference.
    Mutant,
}

/// Runs one test: [`Verdict::Survived`] if it passes.
fn run_test(program: &PathBuf, test: Test, health: Health) -> Result<Verdict> {
    let describe = || format!("running {}", program.display());
    let mut command = Command::new(program);
    command.arg(test.name);
    if !test.needs_engine() {
        command.args(["--exact", "--test-threads=1"]);
    }
    if health == Health::Mutant {
        command.env("ASYNC_PROXY_TEST_PATIENCE", PATIENCE_OF_TESTS);
    }
    let mut child = command
        .env("ASYNC_PROXY_SOAK_SECONDS", SOAK_SECONDS)
        .env("ASYNC_PROXY_KILLS", "40")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context(describe)?;
    let patience = match (test.needs_engine(), health) {
        (true, Health::Mutant) => PATIENCE_WITH_ENGINE,
        (false, Health::Mutant) => PATIENCE,
        (_, Health::Sound) => PATIENCE_WITHOUT_BUG,
    };
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context(describe)? {
            return Ok(if status.success() {
                Verdict::Survived
            } else {
                Verdict::Killed
            });
        }
        if started.elapsed() > patience {
            child.kill().context(describe)?;
            child.wait().context(describe)?;
            return Ok(Verdict::Hung);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
