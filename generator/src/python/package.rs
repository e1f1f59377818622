//! The Python package: the asyncio driver, the blocking module in front of the native one, its stub.

mod asynchronous;
mod blocking;
mod docstring;
mod driver;
mod factory;
mod function;
mod imports;
mod layout;
mod locals;
mod member;
mod mirror;
mod modules;
mod scope;
mod signature;
mod stub;
mod types;
mod uses;

use askama::Template;

use super::model::{Class, Function, Kind, Package, ParameterPassing, Role};
use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::header;
use crate::output::File;
use asynchronous::AsyncClass;
use function::has_row_factory;
use imports::{sorted, sorted_all};
use modules::Place;
use stub::{StubClass, StubException};

/// Renders the files of the package.
pub fn render(package: &Package, config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    if package.is_mirrored() {
        return mirror::render(package, config, diagnostics);
    }
    let header = header::comment(config, &package.sources.join(", "), "#")
        .trim_end()
        .to_owned();
    let renderer = Renderer { package, header };
    let has_rows = package.classes.iter().any(Class::has_rows);
    let mut texts = vec![
        ("__init__.py".to_owned(), renderer.init().render()),
        ("aio/__init__.py".to_owned(), renderer.aio().render()),
        ("lib.py".to_owned(), renderer.lib()),
        (
            "call_queue.py".to_owned(),
            CallQueueFile {
                header: renderer.header.clone(),
                package: package.name.clone(),
                turns: package.has_transactions(),
            }
            .render(),
        ),
        ("worker.py".to_owned(), renderer.worker().render()),
        (
            "calls.py".to_owned(),
            CallsFile {
                header: renderer.header.clone(),
                turns: package.has_transactions(),
            }
            .render(),
        ),
        ("lib_aio.py".to_owned(), renderer.lib_aio(Place(None))),
        (format!("{}.pyi", package.native_module), renderer.native().render()),
    ];
    if has_rows {
        texts.push((
            "rows.py".to_owned(),
            RowsFile {
                header: renderer.header.clone(),
                dbapi: package.dbapi,
                turns: package.has_transactions(),
            }
            .render(),
        ));
    }
    let worker = renderer.worker();
    if worker.lanes {
        let (header, keeps) = (worker.header, worker.keeps);
        texts.push(("lanes.py".to_owned(), LanesFile { header, keeps }.render()));
    }
    if package.has_transactions() {
        let (header, package) = (renderer.header.clone(), package.name.clone());
        let turns = TurnsFile { header, package };
        let (header, package) = (renderer.header.clone(), turns.package.clone());
        let transactions = TransactionsFile { header, package };
        texts.push(("turns.py".to_owned(), turns.render()));
        texts.push(("transactions.py".to_owned(), transactions.render()));
    }
    for place in Place::all(package) {
        texts.extend(renderer.submodule(place));
    }
    let mut files = vec![File::new(format!("python/{}/py.typed", package.name), "")];
    for (name, text) in texts {
        match text {
            Ok(text) => {
                let text = if name.ends_with("_aio.py") || name.ends_with(".pyi") {
                    scope::qualify(&tidy(&text), package)
                } else {
                    tidy(&text)
                };
                files.push(File::new(format!("python/{}/{name}", package.name), text));
            }
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
#[template(path = "python/aio_init.py")]
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
    values: Vec<String>,
    late_aliases: Vec<String>,
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
#[template(path = "python/lib_part.py")]
struct LibPartFile {
    header: String,
    package: String,
    part: String,
    imports: String,
    all: Vec<String>,
    aliases: Vec<String>,
    values: Vec<String>,
    late_aliases: Vec<String>,
    functions: Vec<String>,
}

#[derive(Template)]
#[template(path = "python/submodule.py")]
struct SubmoduleFile {
    header: String,
    title: String,
    imports: String,
    all: Vec<String>,
    /// A second name, and the first: `connect` and `connect_sync`.
    short_names: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "python/call_queue.py")]
struct CallQueueFile {
    header: String,
    package: String,
    turns: bool,
}

#[derive(Template)]
#[template(path = "python/worker.py")]
struct WorkerFile {
    header: String,
    package: String,
    keeps: bool,
    lanes: bool,
    turns: bool,
}

#[derive(Template)]
#[template(path = "python/calls.py")]
struct CallsFile {
    header: String,
    turns: bool,
}

#[derive(Template)]
#[template(path = "python/lanes.py")]
struct LanesFile {
    header: String,
    keeps: bool,
}

#[derive(Template)]
#[template(path = "python/rows.py")]
struct RowsFile {
    header: String,
    dbapi: bool,
    turns: bool,
}

#[derive(Template)]
#[template(path = "python/turns.py")]
struct TurnsFile {
    header: String,
    package: String,
}

#[derive(Template)]
#[template(path = "python/transactions.py")]
struct TransactionsFile {
    header: String,
    package: String,
}

#[derive(Template)]
#[template(path = "python/lib_aio.py")]
struct LibAioFile {
    header: String,
    package: String,
    /// The submodule.
    part: Option<String>,
    imports: String,
    has_rows: bool,
    turns: bool,
    classes: Vec<AsyncClass>,
    functions: Vec<String>,
    /// Whether something deprecated is passed on.
    warns: bool,
    /// Whether a class extends another, and so narrows the types of its attributes.
    derives: bool,
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

/// What `sqlite3` has for values of the program's own types, as far as it is in the native module.
const NATIVE_GLOBALS: &[&str] = &["PrepareProtocol", "adapt", "adapters", "register_adapter"];

/// What is defined in `lib.py`: the rest of that, and what PEP 249 calls "Type Objects and Constructors".
const TYPE_OBJECTS: &[&str] = &[
    "Binary",
    "Date",
    "DateFromTicks",
    "PARSE_COLNAMES",
    "PARSE_DECLTYPES",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "register_converter",
];

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
            names.extend(NATIVE_GLOBALS.iter().chain(TYPE_OBJECTS));
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

    fn classes(&self, place: Place<'_>) -> Vec<String> {
        let classes = self.package.classes.iter();
        let placed = classes.filter(|class| Place::of(&class.module) == place);
        placed.map(|class| class.name.clone()).collect()
    }

    fn functions(&self, place: Place<'_>) -> Vec<String> {
        let functions = self.package.functions.iter();
        let placed = functions.filter(|function| Place::of(&function.module) == place);
        placed.map(|function| function.name.clone()).collect()
    }

    /// The aliases and values.
    fn types(&self, place: Place<'_>) -> Vec<String> {
        let aliases = self.package.aliases.iter().map(|alias| (&alias.name, &alias.module));
        let values = self.package.values.iter().map(|value| (&value.name, &value.module));
        let placed = aliases.chain(values).filter(|(_, module)| Place::of(module) == place);
        placed.map(|(name, _)| name.clone()).collect()
    }

    /// The names that both sides have: exceptions, aliases, values, globals.
    fn shared(&self) -> Vec<String> {
        let mut names = self.exceptions();
        names.extend(self.types(Place(None)));
        names.extend(self.globals());
        names
    }

    fn public(&self) -> (Vec<String>, Vec<String>) {
        let mut asynchronous = self.classes(Place(None));
        asynchronous.extend(self.functions(Place(None)));
        let mut shared = self.shared();
        shared.push("ClosedError".to_owned());
        (sorted(asynchronous), sorted(shared))
    }

    /// The modules of a submodule.
    fn submodule(&self, place: Place<'_>) -> Vec<(String, askama::Result<String>)> {
        let Some(part) = place.0 else {
            return Vec::new();
        };
        let package = &self.package.name;
        let own = sorted([self.classes(place), self.functions(place)].concat());
        let types = sorted(self.types(place));
        let public = |dots: &str, side: &str, title: String| {
            let imported: Vec<String> = [(place.lib(), &types), (side.to_owned(), &own)]
                .into_iter()
                .filter(|(_, names)| !names.is_empty())
                .map(|(module, names)| (format!("{dots}{module}"), names.clone()))
                .fold(Vec::<(String, Vec<String>)>::new(), |mut lines, (module, names)| {
                    match lines.iter_mut().find(|(other, _)| *other == module) {
                        Some((_, others)) => others.extend(names),
                        None => lines.push((module, names)),
                    }
                    lines
                })
                .into_iter()
                .map(|(module, names)| layout::import(&module, &sorted(names)))
                .collect();
            let short_names: Vec<(String, String)> = self
                .functions(place)
                .into_iter()
                .filter_map(|name| Some((name.strip_suffix(&format!("_{part}"))?.to_owned(), name)))
                .collect();
            let short = short_names.iter().map(|(short, _)| short.clone());
            SubmoduleFile {
                header: self.header.clone(),
                title,
                imports: imported.join("\n"),
                all: sorted_all([own.clone(), types.clone(), short.collect()].concat()),
                short_names,
            }
            .render()
        };
        let mut files = vec![
            (format!("{}.py", place.lib()), self.lib_part(place, part)),
            (
                format!("{part}.py"),
                public(
                    ".",
                    &place.lib(),
                    format!("The part `{part}` of the blocking side; `{package}.aio.{part}` is the asyncio one."),
                ),
            ),
            (
                format!("aio/{part}.py"),
                public(
                    "..",
                    &place.lib_aio(),
                    format!("The part `{part}` of the asyncio side; `{package}.{part}` is the blocking one."),
                ),
            ),
        ];
        if !own.is_empty() {
            files.push((format!("{}.py", place.lib_aio()), self.lib_aio(place)));
        }
        files
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
                layout::import("..lib", &shared),
                layout::import("..lib_aio", &asynchronous),
            ]
            .join("\n"),
            all: sorted_all([asynchronous, shared].concat()),
        }
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
            turns: package.has_transactions(),
        }
    }
}
