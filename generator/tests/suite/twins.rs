//! Twins that are switched off per method: each side leaves the twin out and keeps the awaitable.

use crate::project::{CONFIG, PYTHON, Project};

/// An async API: a class that is opened, one that it hands out, and in each something without a twin.
pub(crate) const MIRRORED: &str = r#"//! A toy.

/// Lights one.
#[sync_proxy]
pub async fn light() -> Lamp { todo!() }

pub struct Lamp;

/// A lamp.
#[sync_proxy]
impl Lamp {
    /// Sets its brightness.
    pub async fn dim(&self, percent: u8) { todo!() }

    /// Waits until the bulb is gone.
    #[proxy(no_twin = "it never ends")]
    pub async fn guard(&self, hours: u8) { todo!() }

    /// Its colours.
    #[proxy(no_twin = "they never end")]
    pub fn colours(&self) -> impl Stream<Item = u8> + '_ { todo!() }

    /// Takes it apart.
    #[proxy(skip = "it comes to pieces")]
    pub async fn into_parts(self) -> u8 { todo!() }

    /// Points it.
    #[proxy(child)]
    pub async fn spot(&self) -> Spot { todo!() }
}

pub struct Spot;

/// Where it points.
#[sync_proxy]
impl Spot {
    /// Turns it.
    pub async fn turn(&self, degrees: u8) { todo!() }

    /// Follows somebody.
    #[proxy(no_twin = "it never ends")]
    pub async fn follow(&self) { todo!() }
}
"#;

fn generated() -> Project {
    let project = Project::with_root(MIRRORED);
    project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}"));
    let run = project.run(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    project
}

/// What stands between two pieces of a text.
fn part<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}: {text}"));
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

/// Looks for what has to be in a text, and for what must not be.
fn assert_has(text: &str, wanted: &[&str], unwanted: &[&str]) {
    for piece in wanted {
        assert!(text.contains(piece), "no {piece:?}: {text}");
    }
    for piece in unwanted {
        assert!(!text.contains(piece), "{piece:?}: {text}");
    }
}

#[test]
fn the_rust_twin_lacks_what_has_no_twin() {
    let text = generated().read("generated/rust/lib.rs");
    let lamp = part(&text, "impl BlockingLamp {\n", "\n}\n");
    assert_has(
        lamp,
        &["pub fn dim(", "pub fn spot("],
        &["fn guard(", "fn colours(", "fn into_parts("],
    );
    assert_has(
        part(&text, "impl BlockingSpot {\n", "\n}\n"),
        &["pub fn turn("],
        &["fn follow("],
    );
}

#[test]
fn the_members_of_python_lack_what_has_no_twin_and_keep_its_awaitable() {
    let project = generated();
    assert_has(
        &project.read("generated/native/lamp.rs"),
        &["name = \"dim_sync\"", "name = \"guard\"", "name = \"colours\""],
        &["guard_sync", "colours_sync", "into_parts("],
    );
    // What is handed out has a form for each face, and the names are the same there.
    let spot = project.read("generated/native/spot.rs");
    let (awaited, blocking) = spot.split_once("name = \"SyncSpot\"").unwrap();
    assert_has(awaited, &["name = \"turn\"", "name = \"follow\""], &[]);
    assert_has(blocking, &["name = \"turn\""], &["name = \"follow\""]);
}

#[test]
fn the_stub_lacks_what_has_no_twin_and_keeps_its_awaitable() {
    let stub = generated().read("generated/python/aiotoy/_native.pyi");
    assert_has(
        part(&stub, "class Lamp:\n", "\nclass "),
        &[
            "def dim_sync(self",
            "def guard(self, hours: int) -> Coroutine[",
            "def colours(self) -> AsyncIterator[",
            "Without a blocking twin: `guard`: it never ends.",
        ],
        &["guard_sync", "colours_sync", "def into_parts"],
    );
    assert_has(
        part(&stub, "class Spot:\n", "\nclass "),
        &["def turn(", "def follow("],
        &[],
    );
    assert_has(
        part(&stub, "class SyncSpot:\n", "\nclass "),
        &["def turn("],
        &["def follow("],
    );
}

#[test]
fn the_name_of_a_twin_that_is_switched_off_is_free() {
    let member = "#[proxy(name = \"guard_sync\")] pub async fn watch(&self) { todo!() }\n}\n\npub struct Spot;";
    let root = MIRRORED.replace("}\n\npub struct Spot;", member);
    assert_ne!(root, MIRRORED);
    for (root, code) in [
        (root.replace("#[proxy(no_twin = \"it never ends\")]", ""), 1),
        (root, 0),
    ] {
        let project = Project::with_root(&root);
        project.write("async-proxy.toml", format!("{CONFIG}{PYTHON}"));
        let run = project.run(&[]);
        assert_eq!(run.code, Some(code), "{run:?}");
    }
}
