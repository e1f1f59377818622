//! Wrong descriptions, each named by its fault: `tests/faults/<fault>.rs`, and beside it what the generator says of it.
//! `UPDATE_SNAPSHOTS=1 cargo test -p generator` writes the texts anew; read them before they are committed.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Project;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_wrong_description_is_shown_at_its_span_with_the_cure() {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let name = case.file_stem().unwrap().to_str().unwrap();
        let project = Project::with_root(&fs::read_to_string(case).unwrap());
        let run = project.run(&[]);
        let shown = run.shown_faults();
        let whole = run.code == Some(1) && shown.contains("= help: ") && shown.contains("^") && run.output.is_empty();
        if !whole || project.path("generated").exists() {
            wrong.push(format!("{name} is not refused with a place and a cure:\n{run:?}"));
            continue;
        }
        let expected = case.with_extension("txt");
        if env::var_os("UPDATE_SNAPSHOTS").is_some() {
            fs::write(&expected, &shown).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!(
                "{name} is shown otherwise than in {}:\n{shown}",
                expected.display()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
    assert!(cases.len() >= 40, "cases were lost: {}", cases.len());
}

#[test]
fn faults_of_two_files_come_out_together_each_in_its_file() {
    let project = Project::with_root(
        "mod lamp;\npub struct Fan;\n#[async_proxy]\nimpl Fan { pub async fn spin(&self) {} #[proxy(open)] pub fn make() -> Self { Fan } }\n",
    );
    let lamp = "pub struct Lamp;\n// ünïcödé moves bytes and characters apart\n#[async_proxy]\nimpl Lamp { /* é */ pub async \
                fn shine(&self) {}\n#[proxy(open)] pub fn make() -> Self { Lamp } }\n";
    project.write("src/lamp.rs", lamp);
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1));
    let shown = run.shown_faults();
    let place = " --> src/lamp.rs:4:25\n  |\n4 | impl Lamp { /* é */ pub async fn shine(&self) {}\n  |                         ^^^^^\n";
    assert!(shown.contains(place), "{shown}");
    assert!(shown.contains(" --> src/lib.rs:4:16\n"), "{shown}");
    assert!(
        shown.ends_with("error: 2 faults found; nothing was written\n"),
        "{shown}"
    );
}

#[test]
fn a_fault_between_files_is_shown_where_the_second_one_stands() {
    let project =
        Project::with_root("mod lamp;\npub struct Lamp;\n#[async_proxy]\nimpl Lamp { pub fn dim(&self) {} }\n");
    project.write(
        "src/lamp.rs",
        "use super::Lamp;\n#[async_proxy]\nimpl Lamp { pub fn blink(&self) {} }\n",
    );
    let shown = project.run(&[]).shown_faults();
    assert!(shown.contains("src/lamp.rs:"), "{shown}");
}

#[test]
fn a_crate_with_nothing_annotated_is_told_what_to_write() {
    let shown = Project::with_root("pub fn a() {}\n").run(&[]).shown_faults();
    assert!(shown.contains("nothing is annotated in src/lib.rs"), "{shown}");
    assert!(shown.contains("write `#[async_proxy]`"), "{shown}");
}
