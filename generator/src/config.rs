//! `async-proxy.toml`: what is read, what is written, and how Rust types are called in Python.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use async_proxy_syntax::names::is_python_keyword;
use serde::Deserialize;
use toml::Spanned;

use crate::diagnose::{Diagnostics, Sources};
use crate::source;

/// The name of the config file, looked for in the current folder and those above it.
pub const FILE_NAME: &str = "async-proxy.toml";

/// A config, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder in which the config stands; the paths below are relative to it.
    pub folder: PathBuf,
    /// The blocking API.
    pub source: Source,
    /// Where the output goes.
    pub output: Output,
    /// Whether the Rust proxies are written as files.
    pub rust: bool,
    /// The Python targets, if they are wanted.
    pub python: Option<Python>,
}

/// `[source]`: the blocking API.
#[derive(Clone, Debug)]
pub struct Source {
    /// The path by which generated Rust names the blocking types: `turso_driver`.
    pub krate: String,
    /// The crate's root file, relative to the config, with `/`.
    pub root: String,
    /// The features that hold in `cfg(feature = "…")`.
    pub features: Vec<String>,
}

/// `[output]`: where the output goes.
#[derive(Clone, Debug)]
pub struct Output {
    /// The folder that belongs to the generator alone, relative to the config, with `/`.
    pub folder: String,
    /// The command that writes it again, as headers and `--check` name it.
    pub command: String,
}

/// `[python]`: the Python targets.
#[derive(Clone, Debug)]
pub struct Python {
    /// The name of the package.
    pub package: String,
    /// The name of the native module inside of the package.
    pub module: String,
    /// The profile, if one is chosen.
    pub profile: Option<Profile>,
    /// `[python.types]`: a Rust type (its last path segment, or with generics) and its annotation, in the config's order.
    pub types: Vec<(String, String)>,
    /// `[python.aliases]`: type aliases that the blocking module defines, in the config's order.
    pub aliases: Vec<(String, String)>,
    /// `[python.submodules]`: the names that a submodule has in place of the package itself, in the config's order.
    pub submodules: Vec<(String, Vec<String>)>,
}

/// What a Python target gets beyond what any API gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// PEP 249, as the `sqlite3` module has it.
    Dbapi,
}

impl Profile {
    /// Its name in the config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dbapi => "dbapi",
        }
    }
}

impl Config {
    /// The output folder's path.
    pub fn output_folder(&self) -> PathBuf {
        self.folder.join(&self.output.folder)
    }

    /// The path of the crate's root file.
    pub fn root_file(&self) -> PathBuf {
        self.folder.join(&self.source.root)
    }

    /// Whether the `dbapi` profile is chosen.
    pub fn is_dbapi(&self) -> bool {
        self.python
            .as_ref()
            .is_some_and(|python| python.profile == Some(Profile::Dbapi))
    }
}

/// A config that can't be used, shown with its place in the file.
#[derive(Debug, thiserror::Error)]
#[error("{rendered}")]
pub struct ConfigError {
    /// The faults as [`Diagnostics::render`] shows them, without colours.
    pub rendered: String,
}

/// Finds [`FILE_NAME`] in a folder or the nearest folder above it.
pub fn find(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .map(|folder| folder.join(FILE_NAME))
        .find(|path| path.is_file())
}

/// Reads and checks the config at a path.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
    let shown = path
        .file_name()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned();
    let mut diagnostics = Diagnostics::default();
    let mut sources = Sources::default();
    let config = match fs::read(path).map(String::from_utf8) {
        Err(error) => {
            diagnostics.error_without_place(format!(
                "cannot read {}: {error}\nhelp: name the config with `--config PATH`, or run where {FILE_NAME} stands",
                path.display()
            ));
            None
        }
        Ok(Err(_)) => {
            diagnostics.error_without_place(format!("{shown} is not UTF-8\nhelp: save it as UTF-8"));
            None
        }
        Ok(Ok(text)) => {
            let file = sources.add_text(&shown, &text);
            parse(&text, folder, &mut |range, message| {
                diagnostics.error_in(file, range, message)
            })
        }
    };
    match config {
        Some(config) if diagnostics.is_empty() => Ok(config),
        _ => Err(ConfigError {
            rendered: diagnostics.render(&sources, false),
        }),
    }
}

