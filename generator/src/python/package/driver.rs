//! What `lib_aio.py` is made of.

use super::super::model::Role;
use super::asynchronous::{self, AsyncClass};
use super::imports::{self, Imports, sorted};
use super::{LibAioFile, Renderer, function, layout, scope};

impl Renderer<'_> {
    pub(super) fn lib_aio(&self) -> LibAioFile {
        let package = self.package;
        let classes: Vec<AsyncClass> = package
            .classes
            .iter()
            .map(|class| asynchronous::class(package, class))
            .collect();
        let functions: Vec<String> = package
            .functions
            .iter()
            .flat_map(|function| function::function(package, function))
            .collect();
        let imports = self.lib_aio_imports(&classes, &functions);
        LibAioFile {
            header: self.header.clone(),
            package: package.name.clone(),
            imports,
            has_rows: classes.iter().any(|class| class.has_rows),
            turns: package.has_transactions(),
            warns: classes
                .iter()
                .flat_map(|class| &class.members)
                .any(|member| member.contains("warnings.warn(")),
            derives: package.classes.iter().any(|class| class.base.is_some()),
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
        // Behind blanks: where a parameter is called so, the module is called otherwise.
        if uses(" warnings.warn(") {
            imports.module("warnings");
        }
        if uses("builtins.") || scope::hides_builtins(package) {
            imports.module("builtins");
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
        if uses("_warnings.warn(") {
            lines.push("import warnings as _warnings".to_owned());
        }
        lines.sort_by_key(|line| (!line.starts_with("import "), line.clone()));
        lines.push(String::new());
        let renamed = format!("{}.", function::BLOCKING_LIB);
        let has_renamed = functions.iter().any(|text| text.contains(&renamed));
        let has_exceptions = classes.iter().any(|class| !class.exceptions.is_empty());
        if has_exceptions || functions.iter().any(|text| text.contains(" lib.")) {
            lines.push("from . import lib".to_owned());
        }
        if has_renamed {
            lines.push(format!("from . import lib as {}", function::BLOCKING_LIB));
        }
        let names_not_open = |class: &AsyncClass| class.snapshot.as_ref().is_some_and(|snapshot| snapshot.optional);
        if classes.iter().any(names_not_open) {
            lines.push("from .call_queue import NOT_OPEN".to_owned());
        }
        let mut calls = vec!["Call".to_owned()];
        let mut add = |condition: bool, name: &str| calls.extend(condition.then(|| name.to_owned()));
        add(classes.iter().any(|class| class.has_setters), "Assigned");
        add(classes.iter().any(|class| class.is_coroutine), "Awaited");
        add(uses("Ready("), "Ready");
        lines.push(layout::import(".calls", &sorted(calls)));
        if classes.iter().any(|class| class.has_lanes) {
            lines.push("from .lanes import LanedWorker".to_owned());
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
            rows.extend(["CHUNK_SIZE".to_owned(), "check_chunk_size".to_owned()]);
        }
        if classes.iter().any(|class| class.has_rows) {
            rows.extend(["Reading".to_owned(), "Rows".to_owned()]);
        }
        if !rows.is_empty() {
            lines.push(layout::import(".rows", &sorted(rows)));
        }
        if classes.iter().any(|class| class.has_transactions) {
            lines.push("from .transactions import Transaction, TransactionMode".to_owned());
        }
        if classes.iter().any(|class| !class.is_root || !class.has_lanes) {
            lines.push("from .worker import Worker".to_owned());
        }
        lines.join("\n")
    }
}
