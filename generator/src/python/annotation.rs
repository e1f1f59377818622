//! What a Rust type is called in a Python annotation: the config's table first, the types that PyO3 converts by itself
//! second.

use async_proxy_syntax::model::Api;
use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use crate::config::{FILE_NAME, Python};
use crate::text;

/// Where a type stands: Python code may pass more than it gets back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Of a parameter.
    Argument,
    /// Of what is returned.
    Result,
}

/// A Rust type without an annotation.
#[derive(Debug)]
pub(super) struct Unknown {
    /// The part of the type that is unknown.
    pub(super) span: Span,
    /// What is wrong, and what to write instead.
    pub(super) message: String,
}

/// The annotations of Rust types.
pub(super) struct Table<'a> {
    config: &'a Python,
    api: &'a Api,
}

/// Modules of the standard library and what annotations may use of them without a word.
pub(super) const TYPING_NAMES: [&str; 8] = [
    "Any",
    "ClassVar",
    "Final",
    "Literal",
    "NamedTuple",
    "Protocol",
    "TypedDict",
    "Union",
];

/// What annotations may use of `collections.abc`.
pub(super) const ABSTRACT_NAMES: [&str; 17] = [
    "AsyncIterable",
    "AsyncIterator",
    "Awaitable",
    "Buffer",
    "Callable",
    "Collection",
    "Container",
    "Coroutine",
    "Generator",
    "Hashable",
    "Iterable",
    "Iterator",
    "Mapping",
    "MutableMapping",
    "MutableSequence",
    "Sequence",
    "Sized",
];

/// Builtin names in annotations.
pub(super) const BUILTIN_NAMES: [&str; 20] = [
    "None",
    "True",
    "False",
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "memoryview",
    "object",
    "range",
    "set",
    "slice",
    "str",
    "tuple",
    "type",
];

/// What is taken for a path.
pub(super) const PATH: &str = "str | os.PathLike[str]";

/// Whether a type of argument, as it is owned, is a path.
pub(super) fn is_path(ty: &Type) -> bool {
    matches!(ty, Type::Path(ty) if ty.path.segments.last().is_some_and(|last| last.ident == "PathBuf"))
}

/// Modules that an annotation may name things of: `os.PathLike[str]`.
pub(super) const MODULES: [&str; 8] = [
    "datetime",
    "decimal",
    "fractions",
    "ipaddress",
    "os",
    "pathlib",
    "types",
    "uuid",
];

impl<'a> Table<'a> {
    pub(super) fn new(config: &'a Python, api: &'a Api) -> Self {
        Self { config, api }
    }

    /// Whether a value of the API has that name.
    fn is_value(&self, name: &str) -> bool {
        let mut values = self.api.options.iter().filter(|options| options.is_value);
        values.any(|value| value.ident == name)
    }

