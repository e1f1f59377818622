//! Which files and items of a crate are read: those that the compiler reads under the config's features.

use std::env;
use std::path::Path;
use std::process::Command;

use generator::config::load;
use generator::diagnose::{Diagnostics, Sources};
use generator::source::read;

use crate::project::{CONFIG, Project};

/// The files that are read, with the names of the functions that are left in each, and the faults.
fn read_all(project: &Project) -> (Vec<(String, Vec<String>)>, String) {
    let config = load(&project.path("async-proxy.toml")).unwrap();
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let files = read(&config, &mut sources, &mut diagnostics);
    let listed = files
        .iter()
        .map(|file| (file.path.clone(), functions(&file.syntax.items)))
        .collect();
    let faults = if diagnostics.is_empty() {
        String::new()
    } else {
        diagnostics.render(&sources, false)
    };
    (listed, faults)
}

fn functions(items: &[syn::Item]) -> Vec<String> {
    let mut names = Vec::new();
    for item in items {
        match item {
            syn::Item::Fn(function) => names.push(function.sig.ident.to_string()),
            syn::Item::Impl(block) => names.extend(block.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(method) => Some(method.sig.ident.to_string()),
                _ => None,
            })),
            syn::Item::Mod(module) => {
                names.extend(module.content.iter().flat_map(|(_, items)| functions(items)));
            }
            _ => {}
        }
    }
    names
}

fn paths(project: &Project) -> Vec<String> {
    let (files, faults) = read_all(project);
    assert_eq!(faults, "");
    files.into_iter().map(|(path, _)| path).collect()
}

fn only_functions(root: &str) -> Vec<String> {
    let (files, faults) = read_all(&Project::with_root(root));
    assert_eq!(faults, "");
    files.into_iter().flat_map(|(_, functions)| functions).collect()
}

fn only_faults(root: &str) -> String {
    let (_, faults) = read_all(&Project::with_root(root));
    assert_ne!(faults, "");
    faults
}

#[test]
fn modules_are_found_where_rustc_finds_them() {
    let project = Project::with_root(
        "mod beside;\nmod folder;\nmod inline { mod deep; #[path = \"other.rs\"] mod named; }\n#[path = \"far/away.rs\"] \
         mod away;\n#[path = \"moved\"] mod shifted { mod inner; }\nmod r#type;\n",
    );
    project.write(
        "src/beside.rs",
        "mod below;\nmod within { mod deeper; #[path = \"by_name.rs\"] mod named; }\n#[path = \"level.rs\"] mod level;",
    );
    project.write("src/beside/below.rs", "");
    project.write("src/beside/within/deeper.rs", "");
    project.write("src/beside/within/by_name.rs", "");
    project.write("src/level.rs", "");
    project.write("src/folder/mod.rs", "mod child;");
    project.write("src/folder/child.rs", "");
    project.write("src/inline/deep.rs", "");
    project.write("src/inline/other.rs", "");
    project.write("src/far/away.rs", "mod near;");
    project.write("src/far/near.rs", "");
    project.write("src/moved/inner.rs", "");
    project.write("src/type.rs", "");
    // The compiler itself says which files it read, and in which order.
    let compiled = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--crate-type",
            "lib",
            "--edition",
            "2024",
            "--emit",
            "dep-info",
            "-o",
            "files.d",
            "src/lib.rs",
        ])
        .current_dir(project.path(""))
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{compiled:?}");
    let listed = project.read("files.d");
    let by_rustc: Vec<&str> = listed.lines().next().unwrap().split(' ').skip(1).collect();
    assert_eq!(paths(&project), by_rustc);
    assert_eq!(by_rustc.len(), 14);
}

#[test]
fn a_root_outside_of_the_config_folder_is_followed_too() {
    let project = Project::empty();
    project.write(
        "tool/async-proxy.toml",
        CONFIG.replace("src/lib.rs", "../driver/src/lib.rs"),
    );
    project.write("driver/src/lib.rs", "mod x;");
    project.write("driver/src/x.rs", "");
    let config = load(&project.path("tool/async-proxy.toml")).unwrap();
    let mut diagnostics = Diagnostics::default();
    let files = read(&config, &mut Sources::default(), &mut diagnostics);
    assert!(diagnostics.is_empty());
    assert_eq!(files[1].path, "../driver/src/x.rs");
    assert!(!Path::new(&files[1].path).is_absolute());
}

