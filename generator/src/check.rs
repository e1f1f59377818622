//! `--check`: says what a run would change, file by file, and writes nothing.

use std::fmt::Write;

use similar::TextDiff;

use crate::plan::Plan;

/// How many lines of one file's difference are shown.
const SHOWN_LINES: usize = 120;

/// What a run would change, as unified diffs from what is on the disk to what would be written. `folder` is the output
/// folder as the config names it.
pub fn differences(plan: &Plan, folder: &str) -> String {
    let mut text = String::new();
    for written in &plan.writes {
        let path = format!("{folder}/{}", written.file.path);
        let before = written
            .before
            .as_ref()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let title = if before.is_some() { "stale" } else { "missing" };
        add(&mut text, title, &path, before.as_deref(), Some(&written.file.text));
    }
    for removed in &plan.removals {
        let path = format!("{folder}/{}", removed.path);
        add(
            &mut text,
            "left over",
            &path,
            Some(&String::from_utf8_lossy(&removed.before)),
            None,
        );
    }
    for path in &plan.foreign {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "not ours: {folder}/{path}");
    }
    text
}

fn add(text: &mut String, title: &str, path: &str, before: Option<&str>, after: Option<&str>) {
    let _ = writeln!(text, "{title}: {path}");
    let name = |side: &str, there: bool| {
        if there {
            format!("{side}/{path}")
        } else {
            "/dev/null".to_owned()
        }
    };
    let difference = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default());
    let shown = difference
        .unified_diff()
        .header(&name("a", before.is_some()), &name("b", after.is_some()))
        .to_string();
    let count = shown.lines().count();
    for line in shown.lines().take(SHOWN_LINES) {
        let _ = writeln!(text, "{line}");
    }
    if count > SHOWN_LINES {
        let _ = writeln!(text, "… {} more lines differ in {path}", count - SHOWN_LINES);
    }
    text.push('\n');
}
