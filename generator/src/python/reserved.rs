//! Names that the files of a package use themselves, and that nothing of the API may have therefore.
//!
//! A function called `lib` would stand in the way of the module `lib` in `lib_aio.py`; a method called `_worker` would take
//! the place of the attribute that every call goes by. Each is a fault with its cure, in one place, rather than a package
//! that does not work.

use proc_macro2::Span;

use super::annotation::{self, ABSTRACT_NAMES, BUILTIN_NAMES, MODULES, TYPING_NAMES};
use super::model::{Alias, Class, Exception, Function, Kind, Role};
use super::names::is_builtin_exception;
use super::native::is_hidden;
use super::values::Value;
use crate::config::FILE_NAME;
use crate::diagnose::Diagnostics;

/// What the files of any package define, import or call at their top, and the modules of the package.
const ANY_PACKAGE: &[&str] = &[
    "Assigned",
    "Awaited",
    "CHUNK_SIZE",
    "Call",
    "ClosedError",
    "Final",
    "Generic",
    "LanedWorker",
    "MadeT",
    "NOT_OPEN",
    "Reading",
    "Ready",
    "ResultT",
    "RowFactory",
    "RowT",
    "Rows",
    "Self",
    "TYPE_CHECKING",
    "TracebackType",
    "TypeAlias",
    "TypeVar",
    "Worker",
    "aio",
    "asyncio",
    "builtins",
    "call_queue",
    "calls",
    "check_chunk_size",
    "classmethod",
    "dataclasses",
    "deprecated",
    "getattr",
    "lanes",
    "lib",
    "lib_aio",
    "max",
    "overload",
    "property",
    "rows",
    "setattr",
    "staticmethod",
    "super",
    "time",
    "transactions",
    "turns",
    "warnings",
    "worker",
];

/// What the profile `dbapi` adds to those.
const DBAPI: &[&str] = &[
    "Binary",
    "Date",
    "DateFromTicks",
    "LEGACY_TRANSACTION_CONTROL",
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "PrepareProtocol",
    "Row",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Transaction",
    "TransactionMode",
    "adapt",
    "adapters",
    "apilevel",
    "paramstyle",
    "register_adapter",
    "register_converter",
    "sqlite_version",
    "sqlite_version_info",
    "threadsafety",
];

/// What the profile gives to a connection, and to a cursor.
const OF_CONNECTION: &[&str] = &[
    "execute_fetchall",
    "execute_insert",
    "iter_chunk_size",
    "row_factory",
    "stop",
    "text_factory",
    "transaction",
];
const OF_CURSOR: &[&str] = &["iter_chunk_size", "row_factory"];

/// Everything of a package that has a name at the top of its files.
pub(super) struct Top<'a> {
    pub(super) dbapi: bool,
    pub(super) native_module: &'a str,
    pub(super) classes: &'a [Class],
    pub(super) functions: &'a [Function],
    pub(super) values: &'a [Value],
    pub(super) submodules: &'a [(String, Vec<String>)],
    pub(super) exceptions: &'a [Exception],
    pub(super) aliases: &'a [Alias],
}

