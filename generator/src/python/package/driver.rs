//! What the modules of the asyncio side are made of.

use askama::Template;

use super::super::annotation::{ABSTRACT_NAMES, MODULES, TYPING_NAMES};
use super::asynchronous::{self, AsyncClass};
use super::imports::Imports;
use super::modules::Place;
use super::uses::Code;
use super::{LibAioFile, Renderer, function};

/// What the package's own modules have for those of the asyncio side.
const OWN: [(&str, &[&str]); 8] = [
    ("_native", &["Call"]),
    ("call_queue", &["NOT_OPEN"]),
    (
        "calls",
        &[
            "DONE",
            "NOT_MADE",
            "UNASSIGNED",
            "Assigned",
            "Awaited",
            "Begun",
            "Ready",
            "recorded",
        ],
    ),
    ("lanes", &["LanedWorker"]),
    ("lib", &["ClosedError", "RowFactory", "RowT"]),
    (
        "rows",
        &["CHUNK_SIZE", "MISSING", "Reading", "Rows", "check_chunk_size"],
    ),
    ("transactions", &["Transaction", "TransactionMode"]),
    ("worker", &["Worker"]),
];

impl Renderer<'_> {
    /// A module of the asyncio side.
    pub(super) fn lib_aio(&self, place: Place<'_>) -> askama::Result<String> {
        let package = self.package;
        let classes: Vec<AsyncClass> = package
            .classes
            .iter()
            .filter(|class| Place::of(&class.module) == place)
            .map(|class| asynchronous::class(package, class))
            .collect();
        let mut functions = Vec::new();
        for one in package
            .functions
            .iter()
            .filter(|function| Place::of(&function.module) == place)
        {
            functions.extend(function::function(package, one)?);
        }
        let mut file = LibAioFile {
            header: self.header.clone(),
            package: package.name.clone(),
            part: place.0.map(str::to_owned),
            imports: String::new(),
            has_rows: classes.iter().any(|class| class.has_rows),
            turns: package.has_transactions(),
            warns: classes
                .iter()
                .flat_map(|class| &class.members)
                .any(|member| member.contains("warnings.warn(")),
            derives: classes.iter().any(|class| class.is_derived),
            classes,
            functions,
        };
        let code = Code::of(&file.render()?);
        file.imports = self.lib_aio_imports(place, &code);
        file.render()
    }

    fn lib_aio_imports(&self, place: Place<'_>, code: &Code) -> String {
        let package = self.package;
        let mut imports = Imports::default();
        for name in MODULES.into_iter().chain(["asyncio", "builtins", "warnings"]) {
            if code.uses_module(name) {
                imports.module(name);
            }
        }
        for name in ABSTRACT_NAMES {
            if code.uses(name) {
                imports.abstract_name(name);
            }
        }
        for name in TYPING_NAMES.into_iter().chain(["Generic", "TypeVar", "overload"]) {
            if code.uses(name) {
                imports.typing(name);
            }
        }
        for (module, names) in OWN {
            for name in names.iter().filter(|name| code.uses(name)) {
                imports.own(module, name);
            }
        }
        let aliases = package.aliases.iter().map(|alias| &alias.name);
        let values = package.values.iter().map(|value| &value.name);
        let exceptions = package.created_exceptions().map(|exception| &exception.name);
        for name in aliases.chain(values).chain(exceptions) {
            if code.uses(name) {
                imports.own(&Place::of_name(package, name).lib(), name);
            }
        }
        for class in &package.classes {
            let (home, blocking) = (Place::of(&class.module), format!("Blocking{}", class.name));
            if code.uses(&blocking) {
                imports.renamed(&home.lib(), &class.name, &blocking);
            }
            if home != place && code.uses(&class.name) {
                imports.own(&home.lib_aio(), &class.name);
            }
        }
        let mut lines = imports.standard();
        if code.uses("TracebackType") {
            lines.push("from types import TracebackType".to_owned());
        }
        if code.uses_module("_warnings") {
            lines.push("import warnings as _warnings".to_owned());
        }
        lines.sort_by_key(|line| (!line.starts_with("import "), line.clone()));
        lines.push(String::new());
        for lib in Place::all(package).into_iter().map(Place::lib) {
            if code.uses_module(&lib) {
                lines.push(format!("from . import {lib}"));
            }
            if code.uses_module(&format!("_{lib}")) {
                lines.push(format!("from . import {lib} as _{lib}"));
            }
        }
        lines.extend(imports.own_lines("."));
        lines.join("\n")
    }
}