    /// The annotation of a type.
    pub(super) fn annotate(&self, ty: &Type, position: Position) -> Result<String, Unknown> {
        if let Some(annotation) = self.configured(ty) {
            return Ok(double_quoted(annotation));
        }
        match ty {
            Type::Paren(inner) => self.annotate(&inner.elem, position),
            Type::Group(inner) => self.annotate(&inner.elem, position),
            Type::Reference(inner) => self.annotate(&inner.elem, position),
            Type::Tuple(tuple) if tuple.elems.is_empty() => Ok("None".to_owned()),
            Type::Tuple(tuple) => {
                let elements: Result<Vec<_>, _> = tuple
                    .elems
                    .iter()
                    .map(|element| self.annotate(element, position))
                    .collect();
                Ok(format!("tuple[{}]", elements?.join(", ")))
            }
            Type::Slice(slice) => self.sequence(&slice.elem, position),
            Type::Array(array) => self.sequence(&array.elem, position),
            Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
                Some(segment) => self.builtin(
                    ty,
                    &segment.ident.to_string(),
                    &type_arguments(&segment.arguments),
                    position,
                ),
                None => Err(self.unknown(ty)),
            },
            _ => Err(self.unknown(ty)),
        }
    }

    /// What the config says: for the last segment of the path with its generics, or without.
    fn configured(&self, ty: &Type) -> Option<&'a str> {
        let mut keys = vec![without_spaces(&text::of_type(ty))];
        if let Type::Path(path) = ty
            && let Some(segment) = path.path.segments.last()
        {
            let mut last = path.clone();
            last.path.leading_colon = None;
            last.path.segments = std::iter::once(segment.clone()).collect();
            keys.push(without_spaces(&text::of_type(&Type::Path(last))));
            keys.push(segment.ident.to_string());
        }
        let of_key = |key: &String| self.config.types.iter().find(|(name, _)| without_spaces(name) == *key);
        keys.iter().find_map(of_key).map(|(_, annotation)| annotation.as_str())
    }

    fn builtin(&self, ty: &Type, name: &str, arguments: &[&Type], position: Position) -> Result<String, Unknown> {
        let argument = |index: usize| self.annotate(arguments[index], position);
        let annotation = match (name, arguments.len()) {
            ("bool", 0) => "bool".to_owned(),
            ("u8" | "u16" | "u32" | "u64" | "u128" | "usize", 0) => "int".to_owned(),
            ("i8" | "i16" | "i32" | "i64" | "i128" | "isize", 0) => "int".to_owned(),
            ("f32" | "f64", 0) => "float".to_owned(),
            ("String" | "str" | "char", 0) => "str".to_owned(),
            ("Path" | "PathBuf" | "OsStr" | "OsString", 0) if position == Position::Argument => PATH.to_owned(),
            ("Path" | "PathBuf", 0) => "pathlib.Path".to_owned(),
            ("OsStr" | "OsString", 0) => "str".to_owned(),
            ("Duration", 0) => "datetime.timedelta".to_owned(),
            ("Vec", 1) => return self.sequence(arguments[0], position),
            ("Option", 1) => match argument(0)? {
                inner if inner.ends_with("None") => inner,
                inner => format!("{inner} | None"),
            },
            ("Cow", 1) => argument(0)?,
            ("Box" | "Arc" | "Rc", 1) => return Err(boxed(ty, arguments[0])),
            ("HashMap" | "BTreeMap", 2 | 3) => format!("dict[{}, {}]", argument(0)?, argument(1)?),
            (value, 0) if self.is_value(value) => value.to_owned(),
            ("HashSet" | "BTreeSet", 1 | 2) => format!("set[{}]", argument(0)?),
            _ => return Err(self.unknown(ty)),
        };
        Ok(annotation)
    }

    fn sequence(&self, element: &Type, position: Position) -> Result<String, Unknown> {
        if text::of_type(element) == "u8" {
            return Ok("bytes".to_owned());
        }
        let element = self.annotate(element, position)?;
        Ok(match position {
            Position::Argument => format!("Sequence[{element}]"),
            Position::Result => format!("list[{element}]"),
        })
    }

    fn unknown(&self, ty: &Type) -> Unknown {
        let shown = text::of_type(ty);
        let key = match ty {
            Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        let key = key.unwrap_or_else(|| shown.clone());
        Unknown {
            span: ty.span(),
            message: format!(
                "`{shown}` has no annotation in Python\nhelp: add `\"{key}\" = \"…\"` to `[python.types]` in {FILE_NAME}, or \
                 write `#[proxy(py = \"…\")]` here; a member that Python cannot have says `#[proxy(rust_only = \"why\")]`"
            ),
        }
    }
}

/// What is in a box of Rust has no conversion: what is to be written in its place.
fn boxed(ty: &Type, inner: &Type) -> Unknown {
    let owned = match inner {
        Type::Slice(slice) => format!("Vec<{}>", text::of_type(&slice.elem)),
        inner => match text::of_type(inner).as_str() {
            "str" => "String".to_owned(),
            "Path" => "PathBuf".to_owned(),
            "OsStr" => "OsString".to_owned(),
            sized => sized.to_owned(),
        },
    };
    Unknown {
        span: ty.span(),
        message: format!(
            "`{}` cannot be converted from or to Python\nhelp: write `{owned}`, or keep the member out of Python with \
             `#[proxy(rust_only = \"why\")]`",
            text::of_type(ty)
        ),
    }
}

/// The types between the angle brackets, lifetimes left out.
fn type_arguments(arguments: &PathArguments) -> Vec<&Type> {
    match arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// An annotation with the quotes that `ruff format` wants.
pub(super) fn double_quoted(annotation: &str) -> String {
    if annotation.contains('"') {
        annotation.to_owned()
    } else {
        annotation.replace('\'', "\"")
    }
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace()).collect()
}