#[test]
fn items_whose_cfg_does_not_hold_are_left_out() {
    let found = only_functions(
        "#[cfg(test)] fn a() {}\n#[cfg(not(test))] fn b() {}\n#[cfg(feature = \"x\")] fn c() {}\n\
         #[cfg(any(test, not(feature = \"x\")))] fn d() {}\n#[cfg(all())] fn e() {}\n#[cfg(any())] fn f() {}\n\
         #[cfg(false)] fn g() {}\n#[cfg(true)] #[cfg(test)] fn h() {}\n",
    );
    assert_eq!(found, ["b", "d", "e"]);
}

#[test]
fn features_of_the_config_hold() {
    let project = Project::with_root("#[cfg(feature = \"x\")] fn a() {}\n#[cfg(feature = \"y\")] fn b() {}\n");
    project.write(
        "async-proxy.toml",
        CONFIG.replace("[output]", "features = [\"x\"]\n[output]"),
    );
    let (files, _) = read_all(&project);
    assert_eq!(files[0].1, ["a"]);
}

#[test]
fn methods_of_annotated_blocks_are_left_out_by_cfg_and_cfg_attr() {
    let found = only_functions(
        "#[async_proxy] impl X { #[cfg(test)] pub fn a(&self) {} pub fn b(&self) {} #[cfg_attr(not(test), cfg(test))] pub \
         fn c(&self) {} #[cfg_attr(test, cfg(test))] pub fn d(&self) {} }",
    );
    assert_eq!(found, ["b", "d"]);
}

#[test]
fn a_module_that_is_not_there_under_cfg_needs_no_file() {
    assert!(
        only_functions("#[cfg(test)] mod tests;\n#[cfg(windows)] mod windows;\n#[cfg(feature = \"x\")] mod x;")
            .is_empty()
    );
    assert!(only_functions("mod x { #![cfg(test)] fn a() {} }").is_empty());
}

#[test]
fn a_platform_matters_only_where_something_is_annotated() {
    // Neither is annotated: whatever the platform, nothing of it is described.
    assert_eq!(
        only_functions("#[cfg(unix)] fn a() {}\n#[cfg(windows)] mod w { fn b() {} }"),
        ["a"]
    );
    let faults = only_faults("#[cfg(unix)] #[async_proxy] fn a() {}");
    assert!(
        faults.contains("1 | #[cfg(unix)] #[async_proxy] fn a() {}\n  |       ^^^^"),
        "{faults}"
    );
    assert!(faults.contains("it understands `feature = \"…\"`"), "{faults}");
    let faults = only_faults("#[async_proxy] impl X { #[cfg(target_os = \"linux\")] pub fn a(&self) {} }");
    assert!(faults.contains("^^^^^^^^^^^^^^^^^^^"), "{faults}");
    // A private method is no part of the description.
    assert_eq!(
        only_functions("#[async_proxy] impl X { #[cfg(unix)] fn a(&self) {} }"),
        ["a"]
    );
    let faults = only_faults("#[cfg(unix)] mod w { mod deep { #[async_proxy] fn a() {} } }");
    assert!(faults.contains("cannot evaluate this `cfg`"), "{faults}");
}

#[test]
fn a_platform_in_front_of_a_module_file_with_annotations_is_a_fault() {
    let project = Project::with_root("#[cfg(windows)] mod w;");
    project.write("src/w.rs", "mod deep;");
    project.write("src/w/deep.rs", "#[async_proxy] fn a() {}");
    let (_, faults) = read_all(&project);
    assert!(faults.contains("src/lib.rs:1:7"), "{faults}");
}

