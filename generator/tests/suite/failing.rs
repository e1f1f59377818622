//! A run that fails leaves everything as it was, whatever stops it.

use std::fs;

use generator::File;
use generator::plan::{Plan, plan};
use generator::write::{WriteError, apply};

use crate::project::{CONFIG, Project, TOY};
use crate::writing::{ours, paths};

fn planned(project: &Project, files: &[(&str, &str)]) -> Plan {
    let files: Vec<File> = files.iter().map(|(path, text)| File::new(*path, ours(text))).collect();
    plan(&files, &project.path("generated"), &[]).unwrap()
}

fn applied(project: &Project, files: &[(&str, &str)]) -> Result<(), WriteError> {
    apply(&planned(project, files), &project.path("generated"))
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
    let plan = planned(&project, &[("a.py", "2"), ("b.py", "2"), ("z.py", "2")]);
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
    use std::process::Command;

    use super::*;
    use crate::project::run;

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
