//! From the model of an API to the Python model: every decision that templates would otherwise have to take.

use async_proxy_syntax::model::{
    self as source, Api, ClassOptions, Kind as SourceKind, Property, PythonOptions, Returns, RowsRole,
};
use proc_macro2::Span;
use quote::ToTokens;
use syn::{Expr, Lit, Meta, Type};

use super::annotation::{self, Table};
use super::model::{Alias, Class, Docs, Function, Kind, Member, Package, Role};
use super::reserved::Top;
use super::{dbapi, docs, exceptions, extends, names, parameters, submodules};
use crate::config::{Config, FILE_NAME, Python};
use crate::diagnose::Diagnostics;

/// Makes the Python model of an API. Faults go into `diagnostics`; the model is of use only if there are none.
pub fn lower(api: &Api, config: &Config, python: &Python, diagnostics: &mut Diagnostics) -> Package {
    let mut lowering = Lowering::new(api, config, python, diagnostics);
    lowering.check_config();
    let classes = lowering.classes();
    let functions = lowering.functions();
    let values = lowering.values();
    let aliases: Vec<Alias> = python
        .aliases
        .iter()
        .map(|(name, annotation)| Alias {
            name: name.clone(),
            annotation: annotation.clone(),
            module: lowering.place(name),
        })
        .collect();
    let top = Top {
        dbapi: lowering.dbapi,
        native_module: &python.module,
        classes: &classes,
        functions: &functions,
        values: &values,
        submodules: &python.submodules,
        exceptions: &lowering.exceptions,
        aliases: &aliases,
    };
    top.check(lowering.diagnostics);
    extends::check(&classes, lowering.diagnostics);
    lowering.check_profile(&classes);
    lowering.check_colour(&classes);
    let package = Package {
        name: python.package.clone(),
        native_module: python.module.clone(),
        crate_path: config.source.krate.clone(),
        dbapi: config.is_dbapi(),
        command: config.output.command.clone(),
        sources: vec![config.source.root.clone()],
        submodules: python.submodules.iter().map(|(name, _)| name.clone()).collect(),
        aliases,
        exceptions: std::mem::take(&mut lowering.exceptions),
        errors: api
            .errors
            .iter()
            .map(|error| exceptions::lower_enum(error, &config.source.krate))
            .collect(),
        classes,
        functions,
        values,
    };
    submodules::check(&package, &python.submodules, diagnostics);
    package
}

/// What is being lowered.
pub(super) struct Lowering<'a> {
    pub(super) api: &'a Api,
    pub(super) table: Table<'a>,
    pub(super) diagnostics: &'a mut Diagnostics,
    pub(super) crate_path: &'a str,
    pub(super) python: &'a Python,
    dbapi: bool,
    exceptions: Vec<super::model::Exception>,
}

/// What a method and a free function have in common.
pub(super) struct Callable<'a> {
    pub(super) generics: &'a syn::Generics,
    pub(super) arguments: &'a [source::Argument],
    pub(super) returns: &'a Returns,
    pub(super) python: &'a PythonOptions,
    pub(super) span: Span,
}

impl<'a> Lowering<'a> {
    fn new(api: &'a Api, config: &'a Config, python: &'a Python, diagnostics: &'a mut Diagnostics) -> Self {
        let dbapi = config.is_dbapi();
        let exceptions = exceptions::lower(api, dbapi, diagnostics);
        Self {
            api,
            table: Table::new(python, api),
            diagnostics,
            crate_path: &config.source.krate,
            python,
            dbapi,
            exceptions,
        }
    }

    /// Checks that the annotations in the config name what there is.
    fn check_config(&mut self) {
        for (table, entries) in [("types", &self.python.types), ("aliases", &self.python.aliases)] {
            for (key, annotation) in entries {
                for name in self.unknown_names(annotation) {
                    self.diagnostics.error_without_place(format!(
                        "{FILE_NAME}: `[python.{table}]` calls `{key}` `{annotation}`, and there is no `{name}`\nhelp: define \
                         `{name}` in `[python.aliases]`, or use a name of Python: a builtin, one of typing or collections.abc, \
                         or one with its module in front, such as `datetime.datetime`"
                    ));
                }
            }
        }
    }

