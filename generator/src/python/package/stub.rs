//! `_native.pyi`: what the compiled module has, for type checkers and editors.

use async_proxy_syntax::model::RowsRole;

use super::super::model::{Class, Docs, Function, Kind, Member, Package, Role};
use super::asynchronous::annotation_of;
use super::docstring::docstring;
use super::layout::{bracketed, python_string};
use super::signature::parameters;

/// A class of the stub.
pub(super) struct StubClass {
    /// What stands behind `class`.
    pub(super) head: String,
    pub(super) docs: String,
    /// The exceptions that are its attributes.
    pub(super) exceptions: Vec<String>,
    pub(super) members: Vec<String>,
}

/// An exception of the stub.
pub(super) struct StubException {
    pub(super) name: String,
    pub(super) base: String,
    pub(super) docs: String,
}

/// The exceptions that the module creates.
pub(super) fn exceptions(package: &Package) -> Vec<StubException> {
    package
        .created_exceptions()
        .map(|exception| StubException {
            name: exception.name.clone(),
            base: exception.base.clone(),
            docs: docstring(&exception.docs, 4),
        })
        .collect()
}

/// Makes the view of a class.
pub(super) fn class(package: &Package, class: &Class) -> StubClass {
    let base = class.base.as_ref().and_then(|base| package.class(base));
    let head = match (base, class.generic) {
        (Some(base), _) => format!("{}({}):", class.name, annotation_of(base)),
        (None, true) => format!("{}(Generic[RowT]):", class.name),
        (None, false) => format!("{}:", class.name),
    };
    let mut members: Vec<String> = construction(package, class).into_iter().collect();
    members.extend(class.members.iter().filter_map(|one| member(class, one)));
    members.extend(protocols(class));
    if let Some(last) = members.last_mut() {
        last.truncate(last.trim_end().len());
    }
    StubClass {
        head,
        docs: docstring(&class.docs, 4),
        exceptions: if class.own_role == Role::Connection {
            package
                .created_exceptions()
                .map(|exception| exception.name.clone())
                .collect()
        } else {
            Vec::new()
        },
        members,
    }
}

/// What the class is called with.
fn construction(package: &Package, class: &Class) -> Option<String> {
    let mut items = vec!["self".to_owned()];
    match class.own_role {
        Role::Connection => items.extend(parameters(&package.constructor(class)?.parameters)),
        Role::Cursor => {
            let (connection, _) = package.maker(class)?;
            items.extend([format!("connection: {}", annotation_of(connection)), "/".to_owned()]);
        }
        Role::Plain => return None,
    }
    Some(bracketed(4, "def __init__(", &items, ") -> None: ..."))
}

fn member(class: &Class, member: &Member) -> Option<String> {
    let name = &member.name;
    Some(match &member.kind {
        Kind::Setter { .. } | Kind::Rows(RowsRole::Iterate) => return None,
        Kind::Property { .. } => {
            let mut text = property(name, &member.returns, &member.docs);
            if let Some(parameter) = class.setter(name).and_then(|setter| setter.parameters.first()) {
                let items = [
                    "self".to_owned(),
                    format!("{}: {}", parameter.name, parameter.annotation),
                ];
                let head = bracketed(4, &format!("def {name}("), &items, ") -> None: ...");
                let items = [format!("{}: {}", parameter.name, parameter.annotation)];
                let check = bracketed(
                    4,
                    &format!("def _check_{name}("),
                    &items,
                    &format!(") -> {}: ...", member.returns),
                );
                text.push_str(&format!("\n    @{name}.setter\n{head}\n    @staticmethod\n{check}"));
            }
            text
        }
        Kind::Parent { .. } => property(name, &member.returns, &member.docs),
        Kind::Open => method(member, "", "@staticmethod", &member.returns),
        Kind::SelfReturn => method(member, "self", "", "Self"),
        Kind::Close => method(member, "self", "", "None"),
        _ => method(member, "self", "", &member.returns),
    })
}

pub(super) fn property(name: &str, returns: &str, docs: &Docs) -> String {
    let head = format!("    @property\n    def {name}(self) -> {returns}:");
    if docs.is_empty() {
        format!("{head} ...")
    } else {
        format!("{head}\n{}\n", docstring(docs, 8))
    }
}

fn method(member: &Member, receiver: &str, decorator: &str, returns: &str) -> String {
    let mut items: Vec<String> = Vec::new();
    if !receiver.is_empty() {
        items.push(receiver.to_owned());
    }
    items.extend(parameters(&member.parameters));
    let mut text = String::new();
    if !decorator.is_empty() {
        text.push_str(&format!("    {decorator}\n"));
    }
    if let Some(note) = &member.deprecated {
        text.push_str(&format!("    @deprecated({})\n", python_string(note)));
    }
    text + &with_docs(
        4,
        &format!("def {}(", member.name),
        &items,
        &format!(") -> {returns}:"),
        &member.docs,
    )
}

