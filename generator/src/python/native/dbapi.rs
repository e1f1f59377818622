//! What the profile `dbapi` adds to the glue: factories, exceptions as attributes, a `with` that commits, the class `Row`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Type;

use super::{file_of, module_ident, rust_ident, types};
use crate::python::model::{Class, Package, Role};

/// The fields behind a class that the profile adds.
pub(super) fn fields(class: &Class, row: Option<&Type>) -> Option<TokenStream> {
    match class.own_role {
        Role::Plain => None,
        Role::Connection => {
            // The cursors of a connection read its factories.
            Some(quote! {
                pub(super) row_factory: python::Slot,
                pub(super) text_factory: ::std::sync::Arc<python::Slot>,
            })
        }
        Role::Cursor => Some(quote! {
            pub(super) row_factory: python::Slot,
            text_factory: ::std::sync::OnceLock<::std::sync::Arc<python::Slot>>,
            names: python::dbapi::ColumnNames<<#row as python::dbapi::Record>::Columns>,
        }),
    }
}

/// What the fields that the profile adds begin with.
#[derive(Default)]
pub(super) struct InitialFields {
    pub(super) needs_interpreter: bool,
    pub(super) prepare: TokenStream,
    /// What confines the object to the thread of the one that hands it out.
    pub(super) confined: TokenStream,
    pub(super) fields: TokenStream,
}

