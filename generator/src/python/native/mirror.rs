//! The glue of an async API: each `async fn` gives a method whose result is awaited and a blocking twin, on one class if
//! something opens it, on two if other classes hand it out.

mod method;
mod module;
mod scope;

use async_proxy_syntax::model::Receiver;
use async_proxy_syntax::names::twin_name;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use self::method::Method;
use self::scope::scope;
use super::arguments::Signature;
use super::{Glue, deprecation, doc, doc_of, module_ident, path, rust_ident};
use crate::python::model::{Class, Kind, Member};

/// Which methods a Python class has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Face {
    /// Awaitables under the methods' names, twins beside them.
    Both,
    /// Awaitables alone.
    Awaited,
    /// Twins alone, under the methods' names.
    Blocking,
}

impl Face {
    fn has_awaitables(self) -> bool {
        self != Self::Blocking
    }

    fn has_twins(self) -> bool {
        self != Self::Awaited
    }

    /// What a method's twin is called.
    fn twin(self, name: &str) -> String {
        match self {
            Self::Blocking => name.to_owned(),
            _ => twin_name(name),
        }
    }
}

impl Glue<'_> {
    /// The file of a class.
    pub(super) fn mirrored_class(&mut self, class: &Class) -> TokenStream {
        let docs = format!(" The class `{}`.", class.name);
        let faces = match class.blocking_form() {
            None => vec![(Face::Both, class.name.clone(), format_ident!("{}", class.ident), "wrap")],
            Some(blocking) => vec![
                (
                    Face::Awaited,
                    class.name.clone(),
                    format_ident!("{}", class.ident),
                    "wrap",
                ),
                (
                    Face::Blocking,
                    blocking,
                    format_ident!("Sync{}", class.ident),
                    "wrap_sync",
                ),
            ],
        };
        let faces: Vec<TokenStream> = faces
            .into_iter()
            .map(|(face, name, ident, wrap)| self.face(class, face, &name, &ident, &format_ident!("{wrap}")))
            .collect();
        quote! {
            #![doc = #docs]

            use ::async_proxy::python;
            use ::async_proxy::python::mirror;
            use ::pyo3::prelude::*;

            use super::exceptions::NativeModule;

            #(#faces)*
        }
    }

    fn face(&mut self, class: &Class, face: Face, name: &str, ident: &Ident, wrap: &Ident) -> TokenStream {
        let (module, object) = (&self.package.name, path(&class.path));
        let docs = doc_of(&class.docs);
        let members: Vec<TokenStream> = class
            .members
            .iter()
            .map(|member| self.mirrored_member(class, face, name, member))
            .collect();
        let scope = scope(class, face, name);
        let wrap_docs = doc(&[" A Python object for one of the API.".to_owned()]);
        quote! {
            #docs
            #[pyclass(name = #name, module = #module, frozen, subclass, weakref)]
            pub(super) struct #ident {
                object: mirror::Mirror<Self>,
            }

            impl python::Wrapper for #ident {
                type Object = #object;
                type Snapshot = ();
                type Module = NativeModule;
                const NAME: &'static str = #name;
                fn snapshot(_object: &Self::Object) {}
            }

            #wrap_docs
            pub(super) fn #wrap(py: Python<'_>, object: #object) -> PyResult<Py<PyAny>> {
                let object = #ident { object: mirror::Mirror::new(object) };
                Ok(Py::new(py, object)?.into_any())
            }

            #[pymethods]
            impl #ident {
                #(#members)*
                #scope
            }
        }
    }

    fn mirrored_member(&mut self, class: &Class, face: Face, owner: &str, member: &Member) -> TokenStream {
        if let Some(ok) = &member.source.returns.ok
            && self.wrapped(ok, &quote!(value)).is_none()
        {
            self.refuse_hidden(ok);
        }
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        if matches!(member.kind, Kind::Property { .. } | Kind::Direct { .. }) {
            return self.in_place(class, member, &signature);
        }
        let receiver = if member.kind == Kind::Open { "" } else { "$self" };
        let qualified_name = format!("{owner}.{}", member.name);
        let method = |name: String, ident: Ident, returns: TokenStream, body: TokenStream| {
            let (docs, deprecated) = (&member.docs, member.deprecated.as_deref());
            Method {
                name,
                ident,
                docs,
                deprecated,
                signature: &signature,
                receiver,
                returns,
                body,
            }
            .render()
        };
        let awaitable = face.has_awaitables().then(|| {
            let (returns, body) = self.awaitable(class, member, &signature, &qualified_name);
            method(member.name.clone(), rust_ident(&member.ident), returns, body)
        });
        let has_twin = face.has_twins() && member.source.no_twin.is_none();
        let twin = has_twin.then(|| {
            let (returns, body) = self.twin(class, member, &signature);
            let name = face.twin(&member.name);
            method(name, rust_ident(&face.twin(&member.ident)), returns, body)
        });
        quote!(#awaitable #twin)
    }

    /// What never blocks is the same on each face.
    fn in_place(&self, class: &Class, member: &Member, signature: &Signature) -> TokenStream {
        let Signature {
            parameters,
            prepare,
            arguments,
            names,
            attribute,
            text,
        } = signature;
        let (docs, name, ident) = (doc_of(&member.docs), &member.name, rust_ident(&member.ident));
        let (py, object) = (&names.py, &names.object);
        let returns = self.result_type(member.source.returns.ok.as_ref(), Some(&class.path));
        let call = super::types::fallible(member.fallible, quote!(#object.#ident(#(#arguments),*)));
        let head = if matches!(member.kind, Kind::Property { .. }) {
            let name = rust_ident(name);
            quote!(#[getter(#name)])
        } else {
            let text = if text.is_empty() {
                "($self)".to_owned()
            } else {
                format!("($self, {text})")
            };
            let warning = deprecation(member.deprecated.as_deref(), name);
            quote!(#[pyo3(name = #name, signature = (#attribute), text_signature = #text)] #warning)
        };
        quote! {
            #docs
            #head
            fn #ident(&self, #py: Python<'_>, #(#parameters),*) -> PyResult<#returns> {
                #prepare
                self.object.direct(#py, |#object| #call)
            }
        }
    }

    /// The type and the body of the method that gives an awaitable.
    fn awaitable(
        &self,
        class: &Class,
        member: &Member,
        signature: &Signature,
        name: &str,
    ) -> (TokenStream, TokenStream) {
        let py = &signature.names.py;
        let run = self.run(class, member, signature);
        let convert = self.conversion(class, member, "wrap");
        match &member.kind {
            Kind::Stream => (
                quote!(Bound<'py, mirror::AsyncItems>),
                quote!(#run.asynchronous(#py, #name, #convert)),
            ),
            Kind::Open | Kind::Child { .. } => (
                quote!(Bound<'py, mirror::Opening>),
                quote!(#run.opening(#py, #name, #convert)),
            ),
            _ => (
                quote!(Bound<'py, mirror::Call>),
                quote!(#run.awaitable(#py, #name, #convert)),
            ),
        }
    }

    /// The type and the body of the twin.
    fn twin(&self, class: &Class, member: &Member, signature: &Signature) -> (TokenStream, TokenStream) {
        let py = &signature.names.py;
        let run = self.run(class, member, signature);
        if member.kind == Kind::Stream {
            let convert = self.conversion(class, member, "wrap");
            return (
                quote!(Bound<'py, mirror::SyncItems>),
                quote!(#run.synchronous(#py, #convert)),
            );
        }
        if is_nothing(member) {
            return (quote!(()), quote!(#run.twin(#py)));
        }
        let value = self.object(class, member, "wrap_sync", py);
        (quote!(Py<PyAny>), quote!(let value = #run.twin(#py)?; #value))
    }

    /// The call, described and not begun.
    fn run(&self, class: &Class, member: &Member, signature: &Signature) -> TokenStream {
        let (ident, arguments, object) = (rust_ident(&member.ident), &signature.arguments, &signature.names.object);
        if member.kind == Kind::Open {
            let path = path(&class.path);
            let call = awaited(member.fallible, quote!(#path::#ident(#(#arguments),*)));
            return quote!(mirror::start::<NativeModule, _, _, _, _>(move || async move { #call }));
        }
        let call = quote!(#object.#ident(#(#arguments),*));
        if member.kind == Kind::Stream {
            return quote! {
                self.object.items(move |#object, feeder| async move { feeder.feed(#call).await })
            };
        }
        let call = awaited(member.fallible, call);
        let lent = lent(member.source.receiver, object);
        match (&member.kind, member.source.receiver) {
            (Kind::Close | Kind::Abandon, receiver) => {
                let again = if is_lenient(class, member) {
                    quote!(Some(()))
                } else {
                    quote!(None)
                };
                let end = match (&member.kind, receiver) {
                    (Kind::Close, Receiver::Shared) => quote!(close),
                    _ => quote!(end),
                };
                quote!(self.object.#end(#again, move |#lent| async move { #call }))
            }
            (_, Receiver::Exclusive) => quote!(self.object.exclusive(move |#lent| async move { #call })),
            _ => quote!(self.object.shared(move |#lent| async move { #call })),
        }
    }

    /// A closure that makes a Python object of what the call gives.
    fn conversion(&self, class: &Class, member: &Member, wrap: &str) -> TokenStream {
        let py = format_ident!("py");
        let value = self.object(class, member, wrap, &py);
        if is_nothing(member) {
            return quote!(|py, ()| #value);
        }
        quote!(|py, value| #value)
    }

    /// A Python object of `value`.
    fn object(&self, class: &Class, member: &Member, wrap: &str, py: &Ident) -> TokenStream {
        let child = match &member.kind {
            Kind::Open => Some(class),
            Kind::Child { class } => self.package.class(class),
            _ => None,
        };
        match child {
            Some(child) => wrapped(child, wrap, py),
            None if is_nothing(member) => quote!(Ok(#py.None())),
            None => {
                let ok = member.source.returns.ok.as_ref();
                let wrapped = ok.and_then(|ok| self.wrapped(ok, &quote!(value)));
                let value = wrapped.map_or_else(|| quote!(value), |(_, value)| value);
                quote!(::pyo3::IntoPyObjectExt::into_py_any(#value, #py))
            }
        }
    }
}

/// Whether ending the object twice is no error: a second close is not, a second end of a transaction is.
fn is_lenient(class: &Class, member: &Member) -> bool {
    is_nothing(member) && !class.members.iter().any(|member| member.kind == Kind::Abandon)
}

/// The object as a closure takes it.
fn lent(receiver: Receiver, object: &Ident) -> TokenStream {
    match receiver {
        Receiver::Exclusive => quote!(mut #object),
        _ => quote!(#object),
    }
}

fn wrapped(class: &Class, wrap: &str, py: &Ident) -> TokenStream {
    let file = module_ident(&class.ident);
    // A class that is opened has one form.
    let wrap = format_ident!("{}", if class.blocking_form().is_some() { wrap } else { "wrap" });
    quote!(super::#file::#wrap(#py, value))
}

/// A call as a `Result`, awaited.
fn awaited(fallible: bool, call: TokenStream) -> TokenStream {
    if fallible {
        quote!(#call.await)
    } else {
        quote!(Ok::<_, ::std::convert::Infallible>(#call.await))
    }
}

/// Whether the member gives no value.
fn is_nothing(member: &Member) -> bool {
    match &member.source.returns.ok {
        Some(syn::Type::Tuple(tuple)) => tuple.elems.is_empty(),
        _ => false,
    }
}
