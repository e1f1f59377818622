//! Finding Python: every interpreter from 3.10 that the machine has, one for each minor version.

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

use crate::failure::{Failure, Result};
use crate::process::Program;

/// The oldest version that the package supports.
const OLDEST: Version = Version { major: 3, minor: 10 };

/// Names under which interpreters stand on PATH. `python3` comes first: it is the one that the person chose.
const NAMES: [&str; 9] = [
    "python3",
    "python",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.14",
    "python3.15",
    "python3.16",
];

/// Prints what is asked of a candidate, one fact on each line.
const PROBE: &str = "\
import sys, sysconfig, importlib.util as find
print(sys.version_info[0], sys.version_info[1], sep='.')
print('.'.join(map(str, sys.version_info[:3])))
print(sys.implementation.name)
print(sys.version_info.releaselevel)
print('free-threaded' if sysconfig.get_config_var('Py_GIL_DISABLED') else 'gil')
print('venv' if find.find_spec('venv') and find.find_spec('ensurepip') else 'no venv')
print(sys.executable)
";

const INSTALL_PYTHON: &str = "install Python 3.10 or newer with its venv module \
(Debian, Ubuntu: `apt-get install python3 python3-venv`; macOS: `brew install python`; Windows: `winget install Python.Python.3.13`) \
and make sure that `python3` or `python` is on PATH";

/// A minor version of Python.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Version {
    pub(crate) major: u32,
    pub(crate) minor: u32,
}

/// An interpreter that the tests can run on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Interpreter {
    pub(crate) version: Version,
    /// With the patch level: `3.12.1`.
    pub(crate) full_version: String,
    pub(crate) executable: PathBuf,
}

/// What the machine has.
pub(crate) struct Found {
    /// Oldest first; never empty.
    pub(crate) interpreters: Vec<Interpreter>,
    /// The one that tools run with: the person's `python3` where it will do, the newest otherwise.
    pub(crate) preferred: Interpreter,
    /// Interpreters of a fitting version that cannot be used, each with the reason.
    pub(crate) left_out: Vec<String>,
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self {
            major: major.parse().ok()?,
            minor: minor.parse().ok()?,
        })
    }
}

/// Looks for interpreters on PATH, under pyenv and, on Windows, with the `py` launcher. With `wanted` versions, each of them
/// must be there.
pub(crate) fn find(wanted: &[String]) -> Result<Found> {
    choose(
        candidates().into_iter().filter_map(|path| probe(&path)).collect(),
        wanted,
    )
}

/// What a candidate says of itself.
struct Answer {
    interpreter: Interpreter,
    /// Why it cannot be used, if it cannot.
    unfit: Option<&'static str>,
}

fn choose(answers: Vec<Answer>, wanted: &[String]) -> Result<Found> {
    let wanted_versions = wanted
        .iter()
        .map(|text| Version::parse(text).ok_or_else(|| Failure::new(format!("`{text}` is not a version like 3.12"))))
        .collect::<Result<Vec<_>>>()?;
    let mut preferred = None;
    let mut by_version = BTreeMap::new();
    let mut unfit = Vec::new();
    for Answer {
        interpreter,
        unfit: reason,
    } in answers
    {
        let version = interpreter.version;
        if version < OLDEST {
            continue;
        }
        let is_wanted = wanted.is_empty() || wanted_versions.contains(&version);
        match reason {
            Some(reason) if is_wanted => {
                unfit.push((version, format!("{} ({reason})", interpreter.executable.display())));
            }
            Some(_) => {}
            None => {
                // Whatever the tests are limited to: the environment of the tools stays the same.
                preferred.get_or_insert_with(|| interpreter.clone());
                if is_wanted {
                    by_version.entry(version).or_insert(interpreter);
                }
            }
        }
    }
    // An unfit interpreter is worth a word only where no other of its version serves.
    let mut left_out: Vec<String> = Vec::new();
    for (version, text) in unfit {
        if !by_version.contains_key(&version) && !left_out.contains(&text) {
            left_out.push(text);
        }
    }
    if let Some(missing) = wanted_versions.iter().find(|version| !by_version.contains_key(version)) {
        return Err(Failure::new(format!(
            "there is no usable Python {missing}{}: install it",
            among(&left_out)
        )));
    }
    let Some(preferred) = preferred else {
        return Err(Failure::new(format!(
            "there is no usable Python{}: {INSTALL_PYTHON}",
            among(&left_out)
        )));
    };
    Ok(Found {
        interpreters: by_version.into_values().collect(),
        preferred,
        left_out,
    })
}

fn among(left_out: &[String]) -> String {
    if left_out.is_empty() {
        String::new()
    } else {
        format!(" (found, but of no use: {})", left_out.join(", "))
    }
}

/// Every path that may be an interpreter, in order of preference. One name may stand on PATH several times, and the first may
/// be a pyenv shim that refuses: so all of them are tried.
fn candidates() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut found: Vec<PathBuf> = Vec::new();
    for name in NAMES {
        let file = format!("{name}{}", env::consts::EXE_SUFFIX);
        found.extend(
            folders
                .iter()
                .map(|folder| folder.join(&file))
                .filter(|path| path.is_file()),
        );
    }
    found.extend(pyenv_interpreters());
    if cfg!(windows) {
        found.extend(launcher_interpreters());
    }
    found
}

