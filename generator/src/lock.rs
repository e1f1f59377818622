//! `api.json`: the API as it was when the output was last written, so that the next run can say what changed.
//!
//! It holds names, kinds, types and defaults as text, no spans and no documentation, in source order: a person can read
//! it in a review, and the same description gives the same bytes.

use std::collections::BTreeMap;

use async_proxy_syntax::model::{
    Api, Argument, Class, ErrorEnum, FreeFunction, Kind, Member, OptionStruct, Property, Receiver, Returns, RowsRole,
    VariantShape,
};
use async_proxy_syntax::names;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Python};
use crate::header;
use crate::output::File;
use crate::python::model as python;
use crate::text;

/// The lock's path below the output folder.
pub const PATH: &str = "api.json";

/// The layout of the lock that this generator reads and writes.
const FORMAT: u32 = 1;

/// The API, locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// The header, as every generated file has it.
    pub generated: String,
    /// How it is written again.
    pub regenerate: String,
    /// The layout of this file.
    pub format: u32,
    /// The Python package, if that target is wanted.
    pub python: Option<LockedPackage>,
    /// The proxied classes.
    pub classes: Vec<LockedClass>,
    /// The free functions.
    pub functions: Vec<LockedMember>,
    /// The error enums.
    pub errors: Vec<LockedErrors>,
    /// The structs of options, and the values.
    pub options: Vec<LockedOptions>,
    /// Every file that was written with it, in the order of their paths.
    pub files: Vec<String>,
}

/// The Python package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPackage {
    /// Its name.
    pub package: String,
    /// Its native module.
    pub module: String,
    /// The profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The type aliases that it defines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<LockedAlias>,
    /// Its submodules, and what they have in place of the package itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub submodules: BTreeMap<String, Vec<String>>,
}

impl Lock {
    /// What the Python package has at the top of its modules.
    pub fn python_names(&self) -> Vec<&str> {
        let classes = self.classes.iter().filter_map(|class| class.python.as_deref());
        let functions = self.functions.iter().filter_map(|function| function.python.as_ref());
        let values = self.options.iter().filter(|options| options.value);
        let aliases = self.python.iter().flat_map(|package| &package.aliases);
        classes
            .chain(functions.map(|function| function.name.as_str()))
            .chain(values.map(|value| value.name.as_str()))
            .chain(aliases.map(|alias| alias.name.as_str()))
            .collect()
    }
}

impl LockedPackage {
    /// The submodule of a name.
    pub fn submodule_of(&self, name: &str) -> Option<&str> {
        let mut submodules = self.submodules.iter();
        let found = submodules.find(|(_, names)| names.iter().any(|placed| placed == name));
        found.map(|(submodule, _)| submodule.as_str())
    }
}

/// A type alias of the Python package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedAlias {
    /// Its name.
    pub name: String,
    /// What it stands for.
    #[serde(rename = "type")]
    pub annotation: String,
}

/// A proxied class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedClass {
    /// The blocking type.
    pub name: String,
    /// Its proxy in Rust.
    pub proxy: String,
    /// Its name in Python.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// The class that it extends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// The error type of its calls, where it is not `CallError`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Its members.
    pub members: Vec<LockedMember>,
}

/// A member or a free function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedMember {
    /// Its name in Rust.
    pub name: String,
    /// The name of its proxy in Rust, for a free function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<String>,
    /// Its kind, in the words of the description: `property live`.
    pub kind: String,
    /// Its lane, where it is not the main one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// How it takes its object: `&self`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Its generics and where clause.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub generics: String,
    /// Its arguments in Rust.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<LockedArgument>,
    /// What it returns in Rust.
    pub returns: String,
    /// The error type of its calls, for a free function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it is in Python; nothing where it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<LockedPython>,
}

/// An argument in Rust.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedArgument {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
}

/// What a member is in Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedPython {
    /// Its name.
    pub name: String,
    /// Its parameters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<LockedParameter>,
    /// The annotation of what it returns on the blocking side.
    pub returns: String,
}

/// A parameter in Python.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedParameter {
    /// Its name.
    pub name: String,
    /// Its annotation.
    #[serde(rename = "type")]
    pub annotation: String,
    /// Its default; a parameter without one is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// How it may be passed.
    #[serde(default, skip_serializing_if = "LockedPassing::is_standard")]
    pub passing: LockedPassing,
}

