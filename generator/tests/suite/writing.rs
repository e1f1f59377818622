//! What is written, what is left alone, and that a run which fails leaves everything as it was.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use generator::plan::{Plan, plan};
use generator::write::{WriteError, apply};
use generator::{File, header};

use crate::project::{CONFIG, Project, TOY};

/// A text that carries our header.
fn ours(text: &str) -> String {
    format!("# {} from src/lib.rs; do not edit.\n{text}\n", header::MARK)
}

fn planned(project: &Project, files: &[(&str, &str)], locked: &[&str]) -> Plan {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(*path, ours(text))).collect();
    let locked: Vec<String> = locked.iter().map(|path| (*path).to_owned()).collect();
    plan(&files, &project.path("generated"), &locked).unwrap()
}

fn applied(project: &Project, files: &[(&str, &str)]) -> Result<(), WriteError> {
    apply(&planned(project, files, &[]), &project.path("generated"))
}

fn paths(entries: &BTreeMap<PathBuf, Vec<u8>>) -> Vec<&str> {
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
fn a_broken_lock_is_said_and_replaced() {
    let project = Project::generated();
    let before = project.bytes("generated");
    project.write("generated/api.json", "<<<<<<< ours\n");
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.output.contains("the lock cannot be read"), "{run:?}");
    assert_eq!(project.bytes("generated"), before);
}

#[test]
fn faults_of_the_description_leave_the_output_as_it_was() {
    let project = Project::generated();
    let before = project.entries("generated");
    project.edit("src/lib.rs", "#[proxy(close)]", "#[proxy(clos)]");
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1));
    assert_eq!(project.entries("generated"), before);
    project.write("src/lib.rs", "fn (");
    assert_eq!(project.run(&[]).code, Some(1));
    fs::remove_file(project.path("src/lib.rs")).unwrap();
    assert_eq!(project.run(&[]).code, Some(2));
    project.write("src/lib.rs", b"\xff\xfe");
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.faults.contains("this is not UTF-8") && run.faults.contains("src/lib.rs:1:1"),
        "{run:?}"
    );
    assert_eq!(project.entries("generated"), before);
}

#[test]
fn an_output_folder_below_a_file_is_a_clear_error() {
    let project = Project::with_root(TOY);
    project.write(
        "async-proxy.toml",
        CONFIG.replace("\"generated\"", "\"occupied/generated\""),
    );
    project.write("occupied", "a file");
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.faults.contains("cannot create the folder"), "{run:?}");
    assert!(run.faults.contains("look at `folder` under `[output]`"), "{run:?}");
    assert_eq!(project.read("occupied"), "a file");
}

#[test]
fn a_folder_in_the_place_of_a_file_stops_the_run_before_anything_changed() {
    let project = Project::empty();
    applied(&project, &[("a.py", "1"), ("z.py", "1")]).unwrap();
    fs::remove_file(project.path("generated/z.py")).unwrap();
    fs::create_dir(project.path("generated/z.py")).unwrap();
    let before = project.entries("generated");
    let error = applied(&project, &[("a.py", "2"), ("new/b.py", "2"), ("z.py", "2")]).unwrap_err();
    assert!(
        error.to_string().contains("a folder of that name is in the way"),
        "{error}"
    );
    assert_eq!(project.entries("generated"), before);
    assert!(
        !project.path("generated/new").exists(),
        "a folder that was made for nothing is left"
    );
}

