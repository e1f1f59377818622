//! The glue of an async API: each `async fn` gives a method whose result is awaited and a blocking twin, on one class if
//! something opens it, on two if other classes hand it out.

use async_proxy_syntax::model::Receiver;
use async_proxy_syntax::names::twin_name;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::arguments::Signature;
use super::{Glue, deprecation, doc, doc_of, module_ident, path, rust_ident};
use crate::python::model::{Class, Docs, Function, Kind, Member};

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

/// A method of the glue, in parts.
struct Method<'a> {
    name: String,
    ident: Ident,
    docs: &'a Docs,
    deprecated: Option<&'a str>,
    signature: &'a Signature,
    /// `$self`, or nothing for a static method or a function.
    receiver: &'static str,
    returns: TokenStream,
    body: TokenStream,
}

impl Method<'_> {
    fn render(&self) -> TokenStream {
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
            (Kind::Close | Kind::Abandon, _) => {
                let again = if is_lenient(class, member) {
                    quote!(Some(()))
                } else {
                    quote!(None)
                };
                quote!(self.object.end(#again, move |#lent| async move { #call }))
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

    /// The free functions: each opens an object.
    pub(super) fn mirrored_functions(&mut self) -> TokenStream {
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
    pub(super) fn mirrored_module(&self) -> TokenStream {
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

/// `async with` and `with`: a scope that ends well closes the object, one that ends by an exception abandons it. An object
/// that was ended inside of it is left alone.
fn scope(class: &Class, face: Face, name: &str) -> Option<TokenStream> {
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
        quote!(self.object.end(Some(()), move |#lent| async move { #outcome }))
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