/// The names in an annotation, dotted ones whole; what stands between quotes is not looked at.
pub(super) fn names(annotation: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut quote = None;
    let mut start = None;
    for (position, character) in annotation
        .char_indices()
        .chain(std::iter::once((annotation.len(), ' ')))
    {
        let in_name = quote.is_none() && (character.is_alphanumeric() || matches!(character, '_' | '.'));
        match (start, in_name) {
            (None, true) => start = Some(position),
            (Some(first), false) => {
                let name = &annotation[first..position];
                if !name.starts_with(|character: char| character.is_ascii_digit() || character == '.') {
                    names.push(name);
                }
                start = None;
            }
            _ => {}
        }
        match quote {
            Some(open) if open == character => quote = None,
            None if matches!(character, '"' | '\'') => quote = Some(character),
            _ => {}
        }
    }
    names
}

/// Whether Python or its standard library has a name that an annotation may use without more being said.
pub(super) fn is_of_python(name: &str) -> bool {
    let module = name.split('.').next().unwrap_or(name);
    BUILTIN_NAMES.contains(&name)
        || TYPING_NAMES.contains(&name)
        || ABSTRACT_NAMES.contains(&name)
        || (name.contains('.') && MODULES.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn annotate(ty: &str, position: Position) -> Result<String, Unknown> {
        let config = Python {
            package: "aioexample".into(),
            module: "_native".into(),
            profile: None,
            types: vec![
                ("Params".into(), "Parameters".into()),
                ("Page<Row>".into(), "RowPage".into()),
            ],
            aliases: Vec::new(),
            submodules: Vec::new(),
        };
        let api = Api {
            classes: Vec::new(),
            functions: Vec::new(),
            errors: Vec::new(),
            options: Vec::new(),
        };
        Table::new(&config, &api).annotate(&syn::parse_str(ty).unwrap(), position)
    }

    fn result(ty: &str) -> String {
        annotate(ty, Position::Result).unwrap()
    }

    #[test]
    fn the_types_that_pyo3_converts_are_known() {
        assert_eq!(result("Option<Vec<(u64, String)>>"), "list[tuple[int, str]] | None");
        assert_eq!(result("HashMap<String, Vec<u8>>"), "dict[str, bytes]");
        assert_eq!(result("()"), "None");
        assert_eq!(result("std::time::Duration"), "datetime.timedelta");
        assert_eq!(result("Cow<'_, str>"), "str");
    }

    #[test]
    fn a_parameter_takes_more_than_a_result_gives() {
        assert_eq!(
            annotate("PathBuf", Position::Argument).unwrap(),
            "str | os.PathLike[str]"
        );
        assert_eq!(result("PathBuf"), "pathlib.Path");
        assert_eq!(annotate("Vec<String>", Position::Argument).unwrap(), "Sequence[str]");
    }

    #[test]
    fn the_config_comes_first_and_goes_by_the_last_segment() {
        assert_eq!(result("crate::params::Params"), "Parameters");
        assert_eq!(result("Option<Params>"), "Parameters | None");
        assert_eq!(result("pages::Page<Row>"), "RowPage");
    }

    #[test]
    fn an_unknown_type_says_where_to_name_it() {
        let unknown = annotate("Vec<Colour>", Position::Result).unwrap_err();
        assert!(
            unknown.message.contains("`Colour` has no annotation"),
            "{}",
            unknown.message
        );
        assert!(unknown.message.contains("[python.types]"));
        assert!(unknown.message.contains("#[proxy(py = \"…\")]"));
    }

    #[test]
    fn what_lies_in_a_box_is_refused_with_the_owned_type() {
        for (boxed, owned) in [
            ("Box<str>", "`String`"),
            ("Arc<str>", "`String`"),
            ("Vec<Box<[u8]>>", "`Vec<u8>`"),
            ("Arc<Path>", "`PathBuf`"),
            ("Box<i64>", "`i64`"),
        ] {
            for position in [Position::Argument, Position::Result] {
                let message = annotate(boxed, position).unwrap_err().message;
                assert!(message.contains(&format!("help: write {owned}")), "{boxed}: {message}");
            }
        }
    }

    #[test]
    fn names_leaves_out_what_is_quoted_and_numbers() {
        assert_eq!(
            names(r#"Literal["", "DEFERRED", -1] | os.PathLike[str]"#),
            ["Literal", "os.PathLike", "str"]
        );
    }
}
