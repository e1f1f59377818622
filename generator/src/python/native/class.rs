//! A proxied class: the struct behind it, how it is made, and what is not a member of the API.

use async_proxy_syntax::model::{Receiver, RowsRole};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::calls::has_companion;
use super::{Glue, dbapi, doc_of, module_ident, path, rust_ident, types};
use crate::python::model::{Class, Function, Kind, Member, Package, Role};

/// Whether a class keeps the Python object that handed its own out; a class that extends another leaves that to it.
pub(super) fn keeps_parent(package: &Package, class: &Class) -> bool {
    let refers = class.own_role == Role::Cursor
        || class
            .members
            .iter()
            .any(|member| matches!(member.kind, Kind::Parent { .. }));
    let extends = |other: &&Class| package.lineage(other).iter().any(|base| base.name == class.name);
    let mut derived = package.classes.iter().filter(extends);
    refers && derived.any(|class| !class.parents.is_empty())
}

/// Whether the Python object refers to the one that handed it out.
fn has_parent(package: &Package, class: &Class) -> bool {
    let lineage = package.lineage(class);
    lineage.into_iter().any(|class| keeps_parent(package, class))
}

/// A call of the function that makes a Python object of a blocking one. `parent` is the Python object that hands it out.
pub(super) fn wrap_call(
    package: &Package,
    class: &Class,
    wrap: TokenStream,
    py: &Ident,
    object: &TokenStream,
    parent: Option<TokenStream>,
) -> TokenStream {
    if !has_parent(package, class) {
        return quote!(#wrap(#py, #object));
    }
    match parent {
        Some(parent) => quote!(#wrap(#py, #object, Some(#parent))),
        None => quote!(#wrap(#py, #object, None)),
    }
}

impl Glue<'_> {
    pub(super) fn class(&mut self, class: &Class) -> TokenStream {
        let docs = format!(" The class `{}`.", class.name);
        let structure = self.structure(class);
        let wrapper = self.wrapper(class);
        let making = self.making(class);
        let reading = self.reading(class);
        let members = self.members(class);
        let calls = self.calls(class);
        quote! {
            #![doc = #docs]

            use ::async_proxy::python;
            use ::pyo3::prelude::*;

            use super::exceptions::NativeModule;

            #structure
            #wrapper
            #making
            #reading
            #members
            #calls
        }
    }

    fn structure(&self, class: &Class) -> TokenStream {
        let (ident, name, module) = (
            format_ident!("{}", class.ident),
            &class.name,
            self.module_of(&class.module),
        );
        let docs = doc_of(&class.docs);
        let cell = if class.shared { quote!(Shared) } else { quote!(Owned) };
        let extends = class
            .base
            .as_ref()
            .and_then(|base| self.package.class(base))
            .map(|base| {
                let (file, base) = (module_ident(&base.ident), format_ident!("{}", base.ident));
                quote!(, extends = super::#file::#base)
            });
        // A class that extends another gets its `__class_getitem__`, and its place for weak references, from there.
        let generic = (class.generic && class.base.is_none()).then(|| quote!(, generic));
        let weak = class.base.is_none().then(|| quote!(, weakref));
        let parent = keeps_parent(self.package, class).then(|| match class.own_role {
            // `__init__` may set it.
            Role::Cursor => quote!(parent: ::std::sync::OnceLock<Py<PyAny>>,),
            _ => quote!(parent: Option<Py<PyAny>>,),
        });
        let rows = self.row_type(class).map(|row| quote!(rows: python::Rows<#row>,));
        let visible_rows = (rows.is_some() && self.is_base(class)).then(|| quote!(pub(super)));
        let factories = dbapi::fields(class, self.row_type(class).as_ref());
        let is_base = self.is_base(class);
        // The cursors of a connection are made by it, and belong to its thread. A call that makes an object fills its place.
        let is_made = has_companion(class) && !class.parents.is_empty();
        let is_shown = is_base || is_made || class.own_role == Role::Connection;
        let visible = match class.is_by_hand() {
            true => Some(quote!(pub(crate))),
            false => is_shown.then(|| quote!(pub(super))),
        };
        let struct_visible = visibility(class.is_by_hand());
        quote! {
            #docs
            #[pyclass(name = #name, module = #module, frozen, subclass #weak #generic #extends)]
            #struct_visible struct #ident {
                #visible object: python::#cell<Self>,
                #parent
                #visible_rows #rows
                #factories
            }
        }
    }

    /// Whether another class extends it.
    fn is_base(&self, class: &Class) -> bool {
        let mut classes = self.package.classes.iter();
        classes.any(|other| other.base.as_ref() == Some(&class.name))
    }

    /// The type of the class's rows, as the glue writes it.
    pub(super) fn row_type(&self, class: &Class) -> Option<syn::Type> {
        let one = class.rows(RowsRole::One)?;
        let ok = one.source.returns.ok.as_ref()?;
        let row = types::in_option(ok).unwrap_or(ok);
        Some(self.qualified(row, Some(&class.path)))
    }

    /// What the runtime has to know of the class.
    fn wrapper(&self, class: &Class) -> TokenStream {
        let (ident, name, path) = (format_ident!("{}", class.ident), &class.name, path(&class.path));
        let snapshots: Vec<&Member> = class.snapshots().collect();
        let (snapshot, structure, object, reading) = if snapshots.is_empty() {
            (quote!(()), None, quote!(_object), quote!())
        } else {
            let snapshot = format_ident!("{}Snapshot", class.ident);
            let visible = visibility(class.is_by_hand());
            let docs = format!(
                " The snapshot properties of `{}`, as the latest call left them.",
                class.name
            );
            let fields: Vec<Ident> = snapshots.iter().map(|member| rust_ident(&member.ident)).collect();
            let types = snapshots
                .iter()
                .map(|member| self.result_type(member.source.returns.ok.as_ref(), Some(&class.path)));
            let structure = quote! {
                #[doc = #docs]
                #visible struct #snapshot {
                    #(#fields: #types,)*
                }
            };
            let reading = quote!(#snapshot { #(#fields: object.#fields()),* });
            (quote!(#snapshot), Some(structure), quote!(object), reading)
        };
        quote! {
            #structure

            impl python::Wrapper for #ident {
                type Object = #path;
                type Snapshot = #snapshot;
                type Module = NativeModule;

                const NAME: &'static str = #name;

                fn snapshot(#object: &Self::Object) -> Self::Snapshot {
                    #reading
                }
            }
        }
    }

    /// Whether anything but its own `__init__` makes objects of the class.
    fn is_handed_out(&self, class: &Class) -> bool {
        let package = self.package;
        let opens = |function: &&Function| function.opens.as_ref() == Some(&class.name);
        !class.parents.is_empty()
            || class.members.iter().any(|member| member.kind == Kind::Open)
            || self.free_functions().any(|function| opens(&function))
            || package.constructor(class).is_none()
    }

    /// The functions by which the other files make an object of the class, or of one that extends it.
    fn making(&self, class: &Class) -> Option<TokenStream> {
        let (package, is_base, is_handed_out) = (self.package, self.is_base(class), self.is_handed_out(class));
        if !is_base && !is_handed_out {
            return None;
        }
        let (ident, object) = (format_ident!("{}", class.ident), path(&class.path));
        let parameter = has_parent(package, class).then(|| quote!(, parent: Option<&Bound<'_, PyAny>>));
        let own_parent = keeps_parent(package, class);
        let initial_parameter = own_parent.then(|| quote!(, parent: Option<&Bound<'_, PyAny>>));
        let initial_parent = own_parent.then(|| quote!(, parent));
        let initial = self.initial(class, initial_parameter.as_ref());
        let base = class.base.as_ref().and_then(|base| package.class(base));
        // An object of the class lends that of its base, which is a handle: both refer to one thing.
        let layers = base.map(|base| {
            let base_file = module_ident(&base.ident);
            let base_parent = has_parent(package, base).then(|| quote!(, parent));
            quote! {
                let lent = ::core::clone::Clone::clone(::core::ops::Deref::deref(&object));
                let (base, closed) = super::#base_file::layers(py, lent #base_parent);
                let mut own = initial(py, object #initial_parent);
                own.object = own.object.closed_with(&closed);
            }
        });
        let for_derived = is_base.then(|| {
            let body = if layers.is_some() {
                quote!(#layers (base.add_subclass(own), closed))
            } else {
                quote! {
                    let own = initial(py, object #initial_parent);
                    let closed = own.object.closed();
                    (own.into(), closed)
                }
            };
            quote! {
                #[doc = " What lies behind a new Python object of a class that extends this one, and what says that it is closed."]
                pub(super) fn layers(
                    py: Python<'_>,
                    object: #object
                    #parameter
                ) -> (PyClassInitializer<#ident>, python::Closed) {
                    #body
                }
            }
        });
        let wrap = is_handed_out.then(|| {
            let made = if layers.is_some() {
                quote!(#layers Bound::new(py, base.add_subclass(own)))
            } else {
                quote!(Bound::new(py, initial(py, object #initial_parent)))
            };
            quote! {
                #[doc = " A Python object for a blocking one."]
                pub(super) fn wrap<'py>(py: Python<'py>, object: #object #parameter) -> PyResult<Bound<'py, #ident>> {
                    #made
                }
            }
        });
        Some(quote! {
            #initial
            #for_derived
            #wrap
        })
    }

    /// The function that puts a blocking object into what the class itself keeps.
    fn initial(&self, class: &Class, parameter: Option<&TokenStream>) -> TokenStream {
        let (ident, object) = (format_ident!("{}", class.ident), path(&class.path));
        let cell = if class.shared { quote!(Shared) } else { quote!(Owned) };
        let field = parameter.is_some().then(|| match class.own_role {
            Role::Cursor => quote! {
                parent: parent.map(|parent| parent.clone().unbind().into()).unwrap_or_default(),
            },
            _ => quote!(parent: parent.map(|parent| parent.clone().unbind()),),
        });
        let rows = class.has_rows().then(|| quote!(rows: python::Rows::default(),));
        let factories = dbapi::initial_fields(class, self.package);
        let py = if factories.needs_interpreter {
            quote!(py)
        } else {
            quote!(_py)
        };
        let (connection, confined, factory_fields) = (factories.prepare, factories.confined, factories.fields);
        let structure = |object: TokenStream| {
            quote! {
                #connection
                #ident {
                    object: #object,
                    #field
                    #rows
                    #factory_fields
                }
            }
        };
        let opened = structure(quote!(python::#cell::new(object) #confined));
        let unopened = (has_companion(class) && !class.parents.is_empty()).then(|| {
            // A worker's objects belong to no thread but its own.
            let empty = structure(quote!(python::#cell::unopened()));
            quote! {
                #[doc = " What lies behind a Python object whose blocking one is yet to be made."]
                fn unopened(#py: Python<'_> #parameter) -> #ident {
                    #empty
                }
            }
        });
        quote! {
            #[doc = " What lies behind a new Python object."]
            fn initial(#py: Python<'_>, object: #object #parameter) -> #ident {
                #opened
            }

            #unopened
        }
    }

    /// The functions by which the readers of a result set share what they do.
    fn reading(&self, class: &Class) -> Option<TokenStream> {
        let one = class.rows(RowsRole::One)?;
        let (ident, row) = (format_ident!("{}", class.ident), self.row_type(class)?);
        let method = rust_ident(&one.ident);
        let fetch = types::fallible(one.fallible, quote!(object.#method()));
        let converting = dbapi::converting(class, &row);
        Some(quote! {
            #[doc = " The next row."]
            fn next_row<'py>(reader: &Bound<'py, #ident>) -> PyResult<Option<Bound<'py, PyAny>>> {
                let (this, py) = (reader.get(), reader.py());
                let row = this.rows.one(py, || this.object.call(py, |object| #fetch))?;
                row.map(converting(reader)).transpose()
            }

            #converting
        })
    }

    /// Members that the protocols of Python want, and those that the asyncio driver calls.
    pub(super) fn protocols(&self, class: &Class) -> TokenStream {
        let mut protocols = TokenStream::new();
        protocols.extend(self.context_manager(class));
        protocols.extend(self.iteration(class));
        protocols.extend(snapshot_tuple(class));
        protocols.extend(garbage_collection(self.package, class));
        protocols
    }

    fn context_manager(&self, class: &Class) -> Option<TokenStream> {
        let end = match class.own_role {
            Role::Connection => dbapi::leaving(class),
            _ => {
                let close = close_call(class.close()?, &quote!(self.object), &quote!(py), &[]);
                quote!(#close?; Ok(false))
            }
        };
        let kind = if class.own_role == Role::Connection {
            quote!(exc_type)
        } else {
            quote!(_exc_type)
        };
        Some(quote! {
            fn __enter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
                slf.clone()
            }

            #[pyo3(signature = (exc_type, exc_value, traceback, /))]
            fn __exit__(
                &self,
                py: Python<'_>,
                exc_type: Option<&Bound<'_, PyAny>>,
                exc_value: Option<&Bound<'_, PyAny>>,
                traceback: Option<&Bound<'_, PyAny>>,
            ) -> PyResult<bool> {
                let (#kind, _, _) = (exc_type, exc_value, traceback);
                #end
            }
        })
    }

    fn iteration(&self, class: &Class) -> Option<TokenStream> {
        let one = class.rows(RowsRole::One)?;
        let method = rust_ident(&one.ident);
        let fetch = types::fallible(one.fallible, quote!(object.#method()));
        let weight = dbapi::weight(class);
        Some(quote! {
            fn __iter__<'py>(slf: &Bound<'py, Self>) -> Bound<'py, Self> {
                slf.clone()
            }

            fn __next__<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
                next_row(slf)
            }

            #[doc = " How many result sets have begun: for the asyncio driver, which drops what it has read of the one before."]
            #[getter]
            fn _begun(&self, py: Python<'_>) -> u64 {
                self.rows.begun(py)
            }

            #[doc = " Reads the next rows for the asyncio driver, at most `limit`: the rows, whether there are none behind"]
            #[doc = " them, and the exception that is raised behind them. `asked` of them are for a call that began `elapsed`"]
            #[doc = " seconds ago."]
            #[pyo3(signature = (limit, asked = 0, elapsed = 0.0), text_signature = "($self, limit, asked=0, elapsed=0.0)")]
            fn _read_rows<'py>(
                slf: &Bound<'py, Self>,
                py: Python<'py>,
                limit: usize,
                asked: usize,
                elapsed: f64,
            ) -> PyResult<python::ReadRows<'py>> {
                let this = slf.get();
                let read = |limit| this.object.read(py, limit, |object| #fetch, #weight);
                let chunk = this.rows.chunk(py, python::limit_of(limit, asked, elapsed)?, read)?;
                this.rows.read(py, chunk, converting(slf))
            }
        })
    }
}

/// How far what a class is made of is seen: by the whole crate, if some of it is written by hand there.
pub(super) fn visibility(is_by_hand: bool) -> TokenStream {
    if is_by_hand {
        quote!(pub(crate))
    } else {
        quote!(pub(super))
    }
}

/// A call of the member that ends the object.
pub(super) fn close_call(
    close: &Member,
    cell: &TokenStream,
    py: &TokenStream,
    arguments: &[TokenStream],
) -> TokenStream {
    let method = rust_ident(&close.ident);
    let ending = if close.source.receiver == Receiver::Owned {
        quote!(close_by_value)
    } else {
        quote!(close)
    };
    let call = types::fallible(close.fallible, quote!(object.#method(#(#arguments),*)));
    let unit = close
        .source
        .returns
        .ok
        .as_ref()
        .is_none_or(|ok| matches!(ok, syn::Type::Tuple(of) if of.elems.is_empty()));
    let call = if unit { call } else { quote!(#call.map(|_| ())) };
    quote!(#cell.#ending(#py, move |object| #call))
}

fn snapshot_tuple(class: &Class) -> Option<TokenStream> {
    let mut properties = class.snapshots().peekable();
    properties.peek()?;
    let values = properties.map(|property| {
        let value = snapshot_value(property);
        quote!(::pyo3::IntoPyObjectExt::into_bound_py_any(#value, py)?)
    });
    Some(quote! {
        #[doc = " The snapshot properties, in their order, for the asyncio driver."]
        fn _snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, ::pyo3::types::PyTuple>> {
            let latest = self.object.latest(py)?;
            ::pyo3::types::PyTuple::new(py, [#(#values),*])
        }
    })
}

/// An expression for the value that a snapshot property had last; `latest` is the snapshot.
pub(super) fn snapshot_value(property: &Member) -> TokenStream {
    let field = rust_ident(&property.ident);
    let copied = property.source.returns.ty.as_ref().is_some_and(types::is_copied);
    if copied {
        quote!(latest.#field)
    } else {
        quote!(latest.#field.clone())
    }
}

/// What refers to other Python objects shows them to the garbage collector.
fn garbage_collection(package: &Package, class: &Class) -> Option<TokenStream> {
    let parent = keeps_parent(package, class).then(|| match class.own_role {
        Role::Cursor => quote!(visit.call(self.parent.get())?;),
        _ => quote!(visit.call(&self.parent)?;),
    });
    let slots = dbapi::own_slots(class);
    if parent.is_none() && slots.is_empty() {
        return None;
    }
    let clear = (!slots.is_empty()).then(|| quote!(fn __clear__(&self) { #(self.#slots.clear();)* }));
    Some(quote! {
        fn __traverse__(&self, visit: ::pyo3::PyVisit<'_>) -> Result<(), ::pyo3::PyTraverseError> {
            #parent
            #(self.#slots.traverse(&visit)?;)*
            Ok(())
        }

        #clear
    })
}