#[test]
fn a_rename_that_fails_puts_back_what_was_renamed_and_removed_before_it() {
    let project = Project::empty();
    applied(&project, &[("a.py", "1"), ("old.py", "1"), ("z.py", "1")]).unwrap();
    let plan = planned(&project, &[("a.py", "2"), ("b.py", "2"), ("z.py", "2")], &[]);
    assert_eq!((plan.writes.len(), plan.removals.len()), (3, 1));
    // The last removal finds nothing any more: everything before it was done by then, or not begun.
    let before = project.bytes("generated");
    let mut failing = plan.clone();
    failing.removals.push(generator::plan::Removed {
        path: "gone.py".to_owned(),
        before: Vec::new(),
    });
    let error = apply(&failing, &project.path("generated")).unwrap_err();
    assert!(error.to_string().contains("cannot remove"), "{error}");
    assert_eq!(project.bytes("generated"), before);
    apply(&plan, &project.path("generated")).unwrap();
    assert_eq!(paths(&project.bytes("generated")), ["a.py", "b.py", "z.py"]);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;

    use super::*;
    use crate::project::run;

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

    /// Runs the generator from a shell that first does something to itself.
    fn run_behind(project: &Project, preparation: &str) -> crate::project::Run {
        let mut command = Command::new("sh");
        let script = format!("{preparation}; exec \"$0\"");
        command
            .args(["-c", &script, env!("CARGO_BIN_EXE_generator")])
            .current_dir(project.path(""));
        run(&mut command)
    }

    #[test]
    fn a_file_that_cannot_be_written_to_its_end_leaves_everything_as_it_was() {
        for blocks in [0, 1, 2] {
            let project = Project::generated();
            let before = project.entries("generated");
            let more =
                "    /// Blinks.\n    pub fn blink(&mut self) -> Result<(), Fault> { todo!() }\n\n    /// Unplugs it.";
            project.edit("src/lib.rs", "    /// Unplugs it.", more);
            project.write("src/lamp.rs", "");
            // The limit kills by a signal where nobody ignores it; ignored, a write fails as on a full disk.
            let run = run_behind(&project, &format!("trap '' XFSZ; ulimit -f {blocks}"));
            assert_eq!(run.code, Some(1), "{run:?}");
            assert!(
                run.faults.contains("cannot write") && run.faults.contains("make room on the disk"),
                "{run:?}"
            );
            assert_eq!(project.entries("generated"), before, "with a limit of {blocks} blocks");
            assert_eq!(project.run(&[]).code, Some(0));
        }
    }

    #[test]
    fn a_first_run_that_fails_leaves_no_folder() {
        let project = Project::with_root(TOY);
        let run = run_behind(&project, "trap '' XFSZ; ulimit -f 0");
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(!project.path("generated").exists());
    }

    /// A real full disk: a small file system in memory, in a mount namespace of its own. Where the system does not allow
    /// that, the tests with a limit stand for it.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_leaves_everything_as_it_was() {
        let project = Project::generated();
        let before = project.bytes("generated");
        let more =
            "    /// Blinks.\n    pub fn blink(&mut self) -> Result<(), Fault> { todo!() }\n\n    /// Unplugs it.";
        project.edit("src/lib.rs", "    /// Unplugs it.", more);
        // The filler's name is one that the generator ignores.
        let script = "cp -r generated kept && mount -t tmpfs -o size=64k small generated || exit 77\n\
                      cp -r kept/. generated && dd if=/dev/zero of=generated/filler.so bs=4k 2>/dev/null\n\
                      \"$0\"; code=$?; cp -r generated after; rm after/filler.so; exit $code";
        let mut command = Command::new("unshare");
        command
            .args([
                "--mount",
                "--map-root-user",
                "sh",
                "-c",
                script,
                env!("CARGO_BIN_EXE_generator"),
            ])
            .current_dir(project.path(""));
        let Ok(output) = command.output() else {
            eprintln!("not tried: there is no `unshare`");
            return;
        };
        let faults = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(1) || !faults.contains("generator: ") {
            assert!(!faults.contains("generator: "), "{output:?}");
            eprintln!("not tried: no file system can be mounted here: {faults}");
            return;
        }
        assert!(
            faults.contains("No space left on device") && faults.contains("make room on the disk"),
            "{faults}"
        );
        assert_eq!(project.bytes("after"), before);
    }
}