/// How a parameter may be passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockedPassing {
    /// By its position only.
    PositionalOnly,
    /// Either way.
    #[default]
    Standard,
    /// By its name only.
    KeywordOnly,
}

/// An error enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedErrors {
    /// Its name.
    pub name: String,
    /// Its variants.
    pub variants: Vec<LockedVariant>,
}

/// A variant of an error enum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedVariant {
    /// Its name.
    pub name: String,
    /// `unit`, `tuple` or `struct`.
    pub shape: String,
    /// The exception that it becomes.
    pub exception: String,
    /// The base that the description gives the exception.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// A struct of options, or a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedOptions {
    /// Its name.
    pub name: String,
    /// Whether it is a value.
    #[serde(default, skip_serializing_if = "is_false")]
    pub value: bool,
    /// Its public fields.
    pub fields: Vec<LockedField>,
}

/// A field of a struct of options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedField {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: String,
    /// Its default, as Python writes it; a field without one is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

impl LockedPassing {
    fn is_standard(&self) -> bool {
        *self == Self::Standard
    }
}

/// Locks an API. `files` are the paths of everything else that is written.
pub fn lock(api: &Api, package: Option<&python::Package>, config: &Config, files: &[File]) -> Lock {
    let [generated, _] = header::lines(config, &config.source.root);
    let mut paths: Vec<String> = files
        .iter()
        .map(|file| file.path.clone())
        .chain([PATH.to_owned()])
        .collect();
    paths.sort();
    Lock {
        generated,
        regenerate: config.output.command.clone(),
        format: FORMAT,
        python: config.python.as_ref().map(lock_package),
        classes: api.classes.iter().map(|class| lock_class(class, package)).collect(),
        functions: api
            .functions
            .iter()
            .map(|function| lock_function(function, package))
            .collect(),
        errors: api.errors.iter().map(lock_errors).collect(),
        options: api.options.iter().map(lock_options).collect(),
        files: paths,
    }
}

/// The lock's text.
pub fn render(lock: &Lock) -> Result<File, serde_json::Error> {
    Ok(File::new(PATH, serde_json::to_string_pretty(lock)? + "\n"))
}

/// Reads a lock. The error says in words why it can't be compared with.
pub fn read(text: &str) -> Result<Lock, String> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    match serde_json::from_str::<Format>(text) {
        Ok(Format { format: FORMAT }) => {
            serde_json::from_str(text).map_err(|error| format!("the lock cannot be read: {error}"))
        }
        Ok(Format { format }) => Err(format!(
            "the lock has format {format}, this generator reads and writes format {FORMAT}"
        )),
        Err(error) => Err(format!("the lock cannot be read: {error}")),
    }
}

fn lock_package(python: &Python) -> LockedPackage {
    let aliases = python.aliases.iter().map(|(name, annotation)| LockedAlias {
        name: name.clone(),
        annotation: annotation.clone(),
    });
    LockedPackage {
        package: python.package.clone(),
        module: python.module.clone(),
        profile: python.profile.map(|profile| profile.name().to_owned()),
        aliases: aliases.collect(),
        submodules: python.submodules.iter().cloned().collect(),
    }
}

fn lock_class(class: &Class, package: Option<&python::Package>) -> LockedClass {
    let name = names::plain(&class.ident);
    let python = package.and_then(|package| package.classes.iter().find(|candidate| candidate.ident == name));
    LockedClass {
        proxy: names::proxy_ident(class.colour, &class.ident, &class.options).to_string(),
        python: python.map(|python| python.name.clone()),
        extends: class.options.extends.as_ref().map(names::plain),
        error: class.options.error.as_ref().map(text::of_type),
        members: class.members.iter().map(|member| lock_member(member, python)).collect(),
        name,
    }
}

fn lock_member(member: &Member, class: Option<&python::Class>) -> LockedMember {
    let name = names::plain(&member.ident);
    let python = class.and_then(|class| class.members.iter().find(|candidate| candidate.ident == name));
    LockedMember {
        proxy: None,
        kind: kind_in_words(&member.kind),
        lane: member.lane.as_ref().map(|lane| lane.name.clone()),
        receiver: receiver_in_words(member.receiver).map(str::to_owned),
        generics: text::of_generics(&member.generics),
        arguments: member.arguments.iter().map(lock_argument).collect(),
        returns: returns_in_words(&member.returns),
        error: None,
        python: python.map(|python| lock_python(&python.name, &python.parameters, &python.returns)),
        name,
    }
}

