//! Descriptions at the edges of what Rust and Python can name, nest and hold.

use crate::project::{CONFIG, PYTHON, Project, TOY};

/// A project with the targets for Python.
fn python_project(root: &str) -> Project {
    let project = Project::with_root(root);
    project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}"));
    project
}

/// The generated project, which must have no faults.
fn generated(root: &str) -> Project {
    let project = python_project(root);
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    project
}

/// The faults of a description.
fn refused(root: &str) -> String {
    let project = python_project(root);
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(!project.path("generated").exists());
    run.shown_faults()
}

/// A class that is opened, with that member.
fn lamp(member: &str) -> String {
    format!("pub struct Lamp;\n#[async_proxy]\nimpl Lamp {{\n#[proxy(open)] pub fn new() -> Self {{}}\n{member}\n}}\n")
}

#[test]
fn what_is_nested_too_deep_is_shown_where_it_is_and_ends_nothing() {
    // Each overflowed the stack, and the run died without a word.
    let nested = "Vec<".repeat(150) + "u8" + &">".repeat(150);
    let faults = refused(&lamp(&format!("pub fn dim(&self, level: {nested}) {{}}")));
    assert!(faults.contains("this is nested too deep to be read"), "{faults}");
    assert!(faults.contains("--> src/lib.rs:5:"), "{faults}");
    for (open, inner, close) in [("(", "1", ")"), ("[", "1", "]"), ("!", "true", ""), ("{", "1", "}")] {
        let nested = open.repeat(30_000) + inner + &close.repeat(30_000);
        let faults = refused(&format!("{TOY}\nfn deep() {{ {nested}; }}\n"));
        assert!(
            faults.contains("this is nested too deep to be read"),
            "{open}: {faults:.300}"
        );
        assert!(faults.contains("--> src/lib.rs:"), "{open}: {faults:.300}");
    }
}

#[test]
fn what_is_nested_deep_where_nothing_is_annotated_is_read() {
    let nested = "(".repeat(900) + "1" + &")".repeat(900);
    generated(&format!("{TOY}\nfn deep() -> i32 {{ {nested} }}\n"));
    let nested = "Vec<".repeat(900) + "u8" + &">".repeat(900);
    generated(&format!("{TOY}\nfn deep(_: {nested}) {{}}\n"));
    let nested = "Vec<".repeat(100) + "u8" + &">".repeat(100);
    let member = format!("#[proxy(rust_only = \"deep\")] pub fn dim(&self, level: {nested}) -> Result<(), Fault> {{}}");
    generated(&lamp(&member));
}

