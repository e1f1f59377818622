//! The Python package: the asyncio driver, the blocking module in front of the native one, its stub.

mod asynchronous;
mod docstring;
mod imports;
mod layout;
mod signature;
mod stub;

use askama::Template;

use super::model::{Alias, Class, Function, Kind, Package, ParameterPassing, Role};
use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::header;
use crate::output::File;
use asynchronous::{AsyncClass, has_row_factory};
use imports::{Imports, sorted, sorted_all};
use stub::{StubClass, StubException};

/// Renders the files of the package.
pub fn render(package: &Package, config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    let header = header::comment(config, &package.sources.join(", "), "#")
        .trim_end()
        .to_owned();
    let renderer = Renderer { package, header };
    let has_rows = package.classes.iter().any(Class::has_rows);
    let mut texts = vec![
        ("__init__.py".to_owned(), renderer.init().render()),
        ("aio.py".to_owned(), renderer.aio().render()),
        ("lib.py".to_owned(), renderer.lib().render()),
        ("worker.py".to_owned(), renderer.worker().render()),
        ("lib_aio.py".to_owned(), renderer.lib_aio().render()),
        (format!("{}.pyi", package.native_module), renderer.native().render()),
    ];
    if has_rows {
        texts.push((
            "rows.py".to_owned(),
            RowsFile {
                header: renderer.header.clone(),
            }
            .render(),
        ));
    }
    let mut files = vec![File::new(format!("python/{}/py.typed", package.name), "")];
    for (name, text) in texts {
        match text {
            Ok(text) => files.push(File::new(format!("python/{}/{name}", package.name), tidy(&text))),
            Err(error) => diagnostics.error_without_place(format!(
                "{name} cannot be rendered: {error}\nnote: this is a fault of the generator, not of the description; please \
                 report it with the sources"
            )),
        }
    }
    files
}

/// One newline at the end, no blanks at the ends of lines.
fn tidy(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n").trim_end())
}

#[derive(Template)]
#[template(path = "python/__init__.py")]
struct InitFile {
    header: String,
    title: String,
    package: String,
    imports: String,
    all: Vec<String>,
}

#[derive(Template)]
#[template(path = "python/aio.py")]
struct AioFile {
    header: String,
    package: String,
    imports: String,
    all: Vec<String>,
}

#[derive(Template)]
#[template(path = "python/lib.py")]
struct LibFile {
    header: String,
    imports: String,
    all: Vec<String>,
    aliases: Vec<String>,
    generic: bool,
    row_default: String,
    dbapi: bool,
    threadsafety: u8,
    legacy: bool,
    closed_bases: String,
    closed_what: String,
    closed_message: String,
    functions: Vec<String>,
    version: Option<String>,
}

#[derive(Template)]
#[template(path = "python/worker.py")]
struct WorkerFile {
    header: String,
    package: String,
    keeps: bool,
    lanes: bool,
}

#[derive(Template)]
#[template(path = "python/rows.py")]
struct RowsFile {
    header: String,
}

#[derive(Template)]
#[template(path = "python/lib_aio.py")]
struct LibAioFile {
    header: String,
    package: String,
    imports: String,
    has_rows: bool,
    classes: Vec<AsyncClass>,
    functions: Vec<String>,
    /// Whether something deprecated is passed on.
    warns: bool,
}

#[derive(Template)]
#[template(path = "python/native.pyi")]
struct NativeFile {
    header: String,
    imports: String,
    dbapi: bool,
    exceptions: Vec<StubException>,
    classes: Vec<StubClass>,
    functions: Vec<String>,
}

struct Renderer<'a> {
    package: &'a Package,
    header: String,
}

