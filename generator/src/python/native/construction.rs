//! How the classes of the profile `dbapi` are called: `Connection(database, …)` and `Cursor(connection)`, as in `sqlite3`,
//! where they may be derived from. `__new__` takes whatever a derived class is called with; `__init__` opens.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::arguments::Signature;
use super::class::keeps_parent;
use super::{Glue, module_ident, path, rust_ident, types};
use crate::python::dbapi::{CHECK_SAME_THREAD, DETECT_TYPES, FACTORY};
use crate::python::model::{Class, Role};

impl Glue<'_> {
    /// `__new__` and `__init__`.
    pub(super) fn construction(&mut self, class: &Class) -> Option<TokenStream> {
        match class.own_role {
            Role::Plain => None,
            Role::Connection => self.connection(class),
            Role::Cursor => self.cursor_of_connection(class),
        }
    }

    fn connection(&mut self, class: &Class) -> Option<TokenStream> {
        let constructor = self.package.constructor(class)?;
        let Signature {
            parameters,
            attribute,
            text,
            prepare,
            arguments,
            names,
        } = self.signature(&constructor.name, &constructor.parameters, &constructor.arguments);
        let py = &names.py;
        let call = path(&constructor.path);
        let call = types::fallible(constructor.fallible, quote!(#call(#(#arguments),*)));
        let of_profile = |name: &str| {
            let parameter = constructor.parameters.iter().find(|parameter| parameter.name == name);
            parameter.map(|parameter| rust_ident(&parameter.name))
        };
        let refusal = of_profile(DETECT_TYPES).map(|detect_types| {
            quote! {
                if #detect_types != 0 {
                    return Err(super::exceptions::NotSupportedError::new_err(python::dbapi::NO_DETECT_TYPES));
                }
            }
        });
        // Whoever was called as the factory is here already.
        let unused = of_profile(FACTORY).map(|factory| quote!(drop(#factory);));
        let home = of_profile(CHECK_SAME_THREAD).map_or_else(
            || quote!(None),
            |check| quote!(#check.then(|| python::Home::here(#py)).transpose()?),
        );
        let cell = if class.shared { quote!(Shared) } else { quote!(Owned) };
        let new = new(
            &text,
            &quote! {
                object: python::#cell::unopened(),
                row_factory: python::Slot::default(),
                text_factory: ::core::default::Default::default(),
            },
        );
        let opened = opened(class, py);
        Some(quote! {
            #new

            #[pyo3(signature = (#attribute))]
            fn __init__(&self, #py: Python<'_>, #(#parameters),*) -> PyResult<()> {
                #unused
                #refusal
                #prepare
                let home = #home;
                let object = python::run::<NativeModule, _, _>(#py, move || #call)?;
                #opened
            }
        })
    }

    fn cursor_of_connection(&self, class: &Class) -> Option<TokenStream> {
        let (connection, maker) = self.package.maker(class)?;
        if class.shared || !connection.shared || !keeps_parent(self.package, class) {
            return None;
        }
        let (file, ident) = (module_ident(&connection.ident), format_ident!("{}", connection.ident));
        let method = rust_ident(&maker.ident);
        let call = types::fallible(maker.fallible, quote!(object.#method()));
        let new = new(
            "connection, /",
            &quote! {
                object: python::Owned::unopened(),
                parent: ::core::default::Default::default(),
                rows: python::Rows::default(),
                row_factory: python::Slot::default(),
                text_factory: ::core::default::Default::default(),
                names: python::dbapi::ColumnNames::default(),
            },
        );
        let opened = opened(class, &format_ident!("py"));
        Some(quote! {
            #new

            #[pyo3(signature = (connection, /))]
            fn __init__(&self, py: Python<'_>, connection: &Bound<'_, super::#file::#ident>) -> PyResult<()> {
                let maker = connection.get();
                let object = maker.object.call(py, |object| #call)?;
                let home = maker.object.home();
                #opened?;
                // Nobody else sets them: the object was opened here.
                let _ = self.parent.set(connection.clone().into_any().unbind());
                let _ = self.text_factory.set(maker.text_factory.clone());
                Ok(())
            }
        })
    }
}

fn new(text_signature: &str, fields: &TokenStream) -> TokenStream {
    let text_signature = format!("({text_signature})");
    quote! {
        #[new]
        #[pyo3(signature = (*_arguments, **_keywords), text_signature = #text_signature)]
        fn new(
            _arguments: &Bound<'_, ::pyo3::types::PyTuple>,
            _keywords: Option<&Bound<'_, ::pyo3::types::PyDict>>,
        ) -> Self {
            Self { #fields }
        }
    }
}

/// The expression that puts the object in its place, once.
fn opened(class: &Class, py: &Ident) -> TokenStream {
    let name = &class.name;
    quote! {
        self.object
            .open(#py, object, home)
            .then_some(())
            .ok_or_else(|| super::exceptions::ProgrammingError::new_err(python::dbapi::reopened_text(#name)))
    }
}
