//! What `lib.py` and the stub of the native module are made of.

use super::super::dbapi::FACTORY;
use askama::Template;

use super::super::annotation::{ABSTRACT_NAMES, MODULES, TYPING_NAMES};
use super::super::model::{Function, Role};
use super::factory::{ANY_ROW_FACTORY, made_by_factory, overload};
use super::imports::{Imports, sorted, sorted_all};
use super::modules::Place;
use super::stub::{self, StubClass};
use super::types::Types;
use super::uses::Code;
use super::{
    LibFile, LibPartFile, NATIVE_GLOBALS, NativeFile, Renderer, docstring, function, layout, locals, scope, signature,
};

impl Renderer<'_> {
    pub(super) fn lib(&self) -> askama::Result<String> {
        let package = self.package;
        let generic = self.generic();
        let mut imports = Imports::default();
        let place = Place(None);
        let types = Types::of(package, place)?;
        for alias in package.aliases.iter().filter(|alias| Place::of(&alias.module) == place) {
            imports.annotation(package, &alias.annotation);
            imports.typing("TypeAlias");
        }
        for value in package.values.iter().filter(|value| Place::of(&value.module) == place) {
            value
                .fields
                .iter()
                .for_each(|field| imports.annotation(package, &field.annotation));
            imports.module("dataclasses");
        }
        let mut native = self.exceptions();
        native.extend(self.classes(place));
        let mut functions = Vec::new();
        let mut wrapped = Vec::new();
        let functions_here = package
            .functions
            .iter()
            .filter(|function| Place::of(&function.module) == place);
        for function in functions_here {
            if self.is_wrapped(function) {
                if !package.is_constructor(function) {
                    wrapped.push(function.name.clone());
                }
                for parameter in &function.parameters {
                    imports.annotation(package, &parameter.annotation);
                }
                functions.extend(self.blocking_function(function)?);
            } else {
                native.push(function.name.clone());
            }
        }
        if package.dbapi {
            native.push("Row".to_owned());
            native.extend(NATIVE_GLOBALS.iter().map(|name| (*name).to_owned()));
            for module in ["datetime", "time", "warnings"] {
                imports.module(module);
            }
            for name in ["Any", "Final"] {
                imports.typing(name);
            }
            imports.abstract_name("Callable");
        }
        if generic {
            imports.abstract_name("Callable");
            for name in ["TYPE_CHECKING", "Any", "TypeAlias"] {
                imports.typing(name);
            }
        }
        if !functions.is_empty() {
            imports.typing("overload");
        }
        let version = self.connection_function().map(|function| {
            format!(
                "{}(\":memory:\").execute(\"SELECT sqlite_version()\").fetchall()[0]",
                function.name
            )
        });
        if version.is_some() || self.has_legacy() {
            imports.typing("Final");
        }
        let mut lines = imports.standard();
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let module = format!(".{}", package.native_module);
        lines.push(layout::import(&module, &sorted(native)));
        lines.extend(
            wrapped
                .iter()
                .map(|name| format!("from {module} import {name} as native_{name}")),
        );
        let mut all = self.shared();
        all.extend(self.classes(place));
        all.extend(self.functions(place));
        all.push("ClosedError".to_owned());
        let connection = self.connection();
        LibFile {
            header: self.header.clone(),
            imports: lines.join("\n"),
            all: sorted_all(all),
            aliases: types.aliases,
            values: types.values,
            late_aliases: types.late_aliases,
            generic,
            row_default: self.row_default(),
            dbapi: package.dbapi,
            threadsafety: if connection.is_some_and(|class| class.shared) {
                3
            } else {
                1
            },
            legacy: self.has_legacy(),
            closed_bases: if package.dbapi {
                "ProgrammingError, ValueError"
            } else {
                "ValueError"
            }
            .to_owned(),
            closed_what: if package.dbapi { "a connection" } else { "an object" }.to_owned(),
            closed_message: if package.dbapi {
                "no active connection"
            } else {
                "not open"
            }
            .to_owned(),
            functions,
            version,
        }
        .render()
    }

    /// A module of a submodule's blocking side.
    pub(super) fn lib_part(&self, place: Place<'_>, part: &str) -> askama::Result<String> {
        let package = self.package;
        let functions = package
            .functions
            .iter()
            .filter(|function| Place::of(&function.module) == place);
        let (wrapped, native): (Vec<&Function>, Vec<&Function>) =
            functions.partition(|function| self.is_wrapped(function));
        let types = Types::of(package, place)?;
        let mut file = LibPartFile {
            header: self.header.clone(),
            package: package.name.clone(),
            part: part.to_owned(),
            imports: String::new(),
            all: sorted_all([self.classes(place), self.functions(place), self.types(place)].concat()),
            aliases: types.aliases,
            values: types.values,
            late_aliases: types.late_aliases,
            functions: Vec::new(),
        };
        for function in &wrapped {
            file.functions.extend(self.blocking_function(function)?);
        }
        let code = Code::of(&file.render()?);
        let mut imports = Imports::default();
        for name in MODULES.into_iter().chain(["dataclasses"]) {
            if code.uses_module(name) {
                imports.module(name);
            }
        }
        for name in ABSTRACT_NAMES {
            if code.uses(name) {
                imports.abstract_name(name);
            }
        }
        for name in TYPING_NAMES.into_iter().chain(["TypeAlias", "overload"]) {
            if code.uses(name) {
                imports.typing(name);
            }
        }
        for name in ["RowFactory", "RowT"]
            .map(str::to_owned)
            .into_iter()
            .chain(self.types(Place(None)))
        {
            if code.uses(&name) {
                imports.own("lib", &name);
            }
        }
        let from_native = self
            .classes(place)
            .into_iter()
            .chain(native.iter().map(|function| function.name.clone()));
        from_native.for_each(|name| imports.own(&package.native_module, &name));
        for function in wrapped {
            imports.renamed(
                &package.native_module,
                &function.name,
                &format!("native_{}", function.name),
            );
        }
        let mut lines = imports.standard();
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(imports.own_lines("."));
        file.imports = lines.join("\n");
        file.render()
    }

    /// What a row is without a row factory.
    fn row_default(&self) -> String {
        let rows = self.package.classes.iter().find_map(|class| class.plain_row.clone());
        rows.unwrap_or_else(|| "tuple[Any, ...]".to_owned())
    }

    /// A function of `lib.py` that opens a connection and sets its row factory.
    fn blocking_function(&self, function: &Function) -> askama::Result<Vec<String>> {
        let Some(class) = function.opens.as_ref() else {
            return Ok(Vec::new());
        };
        let is_constructor = self.package.is_constructor(function);
        let before = format!("def {}(", function.name);
        let mut texts = Vec::new();
        for (factory, returns) in [
            ("None = None", class.clone()),
            ("RowFactory[RowT]", format!("{class}[RowT]")),
        ] {
            let mut parameters = function.parameters.clone();
            if is_constructor {
                // Without one; with one, what it makes is handed out.
                for parameter in parameters.iter_mut().filter(|parameter| parameter.name == FACTORY) {
                    parameter.annotation = "None".to_owned();
                }
            }
            let row_factory = [format!("row_factory: {factory}")];
            let written = signature::with_keywords(signature::parameters(&parameters), &row_factory);
            texts.push(overload(&before, &written, &returns));
        }
        let written = signature::with_keywords(
            signature::parameters(&function.parameters),
            &[ANY_ROW_FACTORY.to_owned()],
        );
        let returns = if is_constructor {
            texts.extend(made_by_factory(&before, &function.parameters));
            // For a caller who passes on what may be a factory.
            texts.push(overload(&before, &written, "Any"));
            "Any".to_owned()
        } else {
            format!("{class}[Any]")
        };
        let head = layout::bracketed(0, &before, &written, &format!(") -> {returns}:"));
        let connection = locals::free("connection", &function.parameters);
        let make = is_constructor.then(|| locals::free("make", &function.parameters));
        let (called, passed) = match &make {
            Some(make) => (make.clone(), signature::keyword_arguments(&function.parameters)),
            None => (
                format!("native_{}", function.name),
                signature::arguments(&function.parameters),
            ),
        };
        let text = BlockingFunction {
            head,
            docs: docstring::docstring(
                &docstring::with_added(&function.docs, &[("row_factory", function::ROW_FACTORY_DOCS)]),
                4,
            ),
            class,
            factory: FACTORY,
            opened: layout::bracketed(4, &format!("{connection} = {called}("), &passed, ")"),
            make,
            connection,
        };
        texts.push(text.render()?);
        Ok(texts)
    }

    pub(super) fn native(&self) -> NativeFile {
        let package = self.package;
        let classes: Vec<StubClass> = package
            .classes
            .iter()
            .map(|class| stub::class(package, class))
            .collect();
        let functions: Vec<String> = package
            .functions
            .iter()
            .filter(|function| !package.is_constructor(function))
            .map(|function| stub::function(package, function))
            .collect();
        let functions = stub::apart(functions);
        let uses = |word: &str| {
            classes
                .iter()
                .flat_map(|class| &class.members)
                .chain(&functions)
                .any(|text| text.contains(word))
        };
        let mut imports = Imports::default();
        for class in &package.classes {
            for member in &class.members {
                imports.annotation(package, &member.returns.replace("Iterator[", "["));
                member
                    .parameters
                    .iter()
                    .for_each(|parameter| imports.annotation(package, &parameter.annotation));
            }
            if class.role == Role::Connection {
                imports.abstract_name("Callable");
            }
        }
        for function in &package.functions {
            function
                .parameters
                .iter()
                .for_each(|parameter| imports.annotation(package, &parameter.annotation));
            imports.annotation(package, &function.returns);
        }
        if scope::hides_builtins(package) {
            imports.module("builtins");
        }
        // Of what is awaited.
        imports.module("asyncio");
        for name in ["AsyncIterator", "Awaitable", "Coroutine", "Generator"] {
            imports.abstract_name(name);
        }
        imports.typing("Any");
        imports.typing("TypeVar");
        imports.typing("final");
        if uses("Literal[False]") {
            imports.typing("Literal");
        }
        if self.generic() {
            imports.typing("Generic");
        }
        if package.dbapi {
            imports.abstract_name("Iterator");
            imports.abstract_name("Sequence");
            imports.typing("TypeAlias");
            imports.typing("TypeVar");
            imports.typing("overload");
            imports.abstract_name("Callable");
            imports.own("lib", "RowFactory");
        }
        imports.retain_own(|name| !package.created_exceptions().any(|exception| exception.name == name));
        let own = imports.own_lines(".");
        let mut lines = imports.standard();
        if uses("TracebackType") {
            lines.push("from types import TracebackType".to_owned());
        }
        lines.sort_by_key(|line| (!line.starts_with("import "), line.clone()));
        let mut extensions = Vec::new();
        if uses("Self") || package.dbapi {
            extensions.push("Self".to_owned());
        }
        if uses("@deprecated") {
            extensions.push("deprecated".to_owned());
        }
        if !extensions.is_empty() {
            lines.push(String::new());
            lines.push(layout::import("typing_extensions", &extensions));
        }
        if !own.is_empty() {
            lines.push(String::new());
            lines.extend(own);
        }
        NativeFile {
            header: self.header.clone(),
            imports: match lines.join("\n").trim_start() {
                "" => String::new(),
                imports => format!("\n\n{imports}"),
            },
            dbapi: package.dbapi,
            exceptions: stub::exceptions(package),
            classes,
            functions,
        }
    }
}

/// A function of the blocking side that opens a connection and sets its row factory.
#[derive(Template)]
#[template(path = "python/blocking_function.py")]
struct BlockingFunction<'a> {
    head: String,
    docs: String,
    class: &'a str,
    /// What makes the connection, by the parameter `factory`; `None` where the native function does.
    make: Option<String>,
    factory: &'static str,
    /// The call that opens it.
    opened: String,
    /// What the connection is called.
    connection: String,
}