impl Renderer<'_> {
    fn generic(&self) -> bool {
        self.package.classes.iter().any(|class| class.generic)
    }

    fn connection(&self) -> Option<&Class> {
        self.package.classes.iter().find(|class| class.role == Role::Connection)
    }

    /// Whether `lib.py` has a function of its own in place of the native module's, which takes `row_factory` too.
    fn is_wrapped(&self, function: &Function) -> bool {
        let opened = function.opens.as_ref().and_then(|class| self.package.class(class));
        opened.is_some_and(|class| class.role == Role::Connection) && has_row_factory(function)
    }

    fn exceptions(&self) -> Vec<String> {
        self.package
            .created_exceptions()
            .map(|exception| exception.name.clone())
            .collect()
    }

    fn globals(&self) -> Vec<String> {
        let mut names: Vec<&str> = Vec::new();
        if self.package.dbapi {
            names.extend(["Row", "apilevel", "paramstyle", "threadsafety"]);
            if self.connection_function().is_some() {
                names.extend(["sqlite_version", "sqlite_version_info"]);
            }
            if self.has_legacy() {
                names.push("LEGACY_TRANSACTION_CONTROL");
            }
        }
        if self.generic() {
            names.push("RowFactory");
        }
        names.into_iter().map(str::to_owned).collect()
    }

    fn has_legacy(&self) -> bool {
        self.package.functions.iter().any(|function| {
            function
                .parameters
                .iter()
                .any(|parameter| parameter.name == "autocommit" && parameter.default.as_deref() == Some("-1"))
        })
    }

    /// The function that opens a connection by nothing but a path.
    fn connection_function(&self) -> Option<&Function> {
        self.package.functions.iter().find(|function| {
            let required: Vec<_> = function.parameters.iter().filter(|parameter| parameter.default.is_none()).collect();
            let path = |annotation: &str| annotation.starts_with("str");
            self.is_wrapped(function) && matches!(required.as_slice(), [only] if path(&only.annotation) && only.passing != ParameterPassing::KeywordOnly)
        })
    }

    fn classes(&self) -> Vec<String> {
        self.package.classes.iter().map(|class| class.name.clone()).collect()
    }

    fn functions(&self) -> Vec<String> {
        self.package
            .functions
            .iter()
            .map(|function| function.name.clone())
            .collect()
    }

    /// The names that both sides have: exceptions, aliases, globals.
    fn shared(&self) -> Vec<String> {
        let mut names = self.exceptions();
        names.extend(self.package.aliases.iter().map(|alias| alias.name.clone()));
        names.extend(self.globals());
        names
    }

    fn public(&self) -> (Vec<String>, Vec<String>) {
        let mut asynchronous = self.classes();
        asynchronous.extend(self.functions());
        let mut shared = self.shared();
        shared.push("ClosedError".to_owned());
        (sorted(asynchronous), sorted(shared))
    }

    fn init(&self) -> InitFile {
        let (asynchronous, shared) = self.public();
        let mut imports = vec![
            layout::import(".lib", &shared),
            layout::import(".lib_aio", &asynchronous),
        ];
        let mut all = [asynchronous, shared].concat();
        if self.package.dbapi {
            imports.insert(
                0,
                layout::import(&format!(".{}", self.package.native_module), &["__version__".to_owned()]),
            );
            all.push("__version__".to_owned());
        }
        InitFile {
            header: self.header.clone(),
            title: format!(
                "{}: an asyncio driver and the blocking one that it stands on.",
                self.package.name
            ),
            package: self.package.name.clone(),
            imports: imports.join("\n"),
            all: sorted_all(all),
        }
    }

    fn aio(&self) -> AioFile {
        let (asynchronous, shared) = self.public();
        AioFile {
            header: self.header.clone(),
            package: self.package.name.clone(),
            imports: [
                layout::import(".lib", &shared),
                layout::import(".lib_aio", &asynchronous),
            ]
            .join("\n"),
            all: sorted_all([asynchronous, shared].concat()),
        }
    }

    fn lib(&self) -> LibFile {
        let package = self.package;
        let generic = self.generic();
        let mut imports = Imports::default();
        for alias in &package.aliases {
            imports.annotation(package, &alias.annotation);
            imports.typing("TypeAlias");
        }
        let mut native = self.exceptions();
        native.extend(self.classes());
        let mut functions = Vec::new();
        let mut wrapped = Vec::new();
        for function in &package.functions {
            if self.is_wrapped(function) {
                wrapped.push(function.name.clone());
                for parameter in &function.parameters {
                    imports.annotation(package, &parameter.annotation);
                }
                functions.extend(self.blocking_function(function));
            } else {
                native.push(function.name.clone());
            }
        }
        if package.dbapi {
            native.push("Row".to_owned());
        }
        if generic {
            imports.abstract_name("Callable");
            for name in ["TYPE_CHECKING", "Any", "TypeAlias"] {
                imports.typing(name);
            }
        }
        if !wrapped.is_empty() {
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
        all.extend(self.classes());
        all.extend(self.functions());
        let connection = self.connection();
        LibFile {
            header: self.header.clone(),
            imports: lines.join("\n"),
            all: sorted_all(all),
            aliases: in_order(&package.aliases)
                .iter()
                .map(|alias| {
                    format!(
                        "{}: TypeAlias = {}",
                        alias.name,
                        super::annotation::double_quoted(&alias.annotation)
                    )
                })
                .collect(),
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
    }

    /// What a row is without a row factory.
    fn row_default(&self) -> String {
        let rows = self.package.classes.iter().find_map(|class| class.plain_row.clone());
        rows.unwrap_or_else(|| "tuple[Any, ...]".to_owned())
    }

    /// A function of `lib.py` that opens a connection and sets its row factory.
    fn blocking_function(&self, function: &Function) -> Vec<String> {
        let Some(class) = function.opens.as_ref() else {
            return Vec::new();
        };
        let written = |factory: &str| {
            signature::with_keywords(
                signature::parameters(&function.parameters),
                &[format!("row_factory: {factory}")],
            )
        };
        let before = format!("def {}(", function.name);
        let mut texts = Vec::new();
        for (factory, returns) in [
            ("None = None", class.clone()),
            ("RowFactory[RowT]", format!("{class}[RowT]")),
        ] {
            texts.push(format!(
                "@overload\n{}",
                layout::bracketed(0, &before, &written(factory), &format!(") -> {returns}: ..."))
            ));
        }
        let head = layout::bracketed(
            0,
            &before,
            &written("RowFactory[Any] | None = None"),
            &format!(") -> {class}[Any]:"),
        );
        let docs = docstring::docstring(&function.docs, 4);
        let docs = if docs.is_empty() { docs } else { format!("{docs}\n") };
        let call = layout::bracketed(
            4,
            &format!("connection = native_{}(", function.name),
            &signature::arguments(&function.parameters),
            ")",
        );
        texts.push(format!(
            "{head}\n{docs}{call}\n    if row_factory is not None:\n        connection.row_factory = row_factory\n    return connection"
        ));
        texts
    }

    fn worker(&self) -> WorkerFile {
        let package = self.package;
        WorkerFile {
            header: self.header.clone(),
            package: package.name.clone(),
            keeps: package.classes.iter().any(|class| {
                class
                    .members
                    .iter()
                    .any(|member| matches!(member.kind, Kind::Direct { when_closed: true, .. }))
            }),
            lanes: package
                .classes
                .iter()
                .any(|class| class.members.iter().any(|member| member.lane.is_some())),
        }
    }

    fn lib_aio(&self) -> LibAioFile {
        let package = self.package;
        let classes: Vec<AsyncClass> = package
            .classes
            .iter()
            .map(|class| asynchronous::class(package, class))
            .collect();
        let functions: Vec<String> = package
            .functions
            .iter()
            .flat_map(|function| asynchronous::function(package, function))
            .collect();
        let imports = self.lib_aio_imports(&classes, &functions);
        LibAioFile {
            header: self.header.clone(),
            package: package.name.clone(),
            imports,
            has_rows: classes.iter().any(|class| class.has_rows),
            warns: classes
                .iter()
                .flat_map(|class| &class.members)
                .any(|member| member.contains("warnings.warn(")),
            classes,
            functions,
        }
    }

    fn lib_aio_imports(&self, classes: &[AsyncClass], functions: &[String]) -> String {
        let package = self.package;
        let texts: Vec<&String> = classes
            .iter()
            .flat_map(|class| &class.members)
            .chain(functions)
            .collect();
        let uses = |word: &str| texts.iter().any(|text| text.contains(word));
        let mut imports = Imports::default();
        imports.module("asyncio");
        for name in ["Callable", "Coroutine", "Generator"] {
            imports.abstract_name(name);
        }
        for name in ["Any", "TypeVar"] {
            imports.typing(name);
        }
        if uses("warnings.warn(") {
            imports.module("warnings");
        }
        if self.generic() {
            imports.typing("Generic");
        }
        if uses("@overload") {
            imports.typing("overload");
        }
        for class in &package.classes {
            for member in &class.members {
                imports.annotation(package, &member.returns.replace("Iterator[", "["));
                member
                    .parameters
                    .iter()
                    .for_each(|parameter| imports.annotation(package, &parameter.annotation));
            }
            if class.has_rows() {
                imports.abstract_name("AsyncIterator");
                imports.annotation(package, class.row().unwrap_or_default());
            }
            if class.role != Role::Plain {
                imports.own("RowFactory");
            }
        }
        for function in &package.functions {
            function
                .parameters
                .iter()
                .for_each(|parameter| imports.annotation(package, &parameter.annotation));
            imports.annotation(package, &function.returns);
        }
        imports.own("ClosedError");
        let mut lines = imports.standard();
        lines.push("from types import TracebackType".to_owned());
        lines.sort_by_key(|line| (!line.starts_with("import "), line.clone()));
        lines.push(String::new());
        let has_exceptions = classes.iter().any(|class| !class.exceptions.is_empty());
        if has_exceptions || !functions.is_empty() {
            lines.push("from . import lib".to_owned());
        }
        let own = imports.own_names();
        let mut from_lib: Vec<(String, String)> = self
            .classes()
            .into_iter()
            .map(|name| (name.clone(), format!("from .lib import {name} as Blocking{name}")))
            .collect();
        from_lib.push((own[0].clone(), layout::import(".lib", &own)));
        from_lib.sort_by_key(|(first, _)| imports::order(first));
        lines.extend(from_lib.into_iter().map(|(_, line)| line));
        let mut rows = Vec::new();
        if classes.iter().any(|class| class.chunks) {
            rows.push("CHUNK_SIZE".to_owned());
        }
        if classes.iter().any(|class| class.has_rows) {
            rows.extend(["Reading".to_owned(), "Rows".to_owned()]);
        }
        if !rows.is_empty() {
            lines.push(layout::import(".rows", &sorted(rows)));
        }
        let mut worker = vec!["Call".to_owned(), "Worker".to_owned()];
        let mut add = |condition: bool, name: &str| worker.extend(condition.then(|| name.to_owned()));
        add(classes.iter().any(|class| class.has_setters), "Assigned");
        add(classes.iter().any(|class| class.is_coroutine), "Awaited");
        add(uses("Ready("), "Ready");
        add(
            classes
                .iter()
                .any(|class| class.snapshot.as_ref().is_some_and(|snapshot| snapshot.optional)),
            "NOT_OPEN",
        );
        lines.push(layout::import(".worker", &sorted(worker)));
        lines.join("\n")
    }

    fn native(&self) -> NativeFile {
        let package = self.package;
        let classes: Vec<StubClass> = package
            .classes
            .iter()
            .map(|class| stub::class(package, class))
            .collect();
        let functions: Vec<String> = package
            .functions
            .iter()
            .map(|function| stub::function(package, function))
            .collect();
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
        if uses("Literal[False]") {
            imports.typing("Literal");
        }
        if self.generic() {
            imports.typing("Generic");
            imports.typing("Any");
        }
        if package.dbapi {
            imports.abstract_name("Iterator");
            imports.abstract_name("Sequence");
            imports.typing("Any");
            imports.typing("TypeAlias");
            imports.typing("overload");
            imports.own("RowFactory");
        }
        let own: Vec<String> = imports
            .own_names()
            .into_iter()
            .filter(|name| !package.created_exceptions().any(|exception| exception.name == *name))
            .collect();
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
            lines.push(layout::import(".lib", &own));
        }
        NativeFile {
            header: self.header.clone(),
            imports: lines.join("\n"),
            dbapi: package.dbapi,
            exceptions: stub::exceptions(package),
            classes,
            functions,
        }
    }
}

/// Aliases in an order in which each stands behind those that it names.
fn in_order(aliases: &[Alias]) -> Vec<&Alias> {
    let mut waiting: Vec<&Alias> = aliases.iter().collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let names_waiting = |alias: &&Alias| {
            let names = super::annotation::names(&alias.annotation);
            waiting
                .iter()
                .any(|other| other.name != alias.name && names.contains(&other.name.as_str()))
        };
        let ready = waiting.iter().position(|alias| !names_waiting(alias)).unwrap_or(0);
        ordered.push(waiting.remove(ready));
    }
    ordered
}
