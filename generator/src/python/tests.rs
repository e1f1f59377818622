//! Tests of the lowering, and of what the package prints, for small descriptions.

use std::path::PathBuf;

use async_proxy_syntax::parse::parse_file;
use async_proxy_syntax::report::Report;
use async_proxy_syntax::resolve::resolve;

use super::lower::lower;
use super::model::{Kind, Package};
use crate::config::{Config, Output, Profile, Python, Source};
use crate::diagnose::{Diagnostics, Sources};
use crate::output::File;

/// An API that is no database.
const SHOP: &str = r#"
    #[async_proxy]
    pub enum ShopError {
        /// Nothing is left.
        #[proxy(exception = "SoldOut", base = "ShopFault")]
        SoldOut,
        #[proxy(exception = "ShopFault")]
        Other(String),
        #[proxy(exception = "KeyError")]
        Unknown,
    }

    #[async_proxy]
    pub fn open(path: &Path, names: &[String]) -> Result<Shop, ShopError> {}

    /// A [`Shop`](crate::Shop).
    ///
    /// ```
    /// let shop = open();
    /// ```
    #[async_proxy]
    impl Shop {
        /// [`ShopError::SoldOut`] if nothing is left.
        #[proxy(name = "import_", signature = (what, /, *, count = 1))]
        pub fn import(&self, what: &str, count: u32) -> Result<Option<Colour>, ShopError> {}
        #[deprecated(note = "walk")]
        pub fn run(&self) {}
        #[proxy(lane = "road")]
        pub fn deliver(&self, address: String) -> Result<(), ShopError> {}
        #[proxy(interrupt, lane = "road")]
        pub fn call_back(&self) {}
        #[proxy(direct, when_closed)]
        pub fn is_open(&self) -> bool {}
        #[proxy(child)]
        pub fn shelf(&self) -> Shelf {}
        #[proxy(rust_only = "a closure")]
        pub fn each(&self, visit: Box<dyn Fn(u32) + Send>) {}
        #[proxy(skip = "a handle that Python cannot have")]
        pub fn handle(&self) -> Handle {}
    }

    #[async_proxy]
    impl Shelf {
        #[proxy(parent)]
        pub fn shop(&self) -> &Shop {}
        #[proxy(property, snapshot)]
        pub fn length(&self) -> usize {}
        #[proxy(property, snapshot)]
        pub fn label(&self) -> String {}
        #[proxy(setter)]
        pub fn set_label(&mut self, label: String) {}
        #[proxy(rows)]
        pub fn next_item(&mut self) -> Option<Vec<u8>> {}
        #[proxy(rows)]
        pub fn items(&mut self, count: usize) -> Vec<Vec<u8>> {}
    }
"#;

/// As small as a database gets.
const DATABASE: &str = r#"
    #[async_proxy]
    pub struct Options {
        /// How long to wait.
        #[proxy(default = 5.0)]
        pub timeout: f64,
        #[proxy(default = -1, keyword_only)]
        pub autocommit: i32,
    }

    #[async_proxy]
    pub fn connect(database: &Path, #[proxy(spread)] options: Options) -> Result<Connection, Error> {}

    #[async_proxy]
    impl Connection {
        #[proxy(child)]
        pub fn execute(&mut self, sql: &str) -> Result<Cursor, Error> {}
        #[proxy(close)]
        pub fn close(&mut self) {}
    }

    #[async_proxy]
    impl Cursor {
        pub fn execute(&mut self, sql: &str) -> Result<&mut Self, Error> {}
        #[proxy(rows)]
        pub fn fetchone(&mut self) -> Option<Row> {}
        #[proxy(property, snapshot)]
        pub fn rowcount(&self) -> i64 {}
    }
"#;

fn config(profile: Option<Profile>) -> Config {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Config {
        folder: PathBuf::new(),
        source: Source {
            krate: "shop".to_owned(),
            root: "src/lib.rs".to_owned(),
            features: Vec::new(),
        },
        output: Output {
            folder: "generated".to_owned(),
            command: "make bindings".to_owned(),
        },
        rust: false,
        python: Some(Python {
            package: "aioshop".to_owned(),
            module: "_native".to_owned(),
            profile,
            types: vec![pair("Colour", "Shade")],
            // The second is used by the first.
            aliases: vec![pair("Shade", "Literal['red'] | Tone"), pair("Tone", "int")],
            submodules: Vec::new(),
        }),
    }
}

fn lowered(source: &str, config: &Config) -> (Package, String) {
    let mut report = Report::new();
    let description = parse_file(&syn::parse_str(source).expect("the test's source is Rust"), &mut report);
    let api = resolve(vec![description], &mut report);
    assert!(report.into_result().is_ok(), "the test's description has faults");
    let mut diagnostics = Diagnostics::default();
    let python = config.python.as_ref().expect("the config has a Python target");
    let package = lower(&api, config, python, &mut diagnostics);
    let faults = if diagnostics.is_empty() {
        String::new()
    } else {
        diagnostics.render(&Sources::default(), false)
    };
    (package, faults)
}

fn package(source: &str, profile: Option<Profile>) -> Package {
    let (package, faults) = lowered(source, &config(profile));
    assert_eq!(faults, "");
    package
}

fn faults(source: &str) -> String {
    lowered(source, &config(None)).1
}

/// The faults of one member of a class that is opened.
fn faults_of(member: &str) -> String {
    faults(&format!(
        "#[async_proxy] impl Shop {{ #[proxy(open)] pub fn new() -> Self {{}} {member} }}"
    ))
}

fn file(source: &str, profile: Option<Profile>, name: &str) -> String {
    let config = config(profile);
    let (package, faults) = lowered(source, &config);
    assert_eq!(faults, "");
    let mut diagnostics = Diagnostics::default();
    let files: Vec<File> = super::package::render(&package, &config, &mut diagnostics);
    assert!(diagnostics.is_empty());
    let path = format!("python/aioshop/{name}");
    let found = files.into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("there is no {path}")).text
}