#[test]
fn a_file_of_others_in_the_output_folder_is_to_be_moved_before_anything_is_run() {
    let project = Project::generated();
    project.write("generated/notes.txt", "mine");
    let run = project.run(&["--check"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.output.contains("not ours: generated/notes.txt"), "{run:?}");
    assert!(
        run.faults.contains("help: move what is not ours out of generated/"),
        "{run:?}"
    );
}

#[test]
fn a_path_that_leads_to_no_crate_is_refused() {
    // `crate` made the generator panic.
    for path in ["crate", "self", "super", "crate::api", "toy::self", "toy<u8>"] {
        let project = Project::with_root(TOY);
        project.write(
            "async-proxy.toml",
            CONFIG.replace("\"toy\"", &format!("{path:?}")) + PYTHON,
        );
        let run = project.run(&[]);
        assert_eq!(run.code, Some(2), "{path}: {run:?}");
        assert!(
            run.faults.contains("is not a path of Rust that leads to a crate"),
            "{path}: {run:?}"
        );
    }
}

#[test]
fn control_characters_are_refused_wherever_they_stand() {
    for member in [
        "#[doc = \" A \\0 in it.\"] pub fn dim(&self) {}",
        "#[deprecated(note = \"not \\x0c any more\")] pub fn dim(&self) {}",
    ] {
        let faults = refused(&lamp(member));
        assert!(faults.contains("would have the control character `\\u{"), "{faults}");
        assert!(faults.contains("help: take it out of the documentation"), "{faults}");
    }
}

#[test]
fn an_enum_that_may_get_more_variants_is_mapped_with_an_arm_for_those() {
    let project = generated(&TOY.replace("pub enum", "#[non_exhaustive]\npub enum"));
    let text = project.read("generated/native/exceptions.rs");
    assert!(
        text.contains("_ => ::pyo3::exceptions::PyRuntimeError::new_err(message)"),
        "{text}"
    );
    let project = generated(TOY);
    assert!(!project.read("generated/native/exceptions.rs").contains("_ =>"));
    // The fields of such a variant cannot be named in another crate, not even left out by `(..)`.
    let project = generated(&TOY.replace("Bulb(String)", "#[non_exhaustive] Bulb(String)"));
    let text = project.read("generated/native/exceptions.rs");
    assert!(text.contains("Self::Bulb { .. } =>"), "{text}");
}

#[test]
fn a_parameter_has_another_name_in_python_where_the_description_gives_one() {
    let member = "#[proxy(signature = (r#in = None))]\npub fn dim(&self, #[proxy(name = \"in_\")] r#in: Option<u8>) {}";
    let project = generated(&lamp(member));
    let stub = project.read("generated/python/aiotoy/_native.pyi");
    assert!(stub.contains("def dim(self, in_: int | None = None) -> None"), "{stub}");
    let glue = project.read("generated/native/lamp.rs");
    assert!(glue.contains("in_ = None"), "{glue}");
    // The fault of one without stands at the parameter, and says so.
    let faults = refused(&lamp("pub fn dim(&self, level: u8, r#in: u8) {}"));
    assert!(faults.contains("the parameter `in` is a keyword of Python"), "{faults}");
    assert!(faults.contains("#[proxy(name = \"…\")]"), "{faults}");
    assert!(faults.contains("--> src/lib.rs:5:30\n"), "{faults}");
}

#[test]
fn a_field_of_options_has_another_name_in_python_where_the_description_gives_one() {
    let options = "#[async_proxy]\npub struct Options {\n#[proxy(default = 1, name = \"from_\")]\npub from: u8,\n}\n";
    let project = generated(&(options.to_owned() + &lamp("pub fn dim(&self, #[proxy(spread)] options: Options) {}")));
    let stub = project.read("generated/python/aiotoy/_native.pyi");
    assert!(stub.contains("def dim(self, from_: int = 1) -> None"), "{stub}");
    let glue = project.read("generated/native/lamp.rs");
    assert!(glue.contains("from: from_"), "{glue}");
}

#[test]
fn a_property_that_is_called_like_a_keyword_of_rust_has_its_setter() {
    for (setter, name) in [
        ("setter = \"type\"", "set_kind"),
        ("setter", "set_type"),
        ("setter = \"r#type\"", "set_kind"),
    ] {
        let project = generated(&lamp(&format!(
            "#[proxy(property, live)] pub fn r#type(&self) -> u8 {{}}\n#[proxy({setter})] pub fn {name}(&self, value: u8) {{}}"
        )));
        let stub = project.read("generated/python/aiotoy/_native.pyi");
        assert!(stub.contains("@type.setter"), "{setter}: {stub}");
    }
}

#[test]
fn an_annotation_under_another_name_is_followed() {
    for (import, annotation) in [
        ("use async_proxy::async_proxy as described;", "#[described]"),
        ("use async_proxy::{Call, async_proxy as described};", "#[described()]"),
        ("use async_proxy as described;", "#[described::async_proxy]"),
        (
            "use async_proxy::async_proxy as described;",
            "#[cfg_attr(all(), described)]",
        ),
    ] {
        let project = generated(&format!(
            "{import}\n{}",
            TOY.replace("//! A toy.", "").replace("#[async_proxy]", annotation)
        ));
        let stub = project.read("generated/python/aiotoy/_native.pyi");
        assert!(stub.contains("class Lamp:"), "{annotation}: {stub}");
    }
}

#[test]
fn every_annotation_of_the_config_that_names_nothing_is_shown() {
    let project = Project::with_root(TOY);
    let tables = "[python.types]\nHue = \"Tint\"\n[python.aliases]\nShade = \"Tone | Grey\"\nMood = \"Humour\"\n";
    project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}{tables}"));
    let faults = project.run(&[]).shown_faults();
    for name in ["Tint", "Tone", "Grey", "Humour"] {
        assert!(faults.contains(&format!("there is no `{name}`")), "{name}: {faults}");
    }
}