fn lock_function(function: &FreeFunction, package: Option<&python::Package>) -> LockedMember {
    let name = names::plain(&function.ident);
    let python = package.and_then(|package| package.functions.iter().find(|candidate| candidate.ident == name));
    LockedMember {
        proxy: Some(names::function_ident(function).to_string()),
        kind: "function".to_owned(),
        lane: None,
        receiver: None,
        generics: text::of_generics(&function.generics),
        arguments: function.arguments.iter().map(lock_argument).collect(),
        returns: returns_in_words(&function.returns),
        error: function.error.as_ref().map(text::of_type),
        python: python.map(|python| lock_python(&python.name, &python.parameters, &python.returns)),
        name,
    }
}

fn lock_argument(argument: &Argument) -> LockedArgument {
    LockedArgument {
        name: names::plain(&argument.ident),
        ty: text::of_type(&argument.ty),
    }
}

fn lock_python(name: &str, parameters: &[python::Parameter], returns: &str) -> LockedPython {
    let lock_parameter = |parameter: &python::Parameter| LockedParameter {
        name: parameter.name.clone(),
        annotation: parameter.annotation.clone(),
        default: parameter.default.clone(),
        passing: match parameter.passing {
            python::ParameterPassing::PositionalOnly => LockedPassing::PositionalOnly,
            python::ParameterPassing::Standard => LockedPassing::Standard,
            python::ParameterPassing::KeywordOnly => LockedPassing::KeywordOnly,
        },
    };
    LockedPython {
        name: name.to_owned(),
        parameters: parameters.iter().map(lock_parameter).collect(),
        returns: returns.to_owned(),
    }
}

fn lock_errors(errors: &ErrorEnum) -> LockedErrors {
    let variants = errors.variants.iter().map(|variant| LockedVariant {
        name: names::plain(&variant.ident),
        shape: match variant.shape {
            VariantShape::Unit => "unit",
            VariantShape::Tuple => "tuple",
            VariantShape::Struct => "struct",
        }
        .to_owned(),
        exception: variant.exception.clone(),
        base: variant.base.clone(),
    });
    LockedErrors {
        name: names::plain(&errors.ident),
        variants: variants.collect(),
    }
}

fn lock_options(options: &OptionStruct) -> LockedOptions {
    let fields = options.fields.iter().map(|field| LockedField {
        name: names::plain(&field.ident),
        ty: text::of_type(&field.ty),
        default: field.default.clone(),
    });
    LockedOptions {
        name: names::plain(&options.ident),
        value: options.is_value,
        fields: fields.collect(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

fn returns_in_words(returns: &Returns) -> String {
    returns.ty.as_ref().map_or_else(|| "()".to_owned(), text::of_type)
}

/// How an object is taken, as Rust writes it; nothing for an associated function.
fn receiver_in_words(receiver: Receiver) -> Option<&'static str> {
    match receiver {
        Receiver::None => None,
        Receiver::Shared => Some("&self"),
        Receiver::Exclusive => Some("&mut self"),
        Receiver::Owned => Some("self"),
    }
}

/// A kind in the words of the description.
pub fn kind_in_words(kind: &Kind) -> String {
    match kind {
        Kind::Call => "call".to_owned(),
        Kind::Open => "open".to_owned(),
        Kind::Child => "child".to_owned(),
        Kind::SelfReturn => "self".to_owned(),
        Kind::Direct { awaitable, when_closed } => {
            let awaitable = if *awaitable { " awaitable" } else { "" };
            let when_closed = if *when_closed { " when_closed" } else { "" };
            format!("direct{awaitable}{when_closed}")
        }
        Kind::Property(Property::Live) => "property live".to_owned(),
        Kind::Property(Property::Snapshot) => "property snapshot".to_owned(),
        Kind::Setter { property, .. } => format!("setter of {}", names::plain(property)),
        Kind::Parent => "parent".to_owned(),
        Kind::Rows(RowsRole::One) => "rows one".to_owned(),
        Kind::Rows(RowsRole::Many) => "rows many".to_owned(),
        Kind::Rows(RowsRole::All) => "rows all".to_owned(),
        Kind::Rows(RowsRole::Iterate) => "rows iterate".to_owned(),
        Kind::Interrupt => "interrupt".to_owned(),
        Kind::Close => "close".to_owned(),
        Kind::Abandon => "abandon".to_owned(),
        Kind::Stream => "stream".to_owned(),
        Kind::Skip { .. } => "skip".to_owned(),
    }
}
