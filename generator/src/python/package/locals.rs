//! Names of the generated functions' own that no parameter stands in the way of.

use super::super::annotation;
use super::super::model::{Class, Parameter};

/// Keywords of Python that a class's name in small letters may be.
const KEYWORDS: [&str; 31] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with",
];

/// What the functions of an asynchronous class call things of their own, and its attributes without the `_` in front.
const OWN: [&str; 38] = [
    "assign",
    "assigned",
    "asyncio",
    "begin",
    "call",
    "chunk_size",
    "cls",
    "connector",
    "convert",
    "error",
    "function",
    "future",
    "getattr",
    "insert",
    "lane",
    "latest",
    "lib",
    "made",
    "make",
    "make_error",
    "name",
    "number",
    "object",
    "open",
    "parent",
    "queue",
    "read",
    "reading",
    "reading_error",
    "rows",
    "self",
    "setattr",
    "size",
    "snapshot",
    "value",
    "warnings",
    "worker",
    "yield",
];

/// A name, with `_` behind it until no parameter is called so.
pub(super) fn free(wanted: &str, parameters: &[Parameter]) -> String {
    let mut name = wanted.to_owned();
    while is_taken(&name, parameters) {
        name.push('_');
    }
    name
}

/// Whether a parameter has that name.
pub(super) fn is_taken(name: &str, parameters: &[Parameter]) -> bool {
    parameters.iter().any(|parameter| parameter.name == name)
}

/// A builtin, by the name that it has where no parameter is called like it.
pub(super) fn builtin(name: &str, parameters: &[Parameter]) -> String {
    if is_taken(name, parameters) {
        format!("builtins.{name}")
    } else {
        name.to_owned()
    }
}

/// What a blocking object of a class is called in its asynchronous methods: `connection`.
pub(super) fn object(class: &Class) -> String {
    let mut name = snake_case(&class.name);
    let in_use = |name: &str| {
        KEYWORDS.contains(&name)
            || OWN.contains(&name)
            || class.members.iter().any(|member| is_taken(name, &member.parameters))
    };
    while in_use(&name) {
        name = format!("blocking_{name}");
    }
    name
}

/// An annotation inside of a function, where a parameter stands in the way of a type or module of the same name: there
/// is no name for it then.
pub(super) fn inner_annotation(annotation: &str, parameters: &[Parameter]) -> String {
    let is_hidden = |name: &str| is_taken(name.split('.').next().unwrap_or(name), parameters);
    if annotation::names(annotation).into_iter().any(is_hidden) {
        "Any".to_owned()
    } else {
        annotation.to_owned()
    }
}

/// `ConnectionSync` as `connection_sync`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for (position, character) in name.char_indices() {
        if character.is_uppercase() && position > 0 {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}
