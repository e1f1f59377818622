//! What is written, what is left alone, what is removed, and what `--check` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use generator::plan::{Plan, plan};
use generator::{File, header};

use crate::project::{CONFIG, PYTHON, Project, TOY};

/// A text that carries our header.
pub(crate) fn ours(text: &str) -> String {
    format!("# {} from src/lib.rs; do not edit.\n{text}\n", header::MARK)
}

fn planned(project: &Project, files: &[(&str, &str)], locked: &[&str]) -> Plan {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(*path, ours(text))).collect();
    let locked: Vec<String> = locked.iter().map(|path| (*path).to_owned()).collect();
    plan(&files, &project.path("generated"), &locked).unwrap()
}

pub(crate) fn paths(entries: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<&str> {
    entries.keys().map(|path| path.to_str().unwrap()).collect()
}

#[test]
fn a_second_run_touches_no_file() {
    let project = Project::generated();
    let before = project.entries("generated");
    assert!(before.len() > 1, "{before:?}");
    sleep(Duration::from_millis(20));
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.output
            .contains(&format!("0 written, {} unchanged, 0 removed", before.len())),
        "{run:?}"
    );
    assert!(run.output.contains("since the lock: the API did not change"), "{run:?}");
    assert_eq!(project.entries("generated"), before);
}

#[test]
fn a_removed_output_folder_is_restored_byte_by_byte() {
    let project = Project::generated();
    let before = project.bytes("generated");
    fs::remove_dir_all(project.path("generated")).unwrap();
    let run = project.run(&[]);
    assert!(run.output.contains("no lock: first generation"), "{run:?}");
    assert_eq!(project.bytes("generated"), before);
}

#[test]
fn output_is_the_same_in_every_folder_and_names_none() {
    let one = Project::generated();
    let other = Project::empty();
    other.write("deep/er/async-proxy.toml", CONFIG);
    other.write("deep/er/src/lib.rs", TOY);
    other.write("deep/er/src/inner/x", "");
    let run = other.run_in("deep/er/src/inner", &[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let bytes = one.bytes("generated");
    assert_eq!(bytes, other.bytes("deep/er/generated"));
    for (path, bytes) in &bytes {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(!text.contains(one.path("").to_str().unwrap()), "{}", path.display());
        assert!(!text.contains('\r') && text.ends_with('\n'), "{}", path.display());
        assert!(header::is_marked(&text), "{} has no header", path.display());
    }
}

#[test]
fn only_the_files_that_changed_are_written() {
    let project = Project::generated();
    let before = project.entries("generated");
    sleep(Duration::from_millis(20));
    project.edit(
        "src/lib.rs",
        "/// Its brightness.\n",
        "/// Its brightness in percent.\n",
    );
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0));
    let after = project.entries("generated");
    // Documentation is in the proxies and not in the lock.
    assert_ne!(before[Path::new("rust/lib.rs")], after[Path::new("rust/lib.rs")]);
    assert_eq!(before[Path::new("api.json")], after[Path::new("api.json")]);
    assert!(run.output.contains("changed  generated/rust/lib.rs"), "{run:?}");
}

#[test]
fn a_file_that_is_no_longer_generated_is_removed_with_its_empty_folder() {
    let project = Project::with_root("pub mod lamp;");
    project.write("src/lamp.rs", "pub mod inner;");
    project.write("src/lamp/inner.rs", TOY.replace("//! A toy.", ""));
    assert_eq!(project.run(&[]).code, Some(0));
    assert!(project.path("generated/rust/lamp/inner.rs").exists());
    project.write("src/lib.rs", TOY);
    let check = project.run(&["--check"]);
    assert_eq!(check.code, Some(1));
    assert!(
        check.output.contains("left over: generated/rust/lamp/inner.rs"),
        "{check:?}"
    );
    let run = project.run(&[]);
    assert!(run.output.contains("removed  generated/rust/lamp/inner.rs"), "{run:?}");
    assert!(!project.path("generated/rust/lamp").exists());
    assert_eq!(paths(&project.bytes("generated")), ["api.json", "rust/lib.rs"]);
}

