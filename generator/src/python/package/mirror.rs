//! The package of an async API: the native classes have both faces, so there is nothing in front of them but their stub, the
//! aliases of types and the public names.

use askama::Template;
use async_proxy_syntax::names::twin_name;

use super::super::model::{Class, Docs, Function, Kind, Member, Package};
use super::docstring::docstring;
use super::imports::{Imports, sorted, sorted_all};
use super::layout::{self, bracketed, python_string};
use super::modules::Place;
use super::scope;
use super::signature::parameters;
use super::stub::{self, StubClass, StubException, property, with_docs};
use super::tidy;
use super::types::Types;
use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::header;
use crate::output::File;

#[derive(Template)]
#[template(path = "python/mirror_init.py")]
struct InitFile {
    header: String,
    package: String,
    imports: String,
    all: Vec<String>,
}

#[derive(Template)]
#[template(path = "python/mirror_lib.py")]
struct LibFile {
    header: String,
    imports: String,
    all: Vec<String>,
    aliases: Vec<String>,
    values: Vec<String>,
    late_aliases: Vec<String>,
}

#[derive(Template)]
#[template(path = "python/mirror_native.pyi")]
struct NativeFile {
    header: String,
    imports: String,
    exceptions: Vec<StubException>,
    classes: Vec<StubClass>,
    functions: Vec<String>,
}

/// The class that the native module brings along for what is opened.
const OPENING: &str = "Opening";

