//! The description of a database driver, with every kind in it, as the model has it.

use crate::common;

use async_proxy_syntax::model::{Api, Class, Kind, Member, Opener, Passing, Property, Receiver, RowsRole};
use quote::ToTokens;

const DRIVER: &str = r##"
    pub type Result<T, E = Error> = std::result::Result<T, E>;

    /// Opens a database.
    #[async_proxy]
    pub fn connect(database: impl AsRef<Path>, #[proxy(spread)] options: ConnectOptions) -> Result<Connection> { loop {} }

    #[async_proxy]
    pub struct ConnectOptions {
        /// Seconds.
        #[proxy(default = 5.0)]
        pub timeout: f64,
        #[proxy(default = "DEFERRED", py = "IsolationLevel | None")]
        pub isolation_level: Option<IsolationLevel>,
        #[proxy(default = 128)]
        pub cached_statements: usize,
        #[proxy(default = -1, keyword_only, py = "bool | int")]
        pub autocommit: Autocommit,
        #[proxy(default = None)]
        pub vfs: Option<String>,
    }

    #[async_proxy::async_proxy]
    pub enum Error {
        #[proxy(exception = "OperationalError")]
        Operational { message: String },
        #[proxy(exception = "ProgrammingError")]
        Programming(String),
        #[proxy(exception = "Timeout", base = "OperationalError")]
        Timeout,
    }

    mod connection {
        #[async_proxy]
        impl Connection {
            #[proxy(child)]
            pub fn cursor(&self) -> Result<Cursor> { loop {} }
            /// Runs a statement.
            #[proxy(child, signature = (sql, parameters = ()))]
            #[must_use]
            pub fn execute(&self, sql: &str, #[proxy(py = "Parameters")] parameters: Params) -> Result<Cursor> { loop {} }
            pub fn commit(&self) -> Result<()> { loop {} }
            #[proxy(signature = (seconds = None))]
            pub fn set_query_timeout(&self, seconds: Option<f64>) { loop {} }
            #[proxy(direct)]
            pub fn get_query_timeout(&self) -> Option<f64> { loop {} }
            #[proxy(interrupt)]
            pub fn interrupt(&self) { loop {} }
            #[proxy(property, live)]
            pub fn in_transaction(&self) -> bool { loop {} }
            #[proxy(property, live)]
            pub fn autocommit(&self) -> Autocommit { loop {} }
            #[proxy(setter, check = "check_autocommit")]
            pub fn set_autocommit(&self, value: Autocommit) -> Result<()> { loop {} }
            #[proxy(close)]
            pub fn close(&self) -> Result<()> { loop {} }
            #[proxy(skip = "the engine's own handle")]
            pub fn engine(&self) -> &Rc<Engine> { loop {} }
            fn private(&mut self) -> &str { loop {} }
            pub(crate) fn internal(self) {}
            pub const LIMIT: usize = 1;
        }
        #[async_proxy(extend)]
        impl Connection {
            pub fn rollback(&self) -> Result<()> { loop {} }
        }
    }

    #[turso::async_proxy(name = "AsyncRows", python = "Rows")]
    impl Cursor {
        pub fn execute(&mut self, sql: &str, parameters: Params) -> Result<&mut Self> { loop {} }
        #[proxy(rows)]
        pub fn fetchone(&mut self) -> Result<Option<Row>> { loop {} }
        #[proxy(rows, size = "arraysize", signature = (size = None))]
        pub fn fetchmany(&mut self, size: Option<usize>) -> Result<Vec<Row>> { loop {} }
        #[proxy(rows)]
        pub fn fetchall(&mut self) -> Result<Vec<Row>> { loop {} }
        #[proxy(rows)]
        pub fn rows(&mut self) -> Rows<'_> { loop {} }
        #[proxy(property, snapshot)]
        pub fn arraysize(&self) -> usize { loop {} }
        #[proxy(setter = "arraysize")]
        pub fn resize(&mut self, size: usize) { loop {} }
        #[proxy(parent)]
        pub fn connection(&self) -> &Connection { loop {} }
        #[proxy(close)]
        pub fn close(&mut self) {}
        #[proxy(name = "import_")]
        pub fn import(&mut self, r#type: &str) {}
    }
"##;

fn class<'a>(api: &'a Api, name: &str) -> &'a Class {
    api.classes.iter().find(|class| class.ident == name).unwrap()
}

fn member<'a>(class: &'a Class, name: &str) -> &'a Member {
    class
        .members
        .iter()
        .find(|member| member.ident == name)
        .unwrap_or_else(|| panic!("no member {name}"))
}

