//! What the profile `dbapi` adds for values of the program's own types: the functions by which `sqlite3` adapts them.

use proc_macro2::TokenStream;
use quote::quote;

/// The file of these functions.
pub(super) fn file(module: &str) -> TokenStream {
    quote! {
        #![doc = " Adapters: how objects of the program's own types become values."]

        use ::async_proxy::python::dbapi::adapters;
        use ::pyo3::prelude::*;
        use ::pyo3::types::{PyDict, PyTuple, PyType};

        use super::exceptions::ProgrammingError;

        #[doc = " The protocol by which objects are asked for a value: the argument of their method `__conform__`."]
        #[pyclass(name = "PrepareProtocol", module = #module, subclass)]
        struct PrepareProtocol;

        #[pymethods]
        impl PrepareProtocol {
            #[new]
            #[pyo3(signature = (*_arguments, **_keywords), text_signature = "(*args, **kwargs)")]
            fn new(_arguments: &Bound<'_, PyTuple>, _keywords: Option<&Bound<'_, PyDict>>) -> Self {
                Self
            }
        }

        #[doc = " Makes an adapter known: objects of exactly that type are bound as what it makes of them."]
        #[pyfunction]
        #[pyo3(signature = (r#type, adapter, /), text_signature = "(type, adapter, /)")]
        fn register_adapter(r#type: &Bound<'_, PyType>, adapter: &Bound<'_, PyAny>) -> PyResult<()> {
            adapters::register(r#type, adapter)
        }

        #[doc = " What an object is bound as: what an adapter or its own method `__conform__` makes of it, or `alt`."]
        #[doc = ""]
        #[doc = " Errors:"]
        #[doc = " `ProgrammingError` if nothing makes anything of it and there is no `alt`."]
        #[pyfunction]
        #[pyo3(signature = (obj, proto = None, /, *alt), text_signature = "(obj, proto=None, /, *alt)")]
        fn adapt<'py>(
            obj: &Bound<'py, PyAny>,
            proto: Option<Bound<'py, PyAny>>,
            alt: &Bound<'py, PyTuple>,
        ) -> PyResult<Bound<'py, PyAny>> {
            let proto = proto.unwrap_or_else(|| obj.py().get_type::<PrepareProtocol>().into_any());
            match adapters::adapt(obj, &proto)? {
                Some(adapted) => Ok(adapted),
                None => alt.get_item(0).map_err(|_| ProgrammingError::new_err("can't adapt")),
            }
        }

        #[doc = " Puts all of it into the module."]
        pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
            module.add_class::<PrepareProtocol>()?;
            adapters::set_up(module, &module.py().get_type::<PrepareProtocol>())?;
            module.add_function(::pyo3::wrap_pyfunction!(register_adapter, module)?)?;
            module.add_function(::pyo3::wrap_pyfunction!(adapt, module)?)
        }
    }
}