/// Renders the files of the package.
pub(super) fn render(package: &Package, config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    check_names(package, diagnostics);
    let header = header::comment(config, &package.sources.join(", "), "#")
        .trim_end()
        .to_owned();
    let native = format!("{}.pyi", package.native_module);
    let mut texts = vec![
        ("__init__.py", init(package, header.clone()).render()),
        (native.as_str(), stub(package, header.clone()).render()),
    ];
    if !type_names(package).is_empty() {
        texts.push(("lib.py", lib(package, header)));
    }
    let mut files = vec![File::new(format!("python/{}/py.typed", package.name), "")];
    for (name, text) in texts {
        match text {
            Ok(text) => {
                let text = scope::qualify(&tidy(&text), package);
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

/// Refuses names that the twins, the blocking forms and the package itself have.
fn check_names(package: &Package, diagnostics: &mut Diagnostics) {
    let mut fault = |name: &str, span, whose: String| {
        diagnostics.error(
            span,
            format!("`{name}` is the name of {whose} in Python\nhelp: give it another name there with `#[proxy(name = \"…\")]`"),
        );
    };
    for class in &package.classes {
        let twins: Vec<(String, &str)> = class
            .members
            .iter()
            .filter(|member| class.blocking_form().is_none() && has_twin(member))
            .map(|member| (twin_name(&member.name), member.name.as_str()))
            .collect();
        for member in &class.members {
            if let Some((_, of)) = twins.iter().find(|(twin, _)| *twin == member.name) {
                fault(
                    &member.name,
                    member.source.ident.span(),
                    format!("the blocking twin of `{of}`"),
                );
            }
        }
        let rival = package
            .classes
            .iter()
            .find(|other| other.blocking_form().as_ref() == Some(&class.name));
        if let Some(rival) = rival {
            let span = class.source.ident.span();
            fault(&class.name, span, format!("the blocking form of `{}`", rival.name));
        }
        if class.name == OPENING {
            fault(OPENING, class.source.ident.span(), "what opens an object".to_owned());
        }
    }
    for function in &package.functions {
        let rival = package
            .functions
            .iter()
            .find(|other| twin_name(&other.name) == function.name);
        if let Some(rival) = rival {
            let whose = format!("the blocking twin of `{}`", rival.name);
            fault(&function.name, function.source.ident.span(), whose);
        }
    }
}

fn has_twin(member: &Member) -> bool {
    member.source.no_twin.is_none() && !matches!(member.kind, Kind::Property { .. } | Kind::Direct { .. })
}

fn public(package: &Package) -> Vec<String> {
    let mut names: Vec<String> = package
        .created_exceptions()
        .map(|exception| exception.name.clone())
        .collect();
    for class in &package.classes {
        names.push(class.name.clone());
        names.extend(class.blocking_form());
    }
    names.push(OPENING.to_owned());
    for function in &package.functions {
        names.extend([function.name.clone(), twin_name(&function.name)]);
    }
    names
}

fn init(package: &Package, header: String) -> InitFile {
    let native = sorted(public(package));
    let types = sorted(type_names(package));
    let mut imports = vec![layout::import(&format!(".{}", package.native_module), &native)];
    if !types.is_empty() {
        imports.push(layout::import(".lib", &types));
    }
    InitFile {
        header,
        package: package.name.clone(),
        imports: imports.join("\n"),
        all: sorted_all([native, types].concat()),
    }
}

/// The names of what the API takes and gives: aliases and values.
fn type_names(package: &Package) -> Vec<String> {
    let aliases = package.aliases.iter().map(|alias| alias.name.clone());
    aliases
        .chain(package.values.iter().map(|value| value.name.clone()))
        .collect()
}

fn lib(package: &Package, header: String) -> askama::Result<String> {
    let mut imports = Imports::default();
    for alias in &package.aliases {
        imports.typing("TypeAlias");
        imports.annotation(package, &alias.annotation);
    }
    for field in package.values.iter().flat_map(|value| &value.fields) {
        imports.module("dataclasses");
        imports.annotation(package, &field.annotation);
    }
    let types = Types::of(package, Place(None))?;
    LibFile {
        header,
        imports: imports.standard().join("\n"),
        all: sorted_all(type_names(package)),
        aliases: types.aliases,
        values: types.values,
        late_aliases: types.late_aliases,
    }
    .render()
}

fn stub(package: &Package, header: String) -> NativeFile {
    let mut classes = Vec::new();
    for class in &package.classes {
        let face = if class.blocking_form().is_some() {
            Face::Awaited
        } else {
            Face::Both
        };
        classes.push(stub_class(package, class, &class.name, face));
        if let Some(name) = class.blocking_form() {
            classes.push(stub_class(package, class, &name, Face::Blocking));
        }
    }
    let functions = stub::apart(
        package
            .functions
            .iter()
            .flat_map(|one| function(package, one))
            .collect(),
    );
    let texts: Vec<&String> = classes
        .iter()
        .flat_map(|class| &class.members)
        .chain(&functions)
        .collect();
    let uses = |word: &str| texts.iter().any(|text| text.contains(word));
    let mut imports = Imports::default();
    let members = package.classes.iter().flat_map(|class| &class.members);
    for member in members {
        imports.annotation(package, &member.returns);
        for parameter in &member.parameters {
            imports.annotation(package, &parameter.annotation);
        }
    }
    for parameter in package.functions.iter().flat_map(|function| &function.parameters) {
        imports.annotation(package, &parameter.annotation);
    }
    // `Opening` needs them.
    for name in ["Coroutine", "Generator"] {
        imports.abstract_name(name);
    }
    for name in ["AsyncIterator", "Iterator"] {
        if texts.iter().any(|text| text.contains(&format!("-> {name}["))) {
            imports.abstract_name(name);
        }
    }
    for name in ["Any", "TypeVar"] {
        imports.typing(name);
    }
    if uses("Literal[False]") {
        imports.typing("Literal");
    }
    if scope::hides_builtins(package) {
        imports.module("builtins");
    }
    let mut lines = imports.standard();
    let place = lines
        .iter()
        .position(|line| line.starts_with("from typing "))
        .unwrap_or(lines.len());
    lines.insert(place, "from types import TracebackType".to_owned());
    let mut others = Vec::new();
    if uses("@deprecated(") {
        others.push("deprecated".to_owned());
    }
    // `Opening` needs it.
    others.push("Self".to_owned());
    if !others.is_empty() {
        lines.push(String::new());
        lines.push(layout::import("typing_extensions", &sorted(others)));
    }
    imports.retain_own(|name| !package.created_exceptions().any(|exception| exception.name == name));
    let own = imports.own_lines(".");
    if !own.is_empty() {
        lines.push(String::new());
        lines.extend(own);
    }
    NativeFile {
        header,
        imports: lines.join("\n"),
        exceptions: stub::exceptions(package),
        classes,
        functions,
    }
}

/// Which methods a class of the stub has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    Both,
    Awaited,
    Blocking,
}

fn stub_class(package: &Package, class: &Class, name: &str, face: Face) -> StubClass {
    let mut members = Vec::new();
    for member in &class.members {
        match &member.kind {
            Kind::Property { .. } => members.push(property(&member.name, &member.returns, &member.docs)),
            Kind::Direct { .. } => members.push(method(member, &member.name, &member.returns)),
            _ => {
                if face != Face::Blocking {
                    members.push(method(member, &member.name, &awaited(member)));
                }
                if face != Face::Awaited && has_twin(member) {
                    let twin = if face == Face::Both {
                        twin_name(&member.name)
                    } else {
                        member.name.clone()
                    };
                    members.push(method(member, &twin, &blocking(package, member)));
                }
            }
        }
    }
    if class.close().is_some() {
        members.extend(scopes(face));
    }
    if let Some(last) = members.last_mut() {
        last.truncate(last.trim_end().len());
    }
    StubClass {
        head: format!("{name}:"),
        docs: docstring(&class.docs, 4),
        exceptions: Vec::new(),
        members,
    }
}

/// What the method gives that is awaited.
fn awaited(member: &Member) -> String {
    let value = &member.returns;
    match &member.kind {
        Kind::Open | Kind::Child { .. } => format!("{OPENING}[{value}]"),
        Kind::Stream => format!("AsyncIterator[{value}]"),
        _ => format!("Coroutine[Any, Any, {value}]"),
    }
}

/// What the twin gives.
fn blocking(package: &Package, member: &Member) -> String {
    match &member.kind {
        Kind::Child { class } => {
            let form = package.class(class).and_then(Class::blocking_form);
            form.unwrap_or_else(|| member.returns.clone())
        }
        Kind::Stream => format!("Iterator[{}]", member.returns),
        _ => member.returns.clone(),
    }
}

fn method(member: &Member, name: &str, returns: &str) -> String {
    let mut text = String::new();
    let mut items = Vec::new();
    if member.kind == Kind::Open {
        text.push_str("    @staticmethod\n");
    } else {
        items.push("self".to_owned());
    }
    items.extend(parameters(&member.parameters));
    if let Some(note) = &member.deprecated {
        text.push_str(&format!("    @deprecated({})\n", python_string(note)));
    }
    text + &with_docs(
        4,
        &format!("def {name}("),
        &items,
        &format!(") -> {returns}:"),
        &member.docs,
    )
}

/// `async with` and `with`.
fn scopes(face: Face) -> Vec<String> {
    let leave = |name: &str, returns: &str| {
        let items = [
            "self",
            "exc_type: type[BaseException] | None",
            "exc_value: BaseException | None",
            "traceback: TracebackType | None",
            "/",
        ];
        bracketed(
            4,
            &format!("def {name}("),
            &items.map(str::to_owned),
            &format!(") -> {returns}: ..."),
        )
    };
    let mut texts = Vec::new();
    if face != Face::Blocking {
        texts.push("    async def __aenter__(self) -> Self: ...".to_owned());
        texts.push(leave("__aexit__", "Coroutine[Any, Any, Literal[False]]"));
    }
    if face != Face::Awaited {
        texts.push("    def __enter__(self) -> Self: ...".to_owned());
        texts.push(leave("__exit__", "Literal[False]"));
    }
    texts
}

/// A free function and its twin.
fn function(package: &Package, function: &Function) -> Vec<String> {
    let opened = function.opens.as_ref().and_then(|class| package.class(class));
    let Some(class) = opened else { return Vec::new() };
    let text = |name: &str, returns: &str| {
        let deprecated = function
            .deprecated
            .as_ref()
            .map(|note| format!("@deprecated({})\n", python_string(note)));
        let items = parameters(&function.parameters);
        let docs: &Docs = &function.docs;
        let text = with_docs(0, &format!("def {name}("), &items, &format!(") -> {returns}:"), docs);
        (deprecated.unwrap_or_default() + &text).trim_end().to_owned()
    };
    vec![
        text(&function.name, &format!("{OPENING}[{}]", class.name)),
        text(&twin_name(&function.name), &class.name),
    ]
}