    /// The profile is of use only for what PEP 249 speaks of.
    fn check_profile(&mut self, classes: &[Class]) {
        if !self.dbapi || classes.iter().any(|class| class.role == Role::Connection) {
            return;
        }
        self.diagnostics.error_without_place(format!(
            "{FILE_NAME}: `profile = \"dbapi\"` is for an API as in PEP 249, and none of the classes here is a connection: one \
             that a function or a member opens (`#[proxy(open)]`) and that hands out (`#[proxy(child)]`) a class whose rows are \
             read (`#[proxy(rows)]`)\nhelp: describe such a class, or leave `profile` out"
        ));
    }

    /// A package has one make: the classes of an async API are not those of a blocking one.
    fn check_colour(&mut self, classes: &[Class]) {
        let Some(first) = classes.first() else { return };
        let colour = first.source.colour;
        for class in classes.iter().filter(|class| class.source.colour != colour) {
            self.diagnostics.error(
                class.source.ident.span(),
                format!(
                    "`{}` is described with `{}`, and `{}` before it with `{}`: one Python package cannot have both\nhelp: move \
                     one of the two to a crate and an {FILE_NAME} of its own",
                    class.name,
                    class.source.colour.attribute(),
                    first.name,
                    colour.attribute()
                ),
            );
        }
        if self.dbapi && colour == source::Colour::Async {
            self.diagnostics.error_without_place(format!(
                "{FILE_NAME}: `profile = \"dbapi\"` is for blocking APIs, as PEP 249 is\nhelp: leave `profile` out"
            ));
        }
    }

    /// The names in an annotation that nothing defines.
    pub(super) fn unknown_names(&self, annotation: &str) -> Vec<String> {
        let is_known = |name: &str| {
            annotation::is_of_python(name)
                || names::is_builtin_exception(name)
                || self.python.aliases.iter().any(|(alias, _)| alias == name)
                || self.exceptions.iter().any(|exception| exception.name == name)
                || self.api.classes.iter().any(|class| python_name(class) == name)
                || self
                    .api
                    .options
                    .iter()
                    .any(|value| value.is_value && names::plain(&value.ident) == name)
                || (self.dbapi && name == "Row")
        };
        annotation::names(annotation)
            .into_iter()
            .filter(|name| !is_known(name))
            .map(str::to_owned)
            .collect()
    }

    /// Documentation; a variant of an error enum is called as its exception.
    pub(super) fn docs(&self, lines: &[String]) -> Docs {
        docs::convert(lines, &|code| {
            let (owner, variant) = code.rsplit_once("::")?;
            let owner = owner.rsplit("::").next().unwrap_or(owner);
            let error = self.api.errors.iter().find(|error| error.ident == owner)?;
            let variant = error.variants.iter().find(|candidate| candidate.ident == variant)?;
            Some(variant.exception.clone())
        })
    }

    /// The Python name of the class that a type names.
    pub(super) fn class_of(&self, ty: &Type) -> Option<String> {
        let ident = last_ident(ty)?;
        self.api
            .classes
            .iter()
            .find(|class| class.ident == ident)
            .map(python_name)
    }

