//! The servers that the sync driver is tested against: ours, which is built, and Turso's own, which npm fetches.

use std::env::consts::{ARCH, EXE_SUFFIX, OS};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::{Context, Failure, Result};
use crate::process::Program;
use crate::terminal::{Terminal, is_continuous_integration};
use crate::workspace::Workspace;

/// The version of Turso's own server. It sends pages as the engine of the driver reads them.
const TURSODB_VERSION: &str = "0.8.0-pre.4";

/// Where tests find the servers. A test that needs one that is missing is skipped, and says so.
#[derive(Default)]
pub(crate) struct Servers {
    ours: Option<PathBuf>,
    tursodb: Option<PathBuf>,
}

impl Servers {
    /// Builds the one and fetches the other. Without npm the other is left out; where nobody watches that is a failure, as the
    /// note would not be read.
    pub(crate) fn prepare(workspace: &Workspace, terminal: Terminal) -> Result<Self> {
        let ours = build_ours(workspace, terminal)?;
        let tursodb = match fetch_tursodb(workspace, terminal) {
            Ok(path) => Some(path),
            Err(failure) if is_continuous_integration() => return Err(failure),
            Err(failure) => {
                terminal.note(&format!("left out: Turso's own server: {failure}"));
                None
            }
        };
        Ok(Self {
            ours: Some(ours),
            tursodb,
        })
    }

    /// Builds the one that is ours, and leaves the other out.
    pub(crate) fn build(workspace: &Workspace, terminal: Terminal) -> Result<Self> {
        let ours = Some(build_ours(workspace, terminal)?);
        Ok(Self { ours, tursodb: None })
    }

    /// A program that is told where they are.
    pub(crate) fn tell(&self, program: Program) -> Program {
        let known = [("SYNC_TEST_SERVER", &self.ours), ("TURSODB", &self.tursodb)];
        known.into_iter().fold(program, |program, (name, path)| match path {
            Some(path) => program.environment(name, path),
            None => program,
        })
    }

    /// For the summary.
    pub(crate) fn remark(&self) -> String {
        match self.tursodb {
            Some(_) => format!("ours, and tursodb {TURSODB_VERSION}"),
            None => "ours; LEFT OUT: the tests against Turso's own server".to_owned(),
        }
    }
}

fn build_ours(workspace: &Workspace, terminal: Terminal) -> Result<PathBuf> {
    // Together with the driver, so that both have the same features of what they share: the engine is built once.
    Program::cargo(&workspace.root)
        .arguments([
            "build",
            "--quiet",
            "--package",
            "sync-test-server",
            "--package",
            "turso-driver",
        ])
        .run(terminal)?;
    let name = format!("sync-test-server{EXE_SUFFIX}");
    Ok(workspace.target.join("debug").join(name))
}

fn fetch_tursodb(workspace: &Workspace, terminal: Terminal) -> Result<PathBuf> {
    let package = package_for(OS, ARCH).ok_or_else(|| {
        Failure::new(format!(
            "there is no tursodb for {OS} on {ARCH}; run the tests on Linux, macOS or Windows"
        ))
    })?;
    let folder = workspace.target.join("npm");
    let installed = folder.join("node_modules").join(package);
    if version_of(&installed).is_some_and(|version| version == TURSODB_VERSION) {
        terminal.note(&format!("tursodb {TURSODB_VERSION} is there already"));
    } else {
        fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
        // A file of ours, so that npm takes this folder for the project and not one above it.
        let manifest = folder.join("package.json");
        fs::write(&manifest, "{\"private\": true}\n").context(|| format!("writing {}", manifest.display()))?;
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        Program::new(npm, &folder)
            .arguments(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"])
            .argument(format!("{package}@{TURSODB_VERSION}"))
            .advice("npm comes with Node.js; it must reach a registry, or have the package in its cache")
            .run(terminal)?;
    }
    let program = installed.join(format!("tursodb{EXE_SUFFIX}"));
    if program.is_file() {
        Ok(program)
    } else {
        Err(Failure::new(format!(
            "{} is not there; remove {} and run this again",
            program.display(),
            folder.display()
        )))
    }
}

/// The package with the program for a system, as the names of Rust call it.
fn package_for(system: &str, processor: &str) -> Option<&'static str> {
    match (system, processor) {
        ("linux", "x86_64") => Some("@tursodatabase/cli-linux-x64-gnu"),
        ("linux", "aarch64") => Some("@tursodatabase/cli-linux-arm64-gnu"),
        ("macos", "x86_64") => Some("@tursodatabase/cli-darwin-x64"),
        ("macos", "aarch64") => Some("@tursodatabase/cli-darwin-arm64"),
        ("windows", "x86_64") => Some("@tursodatabase/cli-win32-x64-msvc"),
        _ => None,
    }
}

/// The version of an installed package.
fn version_of(package: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Manifest {
        version: String,
    }
    let text = fs::read_to_string(package.join("package.json")).ok()?;
    serde_json::from_str::<Manifest>(&text)
        .ok()
        .map(|manifest| manifest.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_a_package_is_known_as_such() {
        assert!(package_for("linux", "x86_64").is_some());
        assert_eq!(package_for("freebsd", "x86_64"), None);
    }

    #[test]
    fn the_version_of_an_installed_package_is_read() {
        let folder = std::env::temp_dir().join(format!("xtask-servers-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(version_of(&folder), None);
        fs::write(folder.join("package.json"), r#"{"name": "x", "version": "1.2.3"}"#).unwrap();
        assert_eq!(version_of(&folder).as_deref(), Some("1.2.3"));
        fs::remove_dir_all(&folder).unwrap();
    }
}