#[test]
fn names_that_the_package_uses_itself_are_refused_with_a_cure() {
    for member in [
        "pub fn _worker(&self) {}",
        "pub fn _call(&self) {}",
        "#[proxy(name = \"Any\")] pub fn any(&self) {}",
        "#[proxy(name = \"Lamp\")] pub fn lamp(&self) {}",
        "pub fn datetime(&self) {}\npub fn wait(&self, time: Duration) {}",
    ] {
        let faults = refused(&lamp(member));
        assert!(faults.contains("the class uses the name `"), "{member}: {faults}");
        assert!(faults.contains("`#[proxy(name = \"…\")]`"), "{member}: {faults}");
    }
    // Nothing else is called like the module.
    generated(&lamp("pub fn datetime(&self) {}"));
    for class in [
        "Worker",
        "Call",
        "Any",
        "ClosedError",
        "Coroutine",
        "str",
        "BlockingLamp",
        "_Fan",
        "OSError",
    ] {
        let fan = format!(
            "pub struct Fan;\n#[async_proxy(python = \"{class}\")]\nimpl Fan {{\n#[proxy(open)] pub fn new() -> Self {{}}\n}}\n"
        );
        let faults = refused(&(fan + &lamp("")));
        assert!(
            faults.contains(&format!("the package uses the name `{class}` itself")),
            "{class}: {faults}"
        );
        assert!(faults.contains("`#[async_proxy(python = \"…\")]`"), "{class}: {faults}");
    }
    for function in ["lib", "asyncio", "worker", "list", "super", "_native"] {
        let function = format!("#[async_proxy]\n#[proxy(name = \"{function}\")]\npub fn light() -> Lamp {{}}\n");
        let faults = refused(&(function + &lamp("")));
        assert!(faults.contains("the package uses the name `"), "{faults}");
    }
    let faults = refused(&TOY.replace("BulbError", "Worker"));
    assert!(
        faults.contains("the exception `Worker` has a name that the package uses itself"),
        "{faults}"
    );
    let faults = refused(&lamp("pub fn close(&self, door: u8) {}"));
    assert!(faults.contains("`close` ends the object in Python"), "{faults}");
}

#[test]
fn members_called_like_what_reads_rows_are_refused_with_a_cure() {
    // Each was compiled into a class with two methods of that name, or called the wrong one.
    let lamp = lamp("#[proxy(child)] pub fn beam(&self) -> Beam {}");
    let rows = "#[proxy(rows)] pub fn photon(&mut self) -> Option<u8> {}\n#[proxy(property, snapshot)] pub fn hue(&self) -> u8 {}";
    let beam = |rows: &str, name: &str| {
        format!("{lamp}pub struct Beam;\n#[async_proxy]\nimpl Beam {{\n{rows}\npub fn {name}(&mut self) {{}}\n}}\n")
    };
    for name in [
        "abandon", "begin", "drop", "end_over", "error", "latest", "object", "take", "wait",
    ] {
        let faults = refused(&beam(rows, name));
        assert!(
            faults.contains(&format!("the class uses the name `{name}` itself")),
            "{faults}"
        );
        assert!(faults.contains("`#[proxy(name = \"…\")]`"), "{faults}");
    }
    // The cure.
    generated(&beam(rows, "take").replace("pub fn take", "#[proxy(name = \"take_some\")] pub fn take"));
    // Those that the class has no need of.
    generated(&beam("", "take"));
    generated(&self::lamp("pub fn abandon(&self) {}\npub fn latest(&self) {}"));
}