#[test]
fn names_annotations_and_defaults_are_final() {
    let package = package(SHOP, None);
    let shop = package.class("Shop").expect("it is described");
    let import = &shop.members[0];
    assert_eq!(
        (import.name.as_str(), import.returns.as_str()),
        ("import_", "Shade | None")
    );
    let parameters: Vec<_> = import
        .parameters
        .iter()
        .map(|parameter| {
            (
                parameter.name.as_str(),
                parameter.annotation.as_str(),
                parameter.default.as_deref(),
            )
        })
        .collect();
    assert_eq!(parameters, [("what", "str", None), ("count", "int", Some("1"))]);
    let open = &package.functions[0];
    assert_eq!(open.opens.as_deref(), Some("Shop"));
    assert_eq!(
        open.parameters[0].annotation,
        "str | bytes | os.PathLike[str] | os.PathLike[bytes]"
    );
    assert_eq!(open.parameters[1].annotation, "Sequence[str]");
}

#[test]
fn what_python_cannot_have_is_left_out_where_a_reason_is_given() {
    let package = package(SHOP, None);
    let names: Vec<_> = package.classes[0]
        .members
        .iter()
        .map(|member| member.name.as_str())
        .collect();
    assert!(!names.contains(&"each") && !names.contains(&"handle"), "{names:?}");
}

#[test]
fn snapshots_have_their_places_and_setters_their_properties() {
    let package = package(SHOP, None);
    let shelf = package.class("Shelf").expect("it is described");
    let places: Vec<_> = shelf.snapshots().map(|member| member.name.as_str()).collect();
    assert_eq!(places, ["length", "label"]);
    let setter = shelf.setter("label").expect("it has one");
    assert!(matches!(&setter.kind, Kind::Setter { property, .. } if property == "label"));
    assert_eq!(shelf.row(), Some("bytes"));
}

#[test]
fn documentation_is_for_readers_of_python() {
    let package = package(SHOP, None);
    assert_eq!(package.classes[0].docs.lines, ["A `Shop`."]);
    assert_eq!(
        package.classes[0].members[0].docs.lines,
        ["`SoldOut` if nothing is left."]
    );
}

#[test]
fn an_exception_stands_behind_its_base_and_one_of_pythons_is_not_made_again() {
    let package = package(SHOP, None);
    let created: Vec<_> = package
        .created_exceptions()
        .map(|exception| (exception.name.as_str(), exception.base.as_str()))
        .collect();
    assert_eq!(created, [("ShopFault", "Exception"), ("SoldOut", "ShopFault")]);
}

#[test]
fn without_the_profile_its_words_are_nowhere() {
    for name in [
        "__init__.py",
        "aio/__init__.py",
        "call_queue.py",
        "calls.py",
        "lib.py",
        "lib_aio.py",
        "rows.py",
        "worker.py",
        "_native.pyi",
    ] {
        let text = file(SHOP, None, name).to_lowercase();
        for word in [
            "cursor",
            "commit",
            "row_factory",
            "paramstyle",
            "fetch",
            "sql",
            "database",
            "programmingerror",
        ] {
            assert!(!text.contains(word), "{name} says {word}");
        }
    }
}

