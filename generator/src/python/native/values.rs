//! Values: what the blocking side returns as a struct, Python gets as an object of the dataclass of that name.

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::Type;

use super::types::name_and_arguments;
use super::{Glue, path, rust_ident};
use crate::python::annotation;
use crate::python::values::Value;

/// How the glue hands out what a call returns.
pub(super) struct Handed {
    /// The type that the glue's function returns.
    pub(super) returns: TokenStream,
    /// What stands behind the call, so that its result has that type.
    pub(super) conversion: TokenStream,
}

impl Glue<'_> {
    /// How what a call returns is handed out; `class` is what `Self` stands for.
    pub(super) fn handed(&mut self, ty: Option<&Type>, class: Option<&str>) -> Handed {
        let plain = Handed {
            returns: self.result_type(ty, class),
            conversion: TokenStream::new(),
        };
        let Some(ty) = ty else { return plain };
        match self.wrapped(ty, &quote!(value)) {
            Some((returns, wrapped)) => Handed {
                returns,
                conversion: quote!(.map(|value| #wrapped)),
            },
            None => {
                self.refuse_hidden(ty);
                plain
            }
        }
    }

    /// A type with the wrappers of values in their places, and an expression that puts them there; `None` if it has none.
    pub(super) fn wrapped(&self, ty: &Type, value: &TokenStream) -> Option<(TokenStream, TokenStream)> {
        let (name, arguments) = name_and_arguments(ty)?;
        match (name.as_str(), arguments.as_slice()) {
            (name, []) if self.is_value(name) => {
                let ident = rust_ident(name);
                Some((quote!(super::values::#ident), quote!(super::values::#ident(#value))))
            }
            ("Option", [held]) => {
                let (held, wrapped) = self.wrapped(held, &quote!(value))?;
                Some((quote!(Option<#held>), quote!(#value.map(|value| #wrapped))))
            }
            ("Vec", [held]) => {
                let (held, wrapped) = self.wrapped(held, &quote!(value))?;
                let wrapped = quote!(#value.into_iter().map(|value| #wrapped).collect::<Vec<_>>());
                Some((quote!(Vec<#held>), wrapped))
            }
            _ => None,
        }
    }

    fn is_value(&self, name: &str) -> bool {
        self.package.returned_values().any(|value| value.source.ident == name)
    }

    /// A value inside of something else would be left as it is, which Python cannot have.
    pub(super) fn refuse_hidden(&mut self, ty: &Type) {
        let text = ty.to_token_stream().to_string();
        let hidden = annotation::names(&text).into_iter().find(|name| self.is_value(name));
        if let Some(hidden) = hidden {
            self.faults.push(format!(
                "the value `{hidden}` cannot be returned as part of `{text}`\nhelp: return it alone, or in an `Option` or a `Vec`"
            ));
        }
    }

    /// The file that makes objects of the values; `None` if there are none.
    pub(super) fn values(&mut self) -> Option<TokenStream> {
        let package = self.package;
        package.returned_values().next()?;
        let returned: Vec<TokenStream> = package.returned_values().map(|value| self.value(value)).collect();
        Some(quote! {
            #![doc = " Values as objects of Python."]

            use ::pyo3::IntoPyObjectExt;
            use ::pyo3::prelude::*;
            use ::pyo3::sync::PyOnceLock;
            use ::pyo3::types::{PyTuple, PyType};

            #(#returned)*
        })
    }

    fn value(&mut self, value: &Value) -> TokenStream {
        let (ident, path) = (format_ident!("{}", value.source.ident), path(&value.path));
        let docs = format!(" The value `{}` on its way to Python.", value.name);
        let name = &value.name;
        let module = self.module_of(&value.module);
        let fields: Vec<TokenStream> = value
            .fields
            .iter()
            .map(|field| {
                let ident = rust_ident(&field.ident);
                let plain = quote!(self.0.#ident);
                let given = self.wrapped(&field.ty, &plain).map(|(_, wrapped)| wrapped);
                if given.is_none() {
                    self.refuse_hidden(&field.ty);
                }
                let given = given.unwrap_or(plain);
                quote!(IntoPyObjectExt::into_bound_py_any(#given, py)?)
            })
            .collect();
        let count = fields.len();
        quote! {
            #[doc = #docs]
            pub(super) struct #ident(pub(super) #path);

            impl<'py> IntoPyObject<'py> for #ident {
                type Target = PyAny;
                type Output = Bound<'py, PyAny>;
                type Error = PyErr;

                fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
                    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
                    let fields: [Bound<'py, PyAny>; #count] = [#(#fields),*];
                    CLASS.import(py, #module, #name)?.call1(PyTuple::new(py, fields)?)
                }
            }
        }
    }
}