/// The file as it is written, each value with its place.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    source: RawSource,
    output: RawOutput,
    rust: Option<RawRust>,
    python: Option<RawPython>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    #[serde(rename = "crate")]
    krate: Spanned<String>,
    root: Spanned<String>,
    #[serde(default)]
    features: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutput {
    folder: Spanned<String>,
    command: Spanned<String>,
}

/// `[rust]` has no keys: that it stands there asks for the target.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRust {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPython {
    package: Spanned<String>,
    module: Spanned<String>,
    profile: Option<Spanned<String>>,
    #[serde(default)]
    types: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    aliases: BTreeMap<Spanned<String>, Spanned<String>>,
    #[serde(default)]
    submodules: BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
}

/// Takes faults: where they are in the text, and what to write instead.
type Refuse<'a> = dyn FnMut(Range<usize>, String) + 'a;

fn parse(text: &str, folder: PathBuf, refuse: &mut Refuse<'_>) -> Option<Config> {
    let raw: RawConfig = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let message = format!("{}\nhelp: `generator --help` shows a whole config", error.message());
            refuse(error.span().unwrap_or(0..0), message);
            return None;
        }
    };
    check_rust_path(&raw.source.krate, refuse);
    let root = check_relative(&raw.source.root, refuse);
    let output = check_relative(&raw.output.folder, refuse);
    if let Some(root) = &root {
        check_root(&raw.source.root, root, &folder, refuse);
    }
    if let (Some(root), Some(output)) = (&root, &output) {
        check_output_apart(&raw.output.folder, root, output, refuse);
    }
    check_command(&raw.output.command, refuse);
    let python = raw.python.map(|python| check_python(python, refuse));
    Some(Config {
        folder,
        source: Source {
            krate: raw.source.krate.into_inner(),
            root: root?,
            features: raw.source.features,
        },
        output: Output {
            folder: output?,
            command: raw.output.command.into_inner(),
        },
        rust: raw.rust.is_some(),
        python,
    })
}

fn check_python(raw: RawPython, refuse: &mut Refuse<'_>) -> Python {
    check_python_name(&raw.package, refuse);
    check_python_name(&raw.module, refuse);
    check_module(&raw.package, &SHADOWED, refuse);
    check_module(&raw.module, &OWN_MODULES, refuse);
    let profile = raw.profile.and_then(|name| match name.get_ref().as_str() {
        "dbapi" => Some(Profile::Dbapi),
        other => {
            refuse(
                name.span(),
                format!("unknown profile `{other}`\nhelp: write `profile = \"dbapi\"`, or leave the key out"),
            );
            None
        }
    });
    for name in raw.aliases.keys() {
        check_python_name(name, refuse);
    }
    check_submodules(&raw.submodules, raw.module.get_ref(), refuse);
    let mut submodules: Vec<_> = raw.submodules.into_iter().collect();
    submodules.sort_by_key(|(name, _)| name.span().start);
    let names = |names: Vec<Spanned<String>>| names.into_iter().map(Spanned::into_inner).collect();
    Python {
        package: raw.package.into_inner(),
        module: raw.module.into_inner(),
        profile,
        types: in_order(raw.types),
        aliases: in_order(raw.aliases),
        submodules: submodules
            .into_iter()
            .map(|(submodule, placed)| (submodule.into_inner(), names(placed)))
            .collect(),
    }
}

/// The pairs of a table in the order in which they are written.
fn in_order(table: BTreeMap<Spanned<String>, Spanned<String>>) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = table.into_iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
        .into_iter()
        .map(|(key, value)| (key.into_inner(), value.into_inner()))
        .collect()
}

fn check_rust_path(value: &Spanned<String>, refuse: &mut Refuse<'_>) {
    // `crate` and the like name something else in the generated code than in the sources.
    let is_name = |segment: &syn::PathSegment| {
        let of_rust = ["crate", "self", "super", "Self"];
        segment.arguments.is_none() && !of_rust.iter().any(|word| segment.ident == word)
    };
    let names_crate = |path: syn::Path| path.segments.iter().all(is_name);
    if !syn::parse_str(value.get_ref()).is_ok_and(names_crate) {
        refuse(
            value.span(),
            format!(
                "`{}` is not a path of Rust that leads to a crate\nhelp: write the crate's name as `use` has it: `my_driver`",
                value.get_ref()
            ),
        );
    }
}

fn check_root(value: &Spanned<String>, root: &str, folder: &Path, refuse: &mut Refuse<'_>) {
    if !folder.join(root).is_file() {
        refuse(
            value.span(),
            format!(
                "there is no file `{root}`\nhelp: name the root file of the crate with the blocking API, relative to this \
                 file: `driver/src/lib.rs`"
            ),
        );
    }
}