#[test]
fn every_kind_is_read() {
    let api = common::api(DRIVER);
    let connection = class(&api, "Connection");
    let kind = |name| member(connection, name).kind.clone();
    assert_eq!(kind("cursor"), Kind::Child);
    assert_eq!(kind("commit"), Kind::Call);
    assert_eq!(
        kind("get_query_timeout"),
        Kind::Direct {
            awaitable: false,
            when_closed: false
        }
    );
    assert_eq!(kind("interrupt"), Kind::Interrupt);
    assert_eq!(kind("in_transaction"), Kind::Property(Property::Live));
    assert_eq!(kind("close"), Kind::Close);
    assert!(
        matches!(kind("set_autocommit"), Kind::Setter { property, check: Some(check) }
        if property == "autocommit" && check == "check_autocommit")
    );
    assert!(connection.is_shared());
    let names: Vec<String> = connection
        .members
        .iter()
        .map(|member| member.ident.to_string())
        .collect();
    assert_eq!(
        names.last().map(String::as_str),
        Some("rollback"),
        "an extension's members stand behind the first block's"
    );
    assert!(!names.contains(&"private".to_owned()) && !names.contains(&"internal".to_owned()));

    let cursor = class(&api, "Cursor");
    let kind = |name| member(cursor, name).kind.clone();
    assert_eq!(kind("execute"), Kind::SelfReturn);
    assert_eq!(kind("fetchone"), Kind::Rows(RowsRole::One));
    assert_eq!(kind("fetchmany"), Kind::Rows(RowsRole::Many));
    assert_eq!(kind("fetchall"), Kind::Rows(RowsRole::All));
    assert_eq!(kind("rows"), Kind::Rows(RowsRole::Iterate));
    assert_eq!(kind("arraysize"), Kind::Property(Property::Snapshot));
    assert_eq!(kind("connection"), Kind::Parent);
    assert!(matches!(kind("resize"), Kind::Setter { property, check: None } if property == "arraysize"));
    assert!(!cursor.is_shared());
    assert_eq!(member(cursor, "close").receiver, Receiver::Exclusive);
}

#[test]
fn openers_and_parents_are_found() {
    let api = common::api(DRIVER);
    let connection = class(&api, "Connection");
    assert!(matches!(&connection.opened_by, Some(Opener::Function(name)) if name == "connect"));
    assert!(connection.parents.is_empty());
    let cursor = class(&api, "Cursor");
    assert!(cursor.opened_by.is_none());
    assert_eq!(cursor.parents.len(), 1);
    assert_eq!(cursor.options.python_name.as_deref(), Some("Rows"));
    assert!(
        cursor
            .options
            .rust_name
            .as_ref()
            .is_some_and(|name| name == "AsyncRows")
    );
}

#[test]
fn success_types_are_found_through_aliases_and_self() {
    let api = common::api(DRIVER);
    let connection = class(&api, "Connection");
    let cursor = class(&api, "Cursor");
    let ok = |member: &Member| member.returns.ok.to_token_stream().to_string().replace(' ', "");
    assert_eq!(ok(member(connection, "cursor")), "Cursor");
    assert_eq!(ok(member(connection, "commit")), "()");
    assert_eq!(ok(member(connection, "interrupt")), "()");
    assert_eq!(ok(member(cursor, "execute")), "&mutCursor");
    assert_eq!(ok(member(cursor, "fetchone")), "Option<Row>");
    assert!(member(cursor, "fetchone").returns.fallible && !member(cursor, "rows").returns.fallible);
}

#[test]
fn what_python_sees_is_read() {
    let api = common::api(DRIVER);
    let connection = class(&api, "Connection");
    let execute = member(connection, "execute");
    assert_eq!(execute.carried.docs, ["Runs a statement."]);
    assert!(execute.carried.must_use.is_some());
    assert_eq!(execute.arguments[1].python.as_deref(), Some("Parameters"));
    let signature = execute.python.signature.as_ref().unwrap();
    assert_eq!(signature.parameters[1].default.as_deref(), Some("()"));
    let import = member(class(&api, "Cursor"), "import");
    assert_eq!(import.python.name.as_deref(), Some("import_"));
    assert!(
        member(connection, "engine").python.rust_only.is_some(),
        "its return type can't cross to Python either"
    );

    let options = &api.options[0].fields;
    let defaults: Vec<&str> = options.iter().filter_map(|field| field.default.as_deref()).collect();
    assert_eq!(defaults, ["5.0", "\"DEFERRED\"", "128", "-1", "None"]);
    let keyword_only: Vec<bool> = options.iter().map(|field| field.keyword_only).collect();
    assert_eq!(
        keyword_only,
        [false, false, false, true, true],
        "those behind a keyword-only one are so too"
    );
    assert!(api.functions[0].arguments[1].spread);
    assert_eq!(api.errors[0].variants[2].base.as_deref(), Some("OperationalError"));
}