#[test]
fn a_foreign_file_is_an_error_and_is_kept() {
    let project = Project::generated();
    project.write("generated/rust/notes.md", "by hand");
    let before = project.entries("generated");
    project.edit("src/lib.rs", "pub fn brightness", "pub fn shine");
    for arguments in [&[][..], &["--check"][..]] {
        let run = project.run(arguments);
        assert_eq!(run.code, Some(1));
        assert!(
            (run.faults.clone() + &run.output).contains("generated/rust/notes.md"),
            "{run:?}"
        );
        assert_eq!(project.entries("generated"), before);
    }
    let run = project.run(&[]);
    assert!(run.faults.contains("move them elsewhere"), "{run:?}");
}

#[test]
fn a_foreign_file_in_the_place_of_a_generated_one_is_not_overwritten() {
    let project = Project::with_root(TOY);
    project.write("generated/rust/lib.rs", "fn by_hand() {}\n");
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.faults.contains("did not write: generated/rust/lib.rs"), "{run:?}");
    assert_eq!(paths(&project.bytes("generated")), ["rust/lib.rs"]);
    assert_eq!(project.read("generated/rust/lib.rs"), "fn by_hand() {}\n");
    // One whose header somebody took away is known by the lock.
    let project = Project::generated();
    let before = project.bytes("generated");
    project.write("generated/rust/lib.rs", "fn by_hand() {}\n");
    assert_eq!(project.run(&[]).code, Some(0));
    assert_eq!(project.bytes("generated"), before);
}

#[test]
fn what_tools_leave_in_the_folder_is_ignored() {
    let project = Project::generated();
    project.write("generated/python/toy/__pycache__/lib.cpython-310.pyc", "x");
    project.write("generated/python/toy/_native.abi3.so", "x");
    project.write("generated/python/toy.egg-info/PKG-INFO", "x");
    let before = project.entries("generated");
    assert_eq!(project.run(&["--check"]).code, Some(0));
    assert_eq!(project.run(&[]).code, Some(0));
    assert_eq!(project.entries("generated"), before);
}

#[test]
fn an_empty_file_of_an_earlier_run_is_known_by_the_lock_alone() {
    let project = Project::empty();
    project.write("generated/py.typed", "");
    assert_eq!(planned(&project, &[("a.py", "a")], &[]).foreign, ["py.typed"]);
    let plan = planned(&project, &[("a.py", "a")], &["py.typed"]);
    assert_eq!((plan.foreign.len(), plan.removals.len()), (0, 1));
}

#[test]
fn what_a_killed_run_left_is_cleared_away() {
    let project = Project::generated();
    project.write("generated/rust/.async-proxy-x1y2.tmp", "half");
    assert_eq!(project.run(&[]).code, Some(0));
    assert_eq!(paths(&project.bytes("generated")), ["api.json", "rust/lib.rs"]);
}

