//! Names on each side.

use proc_macro2::Ident;
use quote::format_ident;
use syn::ext::IdentExt;

use crate::model::{ClassOptions, Colour, FreeFunction, Member};

/// The Rust proxy's name of a class: what `name = "…"` says, or `Async` (`Blocking` for the async colour) and the type's
/// name. With `twins` it is the type's own.
pub fn proxy_ident(colour: Colour, class: &Ident, options: &ClassOptions) -> Ident {
    let other = match colour {
        Colour::Async if options.twins => return class.clone(),
        Colour::Async => "Blocking",
        Colour::Blocking => "Async",
    };
    options
        .rust_name
        .clone()
        .unwrap_or_else(|| format_ident!("{other}{}", class.unraw(), span = class.span()))
}

/// A free function's name on the other side of Rust: what `name = "…"` says, or its name and `_async`, `_sync` for the
/// async colour.
pub fn function_ident(function: &FreeFunction) -> Ident {
    let other = match function.colour {
        Colour::Blocking => "async",
        Colour::Async => "sync",
    };
    function
        .rust_name
        .clone()
        .unwrap_or_else(|| format_ident!("{}_{other}", function.ident.unraw(), span = function.ident.span()))
}

/// The name in Python of the blocking form of a class that an async API only hands out: `SyncTransaction`.
pub fn blocking_form(class: &str) -> String {
    format!("Sync{class}")
}

/// The name of a method's blocking twin, where both stand on one class: `insert_sync` of `insert`.
pub fn twin_name(name: &str) -> String {
    format!("{name}_sync")
}

/// A class's name in Python.
pub fn python_class_name(class: &Ident, options: &ClassOptions) -> String {
    options.python_name.clone().unwrap_or_else(|| plain(class))
}

/// A member's name in Python.
pub fn python_member_name(member: &Member) -> String {
    member.python.name.clone().unwrap_or_else(|| plain(&member.ident))
}

/// A free function's name in Python.
pub fn python_function_name(function: &FreeFunction) -> String {
    function.python.name.clone().unwrap_or_else(|| plain(&function.ident))
}

/// An identifier's text without `r#`.
pub fn plain(ident: &Ident) -> String {
    ident.unraw().to_string()
}

/// A keyword of Rust as a name: `r#type` for `type`. `None` for the few that cannot be one, and for what is no word.
pub(crate) fn raw_ident(word: &str) -> Option<Ident> {
    syn::parse_str::<Ident>(&format!("r#{word}")).ok()
}

/// The keywords of Python, and `__debug__`, which no one may assign either. Soft keywords (`match`, `type`) are names.
const PYTHON_KEYWORDS: &[&str] = &[
    "False",
    "None",
    "True",
    "__debug__",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
];

/// Whether Python keeps the word for itself.
pub fn is_python_keyword(name: &str) -> bool {
    PYTHON_KEYWORDS.contains(&name)
}

/// Whether Python takes it as a name. (Python takes letters outside of ASCII as well; generated code has none.)
pub fn is_python_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !is_python_keyword(name)
}

/// The exceptions that Python brings along and that an error may become, or derive from.
const PYTHON_EXCEPTIONS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "ChildProcessError",
    "ConnectionAbortedError",
    "ConnectionError",
    "ConnectionRefusedError",
    "ConnectionResetError",
    "EOFError",
    "Exception",
    "FileExistsError",
    "FileNotFoundError",
    "FloatingPointError",
    "ImportError",
    "IndexError",
    "InterruptedError",
    "IsADirectoryError",
    "KeyError",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotADirectoryError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "RuntimeError",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SystemError",
    "TimeoutError",
    "TypeError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
];

/// Whether an exception of that name comes with Python.
pub fn is_python_exception(name: &str) -> bool {
    PYTHON_EXCEPTIONS.contains(&name)
}

/// The exceptions of PEP 249, each with its base.
const DBAPI_EXCEPTIONS: &[(&str, &str)] = &[
    ("Warning", "Exception"),
    ("Error", "Exception"),
    ("InterfaceError", "Error"),
    ("DatabaseError", "Error"),
    ("DataError", "DatabaseError"),
    ("OperationalError", "DatabaseError"),
    ("IntegrityError", "DatabaseError"),
    ("InternalError", "DatabaseError"),
    ("ProgrammingError", "DatabaseError"),
    ("NotSupportedError", "DatabaseError"),
];

/// The base of an exception of PEP 249; `None` for any other. `Warning` is PEP 249's, not Python's own.
pub fn dbapi_exception_base(name: &str) -> Option<&'static str> {
    DBAPI_EXCEPTIONS
        .iter()
        .find(|(exception, _)| *exception == name)
        .map(|(_, base)| *base)
}

/// Whether each bracket and quote that is opened is closed.
pub(crate) fn is_balanced(text: &str) -> bool {
    let mut open = Vec::new();
    let mut quote = None;
    for character in text.chars() {
        match (quote, character) {
            (Some(opened), _) if opened == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{') => open.push(character),
            (None, ')' | ']' | '}') => match (open.pop(), character) {
                (Some('('), ')') | (Some('['), ']') | (Some('{'), '}') => {}
                _ => return false,
            },
            _ => {}
        }
    }
    open.is_empty() && quote.is_none()
}

/// The word that was probably meant: the nearest one, if it is near.
pub fn nearest<'a>(word: &str, words: &[&'a str]) -> Option<&'a str> {
    let limit = 1 + word.chars().count() / 4;
    words
        .iter()
        .map(|other| (edit_distance(word, other), *other))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, other)| other)
}

/// How many characters must be inserted, removed or replaced to make the one from the other.
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, character) in from.chars().enumerate() {
        let mut diagonal = index;
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(character != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn python_names_are_told_from_keywords_and_nonsense() {
        assert!(is_python_name("fetch_one") && is_python_name("_1") && is_python_name("match"));
        for name in ["from", "", "1a", "a b", "a.b", "é", "None"] {
            assert!(!is_python_name(name), "{name}");
        }
    }

    #[test]
    fn a_misspelt_key_finds_the_one_that_was_meant() {
        let keys = ["open", "child", "signature", "snapshot"];
        assert_eq!(nearest("signatur", &keys), Some("signature"));
        assert_eq!(nearest("chlid", &keys), Some("child"));
        assert_eq!(nearest("close", &keys), None);
    }

    #[test]
    fn brackets_and_quotes_are_balanced() {
        assert!(is_balanced("dict[str, Literal['a]']]"));
        for text in ["list[int", "list[int)", "]", "'a"] {
            assert!(!is_balanced(text), "{text}");
        }
    }
}
