//! The members of a class: one method or attribute in Python for each.

use async_proxy_syntax::model::{Property, RowsRole};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::arguments::Signature;
use super::class::{close_call, snapshot_value, wrap_call};
use super::values::Handed;
use super::{Glue, dbapi, deprecation, doc_of, module_ident, path, rust_ident, types};
use crate::python::dbapi::FACTORY;
use crate::python::model::{Class, Kind, Member, Role};

impl Glue<'_> {
    /// The block of methods.
    pub(super) fn members(&mut self, class: &Class) -> TokenStream {
        let ident = format_ident!("{}", class.ident);
        let members: Vec<TokenStream> = class.members.iter().map(|member| self.member(class, member)).collect();
        let construction = self.construction(class);
        let factories = dbapi::attributes(class, self.package);
        let protocols = self.protocols(class);
        let by_hand = by_hand(class);
        quote! {
            #by_hand

            #[pymethods]
            impl #ident {
                #construction
                #(#members)*
                #factories
                #protocols
            }
        }
    }

    fn member(&mut self, class: &Class, member: &Member) -> TokenStream {
        if member.by_hand {
            return TokenStream::new();
        }
        match &member.kind {
            Kind::Open => self.open(class, member),
            Kind::Child { class: child } => match self.package.class(child) {
                Some(child) => self.child(class, member, child),
                None => TokenStream::new(),
            },
            Kind::SelfReturn => self.self_return(class, member),
            Kind::Call | Kind::BlockingOnly { .. } => self.call(class, member),
            Kind::Direct { when_closed, .. } => self.direct(class, member, *when_closed),
            Kind::Interrupt => self.direct(class, member, false),
            Kind::Property {
                reading: Property::Live,
                ..
            } => self.live_property(class, member),
            Kind::Property {
                reading: Property::Snapshot,
                ..
            } => self.snapshot_property(class, member),
            Kind::Setter { property, check, .. } => self.setter(class, member, property, check.as_deref()),
            Kind::Parent { .. } => parent(class, member),
            Kind::Rows(role) => self.rows(class, member, *role),
            Kind::Close => self.close(class, member),
            // Of the async colour alone, which `mirror` renders.
            Kind::Abandon | Kind::Stream => TokenStream::new(),
        }
    }

    /// A member that makes a cursor, or has the program's factory make it. In `sqlite3` since Python 3.11 `execute` and its
    /// like make theirs without asking that of a derived class.
    fn cursor(&mut self, class: &Class, member: &Member, child: &Class) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let call = self.blocking_call(class, member, &signature);
        let Signature {
            parameters,
            prepare,
            names,
            ..
        } = signature;
        let (ident, py, slf) = (rust_ident(&member.ident), &names.py, &names.slf);
        let (file, child_ident) = (module_ident(&child.ident), format_ident!("{}", child.ident));
        let wrap = wrap_call(
            self.package,
            child,
            quote!(super::#file::wrap),
            py,
            &quote!(child),
            Some(quote!(#slf.as_any())),
        );
        let factory = rust_ident(FACTORY);
        quote! {
            #attributes
            fn #ident<'py>(
                #slf: &Bound<'py, Self>,
                #py: Python<'py>,
                #(#parameters),*
            ) -> PyResult<Bound<'py, PyAny>> {
                if let Some(#factory) = #factory {
                    let row_factory = #slf.get().row_factory.get(#py);
                    return python::dbapi::cursor_of::<super::#file::#child_ident>(
                        #factory.bind(#py),
                        #slf.as_any(),
                        row_factory,
                    );
                }
                #prepare
                let child = #slf.get().object.#call?;
                Ok(#wrap?.into_any())
            }
        }
    }

    /// The attributes of a method: documentation, name, signature.
    fn attributes(member: &Member, signature: &Signature, receiver: &str) -> TokenStream {
        let (docs, name, attribute) = (doc_of(&member.docs), &member.name, &signature.attribute);
        let inner: Vec<&str> = [receiver, &signature.text]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let text = format!("({})", inner.join(", "));
        let warning = deprecation(member.deprecated.as_deref(), name);
        quote! {
            #docs
            #[pyo3(name = #name, signature = (#attribute), text_signature = #text)]
            #warning
        }
    }

    fn open(&mut self, class: &Class, member: &Member) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "");
        let Signature {
            parameters,
            prepare,
            arguments,
            names,
            ..
        } = signature;
        let (ident, class_path, py) = (rust_ident(&member.ident), path(&class.path), &names.py);
        let call = types::fallible(member.fallible, quote!(#class_path::#ident(#(#arguments),*)));
        let wrap = wrap_call(self.package, class, quote!(wrap), py, &quote!(opened), None);
        quote! {
            #attributes
            #[staticmethod]
            fn #ident<'py>(#py: Python<'py>, #(#parameters),*) -> PyResult<Bound<'py, Self>> {
                #prepare
                let opened = python::run::<NativeModule, _, _>(#py, move || #call)?;
                #wrap
            }
        }
    }

    fn child(&mut self, class: &Class, member: &Member, child: &Class) -> TokenStream {
        if member.parameters.iter().any(|parameter| parameter.name == FACTORY) && class.own_role == Role::Connection {
            return self.cursor(class, member, child);
        }
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let call = self.blocking_call(class, member, &signature);
        let Signature {
            parameters,
            prepare,
            names,
            ..
        } = signature;
        let (ident, py, slf) = (rust_ident(&member.ident), &names.py, &names.slf);
        let called = self.called(class, slf, &call);
        let (file, child_ident) = (module_ident(&child.ident), format_ident!("{}", child.ident));
        let wrap = wrap_call(
            self.package,
            child,
            quote!(super::#file::wrap),
            py,
            &quote!(child),
            Some(quote!(#slf.as_any())),
        );
        quote! {
            #attributes
            fn #ident<'py>(
                #slf: &Bound<'py, Self>,
                #py: Python<'py>,
                #(#parameters),*
            ) -> PyResult<Bound<'py, super::#file::#child_ident>> {
                #prepare
                let child = #called?;
                #wrap
            }
        }
    }

    fn self_return(&mut self, class: &Class, member: &Member) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let Signature {
            parameters,
            prepare,
            arguments,
            names,
            ..
        } = &signature;
        let (ident, py, slf, object) = (rust_ident(&member.ident), &names.py, &names.slf, &names.object);
        let call = quote!(#object.#ident(#(#arguments),*));
        let call = if member.fallible {
            quote!(#call.map(|_| ()))
        } else {
            quote!({ #call; Ok::<_, ::std::convert::Infallible>(()) })
        };
        let reader = self.above(class, slf, &Class::has_rows);
        let clear = reader.map(|reader| quote!(#reader.get().rows.clear(#py);));
        let called = self.called(class, slf, &quote!(call(#py, move |#object| #call)));
        quote! {
            #attributes
            fn #ident<'py>(
                #slf: &Bound<'py, Self>,
                #py: Python<'py>,
                #(#parameters),*
            ) -> PyResult<Bound<'py, Self>> {
                #prepare
                #clear
                #called?;
                Ok(#slf.clone())
            }
        }
    }

    fn call(&mut self, class: &Class, member: &Member) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let call = self.blocking_call(class, member, &signature);
        let Signature {
            parameters,
            prepare,
            names,
            ..
        } = signature;
        let (ident, py, slf) = (rust_ident(&member.ident), &names.py, &names.slf);
        let Handed { returns, conversion } = self.handed(member.source.returns.ok.as_ref(), Some(&class.path));
        let (receiver, called) = self.received(class, slf, &quote!(#call #conversion));
        quote! {
            #attributes
            fn #ident(#receiver, #py: Python<'_>, #(#parameters),*) -> PyResult<#returns> {
                #prepare
                #called
            }
        }
    }

    /// The object itself, or that of a class above it, for the first of them which is so.
    fn above(&self, class: &Class, slf: &Ident, is_wanted: &dyn Fn(&Class) -> bool) -> Option<TokenStream> {
        let lineage = self.package.lineage(class);
        let steps = lineage.into_iter().position(is_wanted)?;
        let up = std::iter::repeat_n(quote!(.as_super()), steps);
        Some(quote!(#slf #(#up)*))
    }

    /// A call on the blocking object. The properties that are snapshots may be those of a class above.
    fn called(&self, class: &Class, slf: &Ident, call: &TokenStream) -> TokenStream {
        let call = quote!(#slf.get().object.#call);
        let has_snapshots = |class: &Class| class.snapshots().next().is_some();
        match self.above(class, slf, &has_snapshots) {
            Some(above) if !has_snapshots(class) => quote!({
                let outcome = #call;
                #above.get().object.reread(#slf.py());
                outcome
            }),
            _ => call,
        }
    }

    /// The receiver of a method and a call by it, where it needs the Python object for nothing else.
    fn received(&self, class: &Class, slf: &Ident, call: &TokenStream) -> (TokenStream, TokenStream) {
        let is_one_of_several = class.base.is_some();
        if is_one_of_several {
            (quote!(#slf: &Bound<'_, Self>), self.called(class, slf, call))
        } else {
            (quote!(&self), quote!(self.object.#call))
        }
    }

    /// `call(py, move |object| object.method(…))`.
    fn blocking_call(&self, _class: &Class, member: &Member, signature: &Signature) -> TokenStream {
        let (ident, arguments) = (rust_ident(&member.ident), &signature.arguments);
        let (py, object) = (&signature.names.py, &signature.names.object);
        let call = types::fallible(member.fallible, quote!(#object.#ident(#(#arguments),*)));
        quote!(call(#py, move |#object| #call))
    }

    fn direct(&mut self, class: &Class, member: &Member, when_closed: bool) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let Signature {
            parameters,
            prepare,
            arguments,
            names,
            ..
        } = signature;
        let (ident, py, object) = (rust_ident(&member.ident), &names.py, &names.object);
        let Handed { returns, conversion } = self.handed(member.source.returns.ok.as_ref(), Some(&class.path));
        let call = types::fallible(member.fallible, quote!(#object.#ident(#(#arguments),*)));
        let how = if when_closed {
            quote!(direct_when_closed)
        } else {
            quote!(direct)
        };
        // Only a default that is converted needs the interpreter.
        let py = (!prepare.is_empty()).then(|| quote!(#py: Python<'_>,));
        quote! {
            #attributes
            fn #ident(&self, #py #(#parameters),*) -> PyResult<#returns> {
                #prepare
                self.object.#how(|#object| #call) #conversion
            }
        }
    }

    fn live_property(&mut self, class: &Class, member: &Member) -> TokenStream {
        let (docs, name, ident) = (
            doc_of(&member.docs),
            rust_ident(&member.name),
            rust_ident(&member.ident),
        );
        let Handed { returns, conversion } = self.handed(member.source.returns.ok.as_ref(), Some(&class.path));
        let call = types::fallible(member.fallible, quote!(object.#ident()));
        quote! {
            #docs
            #[getter(#name)]
            fn #ident(&self) -> PyResult<#returns> {
                self.object.direct(|object| #call) #conversion
            }
        }
    }

    fn snapshot_property(&self, class: &Class, member: &Member) -> TokenStream {
        let (docs, name, ident) = (
            doc_of(&member.docs),
            rust_ident(&member.name),
            rust_ident(&member.ident),
        );
        let returns = self.result_type(member.source.returns.ok.as_ref(), Some(&class.path));
        let value = snapshot_value(member);
        quote! {
            #docs
            #[getter(#name)]
            fn #ident(&self, py: Python<'_>) -> PyResult<#returns> {
                let latest = self.object.latest(py)?;
                Ok(#value)
            }
        }
    }

    /// The setter, and the static method that checks a value without setting it.
    fn setter(&mut self, class: &Class, member: &Member, property: &str, check: Option<&str>) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let call = self.blocking_call(class, member, &signature);
        let Signature { parameters, names, .. } = signature;
        let (name, ident, py) = (rust_ident(property), rust_ident(&member.ident), &names.py);
        let (receiver, called) = self.received(class, &names.slf, &call);
        let Some(parameter) = member.parameters.first() else {
            return TokenStream::new();
        };
        let (value, ty) = (rust_ident(&parameter.name), self.parameter_type(&parameter.rust_type));
        let ty = self.qualified(&ty, None);
        let check_name = format!("_check_{property}");
        let (check_ident, check_text) = (format_ident!("_check_{property}"), format!("({})", parameter.name));
        let check_docs = format!(
            " Raises what setting `{property}` to that value would raise; gives the value as it would be read."
        );
        let checked = check.map(|check| {
            let (path, check) = (path(&class.path), rust_ident(check));
            // A check may give the value in its normal form.
            quote! {
                let #value = ::async_proxy::check(#value, |value| #path::#check(value))
                    .map_err(python::IntoException::<NativeModule>::into_exception)?;
            }
        });
        quote! {
            #[setter(#name)]
            fn #ident(#receiver, #py: Python<'_>, #(#parameters),*) -> PyResult<()> {
                #called
            }

            #[doc = #check_docs]
            #[pyo3(name = #check_name, text_signature = #check_text)]
            #[staticmethod]
            fn #check_ident(#(#parameters),*) -> PyResult<#ty> {
                #checked
                Ok(#value)
            }
        }
    }

    fn rows(&mut self, class: &Class, member: &Member, role: RowsRole) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let call = self.blocking_call(class, member, &signature);
        let Signature {
            mut parameters,
            prepare,
            names,
            ..
        } = signature;
        let (ident, py, slf) = (rust_ident(&member.ident), &names.py, &names.slf);
        let fetch = quote!(|| this.object.#call);
        let read = match role {
            // Iteration is a protocol of its own in Python.
            RowsRole::Iterate => return TokenStream::new(),
            RowsRole::One => {
                return quote! {
                    #attributes
                    fn #ident<'py>(#slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
                        next_row(#slf)
                    }
                };
            }
            RowsRole::Many => {
                if let (true, Some(declared), Some(size)) = (
                    self.package.dbapi,
                    parameters.first_mut(),
                    member
                        .parameters
                        .first()
                        .filter(|size| types::counts_optionally(&size.rust_type)),
                ) {
                    let ident = rust_ident(&size.name);
                    *declared = quote!(#[pyo3(from_py_with = python::dbapi::size)] #ident: Option<usize>);
                }
                let size = member.parameters.first().map(|parameter| {
                    let ty = self.parameter_type(&parameter.rust_type);
                    types::size(&ty, &rust_ident(&parameter.name))
                });
                let size = size.unwrap_or_else(|| quote!(1));
                quote!(many(#py, #size, #fetch))
            }
            RowsRole::All => quote!(all(#py, #fetch)),
        };
        quote! {
            #attributes
            fn #ident<'py>(
                #slf: &Bound<'py, Self>,
                #py: Python<'py>,
                #(#parameters),*
            ) -> PyResult<Bound<'py, ::pyo3::types::PyList>> {
                #prepare
                let this = #slf.get();
                let chunk = this.rows.#read?;
                this.rows.list(#py, chunk, converting(#slf))
            }
        }
    }

    fn close(&mut self, class: &Class, member: &Member) -> TokenStream {
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        let attributes = Self::attributes(member, &signature, "$self");
        let Signature {
            parameters,
            prepare,
            arguments,
            names,
            ..
        } = signature;
        let (ident, py) = (rust_ident(&member.ident), &names.py);
        let call = close_call(member, &quote!(self.object), &quote!(#py), &arguments);
        let clear = class.has_rows().then(|| quote!(self.rows.clear(#py);));
        quote! {
            #attributes
            fn #ident(&self, #py: Python<'_>, #(#parameters),*) -> PyResult<()> {
                #prepare
                #clear
                #call
            }
        }
    }
}

/// What fails to compile where a method is missing that is written by hand.
fn by_hand(class: &Class) -> Option<TokenStream> {
    let ident = format_ident!("{}", class.ident);
    let methods: Vec<Ident> = class
        .members
        .iter()
        .filter(|member| member.by_hand)
        .map(|member| rust_ident(&member.ident))
        .collect();
    (!methods.is_empty()).then(|| {
        quote! {
            // These are written by hand, in a block of their own.
            const _: () = {
                #(let _ = #ident::#methods;)*
            };
        }
    })
}

/// The object that handed this one out: the very object.
fn parent(class: &Class, member: &Member) -> TokenStream {
    let parent = match class.own_role {
        Role::Cursor => quote!(self.parent.get()),
        _ => quote!(self.parent.as_ref()),
    };
    let (docs, name, ident) = (
        doc_of(&member.docs),
        rust_ident(&member.name),
        rust_ident(&member.ident),
    );
    quote! {
        #docs
        #[getter(#name)]
        fn #ident(&self, py: Python<'_>) -> Option<Py<PyAny>> {
            #parent.map(|parent| parent.clone_ref(py))
        }
    }
}
