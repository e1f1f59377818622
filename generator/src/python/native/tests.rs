//! Tests of what is printed for small descriptions.

use std::path::PathBuf;

use async_proxy_syntax::parse::parse_file;
use async_proxy_syntax::report::Report;
use async_proxy_syntax::resolve::resolve;

use super::render;
use crate::config::{Config, Output, Profile, Python, Source};
use crate::diagnose::{Diagnostics, Sources};
use crate::output::File;
use crate::python::lower::lower;

/// A class that one thread at a time uses, and one that reads rows for it.
const SHELF: &str = r#"
    #[async_proxy]
    pub enum ShelfError {
        #[proxy(exception = "OutOfPrint")]
        OutOfPrint,
        #[proxy(exception = "LookupError")]
        Unknown(String),
        #[proxy(exception = "OSError")]
        File { path: PathBuf },
    }

    #[async_proxy]
    pub struct Shape {
        #[proxy(default = 3)]
        pub boards: u8,
        #[proxy(default = "oak", keyword_only)]
        pub wood: Wood,
    }

    #[async_proxy]
    pub fn build(place: &str, #[proxy(spread)] shape: Shape) -> Result<Shelf, ShelfError> {}

    #[async_proxy]
    impl Shelf {
        /// Puts a book on it.
        #[proxy(signature = (title, slf, page = 1, note = None, mark = 2))]
        pub fn put(&mut self, title: &str, slf: u8, page: f64, note: Option<&str>, mark: Mark) -> Result<u32, ShelfError> {}
        #[proxy(child)]
        pub fn reader(&self) -> Reader {}
        #[proxy(property, snapshot)]
        pub fn size(&self) -> usize {}
        #[proxy(property, snapshot)]
        pub fn label(&self) -> Option<String> {}
        #[proxy(setter, check = "check_label")]
        pub fn set_label(&mut self, label: Option<String>) -> Result<(), ShelfError> {}
        #[proxy(close)]
        pub fn clear(self) -> Result<(), ShelfError> {}
    }

    #[async_proxy]
    impl Reader {
        pub fn back_to(&mut self, title: String) -> Result<&mut Self, ShelfError> {}
        #[proxy(rows)]
        pub fn page(&mut self) -> Result<Option<crate::paper::Page>, ShelfError> {}
        #[proxy(rows)]
        pub fn pages(&mut self, count: usize) -> Result<Vec<Page>, ShelfError> {}
        #[proxy(parent)]
        pub fn shelf(&self) -> &Shelf {}
    }
"#;

/// A class whose objects threads share.
const LAMP: &str = r#"
    #[async_proxy]
    impl Lamp {
        #[proxy(open)]
        pub fn new() -> Self {}
        #[proxy(property, live)]
        pub fn is_on(&self) -> bool {}
        #[proxy(direct, when_closed)]
        pub fn brightness(&self) -> u8 {}
        #[deprecated(note = "use a switch")]
        pub fn toggle(&self, r#type: u8, wait: Duration, table: HashMap<String, Mark>) {}
        #[proxy(close)]
        pub fn break_it(&self) {}
    }

    #[async_proxy(extends = Lamp)]
    impl Torch {
        #[proxy(direct)]
        pub fn battery(&self) -> u8 {}
        #[proxy(open)]
        pub fn new() -> Torch {}
    }
"#;

fn config(profile: Option<Profile>) -> Config {
    Config {
        folder: PathBuf::new(),
        source: Source {
            krate: "library".to_owned(),
            root: "src/lib.rs".to_owned(),
            features: Vec::new(),
        },
        output: Output {
            folder: "generated".to_owned(),
            command: "make bindings".to_owned(),
        },
        rust: false,
        python: Some(Python {
            package: "aiolibrary".to_owned(),
            module: "_native".to_owned(),
            profile,
            types: ["Mark", "Page", "Wood"]
                .map(|name| (name.to_owned(), "int".to_owned()))
                .to_vec(),
            aliases: Vec::new(),
            submodules: Vec::new(),
        }),
    }
}

/// The files for a source, and the faults that were found in it.
fn rendered(source: &str, profile: Option<Profile>) -> (Vec<File>, String) {
    let config = config(profile);
    let mut report = Report::new();
    let description = parse_file(&syn::parse_str(source).expect("the test's source is Rust"), &mut report);
    let api = resolve(vec![description], &mut report);
    assert!(report.into_result().is_ok(), "the test's description has faults");
    let mut diagnostics = Diagnostics::default();
    let python = config.python.as_ref().expect("the config has a Python target");
    let package = lower(&api, &config, python, &mut diagnostics);
    let files = render(&package, &config, &mut diagnostics);
    let faults = if diagnostics.is_empty() {
        String::new()
    } else {
        diagnostics.render(&Sources::default(), false)
    };
    (files, faults)
}

/// The text of one file, with runs of white space as one blank, so that fragments are found however lines are broken.
fn text(source: &str, profile: Option<Profile>, name: &str) -> String {
    let (files, faults) = rendered(source, profile);
    assert_eq!(faults, "");
    let path = format!("native/{name}.rs");
    let file = files.iter().find(|file| file.path == path);
    let file = file.unwrap_or_else(|| {
        panic!(
            "{path} is not among {:?}",
            files.iter().map(|file| &file.path).collect::<Vec<_>>()
        )
    });
    file.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn assert_holds(text: &str, fragments: &[&str]) {
    for fragment in fragments {
        assert!(text.contains(fragment), "`{fragment}` is not in:\n{text}");
    }
}

fn shelf(name: &str) -> String {
    text(SHELF, None, name)
}

#[test]
fn each_class_has_a_file_with_a_header() {
    let (files, _) = rendered(LAMP, None);
    let paths: Vec<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "native/mod.rs",
            "native/exceptions.rs",
            "native/lamp.rs",
            "native/torch.rs"
        ]
    );
    for file in &files {
        assert!(
            file.text.starts_with("// @generated by async-proxy from "),
            "{}",
            file.text
        );
        assert!(
            file.text.contains("// Regenerate with: make bindings\n"),
            "{}",
            file.text
        );
    }
}

#[test]
fn borrowed_arguments_are_owned_and_lent_again() {
    assert_holds(
        &shelf("shelf"),
        &[
            "title: String, slf: u8, #[pyo3(",
            "page: python::Given<f64>, note: Option<String>, #[pyo3(",
            "object.put(&title, slf, page, note.as_deref(), mark)",
        ],
    );
}

#[test]
fn a_default_is_a_literal_where_rust_has_it_and_is_converted_otherwise() {
    assert_holds(
        &shelf("shelf"),
        &[
            "note = None",
            "page = python::Given::Default",
            "let page = page.or::<NativeModule, _>(py, 1i64)?;",
            "text_signature = \"($self, title, slf, page=1, note=None, mark=2)\"",
        ],
    );
    assert_holds(
        &shelf("functions"),
        &[
            "signature = (place, boards = 3, *, wood = python::Given::Default)",
            "text_signature = \"(place, boards=3, *, wood=\\\"oak\\\")\"",
            "let shape = ::library::Shape { boards, wood };",
        ],
    );
}

#[test]
fn types_of_the_api_are_converted_with_its_errors_and_others_by_pyo3_alone() {
    let shelf = shelf("shelf");
    assert_holds(&shelf, &["python::given::<NativeModule, ::library::Mark>"]);
    assert!(!shelf.contains("<NativeModule, String>"), "{shelf}");
    assert_holds(
        &text(LAMP, None, "lamp"),
        &[
            "wait: ::std::time::Duration",
            "python::argument::<NativeModule, ::std::collections::HashMap<String, ::library::Mark>>",
            "r#type: u8",
        ],
    );
}

#[test]
fn an_owned_object_keeps_snapshots_and_a_shared_one_is_used_in_place() {
    assert_holds(
        &shelf("shelf"),
        &[
            "object: python::Owned<Self>",
            "ShelfSnapshot { size: object.size(), label: object.label(), }",
            "Ok(latest.size) }",
            "latest.label.clone()",
            "self.object.close_by_value(py, move |object| object.clear())",
        ],
    );
    assert_holds(
        &text(LAMP, None, "lamp"),
        &[
            "object: python::Shared<Self>",
            "self.object.direct(|object| Ok::<",
            "self.object .direct_when_closed(",
            "category = ::pyo3::exceptions::PyDeprecationWarning",
            "message = \"use a switch\"",
            "#[staticmethod] fn new<'py>(",
        ],
    );
}

#[test]
fn a_setter_is_checked_apart_from_the_object() {
    assert_holds(
        &shelf("shelf"),
        &[
            "#[setter(label)]",
            "#[staticmethod] fn _check_label(label: Option<String>) -> PyResult<Option<String>>",
            "::library::Shelf::check_label(value)",
        ],
    );
}

#[test]
fn a_reader_begins_anew_keeps_its_parent_and_hands_out_chunks() {
    assert_holds(
        &shelf("reader"),
        &[
            "rows: python::Rows<::library::Page>",
            "parent: Option<Py<PyAny>>",
            "slf.get().rows.clear(py);",
            "Ok(slf.clone())",
            "fn _begun(&self, py: Python<'_>) -> u64",
            "fn _read_rows<'py>(",
            "fn __next__<'py>(",
            "visit.call(&self.parent)?;",
        ],
    );
    assert_holds(&shelf("shelf"), &["super::reader::wrap(py, child, Some(slf.as_any()))"]);
}

#[test]
fn each_variant_is_its_exception_and_builtin_ones_are_not_created() {
    let exceptions = shelf("exceptions");
    assert_holds(
        &exceptions,
        &[
            "create_exception!(aiolibrary, OutOfPrint, ::pyo3::exceptions::PyException);",
            "impl python::IntoException<NativeModule> for ::library::ShelfError",
            "Self::OutOfPrint => OutOfPrint::new_err(message)",
            "Self::Unknown(..) => ::pyo3::exceptions::PyLookupError::new_err(message)",
            "Self::File { .. } => ::pyo3::exceptions::PyOSError::new_err(message)",
        ],
    );
    assert_eq!(exceptions.matches("create_exception!").count(), 1);
}

#[test]
fn a_class_that_extends_another_is_made_with_it_and_closed_with_it() {
    assert_holds(
        &text(LAMP, None, "torch"),
        &[
            "extends = super::lamp::Lamp",
            "::core::ops::Deref::deref(&object)",
            "let (base, closed) = super::lamp::layers(py, lent);",
            "own.object = own.object.closed_with(&closed);",
            "Bound::new(py, base.add_subclass(own))",
        ],
    );
    assert_holds(
        &text(LAMP, None, "lamp"),
        &[
            "pub(super) object: python::Shared<Self>",
            "-> (PyClassInitializer<Lamp>, python::Closed) {",
        ],
    );
}

#[test]
fn only_the_profile_brings_its_words() {
    for (name, source) in [
        ("shelf", SHELF),
        ("reader", SHELF),
        ("lamp", LAMP),
        ("mod", LAMP),
        ("exceptions", LAMP),
    ] {
        let plain = text(source, None, name).to_lowercase();
        for word in [
            "cursor",
            "commit",
            "row_factory",
            "text_factory",
            "dbapi",
            "sql",
            "database",
            "fetch",
        ] {
            assert!(!plain.contains(word), "{word} in {name}.rs");
        }
    }
    assert_holds(
        &text(SHELF, Some(Profile::Dbapi), "reader"),
        &[
            "python::dbapi::Delivery",
            "names: python::dbapi::ColumnNames<",
            "row_factory: python::Slot",
        ],
    );
    assert_holds(
        &text(SHELF, Some(Profile::Dbapi), "shelf"),
        &["#[pyo3(name = \"OperationalError\")]", "fn text_factory<'py>("],
    );
    assert_holds(
        &text(SHELF, Some(Profile::Dbapi), "row"),
        &["#[pyclass(name = \"Row\", module = \"aiolibrary.lib\""],
    );
}

/// A database: what the profile takes for a connection and its cursor.
const DATABASE: &str = r#"
    #[async_proxy]
    pub fn open(place: &str, #[proxy(spread)] options: Options) -> Database {}

    #[async_proxy]
    pub struct Options {
        #[proxy(default = 5.0)]
        pub timeout: f64,
        #[proxy(default = 7)]
        pub pages: i64,
    }

    #[async_proxy]
    impl Database {
        #[proxy(child)]
        pub fn cursor(&self) -> Reader {}
        #[proxy(child)]
        pub fn run(&self, sql: &str) -> Reader {}
        #[proxy(property, live)]
        pub fn is_open(&self) -> bool {}
    }

    #[async_proxy]
    impl Reader {
        pub fn run(&mut self, sql: &str) -> &mut Self {}
        #[proxy(rows)]
        pub fn next(&mut self) -> Option<Page> {}
    }
"#;

#[test]
fn a_connection_is_called_as_the_function_that_opens_it() {
    let (files, faults) = rendered(DATABASE, Some(Profile::Dbapi));
    assert_eq!(faults, "");
    assert!(
        files.iter().all(|file| file.path != "native/functions.rs"),
        "the function is there in the form of the class alone"
    );
    assert_holds(
        &text(DATABASE, Some(Profile::Dbapi), "database"),
        &[
            // Behind the parameters that they stand behind in `sqlite3`, or at the end.
            "text_signature = \"(place, timeout=5.0, detect_types=0, pages=7, *, check_same_thread=True, factory=None)\"",
            "fn __init__(",
            "let options = ::library::Options { timeout, pages, };",
            "let home = check_same_thread.then(|| python::Home::here(py)).transpose()?;",
            "::library::open(&place, options)",
        ],
    );
}

#[test]
fn a_cursor_is_called_with_its_connection_and_belongs_to_its_thread() {
    assert_holds(
        &text(DATABASE, Some(Profile::Dbapi), "reader"),
        &[
            "fn __init__( &self, py: Python<'_>, connection: &Bound<'_, super::database::Database>, )",
            ".confined(connection.and_then(|connection| connection.object.home()))",
        ],
    );
    let database = text(DATABASE, Some(Profile::Dbapi), "database");
    assert_holds(
        &database,
        &["python::dbapi::cursor_of::< super::reader::Reader, >(factory.bind(py), slf.as_any(), row_factory)"],
    );
    assert_eq!(
        database.matches("cursor_of").count(),
        1,
        "only the member that does nothing else than make a cursor"
    );
}

#[test]
fn without_the_profile_nothing_is_called_or_confined() {
    for file in rendered(DATABASE, None).0 {
        for word in [
            "__init__",
            "confined",
            "factory",
            "check_same_thread",
            "detect_types",
            "Coded",
        ] {
            assert!(!file.text.contains(word), "`{word}` is in {}", file.path);
        }
    }
}

#[test]
fn a_method_written_by_hand_is_asked_for_and_can_reach_the_object() {
    let source = r#"#[async_proxy] impl Shop {
        #[proxy(open)] pub fn new() -> Self {}
        #[proxy(by_hand = "it calls back")]
        pub fn show(&self, #[proxy(py = "int")] see: impl FnMut(u8) + Send + 'static) {}
        pub fn count(&self) -> u64 {}
    }"#;
    let glue = text(source, None, "shop");
    assert_holds(
        &glue,
        &[
            "pub(crate) struct Shop { pub(crate) object: python::Owned<Self>,",
            "const _: () = { let _ = Shop::show; };",
            "fn count(&self",
        ],
    );
    assert!(!glue.contains("fn show"), "{glue}");
    assert_holds(&text(source, None, "mod"), &["pub(crate) mod shop;"]);
    assert_holds(&text(source, None, "exceptions"), &["pub(crate) struct NativeModule;"]);
}