/// A function whose body is its documentation, or dots.
pub(super) fn with_docs(indent: usize, before: &str, items: &[String], after: &str, docs: &Docs) -> String {
    if docs.is_empty() {
        return bracketed(indent, before, items, &format!("{after} ..."));
    }
    format!(
        "{}\n{}\n",
        bracketed(indent, before, items, after),
        docstring(docs, indent + 4)
    )
}

/// Context manager, iteration, factories, and what only the asyncio side calls.
fn protocols(class: &Class) -> Vec<String> {
    let mut texts = factories(class);
    let mut add = |text: &str| texts.push(text.to_owned());
    if class.base.is_none() && (class.close().is_some() || class.own_role == Role::Connection) {
        add("    def __enter__(self) -> Self: ...");
        add(
            "    def __exit__(\n        self,\n        exc_type: type[BaseException] | None,\n        exc_value: BaseException | None,\n        traceback: TracebackType | None,\n        /,\n    ) -> Literal[False]: ...",
        );
    }
    if let Some(row) = class.row() {
        add("    def __iter__(self) -> Self: ...");
        add(&format!("    def __next__(self) -> {row}: ..."));
        add("    @property\n    def _begun(self) -> int: ...");
        add(&format!(
            "    def _read_rows(\n        self, limit: int, asked: int = 0, elapsed: float = 0.0\n    ) -> tuple[list[{row}], bool, BaseException | None]: ..."
        ));
    }
    let snapshots: Vec<&str> = class.snapshots().map(|property| property.returns.as_str()).collect();
    if !snapshots.is_empty() {
        add(&bracketed(
            4,
            "def _snapshot(",
            &["self".to_owned()],
            &format!(") -> tuple[{}]: ...", snapshots.join(", ")),
        ));
    }
    texts
}

/// The attributes that the profile `dbapi` adds.
fn factories(class: &Class) -> Vec<String> {
    let attribute = |name: &str, annotation: &str, docs: &[&str]| {
        let docs = Docs {
            lines: docs.iter().map(|line| (*line).to_owned()).collect(),
        };
        let getter = property(name, annotation, &docs);
        format!("{getter}\n    @{name}.setter\n    def {name}(self, factory: {annotation}) -> None: ...")
    };
    let row_factory = |docs: &[&str]| attribute("row_factory", "RowFactory[Any] | None", docs);
    match class.own_role {
        Role::Plain => Vec::new(),
        Role::Cursor => vec![row_factory(&[
            "What makes the object that is handed out for a row: `None` for a tuple, or something that is called with the",
            "cursor and that tuple. A cursor begins with its connection's.",
        ])],
        Role::Connection => vec![
            row_factory(&[
                "What makes the object that is handed out for a row: `None` for a tuple, or something that is called with",
                "the cursor and that tuple, such as `Row`. Cursors take it over when they are made.",
            ]),
            attribute(
                "text_factory",
                "Callable[[bytes], Any]",
                &[
                    "What makes the object for a text: `str` (the default), `bytes`, `bytearray`, or something that is",
                    "called with the text's UTF-8 as `bytes`.",
                ],
            ),
        ],
    }
}

/// Functions with an empty line before each, as `ruff format` has them in stubs: those without a body of their own stand
/// together.
pub(super) fn apart(functions: Vec<String>) -> Vec<String> {
    let mut bare_before = false;
    let mut texts = Vec::new();
    for function in functions {
        let bare = function.ends_with(" ...");
        texts.push(if bare_before && bare {
            function
        } else {
            format!("\n{function}")
        });
        bare_before = bare;
    }
    texts
}

/// A function of the module.
pub(super) fn function(package: &Package, function: &Function) -> String {
    let opened = function.opens.as_ref().and_then(|class| package.class(class));
    let returns = match opened {
        Some(class) if class.generic => format!("{}[Any]", class.name),
        _ => function.returns.clone(),
    };
    let deprecated = function
        .deprecated
        .as_ref()
        .map(|note| format!("@deprecated({})\n", python_string(note)));
    let text = with_docs(
        0,
        &format!("def {}(", function.name),
        &parameters(&function.parameters),
        &format!(") -> {returns}:"),
        &function.docs,
    );
    (deprecated.unwrap_or_default() + &text).trim_end().to_owned()
}
