//! Adapters: how objects of the program's own types become values that a database takes (`register_adapter` of `sqlite3`).

use std::sync::atomic::{AtomicBool, Ordering};

use crate::python::leave_to_worker;
use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyMemoryView, PyNone, PyString, PyType};

/// The adapters of the process, as `sqlite3` keeps them: by type and protocol.
static REGISTRY: PyOnceLock<Registry> = PyOnceLock::new();

/// Whether one of the types that a database takes as they are has an adapter.
static ADAPTS_BASIC_TYPES: AtomicBool = AtomicBool::new(false);

struct Registry {
    adapters: Py<PyDict>,
    protocol: Py<PyType>,
}

/// Puts the table of adapters into the module. `protocol` is the module's class `PrepareProtocol`.
///
/// # Errors
/// What Python raises when the module does not take it.
pub fn set_up(module: &Bound<'_, PyModule>, protocol: &Bound<'_, PyType>) -> PyResult<()> {
    let py = module.py();
    let registry = REGISTRY.get_or_init(py, || Registry {
        adapters: PyDict::new(py).unbind(),
        protocol: protocol.clone().unbind(),
    });
    module.add("adapters", registry.adapters.bind(py))
}

/// Makes an adapter known, which is called with an object of exactly that type.
///
/// # Errors
/// What Python raises when the type can't be kept.
pub fn register(of: &Bound<'_, PyType>, adapter: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = of.py();
    let Some(registry) = REGISTRY.get(py) else {
        return Ok(());
    };
    let basic = [
        py.get_type::<PyNone>(),
        py.get_type::<PyBool>(),
        py.get_type::<PyInt>(),
        py.get_type::<PyFloat>(),
        py.get_type::<PyString>(),
        py.get_type::<PyBytes>(),
        py.get_type::<PyByteArray>(),
    ];
    if basic.iter().any(|basic| of.is(basic)) {
        ADAPTS_BASIC_TYPES.store(true, Ordering::Relaxed);
    }
    registry.adapters.bind(py).set_item((of, &registry.protocol), adapter)
}

/// Whether one of the types that a database takes as they are has an adapter.
pub fn adapts_basic_types() -> bool {
    ADAPTS_BASIC_TYPES.load(Ordering::Relaxed)
}

/// What an adapter makes of an object before it is bound; `None` if there is none for it.
///
/// # Errors
/// What the adapter raises.
pub fn adapted<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some(registry) = REGISTRY.get(object.py()) else {
        return Ok(None);
    };
    if registry.calls_python_for(object)? && leave_to_worker() {
        return Ok(None);
    }
    adapt(object, registry.protocol.bind(object.py()))
}

impl Registry {
    /// Whether asking for an adapter of an object may run Python code.
    fn calls_python_for(&self, object: &Bound<'_, PyAny>) -> PyResult<bool> {
        let py = object.py();
        let is_built_in = object.is_none()
            || object.is_exact_instance_of::<PyBool>()
            || object.is_exact_instance_of::<PyInt>()
            || object.is_exact_instance_of::<PyFloat>()
            || object.is_exact_instance_of::<PyString>()
            || object.is_exact_instance_of::<PyBytes>()
            || object.is_exact_instance_of::<PyByteArray>()
            || object.is_exact_instance_of::<PyMemoryView>();
        Ok(!is_built_in || self.adapters.bind(py).contains((object.get_type(), &self.protocol))?)
    }
}

/// What an object becomes for a protocol (CPython's `pysqlite_microprotocols_adapt`): by a registered adapter, by the
/// method `__adapt__` of the protocol, or by its own method `__conform__`; `None` if none of them makes anything of it.
///
/// # Errors
/// What they raise.
pub fn adapt<'py>(object: &Bound<'py, PyAny>, protocol: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    let Some(registry) = REGISTRY.get(py) else {
        return Ok(None);
    };
    if let Some(adapter) = registry.adapters.bind(py).get_item((object.get_type(), protocol))? {
        return adapter.call1((object,)).map(Some);
    }
    for (asked, method, argument) in [
        (protocol, pyo3::intern!(py, "__adapt__"), object),
        (object, pyo3::intern!(py, "__conform__"), protocol),
    ] {
        let method = match asked.getattr(method) {
            Ok(method) => method,
            Err(exception) if exception.is_instance_of::<PyAttributeError>(py) => continue,
            Err(exception) => return Err(exception),
        };
        match method.call1((argument,)) {
            Ok(adapted) if !adapted.is_none() => return Ok(Some(adapted)),
            Ok(_) => {}
            // It is how a method says that it does not know this one.
            Err(exception) if exception.is_instance_of::<PyTypeError>(py) => {}
            Err(exception) => return Err(exception),
        }
    }
    Ok(None)
}