#[test]
fn a_call_is_queued_by_its_lane() {
    let text = file(SHOP, None, "lib_aio.py");
    assert!(
        text.contains(r#"return self._worker.call_in_lane("road", lambda shop: shop.deliver(address))"#),
        "{text}"
    );
    assert!(text.contains(r#""road": lambda shop: shop.call_back(),"#), "{text}");
    assert!(file(SHOP, None, "lanes.py").contains("def call_in_lane(self, name: str"));
    assert!(!file(DATABASE, Some(Profile::Dbapi), "worker.py").contains("lane"));
}

#[test]
fn a_member_that_is_deprecated_warns_where_it_is_called() {
    let text = file(SHOP, None, "lib_aio.py");
    assert!(
        text.contains(r#"warnings.warn("walk", DeprecationWarning, stacklevel=2)"#),
        "{text}"
    );
}

#[test]
fn a_snapshot_that_is_not_there_yet_is_an_error_and_not_a_guess() {
    let text = file(SHOP, None, "lib_aio.py");
    assert!(text.contains("return self._latest()[0]"), "{text}");
    assert!(text.contains("self._snapshot: tuple[int, str] | None = None"), "{text}");
}

#[test]
fn aliases_stand_behind_those_that_they_name() {
    let text = file(SHOP, None, "lib.py");
    let tone = text.find("Tone: TypeAlias = int").expect("it is defined");
    let shade = text
        .find("Shade: TypeAlias = Literal[\"red\"] | Tone")
        .expect("it is defined, with double quotes");
    assert!(tone < shade);
}

#[test]
fn the_profile_makes_classes_generic_over_the_row() {
    let text = file(DATABASE, Some(Profile::Dbapi), "lib_aio.py");
    assert!(text.contains("class Connection(Generic[RowT]):"), "{text}");
    assert!(
        text.contains("class Cursor(Awaited[\"Cursor[RowT]\"], Generic[RowT]):"),
        "{text}"
    );
    assert!(
        text.contains("def execute(self, sql: str) -> \"Cursor[RowT]\":"),
        "{text}"
    );
    assert!(
        text.contains("def execute_fetchall(self, sql: str) -> Call[list[RowT]]:"),
        "{text}"
    );
    let text = file(DATABASE, Some(Profile::Dbapi), "lib.py");
    assert!(
        text.contains("class ClosedError(ProgrammingError, ValueError):"),
        "{text}"
    );
    assert!(text.contains("LEGACY_TRANSACTION_CONTROL"), "{text}");
}

#[test]
fn connection_stands_first_and_connect_last() {
    let text = file(DATABASE, Some(Profile::Dbapi), "lib_aio.py");
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part}"));
    assert!(place("\nimport asyncio") < place("\nclass Connection"));
    assert!(place("\nclass Connection") < place("\nclass Cursor"));
    assert!(place("\nclass Cursor") < place("\ndef connect("));
}

#[test]
fn a_type_without_annotation_names_the_table_and_the_attribute() {
    let faults = faults_of("pub fn paint(&self, tint: Tint) {}");
    assert!(faults.contains("`Tint` has no annotation in Python"), "{faults}");
    assert!(
        faults.contains("[python.types]") && faults.contains("#[proxy(py = "),
        "{faults}"
    );
}

#[test]
fn a_type_parameter_asks_for_a_concrete_type_or_rust_only() {
    let faults = faults_of("pub fn keep<T: Send + 'static>(&self, thing: T) {}");
    assert!(faults.contains("rust_only = \"why\""), "{faults}");
}

#[test]
fn a_callback_has_to_be_described() {
    let faults = faults_of("pub fn each(&self, visit: Box<dyn Fn(u32) + Send>) {}");
    assert!(faults.contains("py = \"Callable["), "{faults}");
    let described = "pub fn each(&self, #[proxy(py = \"Callable[[int], object]\")] visit: Box<dyn Fn(u32) + Send>) {}";
    assert_eq!(faults_of(described), "");
}

#[test]
fn a_keyword_of_python_asks_for_another_name() {
    let faults = faults_of("pub fn import(&self) {}");
    assert!(
        faults.contains("`import` is a keyword of Python") && faults.contains("name = "),
        "{faults}"
    );
    let faults = faults_of("pub fn walk(&self, from: u32) {}");
    assert!(
        faults.contains("the parameter `from` is a keyword of Python"),
        "{faults}"
    );
}

#[test]
fn an_annotation_that_names_what_is_nowhere_is_refused() {
    let faults = faults_of("pub fn walk(&self, #[proxy(py = \"Distance\")] steps: u32) {}");
    assert!(faults.contains("names `Distance`, which nothing defines"), "{faults}");
    let mut config = config(None);
    if let Some(python) = &mut config.python {
        python.types.push(("Mood".to_owned(), "Humour".to_owned()));
    }
    let (_, faults) = lowered(SHOP, &config);
    assert!(faults.contains("there is no `Humour`"), "{faults}");
}

#[test]
fn a_close_that_needs_an_argument_is_refused() {
    let faults = faults_of("#[proxy(close)] pub fn close(&self, force: bool) {}");
    assert!(
        faults.contains("the end of a `with` closes without arguments"),
        "{faults}"
    );
    assert_eq!(
        faults_of("#[proxy(close, signature = (force = False))] pub fn close(&self, force: bool) {}"),
        ""
    );
}

#[test]
fn a_lane_for_what_is_no_call_is_refused() {
    let faults = faults_of("#[proxy(direct, lane = \"road\")] pub fn look(&self) -> bool {}");
    assert!(faults.contains("only calls go by a lane"), "{faults}");
}

#[test]
fn an_attempt_at_what_gives_no_rows_is_refused() {
    let faults = faults_of("#[proxy(attempt = \"try_look\")] pub fn look(&self) -> bool {}");
    assert!(faults.contains("only what begins a result set is tried"), "{faults}");
}

#[test]
fn all_faults_come_out_together() {
    let faults = faults_of("pub fn import(&self, tint: Tint) {} pub fn keep<T: Send + 'static>(&self, thing: T) {}");
    for part in ["is a keyword", "`Tint` has no annotation", "rust_only"] {
        assert!(faults.contains(part), "{part} is missing in {faults}");
    }
}

/// A part of an API that is placed in a submodule, with a value and what it is to go with.
const PARTS: &str = r#"
    #[async_proxy]
    impl Shop {
        #[proxy(child)]
        pub fn shelf(&self) -> Shelf {}
        #[proxy(property, live)]
        pub fn name(&self) -> String {}
    }

    #[async_proxy]
    impl Shelf {
        pub fn count(&self) -> u64 {}
    }

    #[async_proxy]
    pub fn open(path: &str) -> Shop {}

    #[async_proxy(extends = Shop)]
    impl Market {
        #[proxy(lane = "road")]
        pub fn deliver(&self, load: Load) -> Vec<Receipt> {}
    }

    #[async_proxy]
    pub fn open_market(path: &str) -> Market {}

    /// What is delivered.
    #[async_proxy(value)]
    pub struct Load {
        pub name: String,
        #[proxy(default = 1)]
        pub count: u64,
    }

    #[async_proxy(value)]
    pub struct Receipt {
        pub load: Load,
        pub shade: Colour,
    }
"#;

fn placed(names: &[&str]) -> Config {
    let mut config = config(None);
    if let Some(python) = &mut config.python {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        python.submodules = vec![("market".to_owned(), names)];
    }
    config
}

fn file_of_parts(name: &str) -> String {
    let config = placed(&["Market", "open_market", "Load", "Receipt"]);
    let (package, faults) = lowered(PARTS, &config);
    assert_eq!(faults, "");
    let mut diagnostics = Diagnostics::default();
    let files = super::package::render(&package, &config, &mut diagnostics);
    let path = format!("python/aioshop/{name}");
    let found = files.into_iter().find(|file| file.path == path);
    found.unwrap_or_else(|| panic!("there is no {path}")).text
}

#[test]
fn a_submodule_has_modules_of_its_own_that_import_from_the_others() {
    for (name, has, has_not) in [
        ("lib.py", "class ClosedError", "Market"),
        ("lib_aio.py", "class Shop:", "Market"),
        ("__init__.py", "\"open\",", "Market"),
        ("aio/__init__.py", "from ..lib_aio import Shelf, Shop, open", "Market"),
        ("lib_market.py", "from ._native import Market, open_market", "Shelf"),
        ("lib_market_aio.py", "class Market(Shop):", "class Shop"),
        ("lib_market_aio.py", "from .lib_aio import Shop", "Shelf"),
        (
            "market.py",
            "from .lib_market import Load, Market, Receipt, open_market",
            "aio import",
        ),
        ("market.py", "open = open_market", "Shelf"),
        (
            "aio/market.py",
            "from ..lib_market_aio import Market, open_market",
            "Shelf",
        ),
        ("_native.pyi", "from .lib_market import Load, Receipt", "dataclass"),
    ] {
        let text = file_of_parts(name);
        assert!(text.contains(has), "{has} in {name}: {text}");
        assert!(!text.contains(has_not), "{has_not} in {name}: {text}");
    }
}

#[test]
fn a_value_is_a_dataclass() {
    let text = file_of_parts("lib_market.py");
    let load = "@dataclasses.dataclass(frozen=True)\nclass Load:\n    \"\"\"What is delivered.\"\"\"\n\n    name: str\n    count: int = 1\n";
    assert!(text.contains(load), "{text}");
    assert!(
        text.contains("class Receipt:\n    load: Load\n    shade: Shade\n"),
        "{text}"
    );
    assert!(text.contains("from .lib import Shade\n"), "{text}");
}

#[test]
fn what_belongs_together_is_not_placed_apart() {
    for (names, expected) in [
        (&["Markets"][..], "= help: write `Market`"),
        (
            &["nothing at all"],
            "= help: list classes, functions, values and aliases by their names in Python",
        ),
        // What the package itself hands out, returns, takes or extends.
        (
            &["Shelf"],
            "`Shelf` is in the submodule `market`, and `Shop`, which names it, in the package itself",
        ),
        (
            &["Load", "Receipt"],
            "`Load` is in the submodule `market`, and `Market`, which names it, in the package itself",
        ),
        (
            &["Shop", "Shelf", "open"],
            "`Shop` is in the submodule `market`, and `Market`, which names it",
        ),
        // A function apart from what it opens, and a child apart from its parent.
        (
            &["open_market"],
            "`Market` is in the package itself, and `open_market`, which opens it, in the submodule `market`",
        ),
        (
            &["Shop", "open", "Market", "open_market", "Load", "Receipt"],
            "which hands it out, in the submodule `market`",
        ),
        // A value apart from one that names it.
        (
            &["Market", "open_market", "Load"],
            "and `Receipt`, which names it, in the package itself",
        ),
    ] {
        let faults = lowered(PARTS, &placed(names)).1;
        assert!(faults.contains(expected), "{names:?}: {faults}");
        assert!(faults.contains("= help: "), "{names:?}: {faults}");
    }
}

#[test]
fn what_a_submodule_is_called_is_taken() {
    let mut config = placed(&["Market", "open_market", "Load", "Receipt"]);
    if let Some(python) = &mut config.python {
        python.submodules[0].0 = "open".to_owned();
    }
    let faults = lowered(PARTS, &config).1;
    assert!(faults.contains("the package uses the name `open` itself"), "{faults}");
}

#[test]
fn what_is_written_by_hand_is_in_the_stub_and_on_the_asyncio_side() {
    let source = r#"#[async_proxy] impl Shop {
        #[proxy(open)] pub fn new() -> Self {}
        /// Shows each thing.
        #[proxy(by_hand = "it calls back")]
        pub fn show(&self, #[proxy(py = "Callable[[str], object]")] see: impl FnMut(&str) + Send + 'static) -> u64 {}
    }"#;
    let stub = file(source, None, "_native.pyi");
    assert!(
        stub.contains(
            "    def show(self, see: Callable[[str], object]) -> int:\n        \"\"\"Shows each thing.\"\"\""
        ),
        "{stub}"
    );
    let text = file(source, None, "lib_aio.py");
    assert!(
        text.contains("return self._call(lambda shop: shop.show(see))"),
        "{text}"
    );
}

#[test]
fn only_what_the_glue_takes_no_part_in_is_written_by_hand() {
    let faults = faults_of("#[proxy(close, by_hand = \"why not\")] pub fn close(&self) {}");
    assert!(
        faults.contains("only calls, direct members and live properties are written by hand"),
        "{faults}"
    );
    assert!(faults.contains("= help: remove `by_hand`"), "{faults}");
}

#[test]
fn a_parameter_called_like_the_function_that_inserts_is_left_alone() {
    let source = DATABASE.replace(
        "pub fn execute(&mut self, sql: &str) -> Result<Cursor, Error> {}",
        "pub fn execute(&mut self, insert: &str) -> Result<Cursor, Error> {}",
    );
    assert_ne!(source, DATABASE);
    let text = file(&source, Some(Profile::Dbapi), "lib_aio.py");
    assert!(text.contains("def insert_(connection: "), "{text}");
    assert!(text.contains("connection.execute(insert)"), "{text}");
    assert!(text.contains("(lambda: insert_("), "{text}");
}