#[test]
fn an_alias_that_the_package_uses_itself_is_refused() {
    let project = Project::with_root(TOY);
    let tables = "[python.aliases]\nlist = \"int\"\nLamp = \"int\"\nBulbError = \"int\"\nWorker = \"int\"\n";
    project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}{tables}"));
    let faults = project.run(&[]).shown_faults();
    for name in ["list", "Lamp", "BulbError", "Worker"] {
        assert!(
            faults.contains(&format!("defines `{name}`, a name that the package has or uses itself")),
            "{faults}"
        );
    }
}

#[test]
fn a_package_or_module_that_is_in_the_way_is_refused() {
    for (wanted, wrong) in [
        (
            "package = \"class\"\nmodule = \"_native\"",
            "`class` is a keyword of Python",
        ),
        (
            "package = \"asyncio\"\nmodule = \"_native\"",
            "the package needs the module `asyncio` itself",
        ),
        (
            "package = \"aiotoy\"\nmodule = \"lib\"",
            "the package needs the module `lib` itself",
        ),
        (
            "package = \"aiotoy\"\nmodule = \"worker\"",
            "the package needs the module `worker` itself",
        ),
        (
            "package = \"aiotoy\"\nmodule = \"__init__\"",
            "the package needs the module `__init__` itself",
        ),
    ] {
        let project = Project::with_root(TOY);
        project.write("async-proxy.toml", format!("{CONFIG}[python]\n{wanted}\n"));
        let run = project.run(&[]);
        assert_eq!(run.code, Some(2), "{wanted}: {run:?}");
        assert!(run.faults.contains(wrong), "{wanted}: {run:?}");
    }
}

#[test]
fn the_profile_says_what_it_needs_where_nothing_is_a_connection() {
    let project = Project::with_root(TOY);
    project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}profile = \"dbapi\"\n"));
    let run = project.run(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(
        run.faults.contains("none of the classes here is a connection"),
        "{run:?}"
    );
    assert!(
        run.faults
            .contains("help: describe such a class, or leave `profile` out"),
        "{run:?}"
    );
}

#[test]
fn a_class_that_does_not_go_with_the_one_it_extends_is_refused() {
    let derived = "pub struct Spot;\n#[async_proxy(extends = Lamp)]\nimpl Spot {\n";
    let snapshot = "#[proxy(property, snapshot)] pub fn level(&self) -> u8 {}\n";
    let opened = "#[proxy(open)] pub fn make() -> Self {}\n";
    let faults = refused(&format!(
        "{}{derived}{opened}#[proxy(property, snapshot)] pub fn angle(&self) -> u8 {{}}\n}}\n",
        lamp(snapshot)
    ));
    assert!(
        faults.contains("both `Spot` and `Lamp`, which it extends, have properties that are snapshots"),
        "{faults}"
    );
    let faults = refused(&format!(
        "{}{derived}}}\n",
        lamp("#[proxy(child)] pub fn spot(&self) -> Spot {}")
    ));
    assert!(faults.contains("in Python both are opened or neither is"), "{faults}");
    // What one of them has, the other has too.
    let project = generated(&format!("{}{derived}{opened}}}\n", lamp(snapshot)));
    let text = project.read("generated/python/aiotoy/lib_aio.py");
    assert_eq!(
        text.matches("self._snapshot = self._worker.opened._snapshot()").count(),
        2,
        "{text}"
    );
}

#[test]
fn an_object_is_closed_at_the_end_of_a_block_by_the_member_that_closes_it() {
    // It was closed by `close`, which is there only where nothing else is.
    let text = generated(TOY).read("generated/python/aiotoy/lib_aio.py");
    assert!(text.contains("        await self.unplug()\n"), "{text}");
    assert!(!text.contains("self.close()"), "{text}");
}