    /// A class and those that it extends, itself first.
    fn lineage(&self, class: &'a source::Class) -> Vec<&'a source::Class> {
        let mut classes = vec![class];
        let mut next = class.options.extends.as_ref();
        while let Some(base) = next.and_then(|base| api_class(self.api, base)) {
            // A circle is a fault that the description's own checks report.
            if classes.iter().any(|earlier| earlier.ident == base.ident) {
                break;
            }
            classes.push(base);
            next = base.options.extends.as_ref();
        }
        classes
    }

    /// Whether a class has the row type as its parameter: by rows of its own or of what it hands out, or by its base.
    fn is_generic(&self, class: &'a source::Class) -> bool {
        let hands_out_rows = |class: &source::Class| {
            let mut children = class.members.iter().filter(|member| member.kind == SourceKind::Child);
            children.any(|member| {
                let child = member.returns.ok.as_ref().and_then(last_ident);
                let mut classes = self.api.classes.iter();
                classes.any(|other| Some(other.ident.to_string()) == child && other.rows(RowsRole::One).is_some())
            })
        };
        self.dbapi
            && self
                .lineage(class)
                .into_iter()
                .any(|class| class.rows(RowsRole::One).is_some() || hands_out_rows(class))
    }

    /// The part of a class in the profile, by itself or by those that it extends.
    pub(super) fn role(&self, class: &'a source::Class) -> Role {
        let has_rows = |class: &source::Class| class.rows(RowsRole::One).is_some();
        if !self.dbapi {
            Role::Plain
        } else if self.lineage(class).into_iter().any(has_rows) {
            Role::Cursor
        } else if class.opened_by.is_some() && self.is_generic(class) {
            Role::Connection
        } else {
            Role::Plain
        }
    }

    /// The part that a class has from none that it extends.
    fn own_role(&self, class: &'a source::Class) -> Role {
        match (self.role(class), self.lineage(class).get(1)) {
            (role, Some(base)) if self.role(base) == role => Role::Plain,
            (role, _) => role,
        }
    }

    /// Whether a function opens a class that the profile makes a connection of, and no class that extends one.
    fn opens_connection(&self, opened: Option<&Type>) -> bool {
        let ident = opened.and_then(last_ident);
        let mut classes = self.api.classes.iter();
        let class = classes.find(|class| Some(class.ident.to_string()) == ident);
        class.is_some_and(|class| self.own_role(class) == Role::Connection)
    }

    /// The part in the profile of the class that a type names.
    pub(super) fn role_of(&self, ty: Option<&Type>) -> Role {
        let ident = ty.and_then(last_ident);
        let class = self
            .api
            .classes
            .iter()
            .find(|class| Some(class.ident.to_string()) == ident);
        class.map_or(Role::Plain, |class| self.role(class))
    }

    /// A class in an annotation: generic ones with the row type.
    pub(super) fn reference(&self, name: &str) -> String {
        match self.api.classes.iter().find(|class| python_name(class) == name) {
            Some(class) if self.is_generic(class) => format!("{name}[RowT]"),
            _ => name.to_owned(),
        }
    }

    /// The classes, bases first.
    fn classes(&mut self) -> Vec<Class> {
        let api = self.api;
        let mut waiting: Vec<&source::Class> = api.classes.iter().collect();
        let mut ordered: Vec<&source::Class> = Vec::new();
        while !waiting.is_empty() {
            // A circle is a fault that the description's own checks report.
            let ready = waiting.iter().position(|class| match &class.options.extends {
                Some(base) => !waiting.iter().any(|other| other.ident == *base),
                None => true,
            });
            ordered.push(waiting.remove(ready.unwrap_or(0)));
        }
        ordered.into_iter().map(|class| self.class(class)).collect()
    }

    fn class(&mut self, class: &'a source::Class) -> Class {
        let name = python_name(class);
        let span = class.options.span.unwrap_or_else(|| class.ident.span());
        self.check_name(&name, span, "python");
        let generic = self.is_generic(class);
        let role = self.role(class);
        let members = class
            .members
            .iter()
            .filter_map(|member| self.member(class, member, generic))
            .collect();
        let parent = |ident: &proc_macro2::Ident| api_class(self.api, ident).map(python_name);
        let mut lowered = Class {
            ident: class.ident.to_string(),
            path: format!("{}::{}", self.crate_path, class.ident),
            docs: self.class_docs(class),
            base: class.options.extends.as_ref().and_then(parent),
            shared: class.is_shared(),
            role,
            own_role: self.own_role(class),
            generic,
            plain_row: self.plain_row(class).filter(|_| generic),
            members,
            opened: class.opened_by.is_some(),
            parents: class.parents.iter().filter_map(parent).collect(),
            module: self.place(&name),
            source: class.clone(),
            name,
        };
        self.connect_properties(&mut lowered);
        self.check_members(&lowered);
        lowered
    }

    /// The documentation of a class; of an async one with what has no twin, or no place in Python, and why.
    fn class_docs(&self, class: &source::Class) -> Docs {
        let mut docs = self.docs(&class.carried.docs);
        if class.colour == source::Colour::Blocking {
            return docs;
        }
        for member in &class.members {
            let name = async_proxy_syntax::names::python_member_name(member);
            let line = match (&member.kind, &member.python.rust_only, &member.no_twin) {
                (SourceKind::Skip { reason }, _, _) => format!("In Rust alone: `{name}`: {reason}."),
                (_, Some(reason), _) => format!("In Rust alone: `{name}`: {reason}."),
                (_, None, Some(reason)) => format!("Without a blocking twin: `{name}`: {reason}."),
                _ => continue,
            };
            if !docs.lines.is_empty() {
                docs.lines.push(String::new());
            }
            docs.lines.push(line);
        }
        docs
    }

    /// Gives each property its setter, and each snapshot its place.
    fn connect_properties(&mut self, class: &mut Class) {
        let setters: Vec<(String, String)> = class
            .members
            .iter()
            .filter_map(|member| match &member.kind {
                Kind::Setter { property_ident, .. } => Some((property_ident.clone(), member.ident.clone())),
                _ => None,
            })
            .collect();
        let mut places = 0..;
        let mut property_names = Vec::new();
        for member in &mut class.members {
            if let Kind::Property { reading, setter, place } = &mut member.kind {
                *setter = setters
                    .iter()
                    .find(|(property, _)| *property == member.ident)
                    .map(|(_, setter)| setter.clone());
                *place = if *reading == Property::Snapshot {
                    places.next()
                } else {
                    None
                };
                property_names.push((member.ident.clone(), member.name.clone()));
            }
        }
        for member in &mut class.members {
            if let Kind::Setter {
                property,
                property_ident,
                ..
            } = &mut member.kind
                && let Some((_, name)) = property_names.iter().find(|(ident, _)| ident == property_ident)
            {
                property.clone_from(name);
            }
        }
    }

    /// Checks what only the members of one class together show.
    fn check_members(&mut self, class: &Class) {
        for (index, member) in class.members.iter().enumerate() {
            if matches!(member.kind, Kind::Setter { .. }) {
                continue;
            }
            let earlier = class.members[..index]
                .iter()
                .any(|other| other.name == member.name && !matches!(other.kind, Kind::Setter { .. }));
            if earlier {
                self.diagnostics.error(
                    member.source.ident.span(),
                    format!("`{}` has two members called `{}` in Python\nhelp: `#[proxy(name = \"…\")]` gives one another name", class.name, member.name),
                );
            }
        }
        let required = |member: &Member| member.parameters.iter().any(|parameter| parameter.default.is_none());
        if let Some(close) = class.close().filter(|close| required(close)) {
            self.diagnostics.error(
                close.source.ident.span(),
                "the end of a `with` closes without arguments\nhelp: give each argument a default with \
                 `#[proxy(signature = (… = …))]`",
            );
        }
    }

    /// An annotation that the description gives with `py`.
    pub(super) fn written(&mut self, annotation: &str, span: Span) -> Option<String> {
        let unknown = self.unknown_names(annotation);
        for name in &unknown {
            self.diagnostics.error(
                span,
                format!(
                    "`py = \"{annotation}\"` names `{name}`, which nothing defines\nhelp: define it in `[python.aliases]` in \
                     {FILE_NAME}, or use a name of Python"
                ),
            );
        }
        unknown.is_empty().then(|| annotation::double_quoted(annotation))
    }

    pub(super) fn report_generic(&mut self, span: Span, parameter: &str) {
        self.diagnostics.error(
            span,
            format!(
                "`{parameter}` stands for any type, and a function in Python is compiled for one\nhelp: write a concrete type \
                 or `impl Into<…>`, or keep the member out of Python with `#[proxy(rust_only = \"why\")]`"
            ),
        );
    }

    pub(super) fn check_name(&mut self, name: &str, span: Span, option: &str) {
        if let Some(fault) = names::fault(name) {
            let attribute = if option == "python" {
                "#[async_proxy(python = \"…\")]"
            } else {
                "#[proxy(name = \"…\")]"
            };
            self.diagnostics.error(
                span,
                format!("`{name}` {fault}\nhelp: give it another name there with `{attribute}`"),
            );
        }
    }

    fn functions(&mut self) -> Vec<Function> {
        let api = self.api;
        api.functions
            .iter()
            .filter(|function| function.python.rust_only.is_none())
            .filter_map(|function| self.function(function))
            .collect()
    }

    fn function(&mut self, function: &'a source::FreeFunction) -> Option<Function> {
        let span = function.ident.span();
        let name = function
            .python
            .name
            .clone()
            .unwrap_or_else(|| names::plain(&function.ident));
        self.check_name(&name, span, "name");
        let callable = Callable {
            generics: &function.generics,
            arguments: &function.arguments,
            returns: &function.returns,
            python: &function.python,
            span,
        };
        let opens = function.returns.ok.as_ref().and_then(|ty| self.class_of(ty));
        let returns = self.returns(&callable);
        let (mut parameters, mut arguments) = parameters::lower(self, &callable)?;
        if self.opens_connection(function.returns.ok.as_ref()) {
            dbapi::complete(&mut parameters, &mut arguments);
        }
        let docs = parameters::with_documented_parameters(self.docs(&function.carried.docs), &parameters);
        let module = self.place(&name);
        Some(Function {
            name,
            ident: function.ident.to_string(),
            path: format!("{}::{}", self.crate_path, function.ident),
            opens,
            parameters,
            arguments,
            returns: returns?,
            fallible: function.returns.fallible,
            docs,
            deprecated: deprecation(&function.carried),
            module,
            source: function.clone(),
        })
    }
}

pub(super) fn python_name(class: &source::Class) -> String {
    let ClassOptions { python_name, .. } = &class.options;
    python_name.clone().unwrap_or_else(|| names::plain(&class.ident))
}

fn api_class<'a>(api: &'a Api, ident: &proc_macro2::Ident) -> Option<&'a source::Class> {
    api.classes.iter().find(|class| class.ident == *ident)
}

