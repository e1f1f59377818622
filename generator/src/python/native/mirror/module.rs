//! The root of the glue of an async API, and its free functions.

use async_proxy_syntax::names::twin_name;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::{awaited, wrapped};
use crate::python::model::Function;
use crate::python::native::arguments::Signature;
use crate::python::native::{Glue, deprecation, doc_of, module_ident, path, rust_ident};

impl Glue<'_> {
    /// The free functions: each opens an object.
    pub(in crate::python::native) fn mirrored_functions(&mut self) -> TokenStream {
        let package = self.package;
        let functions: Vec<TokenStream> = package
            .functions
            .iter()
            .map(|function| self.mirrored_function(function))
            .collect();
        quote! {
            #![doc = " The free functions."]

            use ::async_proxy::python;
            use ::pyo3::prelude::*;

            use super::exceptions::NativeModule;

            #(#functions)*
        }
    }

    fn mirrored_function(&mut self, function: &Function) -> TokenStream {
        let signature = self.signature(&function.name, &function.parameters, &function.arguments);
        let Some(class) = function.opens.as_ref().and_then(|class| self.package.class(class)) else {
            return TokenStream::new();
        };
        let Signature {
            parameters,
            prepare,
            arguments,
            names,
            attribute,
            text,
        } = &signature;
        let (docs, path, py, name) = (doc_of(&function.docs), path(&function.path), &names.py, &function.name);
        let call = awaited(function.fallible, quote!(#path(#(#arguments),*)));
        let run = quote!(python::mirror::start::<NativeModule, _, _, _, _>(move || async move { #call }));
        let text = format!("({text})");
        let (opened, opened_here) = (
            wrapped(class, "wrap", &format_ident!("py")),
            wrapped(class, "wrap_sync", py),
        );
        let (ident, twin) = (rust_ident(&function.ident), rust_ident(&twin_name(&function.ident)));
        let twin_name = twin_name(name);
        let (warning, twin_warning) = (
            deprecation(function.deprecated.as_deref(), name),
            deprecation(function.deprecated.as_deref(), &twin_name),
        );
        quote! {
            #docs
            #[pyfunction]
            #[pyo3(name = #name, signature = (#attribute), text_signature = #text)]
            #warning
            pub(super) fn #ident<'py>(#py: Python<'py>, #(#parameters),*) -> PyResult<Bound<'py, python::mirror::Opening>> {
                #prepare
                #run.opening(#py, #name, |py, value| #opened)
            }

            #docs
            #[pyfunction]
            #[pyo3(name = #twin_name, signature = (#attribute), text_signature = #text)]
            #twin_warning
            pub(super) fn #twin(#py: Python<'_>, #(#parameters),*) -> PyResult<Py<PyAny>> {
                #prepare
                let value = #run.twin(#py)?;
                #opened_here
            }
        }
    }

    /// The root of the module.
    pub(in crate::python::native) fn mirrored_module(&self) -> TokenStream {
        let package = self.package;
        let docs = format!(
            " The native module `{}.{}`: the classes, each with awaitables and blocking twins.",
            package.name, package.native_module
        );
        let files = package.classes.iter().map(|class| module_ident(&class.ident));
        let functions_file = (!package.functions.is_empty()).then(|| {
            quote!(
                mod functions;
            )
        });
        let values_file = package.returned_values().next().map(|_| {
            quote!(
                mod values;
            )
        });
        let name = &package.native_module;
        let classes = package.classes.iter().flat_map(|class| {
            let file = module_ident(&class.ident);
            let blocking = class.blocking_form().map(|_| format_ident!("Sync{}", class.ident));
            let idents: Vec<Ident> = std::iter::once(format_ident!("{}", class.ident))
                .chain(blocking)
                .collect();
            idents
                .into_iter()
                .map(move |ident| quote!(module.add_class::<#file::#ident>()?;))
        });
        let exceptions = package.created_exceptions().map(|exception| {
            let (name, ident) = (&exception.name, format_ident!("{}", exception.name));
            quote!(module.add(#name, module.py().get_type::<exceptions::#ident>())?;)
        });
        let functions = package.functions.iter().flat_map(|function| {
            [function.ident.clone(), twin_name(&function.ident)].map(|ident| {
                let ident = rust_ident(&ident);
                quote!(module.add_function(::pyo3::wrap_pyfunction!(functions::#ident, module)?)?;)
            })
        });
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
            #(mod #files;)*
            #functions_file
            #values_file

            use ::async_proxy::python::mirror;
            use ::pyo3::prelude::*;

            #[doc = " The GIL is used: the module is built for the stable ABI of Python 3.10, which has no free-threaded form."]
            #[pymodule(name = #name, gil_used = true)]
            fn native_module(module: &Bound<'_, PyModule>) -> PyResult<()> {
                #(#exceptions)*
                #(#classes)*
                module.add_class::<mirror::Opening>()?;
                #(#functions)*
                // PyO3 has kept a list of names; what is public is said by the package in front of the module.
                module.delattr("__all__")
            }
        }
    }
}