#[test]
fn an_attribute_behind_cfg_attr_is_evaluated_and_one_for_rustdoc_is_left() {
    let found = only_functions("#[cfg_attr(not(test), async_proxy)] impl X { #[cfg(test)] pub fn a(&self) {} }");
    assert!(found.is_empty(), "the block is annotated, so its methods are selected");
    let docs = "#[async_proxy] impl X { #[cfg_attr(docsrs, doc(cfg(unix)))] pub fn a(&self) {} }";
    assert_eq!(only_functions(docs), ["a"]);
    let faults = only_faults("#[async_proxy] impl X { #[cfg_attr(docsrs, proxy(open))] pub fn a() {} }");
    assert!(faults.contains("^^^^^^"), "{faults}");
}

#[test]
fn a_missing_module_file_is_shown_at_its_mod_with_the_paths_that_were_tried() {
    let faults = only_faults("mod x {\n    pub mod gone;\n}\n");
    assert_eq!(
        faults,
        "\
error: there is no file for module `gone`
 --> src/lib.rs:2:9
  |
2 |     pub mod gone;
  |         ^^^^^^^^
  |
  = help: create src/x/gone.rs or src/x/gone/mod.rs

error: 1 fault found; nothing was written
"
    );
}

#[test]
fn a_module_with_two_files_and_one_that_includes_itself_are_faults() {
    let project = Project::with_root("mod x;\n#[path = \"lib.rs\"] mod y;\n#[path = \"none.rs\"] mod z;");
    project.write("src/x.rs", "");
    project.write("src/x/mod.rs", "");
    let (_, faults) = read_all(&project);
    for expected in [
        "both src/x.rs and src/x/mod.rs",
        "src/lib.rs includes itself",
        "there is no file src/none.rs",
    ] {
        assert!(faults.contains(expected), "{expected}: {faults}");
    }
}

#[test]
fn a_syntax_error_is_shown_in_its_file_and_does_not_hide_that_of_another() {
    let project = Project::with_root("mod a;\nmod b;\nmod c;\nmod d;\n");
    project.write("src/a.rs", "fn ä(x: u8 {\n}\n");
    project.write("src/b.rs", "fn good() {}\n\nfn ( -> u8 { 1 }\n");
    project.write("src/c.rs", b"fn a() {}\n// \xff\n");
    project.write("src/d.rs", "impl X {\n    pub fn a(&self)\n");
    let (_, faults) = read_all(&project);
    assert_eq!(
        faults,
        "\
error: this is not Rust
 --> src/a.rs:1:5
  |
1 | fn ä(x: u8 {
  |     ^
  |
  = help: close every bracket, string and comment; `cargo check` says more

error: this is not Rust
 --> src/b.rs:3:4
  |
3 | fn ( -> u8 { 1 }
  |    ^
  |
  = help: close every bracket, string and comment; `cargo check` says more

error: this is not UTF-8
 --> src/c.rs:2:4
  |
2 | // �
  |    ^
  |
  = help: save the file as UTF-8

error: this is not Rust
 --> src/d.rs:1:8
  |
1 | impl X {
  |        ^
  |
  = help: close every bracket, string and comment; `cargo check` says more

error: 4 faults found; nothing was written
"
    );
}

#[test]
fn what_the_parser_of_rust_says_is_shown_at_its_token() {
    let faults = only_faults("#[async_proxy]\nimpl X {\n    pub fn a(&self) -> { }\n}\n");
    assert!(faults.starts_with("error: expected one of: "), "{faults}");
    let place = " --> src/lib.rs:3:24\n  |\n3 |     pub fn a(&self) -> { }\n  |                        ^\n";
    assert!(faults.contains(place), "{faults}");
    assert!(
        faults.contains("= help: this is not Rust yet; `cargo check` says more"),
        "{faults}"
    );
}

#[test]
fn an_end_that_comes_too_early_is_shown_at_the_end() {
    let faults = only_faults("#[async_proxy]\nimpl X {}\npub fn\n\n");
    assert!(faults.contains("src/lib.rs:3:7"), "{faults}");
}

#[test]
fn a_byte_order_mark_and_a_script_line_do_not_shift_the_spans() {
    let project = Project::with_root("\u{feff}#!/usr/bin/env rustx\nmod gone;\n");
    let (_, faults) = read_all(&project);
    assert!(faults.contains("2 | mod gone;\n  | ^^^^^^^^"), "{faults}");
}
