//! A method of the glue of an async API.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::python::model::Docs;
use crate::python::native::arguments::Signature;
use crate::python::native::{deprecation, doc_of};

/// A method of the glue, in parts.
pub(super) struct Method<'a> {
    pub(super) name: String,
    pub(super) ident: Ident,
    pub(super) docs: &'a Docs,
    pub(super) deprecated: Option<&'a str>,
    pub(super) signature: &'a Signature,
    /// `$self`, or nothing for a static method or a function.
    pub(super) receiver: &'static str,
    pub(super) returns: TokenStream,
    pub(super) body: TokenStream,
}

impl Method<'_> {
    pub(super) fn render(&self) -> TokenStream {
        let Self {
            name,
            ident,
            docs,
            deprecated,
            signature,
            receiver,
            returns,
            body,
        } = self;
        let Signature {
            attribute,
            text,
            parameters,
            prepare,
            names,
            ..
        } = signature;
        let docs = doc_of(docs);
        let inner: Vec<&str> = [*receiver, text.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let text = format!("({})", inner.join(", "));
        let warning = deprecation(*deprecated, name);
        let py = &names.py;
        let head = quote! {
            #docs
            #[pyo3(name = #name, signature = (#attribute), text_signature = #text)]
            #warning
        };
        let (statics, object) = if receiver.is_empty() {
            (quote!(#[staticmethod]), None)
        } else {
            (quote!(), Some(quote!(&self,)))
        };
        quote! {
            #head
            #statics
            fn #ident<'py>(#object #py: Python<'py>, #(#parameters),*) -> PyResult<#returns> {
                #prepare
                #body
            }
        }
    }
}
