//! A wrong config is refused with its place, and nothing is written.

use crate::project::{CONFIG, Project, TOY};

fn refused(config: &str) -> String {
    let project = Project::with_root(TOY);
    project.write("async-proxy.toml", config);
    let run = project.run(&[]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(!project.path("generated").exists());
    run.faults
}

#[test]
fn an_unknown_key_is_shown_at_its_line_with_the_keys_that_exist() {
    let faults = refused(&CONFIG.replace("folder =", "folders ="));
    assert_eq!(
        faults,
        "\
error: unknown field `folders`, expected `folder` or `command`
 --> async-proxy.toml:6:1
  |
6 | folders = \"generated\"
  | ^^^^^^^
  |
  = help: `generator --help` shows a whole config

error: 1 fault found; nothing was written
"
    );
}

#[test]
fn an_unknown_table_and_a_missing_key_are_refused() {
    let faults = refused(&format!("{CONFIG}[swift]\n"));
    assert!(
        faults.contains("unknown field `swift`, expected one of `source`, `output`, `rust`, `python`"),
        "{faults}"
    );
    let faults = refused(&CONFIG.replace("crate = \"toy\"\n", ""));
    assert!(faults.contains("missing field `crate`"), "{faults}");
    assert!(faults.contains("1 | [source]"), "{faults}");
}

#[test]
fn a_text_that_is_no_toml_is_refused_at_its_line() {
    let faults = refused(&CONFIG.replace("[output]", "[output"));
    assert!(faults.contains("async-proxy.toml:5:8"), "{faults}");
}

#[test]
fn several_wrong_values_are_shown_together() {
    let config = CONFIG
        .replace("\"toy\"", "\"my-toy\"")
        .replace("\"generated\"", "\"/tmp/out\"")
        + "[python]\npackage = \"aio-toy\"\nmodule = \"1native\"\nprofile = \"orm\"\n";
    let faults = refused(&config);
    for expected in [
        "`my-toy` is not a path of Rust that leads to a crate",
        "`/tmp/out` is not a path relative to this file",
        "`aio-toy` is not a name in Python",
        "`1native` is not a name in Python",
        "unknown profile `orm`",
        "error: 5 faults found; nothing was written",
    ] {
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
}

#[test]
fn an_output_folder_that_holds_the_sources_is_refused() {
    for folder in ["src", ".", "..", "src/.", "./src"] {
        let faults = refused(&CONFIG.replace("\"generated\"", &format!("{folder:?}")));
        assert!(
            faults.contains("folder of its own") || faults.contains("relative"),
            "{folder}: {faults}"
        );
    }
}

#[test]
fn a_root_that_is_missing_is_shown_in_the_config() {
    let faults = refused(&CONFIG.replace("src/lib.rs", "src/main.rs"));
    assert_eq!(
        faults,
        "\
error: there is no file `src/main.rs`
 --> async-proxy.toml:3:8
  |
3 | root = \"src/main.rs\"
  |        ^^^^^^^^^^^^^
  |
  = help: name the root file of the crate with the blocking API, relative to this file: `driver/src/lib.rs`

error: 1 fault found; nothing was written
"
    );
}

#[test]
fn a_config_that_is_named_and_missing_is_a_usage_error() {
    let project = Project::with_root(TOY);
    let run = project.run(&["--config", "other.toml"]);
    assert_eq!(run.code, Some(2));
    assert!(run.faults.contains("cannot read other.toml"), "{run:?}");
    let empty = Project::empty();
    let run = empty.run(&[]);
    assert_eq!(run.code, Some(2));
    assert!(run.faults.contains("there is no async-proxy.toml"), "{run:?}");
    assert!(run.faults.contains("--config PATH"), "{run:?}");
}

#[test]
fn an_unknown_option_is_a_usage_error() {
    let project = Project::with_root(TOY);
    assert_eq!(project.run(&["--chek"]).code, Some(2));
    assert_eq!(project.run(&["--check", "inspect"]).code, Some(2));
    assert!(!project.path("generated").exists());
}

#[test]
fn help_teaches_with_examples() {
    let run = Project::empty().run(&["--help"]);
    assert_eq!(run.code, Some(0));
    for expected in ["--check", "inspect", "--config", "Exit codes", "[source]"] {
        assert!(run.output.contains(expected), "{expected}: {}", run.output);
    }
}

/// What a submodule may be called, and what it may have, shown at its place in the file.
#[test]
fn a_submodule_that_cannot_be_is_refused() {
    let with = |lines: &str| {
        refused(&format!(
            "{CONFIG}[python]\npackage = \"aiotoy\"\nmodule = \"_native\"\n[python.submodules]\n{lines}\n"
        ))
    };
    for (lines, expected) in [
        ("worker = [\"Lamp\"]", "the package needs the module `worker` itself"),
        (
            "asyncio = [\"Lamp\"]",
            "`asyncio` would stand in the way of another module",
        ),
        (
            "_native = [\"Lamp\"]",
            "`_native` would stand in the way of another module",
        ),
        ("lib_x = [\"Lamp\"]", "`lib_x` would stand in the way of another module"),
        (
            "x = [\"Lamp\"]\nx_aio = [\"Shade\"]",
            "`x_aio` would stand in the way of another module",
        ),
        ("class = [\"Lamp\"]", "`class` is a keyword of Python"),
        ("light = []", "nothing is placed in `light`"),
        ("light = [\"Lamp\"]\ndark = [\"Lamp\"]", "is placed in `dark` already"),
    ] {
        let faults = with(lines);
        assert!(faults.contains(expected), "{lines}: {faults}");
        assert!(faults.contains("async-proxy.toml:1"), "{lines}: {faults}");
        assert!(faults.contains("= help: "), "{lines}: {faults}");
    }
}