#[test]
fn borrowed_arguments_are_owned() {
    let api = common::api(
        r##"
        #[async_proxy]
        impl Store {
            #[proxy(open)]
            pub fn open() -> Self { loop {} }
            pub fn take<'a, T: Into<Value>, P, X: Send + 'static, C: Send + 'static, const N: usize>(
                &self,
                a01: &'a str, a02: &[u8], a03: &Path, a04: Option<&str>, a05: Option<&'a [i64]>, a06: Cow<'_, str>,
                a07: impl Into<String>, a08: T, a09: impl AsRef<Path> + Send, a10: P, a11: impl IntoIterator<Item = i64>,
                a12: Box<dyn Fn(&str) -> bool + Send>, a13: Option<Box<dyn FnMut() + Send + 'static>>, a14: X, a15: Vec<X>,
                a16: impl Fn(&str) + Send + 'static, a17: i64, a18: &Config, a19: &'static str, a20: [u8; N],
                a21: Arc<dyn Fn() + Send + Sync>, a22: fn(&str) -> &str, a23: (String, Vec<u8>), a24: &(u8, u8),
                mut a25: C, a26: Option<&'static str>,
            ) where P: AsRef<std::ffi::OsStr> {}
        }
        "##,
    );
    let arguments = &api.classes[0].members[1].arguments;
    let owned: Vec<(Passing, String)> = arguments
        .iter()
        .map(|argument| {
            (
                argument.passing.clone(),
                argument.owned.to_token_stream().to_string().replace(' ', ""),
            )
        })
        .collect();
    let expected = [
        (Passing::Borrowed, "::std::string::String"),
        (Passing::Borrowed, "::std::vec::Vec<u8>"),
        (Passing::Borrowed, "::std::path::PathBuf"),
        (Passing::OptionBorrowed, "::std::option::Option<::std::string::String>"),
        (Passing::OptionBorrowed, "::std::option::Option<::std::vec::Vec<i64>>"),
        (Passing::Cow, "::std::string::String"),
        (Passing::Into, "String"),
        (Passing::Into, "Value"),
        (Passing::AsRef, "::std::path::PathBuf"),
        (Passing::AsRef, "::std::ffi::OsString"),
        (Passing::Iterator, "::std::vec::Vec<i64>"),
        (Passing::Callback, "Box<dynFn(&str)->bool+Send>"),
        (Passing::Callback, "Option<Box<dynFnMut()+Send+'static>>"),
        (Passing::Generic, "X"),
        (Passing::Generic, "Vec<X>"),
        (Passing::Generic, "implFn(&str)+Send+'static"),
        (Passing::Value, "i64"),
        (Passing::Borrowed, "Config"),
        (Passing::Value, "&'staticstr"),
        (Passing::Generic, "[u8;N]"),
        (Passing::Callback, "Arc<dynFn()+Send+Sync>"),
        (Passing::Value, "fn(&str)->&str"),
        (Passing::Value, "(String,Vec<u8>)"),
        (Passing::Borrowed, "(u8,u8)"),
        (Passing::Generic, "C"),
        (Passing::Value, "Option<&'staticstr>"),
    ];
    for (index, ((passing, owned), (wanted, text))) in owned.iter().zip(&expected).enumerate() {
        assert_eq!((passing, owned.as_str()), (wanted, *text), "argument {}", index + 1);
    }
    assert_eq!(owned.len(), expected.len());
}

#[test]
fn a_type_parameter_with_a_second_place_is_moved_as_it_is() {
    let api = common::api(
        r##"
        #[async_proxy]
        impl Store {
            #[proxy(open)]
            pub fn open() -> Self { loop {} }
            pub fn many<I, P>(&self, items: I) where I: IntoIterator<Item = P> + Send + 'static, P: Into<Value> {}
            pub fn same<T: Into<Value> + Send + 'static>(&self, value: T) -> T { value }
            pub fn two<T: Into<Value>>(&self, first: T, second: T) {}
            pub fn get<T: FromValue + Send + 'static>(&self, key: &str) -> T { loop {} }
        }
        "##,
    );
    let passing = |index: usize| api.classes[0].members[index].arguments[0].passing.clone();
    assert_eq!(passing(1), Passing::Generic, "the items' type is a parameter itself");
    assert_eq!(passing(2), Passing::Generic, "what comes back is the caller's own type");
    assert_eq!(passing(3), Passing::Into);
}

#[test]
fn alternatives_behind_conditions_are_no_duplicates() {
    let api = common::api(
        r##"
        #[async_proxy]
        impl Store {
            #[cfg(unix)]
            #[proxy(open)]
            pub fn open() -> Self { loop {} }
            #[cfg(not(unix))]
            #[proxy(open)]
            pub fn open() -> Self { loop {} }
            #[cfg(unix)]
            #[proxy(close)]
            pub fn close(&mut self) {}
            #[cfg(not(unix))]
            #[proxy(close)]
            pub fn close(&mut self) {}
        }
        "##,
    );
    assert_eq!(api.classes[0].members.len(), 4);
}
