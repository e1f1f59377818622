//! The scopes of an async API: `async with` and `with`.

use async_proxy_syntax::model::Receiver;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Face, awaited, is_nothing, lent};
use crate::python::model::{Class, Kind, Member};
use crate::python::native::rust_ident;

/// `async with` and `with`: a scope that ends well closes the object, one that ends by an exception abandons it. An object
/// that was ended inside of it is left alone.
pub(super) fn scope(class: &Class, face: Face, name: &str) -> Option<TokenStream> {
    let close = class.close()?;
    let abandon = class.members.iter().find(|member| member.kind == Kind::Abandon);
    let end = |member: &Member| {
        let ident = rust_ident(&member.ident);
        let object = format_ident!("object");
        let lent = lent(member.source.receiver, &object);
        let call = awaited(member.fallible, quote!(object.#ident()));
        let outcome = if is_nothing(member) {
            call
        } else {
            quote!((#call).map(|_| ()))
        };
        match (&member.kind, member.source.receiver) {
            (Kind::Close, Receiver::Shared) => {
                quote!(self.object.close(Some(()), move |#lent| async move { #outcome }))
            }
            _ => quote!(self.object.leave(move |#lent| async move { #outcome })),
        }
    };
    let (kept, given_up) = (end(close), end(abandon.unwrap_or(close)));
    let leave = format!("{name}.__aexit__");
    let parameters = quote! {
        exc_type: Option<&Bound<'_, PyAny>>,
        _exc_value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    };
    let signature = quote! {
        #[pyo3(
            signature = (exc_type, _exc_value, _traceback, /),
            text_signature = "($self, exc_type, exc_value, traceback, /)"
        )]
    };
    let awaited = face.has_awaitables().then(|| {
        quote! {
            fn __aenter__(slf: Py<Self>) -> mirror::Ready {
                mirror::Ready::new(slf.into_any())
            }

            #signature
            fn __aexit__<'py>(&self, py: Python<'py>, #parameters) -> PyResult<Bound<'py, mirror::Call>> {
                let convert = |py: Python<'_>, ()| ::pyo3::IntoPyObjectExt::into_py_any(false, py);
                match exc_type {
                    None => #kept.awaitable(py, #leave, convert),
                    Some(_) => #given_up.awaitable(py, #leave, convert),
                }
            }
        }
    });
    let blocking = face.has_twins().then(|| {
        quote! {
            fn __enter__(slf: Py<Self>) -> Py<Self> {
                slf
            }

            #signature
            fn __exit__(&self, py: Python<'_>, #parameters) -> PyResult<bool> {
                match exc_type {
                    None => #kept.twin(py)?,
                    Some(_) => #given_up.twin(py)?,
                }
                Ok(false)
            }
        }
    });
    Some(quote!(#awaited #blocking))
}