/// What stands in pyenv's `versions` folder, selected or not.
fn pyenv_interpreters() -> Vec<PathBuf> {
    let root = env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(if cfg!(windows) { ".pyenv/pyenv-win" } else { ".pyenv" })));
    let Some(entries) = root.and_then(|root| root.join("versions").read_dir().ok()) else {
        return Vec::new();
    };
    let executable = if cfg!(windows) { "python.exe" } else { "bin/python3" };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path().join(executable)).collect();
    found.retain(|path| path.is_file());
    found.sort();
    found
}

/// What the launcher of Windows lists: ` -V:3.13 *  C:\…\python.exe`.
fn launcher_interpreters() -> Vec<PathBuf> {
    let listed = Program::new("py", Path::new("."))
        .argument("--list-paths")
        .read()
        .unwrap_or_default();
    let paths = listed
        .lines()
        .filter_map(|line| line.find(":\\").and_then(|colon| line.get(colon - 1..)));
    paths.map(|path| PathBuf::from(path.trim())).collect()
}

/// Asks a candidate what it is; `None` if it does not run.
fn probe(path: &Path) -> Option<Answer> {
    let answer = Program::new(path, Path::new("."))
        .arguments(["-I", "-c", PROBE])
        .read()
        .ok()?;
    parse_probe(&answer)
}

fn parse_probe(answer: &str) -> Option<Answer> {
    let mut lines = answer.lines().map(str::trim);
    let mut next = || lines.next();
    let (version, full_version) = (Version::parse(next()?)?, next()?.to_owned());
    let (implementation, level, gil, venv) = (next()?, next()?, next()?, next()?);
    let unfit = match (implementation, level, gil, venv) {
        ("cpython", "final" | "candidate", "gil", "venv") => None,
        ("cpython", "final" | "candidate", "gil", _) => Some("it lacks venv or ensurepip"),
        ("cpython", "final" | "candidate", _, _) => Some("it is free-threaded, which the stable ABI does not cover"),
        ("cpython", ..) => Some("it is a pre-release"),
        _ => Some("it is not CPython"),
    };
    Some(Answer {
        interpreter: Interpreter {
            version,
            full_version,
            executable: next()?.into(),
        },
        unfit,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(version: &str, facts: &str, path: &str) -> Answer {
        let facts = facts.replace(' ', "\n").replace('_', " ");
        parse_probe(&format!("{version}\n{version}.1\n{facts}\n{path}\n")).unwrap()
    }

    const FIT: &str = "cpython final gil venv";

    #[test]
    fn one_interpreter_of_each_version_is_used_and_the_first_is_preferred() {
        let answers = vec![
            answer("3.11", FIT, "/chosen/python3"),
            answer("3.9", FIT, "/old/python3.9"),
            answer("3.13", FIT, "/new/python3.13"),
            answer("3.11", FIT, "/usr/bin/python3.11"),
        ];
        let found = choose(answers, &[]).unwrap();
        let paths: Vec<_> = found
            .interpreters
            .iter()
            .map(|one| one.executable.to_str().unwrap())
            .collect();
        assert_eq!(paths, ["/chosen/python3", "/new/python3.13"]);
        assert_eq!(found.preferred.executable, Path::new("/chosen/python3"));
    }

    #[test]
    fn the_tools_keep_their_interpreter_when_the_tests_are_limited() {
        let answers = vec![answer("3.11", FIT, "/chosen/python3"), answer("3.12", FIT, "/other")];
        let found = choose(answers, &["3.12".to_owned()]).unwrap();
        assert_eq!(found.preferred.executable, Path::new("/chosen/python3"));
        assert_eq!(found.interpreters.len(), 1);
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(Version::parse("3.9").unwrap() < OLDEST);
    }

    #[test]
    fn an_interpreter_without_venv_yields_to_one_that_has_it() {
        let system = answer("3.11", "cpython final gil no_venv", "/usr/bin/python3");
        let found = choose(vec![system, answer("3.11", FIT, "/pyenv/python3")], &[]).unwrap();
        assert_eq!(found.preferred.executable, Path::new("/pyenv/python3"));
        assert!(found.left_out.is_empty());
    }

    #[test]
    fn what_is_left_out_is_named_with_its_reason() {
        let answers = vec![
            answer("3.12", FIT, "/a"),
            answer("3.14", "cpython final free-threaded venv", "/b"),
        ];
        assert_eq!(
            choose(answers, &[]).unwrap().left_out,
            ["/b (it is free-threaded, which the stable ABI does not cover)"]
        );
    }

    #[test]
    fn without_an_interpreter_the_message_says_what_to_install() {
        let message = choose(vec![answer("3.8", FIT, "/old")], &[]).err().unwrap().to_string();
        assert!(message.contains("apt-get install python3 python3-venv"), "{message}");
        let unfit = vec![answer("3.12", "cpython final gil no_venv", "/usr/bin/python3")];
        let message = choose(unfit, &[]).err().unwrap().to_string();
        assert!(
            message.contains("/usr/bin/python3 (it lacks venv or ensurepip)"),
            "{message}"
        );
    }

    #[test]
    fn a_wanted_version_must_be_there() {
        let wanted = ["3.12".to_owned()];
        let message = choose(vec![answer("3.13", FIT, "/a")], &wanted)
            .err()
            .unwrap()
            .to_string();
        assert!(message.contains("no usable Python 3.12"), "{message}");
    }
}