pub(super) fn initial_fields(class: &Class, package: &Package) -> InitialFields {
    let connection = package.classes.iter().find(|class| class.own_role == Role::Connection);
    match (class.own_role, connection) {
        (Role::Plain, _) => InitialFields::default(),
        (Role::Cursor, Some(connection)) if super::class::keeps_parent(package, class) => {
            let (file, connection_ident) = (module_ident(&connection.ident), format_ident!("{}", connection.ident));
            InitialFields {
                needs_interpreter: true,
                prepare: quote! {
                    let connection = parent.and_then(|parent| parent.cast::<super::#file::#connection_ident>().ok());
                    let connection = connection.map(Bound::get);
                },
                confined: if connection.shared {
                    quote!(.confined(connection.and_then(|connection| connection.object.home())))
                } else {
                    TokenStream::new()
                },
                fields: quote! {
                    row_factory: connection
                        .map_or_else(python::Slot::default, |connection| python::Slot::copy_of(&connection.row_factory, py)),
                    text_factory: connection.map(|connection| connection.text_factory.clone().into()).unwrap_or_default(),
                    names: python::dbapi::ColumnNames::default(),
                },
            }
        }
        (role, _) => {
            let names = (role == Role::Cursor).then(|| quote!(names: python::dbapi::ColumnNames::default(),));
            InitialFields {
                fields: quote!(row_factory: python::Slot::default(), text_factory: ::core::default::Default::default(), #names),
                ..InitialFields::default()
            }
        }
    }
}

/// The function that gives a conversion of the class's rows to what Python gets.
pub(super) fn converting(class: &Class, row: &Type) -> TokenStream {
    let ident = format_ident!("{}", class.ident);
    let conversion = if class.own_role == Role::Cursor {
        quote! {
            let this = reader.get();
            let delivery = python::dbapi::Delivery {
                cursor: reader.as_any(),
                row_factory: this.row_factory.get(reader.py()),
                row_class: |py| py.get_type::<super::row::Row>(),
                make_row: super::row::make,
                text_factory: this
                    .text_factory
                    .get()
                    .map_or(python::dbapi::TextFactory::Str, |factory| python::dbapi::TextFactory::of(factory, reader.py())),
                names: &this.names,
            };
            move |row| delivery.convert(&row)
        }
    } else {
        quote! {
            let py = reader.py();
            move |row| ::pyo3::IntoPyObjectExt::into_bound_py_any(row, py)
        }
    };
    if is_gathered(class) {
        return quote! {
            #[doc = " What makes a Python object of a row."]
            fn converting<'py, R>(reader: &Bound<'py, #ident>) -> impl Fn(R) -> PyResult<Bound<'py, PyAny>>
            where
                R: python::dbapi::Record<Columns = <#row as python::dbapi::Record>::Columns>,
            {
                #conversion
            }
        };
    }
    quote! {
        #[doc = " What makes a Python object of a row."]
        fn converting<'py>(reader: &Bound<'py, #ident>) -> impl Fn(#row) -> PyResult<Bound<'py, PyAny>> {
            #conversion
        }
    }
}

/// Whether a worker reads the class's rows together.
pub(super) fn is_gathered(class: &Class) -> bool {
    class.own_role == Role::Cursor && !class.shared
}

/// A function that says how many bytes a row takes.
pub(super) fn weight(class: &Class) -> TokenStream {
    if class.own_role == Role::Cursor {
        quote!(python::dbapi::Record::weight)
    } else {
        quote!(size_of_val)
    }
}

/// The fields that refer to Python objects of which the class's objects are the owners. A cursor shares the connection's
/// text factory, which the garbage collector sees once, at the connection.
pub(super) fn own_slots(class: &Class) -> Vec<Ident> {
    match class.own_role {
        Role::Plain => Vec::new(),
        Role::Connection => vec![format_ident!("row_factory"), format_ident!("text_factory")],
        Role::Cursor => vec![format_ident!("row_factory")],
    }
}

/// How a blocking `with connection:` ends.
pub(super) fn leaving(class: &Class) -> TokenStream {
    let ending = |name: &str| {
        class
            .members
            .iter()
            .find(|member| member.name == name && member.parameters.is_empty())
            .map(|member| {
                let ident = rust_ident(&member.ident);
                let call = types::fallible(member.fallible, quote!(object.#ident()));
                quote!(|| self.object.call(py, |object| #call))
            })
    };
    match (ending("commit"), ending("rollback")) {
        (Some(commit), Some(rollback)) => {
            quote!(python::dbapi::leave(exc_type.is_some(), #commit, #rollback))
        }
        // Nothing to commit with.
        _ => quote! {
            let _ = (py, exc_type);
            Ok(false)
        },
    }
}

/// The attributes that the profile adds to a class.
pub(super) fn attributes(class: &Class, package: &Package) -> TokenStream {
    match class.own_role {
        Role::Plain => TokenStream::new(),
        Role::Cursor => row_factory(
            " What makes the object that is handed out for a row: `None` for a tuple, or something that is called with the\n \
             cursor and that tuple. A cursor begins with its connection's.",
        ),
        Role::Connection => {
            let row_factory = row_factory(
                " What makes the object that is handed out for a row: `None` for a tuple, or something that is called with\n \
                 the cursor and that tuple, such as `Row`. Cursors take it over when they are made.",
            );
            let exceptions = exceptions(package);
            quote! {
                #row_factory

                #[doc = " What makes the object for a text: `str` (the default), `bytes`, `bytearray`, or something that is"]
                #[doc = " called with the text's UTF-8 as `bytes`."]
                #[getter]
                fn text_factory<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
                    self.text_factory
                        .get(py)
                        .unwrap_or_else(|| py.get_type::<::pyo3::types::PyString>().into_any())
                }

                #[setter]
                fn set_text_factory(&self, factory: &Bound<'_, PyAny>) {
                    let is_known = python::dbapi::is_known_text_factory(factory);
                    self.text_factory.set_known(factory, is_known);
                }

                #exceptions
            }
        }
    }
}

fn row_factory(docs: &str) -> TokenStream {
    let docs = docs.lines().map(|line| quote!(#[doc = #line]));
    quote! {
        #(#docs)*
        #[getter]
        fn row_factory<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
            self.row_factory.get(py)
        }

        #[setter]
        fn set_row_factory(&self, factory: &Bound<'_, PyAny>) {
            let is_known = factory.is(factory.py().get_type::<super::row::Row>());
            self.row_factory.set_known(factory, is_known);
        }
    }
}

/// PEP 249, "Connection.Error": the exceptions as attributes of the connection.
fn exceptions(package: &Package) -> TokenStream {
    package
        .created_exceptions()
        .map(|exception| {
            let (name, ident) = (&exception.name, format_ident!("{}", exception.name));
            let function = format_ident!("attribute_{}", file_of(&exception.name));
            quote! {
                #[classattr]
                #[pyo3(name = #name)]
                fn #function(py: Python<'_>) -> Bound<'_, ::pyo3::types::PyType> {
                    py.get_type::<super::exceptions::#ident>()
                }
            }
        })
        .collect()
}

/// The class `Row`, as `sqlite3` has it.
pub(super) fn row_class(module: &str) -> TokenStream {
    quote! {
        #![doc = " The class `Row`: what a row is with `row_factory = Row`."]

        use ::async_proxy::python::dbapi;
        use ::pyo3::prelude::*;
        use ::pyo3::pyclass::CompareOp;
        use ::pyo3::types::{PyIterator, PyList, PyTuple};

        #[doc = " A row whose values are found by position, by slice, and by the column's name whatever its case."]
        #[doc = ""]
        #[doc = " Set it as `row_factory` of a connection or a cursor. It costs little more than a tuple."]
        #[pyclass(name = "Row", module = #module, frozen, subclass)]
        pub(super) struct Row {
            values: Py<PyTuple>,
            names: Py<PyTuple>,
        }

        #[doc = " A row of these values, for columns of these names."]
        pub(super) fn make<'py>(
            values: Bound<'py, PyTuple>,
            names: Bound<'py, PyTuple>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let py = values.py();
            let row = Row { values: values.unbind(), names: names.unbind() };
            Ok(Bound::new(py, row)?.into_any())
        }

        #[doc = " Puts the class into the module, and makes it known as a sequence."]
        pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            let py = module.py();
            module.add_class::<Row>()?;
            let sequence = py.import("collections.abc")?.getattr("Sequence")?;
            sequence.call_method1("register", (py.get_type::<Row>(),))?;
            Ok(())
        }

        #[pymethods]
        impl Row {
            #[new]
            #[pyo3(signature = (cursor, data, /), text_signature = "(cursor, data, /)")]
            fn new(cursor: &Bound<'_, PyAny>, data: &Bound<'_, PyTuple>) -> PyResult<Self> {
                let names = dbapi::names_of_description(cursor)?;
                Ok(Self { values: data.clone().unbind(), names: names.unbind() })
            }

            #[doc = " The names of the columns."]
            fn keys<'py>(&self, py: Python<'py>) -> Bound<'py, PyList> {
                self.names.bind(py).to_list()
            }

            fn __len__(&self, py: Python<'_>) -> usize {
                self.values.bind(py).len()
            }

            fn __getitem__<'py>(&self, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
                let py = key.py();
                dbapi::item_of_row(self.values.bind(py), self.names.bind(py), key)
            }

            fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
                self.values.bind(py).try_iter()
            }

            fn __reversed__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
                let values = self.values.bind(py).to_list();
                values.reverse()?;
                values.try_iter()
            }

            fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
                Ok(self.names.bind(py).hash()? ^ self.values.bind(py).hash()?)
            }

            fn __richcmp__(&self, other: &Bound<'_, PyAny>, comparison: CompareOp) -> PyResult<Py<PyAny>> {
                let py = other.py();
                let Ok(other) = other.cast::<Self>() else { return Ok(py.NotImplemented()) };
                let equal = self.names.bind(py).eq(&other.get().names)? && self.values.bind(py).eq(&other.get().values)?;
                let answer = match comparison {
                    CompareOp::Eq => equal,
                    CompareOp::Ne => !equal,
                    _ => return Ok(py.NotImplemented()),
                };
                ::pyo3::IntoPyObjectExt::into_py_any(answer, py)
            }

            fn __traverse__(&self, visit: ::pyo3::PyVisit<'_>) -> Result<(), ::pyo3::PyTraverseError> {
                visit.call(&self.values)?;
                visit.call(&self.names)
            }
        }
    }
}
