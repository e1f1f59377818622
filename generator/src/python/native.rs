//! The native module: Rust source that PyO3 makes a Python module of, in the form that prettyplease gives it.
//!
//! One file for each proxied class, one for the free functions, one for the exceptions; with the profile `dbapi` one more
//! for the class `Row`. A Python class holds the blocking object (`async_proxy::python::{Owned, Shared}`) and forwards to
//! it; what can be done once for all modules is done there, in the runtime.

mod adapters;
mod arguments;
mod calls;
mod class;
mod companion;
mod construction;
mod dbapi;
mod exceptions;
mod literals;
mod members;
mod mirror;
#[cfg(test)]
mod tests;
mod types;
mod values;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::header;
use crate::output::File;

use super::model::{Docs, Function, Package};
use arguments::Signature;
pub(super) use companion::is_hidden;

/// Renders the source of the native module.
pub fn render(package: &Package, config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    let glue = Glue {
        package,
        faults: Vec::new(),
        records: false,
    };
    let (files, faults) = glue.render();
    for fault in faults {
        diagnostics.error_without_place(fault);
    }
    let header = header::comment(config, &package.sources.join(", "), "//");
    let mut rendered = Vec::new();
    for (name, tokens) in files {
        match syn::parse2(tokens) {
            Ok(file) => {
                let text = format!("{header}\n{}", prettyplease::unparse(&file));
                rendered.push(File::new(format!("native/{name}.rs"), text));
            }
            Err(error) => diagnostics.error_without_place(format!(
                "the native module's {name}.rs cannot be printed: {error}\nnote: this is a fault of the generator, not of \
                 the description; please report it with the sources"
            )),
        }
    }
    rendered
}

/// What is being rendered, and what is wrong with it.
struct Glue<'a> {
    package: &'a Package,
    faults: Vec<String>,
    /// Whether the parameters are those of calls for the native queue.
    records: bool,
}