/// Paths are relative, so that headers are the same on every machine, and written with `/`. The answer is the path
/// without `.` and the like.
fn check_relative(value: &Spanned<String>, refuse: &mut Refuse<'_>) -> Option<String> {
    let path = Path::new(value.get_ref());
    let relative = path
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::ParentDir | Component::CurDir));
    if relative && !value.get_ref().is_empty() && !value.get_ref().contains('\\') {
        return Some(source::join("", value.get_ref()));
    }
    refuse(
        value.span(),
        format!(
            "`{}` is not a path relative to this file\nhelp: write it relative and with `/`: `driver/src/lib.rs`",
            value.get_ref()
        ),
    );
    None
}

/// Everything in the output folder belongs to the generator, so nothing else may live there.
fn check_output_apart(value: &Spanned<String>, root: &str, folder: &str, refuse: &mut Refuse<'_>) {
    if Path::new(root).starts_with(folder) || folder.split('/').all(|part| part == "..") {
        refuse(
            value.span(),
            "the output folder holds the sources\nhelp: give the generator a folder of its own: `generated`".to_owned(),
        );
    }
}

fn check_command(value: &Spanned<String>, refuse: &mut Refuse<'_>) {
    if value.get_ref().trim().is_empty() || value.get_ref().contains(char::is_control) {
        refuse(
            value.span(),
            "the command is one line of text\nhelp: write what a person types to regenerate: `cargo run -p generator`"
                .to_owned(),
        );
    }
}

fn check_python_name(value: &Spanned<String>, refuse: &mut Refuse<'_>) {
    let name = value.get_ref();
    let mut characters = name.chars();
    let good = characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_');
    if is_python_keyword(name) {
        refuse(
            value.span(),
            format!("`{name}` is a keyword of Python\nhelp: take another name: `{name}_`"),
        );
    } else if !good {
        refuse(
            value.span(),
            format!("`{name}` is not a name in Python\nhelp: use letters, digits and `_`, no digit in front"),
        );
    }
}

/// The modules of every package, beside which the native one lies.
const OWN_MODULES: [&str; 10] = [
    "aio",
    "call_queue",
    "calls",
    "lanes",
    "lib",
    "lib_aio",
    "rows",
    "turns",
    "transactions",
    "worker",
];

/// Submodules are modules of the package, beside its own; what is in one is in no other.
fn check_submodules(
    submodules: &BTreeMap<Spanned<String>, Vec<Spanned<String>>>,
    native: &str,
    refuse: &mut Refuse<'_>,
) {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (submodule, names) in submodules {
        check_python_name(submodule, refuse);
        check_module(submodule, &OWN_MODULES, refuse);
        let name = submodule.get_ref().as_str();
        let is_taken = name == native
            || name.starts_with("lib_")
            || SHADOWED.contains(&name)
            || submodules
                .keys()
                .any(|other| name == format!("{}_aio", other.get_ref()));
        if is_taken {
            refuse(
                submodule.span(),
                format!("`{name}` would stand in the way of another module\nhelp: take another name: `{name}_part`"),
            );
        }
        if names.is_empty() {
            refuse(
                submodule.span(),
                format!(
                    "nothing is placed in `{name}`\nhelp: list classes, functions, values and aliases, or remove it"
                ),
            );
        }
        for placed in names {
            if let Some(other) = seen.insert(placed.get_ref(), name) {
                refuse(
                    placed.span(),
                    format!(
                        "`{}` is placed in `{other}` already\nhelp: list it once",
                        placed.get_ref()
                    ),
                );
            }
        }
    }
}

/// Modules of Python that the package needs itself.
const SHADOWED: [&str; 12] = [
    "asyncio",
    "builtins",
    "collections",
    "contextlib",
    "datetime",
    "functools",
    "logging",
    "os",
    "threading",
    "typing",
    "typing_extensions",
    "warnings",
];

fn check_module(value: &Spanned<String>, taken: &[&str], refuse: &mut Refuse<'_>) {
    let name = value.get_ref();
    if taken.contains(&name.as_str()) || name.starts_with("__") {
        refuse(
            value.span(),
            format!(
                "the package needs the module `{name}` itself\nhelp: take another name: `_native` for the native module"
            ),
        );
    }
}
