//! The companions of the classes: what makes objects of calls for the native queue (`async_proxy::python::Calls`).

use async_proxy_syntax::model::{Receiver, RowsRole};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::arguments::Signature;
use super::class::keeps_parent;
use super::companion::own_members;
use super::{Glue, dbapi, module_ident, rust_ident, types};
use crate::python::dbapi::FACTORY;
use crate::python::model::{Class, Kind, Member, Role};

/// The name of a class's companion.
pub(super) fn companion(class: &Class) -> Ident {
    format_ident!("{}Calls", class.ident)
}

/// Whether calls on the class's objects can be made for the native queue. One that extends another is two objects in one.
pub(super) fn has_companion(class: &Class) -> bool {
    class.base.is_none()
}

impl Glue<'_> {
    /// The companion: its structure, what the runtime has to know of it, and its methods.
    pub(super) fn calls(&mut self, class: &Class) -> Option<TokenStream> {
        if !has_companion(class) {
            return None;
        }
        let (ident, calls) = (format_ident!("{}", class.ident), companion(class));
        let name = format!("_{calls}");
        let docs = format!(" Makes objects of calls on a `{}`, for the native queue.", class.name);
        let is_child = !class.parents.is_empty();
        let row = self.row_type(class);
        let making = is_child.then(|| quote!(making: python::Making,));
        let ahead = row
            .as_ref()
            .map(|_| quote!(ahead: python::Ahead<<#ident as python::Reads>::Row>,));
        let initial_making = is_child.then(|| quote!(making: python::Making::default(),));
        let initial_ahead = row.as_ref().map(|_| quote!(ahead: python::Ahead::default(),));
        let traits = self.traits(class, row.as_ref());
        let members: Vec<TokenStream> = class
            .members
            .iter()
            .filter_map(|member| self.call_object(class, member))
            .collect();
        let traverse_making = is_child.then(|| quote!(self.making.traverse(&visit)?;));
        let clear_making = is_child.then(|| quote!(self.making.clear();));
        let traverse_ahead = row.is_some().then(|| quote!(self.ahead.traverse(&visit)?;));
        let clear_ahead = row.is_some().then(|| quote!(self.ahead.clear();));
        let own = own_members(class);
        let root = (!is_child).then(|| {
            quote! {
                #[doc = " That of an object; `None` for an object of a derived class, whose members may be others."]
                pub(super) fn of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, Self>>> {
                    let Ok(target) = object.cast_exact::<#ident>() else {
                        return Ok(None);
                    };
                    Bound::new(object.py(), Self { target: target.clone().unbind(), #initial_ahead }).map(Some)
                }
            }
        });
        let child = is_child.then(|| {
            let parent = keeps_parent(self.package, class).then(|| quote!(, Some(parent)));
            let unused = (!keeps_parent(self.package, class)).then(|| quote!(let _ = parent;));
            quote! {
                #[doc = " That of an object which is yet to be made."]
                pub(super) fn unopened(py: Python<'_>, parent: &Bound<'_, PyAny>) -> PyResult<Py<Self>> {
                    #unused
                    let target = Py::new(py, unopened(py #parent))?;
                    Py::new(py, Self { target, #initial_making #initial_ahead })
                }
            }
        });
        Some(quote! {
            #[doc = #docs]
            #[pyclass(name = #name, frozen)]
            pub(super) struct #calls {
                target: Py<#ident>,
                #making
                #ahead
            }

            impl #calls {
                #root
                #child
            }

            #traits

            #[pymethods]
            impl #calls {
                #(#members)*
                #own

                fn __traverse__(&self, visit: ::pyo3::PyVisit<'_>) -> Result<(), ::pyo3::PyTraverseError> {
                    visit.call(&self.target)?;
                    #traverse_making
                    #traverse_ahead
                    Ok(())
                }

                fn __clear__(&self) {
                    #clear_making
                    #clear_ahead
                }
            }
        })
    }

    fn traits(&self, class: &Class, row: Option<&syn::Type>) -> TokenStream {
        let (ident, calls) = (format_ident!("{}", class.ident), companion(class));
        let making = (!class.parents.is_empty()).then(|| {
            quote! {
                fn making(&self) -> Option<&python::Making> {
                    Some(&self.making)
                }
            }
        });
        let rows = row.map(|_| {
            quote! {
                fn ask(&self, py: Python<'_>) -> u64 {
                    self.ahead.ask(py)
                }

                fn answer(&self, number: u64) {
                    self.ahead.answer(number);
                }

                fn drop_rows(&self) -> Box<dyn Send> {
                    self.ahead.drop_result_set()
                }

                fn begin_rows(&self) {
                    self.ahead.begin(&self.target);
                }

                fn begin_whole_rows(&self) {
                    self.ahead.begin_whole(&self.target);
                }

                fn rows_ahead(&self, py: Python<'_>) -> usize {
                    self.ahead.chunk_size(py)
                }
            }
        });
        let reading = self.reads(class, row);
        quote! {
            impl python::Calls for #calls {
                type Target = #ident;

                fn target(&self) -> &Py<#ident> {
                    &self.target
                }

                #making
                #rows
            }

            #reading
        }
    }

    fn reads(&self, class: &Class, row: Option<&syn::Type>) -> Option<TokenStream> {
        let (ident, calls) = (format_ident!("{}", class.ident), companion(class));
        let (row, one) = (row?, class.rows(RowsRole::One)?);
        let method = rust_ident(&one.ident);
        let fetch = types::fallible(one.fallible, quote!(object.#method()));
        let (row, read) = if dbapi::is_gathered(class) {
            (
                quote!(python::dbapi::RowOf<<Self as python::Wrapper>::Object>),
                quote!(run_gather(limit)),
            )
        } else {
            let weight = dbapi::weight(class);
            (quote!(#row), quote!(run_read(limit, |object| #fetch, #weight)))
        };
        let calls_python = if class.role == Role::Cursor {
            quote! {
                self.row_factory.calls_python()
                    || self.text_factory.get().is_some_and(|factory| factory.calls_python())
            }
        } else {
            quote!(false)
        };
        Some(quote! {
            impl python::Reads for #ident {
                type Row = #row;

                fn is_open(&self) -> bool {
                    self.object.is_opened()
                }

                fn read(&self, limit: python::Limit) -> PyResult<python::Chunk<Self::Row, PyErr>> {
                    self.object.#read.raise_read::<Self>()
                }

                fn calls_python(&self) -> bool {
                    #calls_python
                }

                fn converter<'py>(reader: &Bound<'py, Self>) -> impl Fn(Self::Row) -> PyResult<Bound<'py, PyAny>> {
                    converting(reader)
                }
            }

            impl python::ReaderCalls for #calls {
                fn ahead(&self) -> &python::Ahead<<#ident as python::Reads>::Row> {
                    &self.ahead
                }
            }
        })
    }

    /// A method that makes the object of a call on one member; `None` for a member that is not queued, or otherwise.
    fn call_object(&mut self, class: &Class, member: &Member) -> Option<TokenStream> {
        if member.by_hand {
            // The glue does not know its arguments: the call is queued as what Python calls.
            return None;
        }
        if member.lane.is_some() {
            return None;
        }
        let child = match &member.kind {
            Kind::Child { class: child } => {
                let child = self.package.class(child).filter(|child| has_companion(child))?;
                Some(child)
            }
            Kind::Call | Kind::SelfReturn => None,
            // A root is closed by its worker.
            Kind::Close if !class.parents.is_empty() => None,
            _ => return None,
        };
        self.records = true;
        let signature = self.signature(&member.name, &member.parameters, &member.arguments);
        self.records = false;
        let ident = rust_ident(&member.ident);
        // No member of its own is called so.
        let recording = format_ident!("record_{}", member.ident);
        let Signature {
            parameters,
            attribute,
            prepare,
            arguments,
            names,
            ..
        } = &signature;
        let (name, py, slf, object) = (&member.name, &names.py, &names.slf, &names.object);
        let (target, place, rows) = (&names.target, &names.place, &names.rows);
        // What the call owns: the closures of its two ways to run get it from there.
        let owned: Vec<Ident> = member
            .parameters
            .iter()
            .map(|parameter| rust_ident(&parameter.name))
            .collect();
        let owned = quote!((#(#owned,)*));
        let attempt = member.source.python.attempt.as_ref().map(|attempt| {
            let given = member.parameters.iter().map(|parameter| rust_ident(&parameter.name));
            quote!(#object.#attempt(#(#given,)* #rows))
        });
        let call = quote!(#object.#ident(#(#arguments),*));
        let is_unit = member
            .source
            .returns
            .ok
            .as_ref()
            .is_none_or(|ok| matches!(ok, syn::Type::Tuple(of) if of.elems.is_empty()));
        let made = match (&member.kind, child) {
            (_, Some(child)) => {
                let (file, companion) = (module_ident(&child.ident), companion(child));
                let call = types::fallible(member.fallible, call);
                // The connection's may have been set since the call was queued.
                let factory =
                    (child.role == Role::Cursor && class.role == Role::Connection && keeps_parent(self.package, child))
                        .then(|| quote!(#place.row_factory.follow(&#target.row_factory);));
                let made = quote! {
                    #target.object.run(move |#object| #call).then(|made| {
                        #factory
                        #place.object.made(made);
                    })
                };
                let attempt = attempt.map(|attempt| {
                    quote! {
                        {
                            #factory
                            // Python code is for the worker to run.
                            if python::Reads::calls_python(#place) {
                                return false;
                            }
                            let made = #target.object.attempt(|#object| #attempt);
                            made.map(|made| #place.object.made(made)).is_some()
                        }
                    }
                });
                let calls = quote! {
                    super::#file::#companion::unopened(#py, #slf.get().target.bind(#py).as_any())?
                };
                match attempt {
                    Some(attempt) => quote! {
                        python::call_for_child_tried(
                            #slf,
                            #calls,
                            #owned,
                            |#target, #place, #owned, #rows| #attempt,
                            |#target, #place, #owned| #made,
                        )
                    },
                    None => quote!(python::call_for_child(#slf, #calls, move |#target, #place| #made)),
                }
            }
            (Kind::SelfReturn, _) => {
                let call = if member.fallible {
                    quote!(#call.map(|_| ()))
                } else {
                    quote!({ #call; Ok::<_, ::std::convert::Infallible>(()) })
                };
                let how = if class.has_rows() {
                    quote!(call_for_rows)
                } else {
                    quote!(call_unit)
                };
                match attempt {
                    Some(attempt) => quote! {
                        python::call_for_rows_tried(
                            #slf,
                            #owned,
                            |#target, #owned, #rows| {
                                // Python code is for the worker to run.
                                !python::Reads::calls_python(#target)
                                    && #target.object.attempt(|#object| #attempt.then_some(())).is_some()
                            },
                            |#target, #owned| #target.object.run(move |#object| #call),
                        )
                    },
                    None => quote!(python::#how(#slf, move |#target| #target.object.run(move |#object| #call))),
                }
            }
            (Kind::Close, _) => {
                let ending = if member.source.receiver == Receiver::Owned {
                    quote!(run_close_by_value)
                } else {
                    quote!(run_close)
                };
                let call = types::fallible(member.fallible, call);
                let call = if is_unit { call } else { quote!(#call.map(|_| ())) };
                quote!(python::call_to_close(#slf, move |#target| #target.object.#ending(move |#object| #call)))
            }
            _ => {
                let call = types::fallible(member.fallible, call);
                let how = if is_unit { quote!(call_unit) } else { quote!(call) };
                quote!(python::#how(#slf, move |#target| #target.object.run(move |#object| #call)))
            }
        };
        // What the program's factory makes is made by calling it.
        let has_factory = class.role == Role::Connection
            && child.is_some()
            && member.parameters.iter().any(|parameter| parameter.name == FACTORY);
        let factory = has_factory.then(|| {
            let factory = rust_ident(FACTORY);
            quote!(if #factory.is_some() { return Ok(None); })
        });
        Some(quote! {
            #[pyo3(name = #name, signature = (#attribute))]
            fn #recording(
                #slf: &Bound<'_, Self>,
                #py: Python<'_>,
                #(#parameters),*
            ) -> PyResult<Option<python::NativeCall>> {
                #factory
                #prepare
                let _ = #py;
                Ok(Some(#made))
            }
        })
    }

    /// The function that tells which companion an object of a root class has.
    pub(super) fn calls_of(&self) -> TokenStream {
        let roots = self
            .package
            .classes
            .iter()
            .filter(|class| class.parents.is_empty() && has_companion(class))
            .map(|class| {
                let (file, calls) = (module_ident(&class.ident), companion(class));
                quote! {
                    if let Some(calls) = #file::#calls::of(object)? {
                        return Ok(Some(calls.into_any()));
                    }
                }
            });
        quote! {
            #[doc = " What makes objects of calls on an object, for the native queue; `None` if calls on it have to be made as"]
            #[doc = " any other function is called: it is of a derived class."]
            #[pyfunction]
            fn calls_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
                #(#roots)*
                Ok(None)
            }
        }
    }
}