impl Glue<'_> {
    fn render(mut self) -> (Vec<(String, TokenStream)>, Vec<String>) {
        let package = self.package;
        if package.is_mirrored() {
            return self.render_mirrored();
        }
        let mut files = vec![
            ("mod".to_owned(), self.module()),
            ("exceptions".to_owned(), self.exceptions()),
        ];
        for class in &package.classes {
            files.push((file_of(&class.ident), self.class(class)));
        }
        if self.free_functions().next().is_some() {
            files.push(("functions".to_owned(), self.functions()));
        }
        if package.dbapi {
            files.push(("row".to_owned(), dbapi::row_class(&self.public_module())));
            files.push(("adapters".to_owned(), adapters::file(&self.public_module())));
        }
        if let Some(values) = self.values() {
            files.push(("values".to_owned(), values));
        }
        (files, self.faults)
    }

    fn render_mirrored(mut self) -> (Vec<(String, TokenStream)>, Vec<String>) {
        let package = self.package;
        let mut files = vec![
            ("mod".to_owned(), self.mirrored_module()),
            ("exceptions".to_owned(), self.exceptions()),
        ];
        for class in &package.classes {
            files.push((file_of(&class.ident), self.mirrored_class(class)));
        }
        if !package.functions.is_empty() {
            files.push(("functions".to_owned(), self.mirrored_functions()));
        }
        if let Some(values) = self.values() {
            files.push(("values".to_owned(), values));
        }
        (files, self.faults)
    }

    /// The functions that the module has as such.
    pub(super) fn free_functions(&self) -> impl Iterator<Item = &Function> {
        let functions = self.package.functions.iter();
        functions.filter(|function| !self.package.is_constructor(function))
    }

    /// Where the blocking classes of the package itself are found in Python: what their `__module__` says.
    fn public_module(&self) -> String {
        self.module_of(&None)
    }

    /// Where what is placed in a submodule, or in none, is found in Python.
    fn module_of(&self, submodule: &Option<String>) -> String {
        match submodule {
            Some(submodule) => format!("{}.lib_{submodule}", self.package.name),
            None => format!("{}.lib", self.package.name),
        }
    }

    /// The root: it declares the files and puts their classes into the module.
    fn module(&self) -> TokenStream {
        let package = self.package;
        let docs = format!(
            " The native module `{}.{}`: the blocking classes.",
            package.name, package.native_module
        );
        let files = package.classes.iter().map(|class| {
            let file = module_ident(&class.ident);
            if class.is_by_hand() {
                quote!(pub(crate) mod #file)
            } else {
                quote!(mod #file)
            }
        });
        let functions_file = self.free_functions().next().map(|_| {
            quote!(
                mod functions;
            )
        });
        let row_file = package.dbapi.then(|| {
            quote!(
                mod adapters;
                mod row;
            )
        });
        let values_file = package.returned_values().next().map(|_| {
            quote!(
                mod values;
            )
        });
        let name = &package.native_module;
        let classes = package.classes.iter().map(|class| {
            let (file, ident) = (module_ident(&class.ident), format_ident!("{}", class.ident));
            quote!(module.add_class::<#file::#ident>()?;)
        });
        let row = package.dbapi.then(|| {
            quote! {
                row::register(module)?;
                adapters::register(module)?;
            }
        });
        let version = package
            .dbapi
            .then(|| quote!(module.add("__version__", env!("CARGO_PKG_VERSION"))?;));
        let exceptions = package.created_exceptions().map(|exception| {
            let (name, ident) = (&exception.name, format_ident!("{}", exception.name));
            quote!(module.add(#name, py.get_type::<exceptions::#ident>())?;)
        });
        let py = package
            .created_exceptions()
            .next()
            .map(|_| quote!(let py = module.py();));
        let functions = self.free_functions().map(|function| {
            let ident = rust_ident(&function.ident);
            quote!(module.add_function(::pyo3::wrap_pyfunction!(functions::#ident, module)?)?;)
        });
        let calls_of = self.calls_of();
        let gil = doc(&[
            " The GIL is used: the module is built for the stable ABI of Python 3.10, which has no free-threaded form, so".into(),
            " that nothing could be gained by a claim that no one can try. Every lock in it is safe without the GIL.".into(),
        ]);
        quote! {
            #![doc = #docs]
            #![allow(
                clippy::redundant_closure,
                clippy::should_implement_trait,
                clippy::too_many_arguments,
                clippy::type_complexity,
                clippy::unit_arg,
                clippy::useless_conversion,
                clippy::wrong_self_convention,
                deprecated,
                reason = "the members of the API decide what stands here"
            )]

            mod exceptions;
            #(#files;)*
            #functions_file
            #row_file
            #values_file

            use ::pyo3::prelude::*;

            #gil
            #[pymodule(name = #name, gil_used = true)]
            fn native_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
                #version
                #py
                #(#exceptions)*
                #(#classes)*
                #row
                #(#functions)*
                module.add_class::<::async_proxy::python::NativeQueue>()?;
                module.add_class::<::async_proxy::python::AwaitedCall>()?;
                module.add_class::<::async_proxy::python::NativeCall>()?;
                module.add_class::<::async_proxy::python::NativeToken>()?;
                module.add_function(::pyo3::wrap_pyfunction!(calls_of, module)?)?;
                // PyO3 has kept a list of names; what is public is said by the package in front of the module.
                module.delattr("__all__")
            }

            #calls_of
        }
    }

    fn functions(&mut self) -> TokenStream {
        let package = self.package;
        let functions: Vec<TokenStream> = package
            .functions
            .iter()
            .filter(|function| !package.is_constructor(function))
            .map(|function| self.function(function))
            .collect();
        quote! {
            #![doc = " The free functions."]

            use ::async_proxy::python;
            use ::pyo3::prelude::*;

            use super::exceptions::NativeModule;

            #(#functions)*
        }
    }

    fn function(&mut self, function: &Function) -> TokenStream {
        let signature = self.signature(&function.name, &function.parameters, &function.arguments);
        let Signature {
            parameters,
            attribute,
            text,
            prepare,
            arguments,
            names,
        } = signature;
        let (docs, ident, path) = (
            doc_of(&function.docs),
            rust_ident(&function.ident),
            path(&function.path),
        );
        let text_signature = format!("({text})");
        let name = &function.name;
        let warning = deprecation(function.deprecated.as_deref(), name);
        let py = &names.py;
        let call = types::fallible(function.fallible, quote!(#path(#(#arguments),*)));
        let opened = function.opens.as_ref().and_then(|class| self.package.class(class));
        let (returns, body) = match opened {
            Some(class) => {
                let (file, class_ident) = (module_ident(&class.ident), format_ident!("{}", class.ident));
                let wrap = class::wrap_call(
                    self.package,
                    class,
                    quote!(super::#file::wrap),
                    py,
                    &quote!(opened),
                    None,
                );
                let body = quote! {
                    let opened = python::run::<NativeModule, _, _>(#py, move || #call)?;
                    #wrap
                };
                (quote!(Bound<'py, super::#file::#class_ident>), body)
            }
            None => {
                let handed = self.handed(function.source.returns.ok.as_ref(), None);
                let conversion = handed.conversion;
                let body = quote!(python::run::<NativeModule, _, _>(#py, move || #call)#conversion);
                (handed.returns, body)
            }
        };
        quote! {
            #docs
            #[pyfunction]
            #[pyo3(name = #name, signature = (#attribute), text_signature = #text_signature)]
            #warning
            pub(super) fn #ident<'py>(#py: Python<'py>, #(#parameters),*) -> PyResult<#returns> {
                #prepare
                #body
            }
        }
    }
}

/// Documentation as attributes; prettyplease prints them as `///`.
fn doc(lines: &[String]) -> TokenStream {
    quote!(#(#[doc = #lines])*)
}

fn doc_of(docs: &Docs) -> TokenStream {
    let lines: Vec<String> = docs
        .lines
        .iter()
        .map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!(" {line}")
            }
        })
        .collect();
    doc(&lines)
}

/// The warning of a deprecated function: PyO3 raises it at each call.
fn deprecation(note: Option<&str>, name: &str) -> Option<TokenStream> {
    note.map(|note| {
        let message = if note.is_empty() {
            format!("{name} is deprecated")
        } else {
            note.to_owned()
        };
        quote!(#[pyo3(warn(message = #message, category = ::pyo3::exceptions::PyDeprecationWarning))])
    })
}

/// An identifier; a keyword of Rust becomes a raw one.
fn rust_ident(name: &str) -> Ident {
    let name = name.strip_prefix("r#").unwrap_or(name);
    syn::parse_str(name).unwrap_or_else(|_| Ident::new_raw(name, Span::call_site()))
}

/// An absolute path of Rust: `turso_driver::Cursor` as `::turso_driver::Cursor`.
fn path(text: &str) -> TokenStream {
    let segments = text.split("::").filter(|segment| !segment.is_empty()).map(rust_ident);
    quote!(#(::#segments)*)
}

/// The file of a class, without its ending: `ConnectionSync` as `connection_sync`.
fn file_of(class: &str) -> String {
    let mut name = String::new();
    for (position, character) in class.char_indices() {
        if character.is_uppercase() && position > 0 {
            name.push('_');
        }
        name.extend(character.to_lowercase());
    }
    // The names of our own files are taken.
    if matches!(
        name.as_str(),
        "mod" | "adapters" | "exceptions" | "functions" | "row" | "values"
    ) {
        name.push_str("_class");
    }
    name
}

fn module_ident(class: &str) -> Ident {
    rust_ident(&file_of(class))
}