impl Top<'_> {
    /// Refuses names that the package uses itself.
    pub(super) fn check(&self, diagnostics: &mut Diagnostics) {
        for class in self.classes {
            let span = class.source.options.span.unwrap_or_else(|| class.source.ident.span());
            self.check_name(&class.name, span, "#[async_proxy(python = \"…\")]", diagnostics);
            self.check_members(class, diagnostics);
        }
        for function in self.functions {
            let span = function.source.ident.span();
            self.check_name(&function.name, span, "#[proxy(name = \"…\")]", diagnostics);
            let opens_connection =
                |class: &&Class| function.opens.as_ref() == Some(&class.name) && class.role == Role::Connection;
            let mut parameters = function.parameters.iter();
            if self.classes.iter().any(|class| opens_connection(&class))
                && let Some(parameter) = parameters.find(|parameter| parameter.name == "iter_chunk_size")
            {
                diagnostics.error(
                    parameter.span,
                    "the profile adds a parameter `iter_chunk_size`\nhelp: give this one another name with \
                     `#[proxy(name = \"…\")]` in front of it",
                );
            }
        }
        for value in self.values {
            if self.is_taken(&value.name) || value.name.starts_with('_') {
                diagnostics.error(
                    value.source.ident.span(),
                    format!(
                        "the package uses the name `{}` itself\nhelp: give the struct another name",
                        value.name
                    ),
                );
            }
        }
        for exception in self.exceptions.iter().filter(|exception| !exception.builtin) {
            if self.is_taken(&exception.name) && !is_builtin_exception(&exception.name) {
                diagnostics.error_without_place(format!(
                    "the exception `{}` has a name that the package uses itself\nhelp: give it another one with \
                     `#[proxy(exception = \"…\")]`",
                    exception.name
                ));
            }
        }
        for alias in self.aliases {
            let of_the_api = self.classes.iter().any(|class| class.name == alias.name)
                || self.functions.iter().any(|function| function.name == alias.name)
                || self.exceptions.iter().any(|exception| exception.name == alias.name);
            if of_the_api || self.is_taken(&alias.name) || alias.name.starts_with('_') {
                diagnostics.error_without_place(format!(
                    "{FILE_NAME}: `[python.aliases]` defines `{}`, a name that the package has or uses itself\nhelp: give the \
                     alias another name",
                    alias.name
                ));
            }
        }
    }

    fn check_name(&self, name: &str, span: Span, attribute: &str, diagnostics: &mut Diagnostics) {
        if self.is_taken(name) || name.starts_with('_') {
            diagnostics.error(
                span,
                format!(
                    "the package uses the name `{name}` itself\nhelp: give it another name there with `{attribute}`"
                ),
            );
        }
    }

    fn is_taken(&self, name: &str) -> bool {
        let is_in = |names: &[&str]| names.contains(&name);
        let is_blocking = |class: &Class| name.strip_prefix("Blocking") == Some(&class.name);
        is_in(ANY_PACKAGE)
            || (self.dbapi && is_in(DBAPI))
            || [&BUILTIN_NAMES[..], &TYPING_NAMES[..], &ABSTRACT_NAMES[..], &MODULES[..]]
                .into_iter()
                .any(is_in)
            || is_builtin_exception(name)
            || name == self.native_module
            || self.submodules.iter().any(|(submodule, _)| is_module(name, submodule))
            || self.classes.iter().any(is_blocking)
            || name
                .strip_prefix("native_")
                .is_some_and(|wrapped| self.dbapi && self.functions.iter().any(|function| function.name == wrapped))
    }

    /// A member stands in the class's own scope, in which its annotations are read.
    fn check_members(&self, class: &Class, diagnostics: &mut Diagnostics) {
        let of_role = match class.role {
            Role::Plain => &[][..],
            Role::Connection => OF_CONNECTION,
            Role::Cursor => OF_CURSOR,
        };
        let modules = self.modules_of(class);
        for member in &class.members {
            let name = member.name.as_str();
            if matches!(member.kind, Kind::Setter { .. }) {
                continue;
            }
            let is_exception = || self.exceptions.iter().any(|exception| exception.name == name);
            let is_used = name.starts_with('_')
                || of_role.contains(&name)
                || name == "builtins"
                || TYPING_NAMES.contains(&name)
                || ABSTRACT_NAMES.contains(&name)
                || ANY_PACKAGE
                    .iter()
                    .any(|own| *own == name && own.starts_with(char::is_uppercase))
                || modules.iter().any(|module| module == name)
                || self.classes.iter().any(|class| class.name == name)
                || is_hidden(class, member)
                || (class.role == Role::Connection && is_exception());
            if is_used {
                diagnostics.error(
                    member.source.ident.span(),
                    format!(
                        "the class uses the name `{name}` itself\nhelp: give it another name there with `#[proxy(name = \"…\")]`"
                    ),
                );
            }
            if name == "close" && !matches!(member.kind, Kind::Close | Kind::BlockingOnly { .. }) {
                diagnostics.error(
                    member.source.ident.span(),
                    "`close` ends the object in Python\nhelp: write `#[proxy(close)]` if this does, and give it another name there \
                     with `#[proxy(name = \"…\")]` if it does not",
                );
            }
        }
    }

    /// The modules that annotations of a class, or of those above it, name something of.
    fn modules_of(&self, class: &Class) -> Vec<String> {
        let mut found = Vec::new();
        let mut next = Some(class);
        while let Some(class) = next {
            for member in &class.members {
                let parameters = member.parameters.iter().map(|parameter| &parameter.annotation);
                for annotation in parameters.chain([&member.returns]) {
                    let dotted = annotation::names(annotation)
                        .into_iter()
                        .filter_map(|name| name.split_once('.'));
                    found.extend(dotted.map(|(module, _)| module.to_owned()));
                }
            }
            let base = class.base.as_ref().filter(|base| **base != class.name);
            next = base.and_then(|base| self.classes.iter().find(|class| class.name == *base));
        }
        found
    }
}

/// Whether a name is that of a module which a submodule brings.
fn is_module(name: &str, submodule: &str) -> bool {
    name == submodule || name == format!("lib_{submodule}") || name == format!("lib_{submodule}_aio")
}