/// The last segment of a type's path, behind references.
fn last_ident(ty: &Type) -> Option<String> {
    match ty {
        Type::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
        Type::Reference(reference) => last_ident(&reference.elem),
        _ => None,
    }
}

/// The first type parameter that a type mentions.
pub(super) fn mentioned_parameter(ty: &Type, generics: &syn::Generics) -> Option<String> {
    let parameters: Vec<String> = generics
        .type_params()
        .map(|parameter| parameter.ident.to_string())
        .collect();
    find_ident(ty.to_token_stream(), &parameters)
}

fn find_ident(tokens: proc_macro2::TokenStream, wanted: &[String]) -> Option<String> {
    tokens.into_iter().find_map(|token| match token {
        proc_macro2::TokenTree::Ident(ident) => {
            let name = ident.to_string();
            wanted.contains(&name).then_some(name)
        }
        proc_macro2::TokenTree::Group(group) => find_ident(group.stream(), wanted),
        _ => None,
    })
}

/// The note of `#[deprecated]`; empty if it gives none.
pub(super) fn deprecation(carried: &source::Carried) -> Option<String> {
    let attribute = carried.deprecated.as_ref()?;
    let of_value = |value: &Expr| match value {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let mut note = String::new();
    match &attribute.meta {
        Meta::NameValue(pair) => note = of_value(&pair.value).unwrap_or_default(),
        Meta::List(_) => {
            // What rustc does not take here, it reports itself.
            let _ = attribute.parse_nested_meta(|meta| {
                let value: Expr = meta.value()?.parse()?;
                if meta.path.is_ident("note") {
                    note = of_value(&value).unwrap_or_default();
                }
                Ok(())
            });
        }
        Meta::Path(_) => {}
    }
    Some(note)
}