#[test]
fn check_writes_nothing_and_shows_what_is_stale_and_missing() {
    let project = Project::generated();
    let run = project.run(&["--check"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.output.contains("generated/ is up to date"), "{run:?}");
    project.edit(
        "src/lib.rs",
        "    /// Unplugs it.",
        "    /// Blinks.\n    pub fn blink(&mut self, times: u32) -> Result<(), Fault> { todo!() }\n\n    /// Unplugs it.",
    );
    fs::remove_file(project.path("generated/api.json")).unwrap();
    let before = project.entries("generated");
    let run = project.run(&["--check"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(project.entries("generated"), before);
    for expected in [
        "stale: generated/rust/lib.rs\n--- a/generated/rust/lib.rs",
        "+    pub fn blink",
        "missing: generated/api.json",
    ] {
        assert!(run.output.contains(expected), "{expected}: {}", run.output);
    }
    assert!(run.faults.contains("1 stale, 1 missing"), "{run:?}");
    assert!(run.faults.contains("run `cargo run -p generator`"), "{run:?}");
}

#[test]
fn check_says_whether_the_change_breaks_callers() {
    let project = Project::generated();
    let blink = "    /// Blinks.\n    pub fn blink(&mut self) -> Result<(), Fault> { todo!() }\n\n    /// Unplugs it.";
    project.edit("src/lib.rs", "    /// Unplugs it.", blink);
    let run = project.run(&["--check"]);
    assert!(
        run.output.contains("1 change of the API: compatible, no caller breaks"),
        "{run:?}"
    );
    assert!(
        run.output.contains("compatible: Lamp.blink was added (call)"),
        "{run:?}"
    );
    project.write("src/lib.rs", TOY.replace(", fade: f64", "").replace(", fade = 0.5", ""));
    let run = project.run(&["--check"]);
    assert!(
        run.output
            .contains("breaking in Rust: Lamp.dim lost the argument `fade: f64`"),
        "{run:?}"
    );
    project.write(
        "src/lib.rs",
        TOY.replace(
            "    /// No current.\n    #[proxy(exception = \"OSError\")]\n    Dark,\n",
            "",
        ),
    );
    let run = project.run(&["--check"]);
    assert!(run.output.contains("breaking: Fault::Dark was removed"), "{run:?}");
}

#[test]
fn with_python_a_second_run_touches_nothing_and_a_default_is_behaviour() {
    let project = Project::with_root(TOY);
    project.write("async-proxy.toml", CONFIG.to_owned() + PYTHON);
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let before = project.entries("generated");
    assert_eq!(project.run(&[]).code, Some(0));
    assert_eq!(project.entries("generated"), before);
    for (path, (bytes, _)) in &before {
        let text = String::from_utf8(bytes.clone()).unwrap();
        // The marker of PEP 561 is an empty file.
        assert!(
            header::is_marked(&text) || path.ends_with("py.typed"),
            "{} has no header",
            path.display()
        );
        assert!(!text.contains(project.path("").to_str().unwrap()), "{}", path.display());
        for word in ["qmark", "OperationalError", "row_factory", "paramstyle"] {
            assert!(
                !text.contains(word),
                "{} has {word} of a profile that is not chosen",
                path.display()
            );
        }
    }
    project.edit("src/lib.rs", "fade = 0.5", "fade = 1.0");
    let run = project.run(&["--check"]);
    let expected = "breaking in Python: Lamp.dim behaves differently: the default of `fade` was `0.5` and is `1.0`";
    assert!(run.output.contains(expected), "{run:?}");
}

#[test]
fn a_target_that_is_no_longer_wanted_is_removed() {
    let project = Project::with_root(TOY);
    project.write("async-proxy.toml", CONFIG.to_owned() + PYTHON);
    assert_eq!(project.run(&[]).code, Some(0));
    assert!(project.path("generated/native").exists());
    project.write("async-proxy.toml", CONFIG);
    let run = project.run(&[]);
    assert!(
        run.output
            .contains("breaking in Python: the Python package `aiotoy` was removed"),
        "{run:?}"
    );
    assert_eq!(paths(&project.bytes("generated")), ["api.json", "rust/lib.rs"]);
    assert!(!project.path("generated/native").exists());
}

#[test]
fn a_broken_lock_is_said_and_replaced() {
    let project = Project::generated();
    let before = project.bytes("generated");
    project.write("generated/api.json", "<<<<<<< ours\n");
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.output.contains("the lock cannot be read"), "{run:?}");
    assert_eq!(project.bytes("generated"), before);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn generated_files_are_as_readable_as_any_new_file() {
        let project = Project::generated();
        project.write("like.txt", "");
        let mode = |path: &str| project.path(path).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("generated/rust/lib.rs"), mode("like.txt"));
    }

    #[test]
    fn a_link_in_the_output_folder_is_foreign_and_not_followed() {
        let project = Project::generated();
        project.write("elsewhere/x.rs", ours("x"));
        symlink(project.path("elsewhere"), project.path("generated/rust/link")).unwrap();
        let run = project.run(&[]);
        assert_eq!(run.code, Some(1));
        assert!(run.faults.contains("generated/rust/link"), "{run:?}");
        assert!(project.path("elsewhere/x.rs").exists());
    }
}
