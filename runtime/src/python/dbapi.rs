//! What a module of the profile `dbapi` stands on: the factories of `sqlite3`, and what its class `Row` does.

pub mod adapters;
mod chunks;
mod tuples;

pub use chunks::{Chunks, Gathering, RowOf, gather_each};
pub use tuples::tuple_of;

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::PyErr;
use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyByteArray, PyBytes, PySlice, PyString, PyTuple, PyType};

use super::slot::Slot;

/// A row of a result set: what the profile needs of the API's row type.
pub trait Record {
    /// The columns, which the rows of a result set share.
    type Columns: Columns;

    /// Its columns.
    fn columns(&self) -> &Self::Columns;

    /// Its values as a tuple, text made by the factory.
    ///
    /// # Errors
    /// What the factory raises.
    fn to_tuple<'py>(&self, py: Python<'py>, text: &TextFactory<'py>) -> PyResult<Bound<'py, PyTuple>>;

    /// How many bytes it takes, about: a chunk of rows ends at a number of them.
    fn weight(&self) -> usize;
}

/// The columns of a result set. A copy is cheap.
pub trait Columns: Clone + Send + Sync + 'static {
    /// Their names, in order.
    fn names(&self) -> impl ExactSizeIterator<Item = &str>;

    /// Whether these are a copy of those: told from where they are kept, not from the names.
    fn is(&self, other: &Self) -> bool;
}

/// An error of the API, as far as SQLite's result codes go: what the profile needs of the API's error enums.
#[diagnostic::on_unimplemented(
    message = "the profile `dbapi` does not know the result codes of `{Self}`",
    note = "implement `async_proxy::python::dbapi::Coded` for it; one whose errors have no such code returns `None`"
)]
pub trait Coded {
    /// SQLite's result code and its name (`SQLITE_BUSY`), if the error has one.
    fn code(&self) -> Option<(i32, &'static str)>;
}

/// Gives an exception the attributes `sqlite_errorcode` and `sqlite_errorname` that `sqlite3` gives its own.
pub fn with_code(exception: PyErr, code: Option<(i32, &'static str)>) -> PyErr {
    if let Some((code, name)) = code {
        // Without an interpreter nobody looks at them, and an exception takes every attribute.
        let _ = Python::try_attach(|py| {
            let value = exception.value(py);
            value.setattr(pyo3::intern!(py, "sqlite_errorcode"), code)?;
            value.setattr(pyo3::intern!(py, "sqlite_errorname"), name)
        });
    }
    exception
}

/// What makes a Python object of text: the attribute `text_factory` of `sqlite3`.
#[derive(Debug)]
pub enum TextFactory<'py> {
    /// `str`, the default.
    Str,
    /// `bytes`: the text in UTF-8.
    Bytes,
    /// `bytearray` likewise.
    ByteArray,
    /// Something that is called with the text in UTF-8 as `bytes`.
    Callable(Bound<'py, PyAny>),
}

impl<'py> TextFactory<'py> {
    /// The factory that the slot of a connection holds; an empty one means `str`.
    pub fn of(slot: &Slot, py: Python<'py>) -> Self {
        match slot.get(py) {
            None => Self::Str,
            Some(factory) if factory.is(py.get_type::<PyString>()) => Self::Str,
            Some(factory) if factory.is(py.get_type::<PyBytes>()) => Self::Bytes,
            Some(factory) if factory.is(py.get_type::<PyByteArray>()) => Self::ByteArray,
            Some(factory) => Self::Callable(factory),
        }
    }

    /// The object for a text.
    ///
    /// # Errors
    /// What a callable raises.
    pub fn make(&self, py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Str => Ok(PyString::new(py, text).into_any()),
            Self::Bytes => Ok(PyBytes::new(py, text.as_bytes()).into_any()),
            Self::ByteArray => Ok(PyByteArray::new(py, text.as_bytes()).into_any()),
            Self::Callable(factory) => factory.call1((PyBytes::new(py, text.as_bytes()),)),
        }
    }
}

/// Whether texts are made by the factory without a call through Python.
pub fn is_known_text_factory(factory: &Bound<'_, PyAny>) -> bool {
    let py = factory.py();
    let known = [
        py.get_type::<PyString>(),
        py.get_type::<PyBytes>(),
        py.get_type::<PyByteArray>(),
    ];
    known.iter().any(|known| factory.is(known))
}

/// The names of a result set's columns as Python has them, kept from row to row.
#[derive(Debug)]
pub struct ColumnNames<C> {
    latest: Mutex<Option<(C, Py<PyTuple>)>>,
}

impl<C> Default for ColumnNames<C> {
    fn default() -> Self {
        Self {
            latest: Mutex::new(None),
        }
    }
}

impl<C: Columns> ColumnNames<C> {
    fn get<'py>(&self, py: Python<'py>, columns: &C) -> PyResult<Bound<'py, PyTuple>> {
        if let Some((known, names)) = &*self.lock(py)
            && known.is(columns)
        {
            return Ok(names.bind(py).clone());
        }
        let names = PyTuple::new(py, columns.names().map(|name| PyString::intern(py, name)))?;
        let old = self.lock(py).replace((columns.clone(), names.clone().unbind()));
        drop(old);
        Ok(names)
    }

    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Option<(C, Py<PyTuple>)>> {
        self.latest.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

/// What makes the objects that a cursor hands out of the rows that it reads.
pub struct Delivery<'a, 'py, C> {
    /// The cursor, which a row factory gets as its first argument.
    pub cursor: &'a Bound<'py, PyAny>,
    /// The cursor's `row_factory`; `None` for plain tuples.
    pub row_factory: Option<Bound<'py, PyAny>>,
    /// Gives the module's own class `Row`.
    pub row_class: fn(Python<'py>) -> Bound<'py, PyType>,
    /// Makes an object of that class of the values and the columns' names.
    pub make_row: fn(Bound<'py, PyTuple>, Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>>,
    /// The connection's `text_factory`.
    pub text_factory: TextFactory<'py>,
    /// Where the cursor keeps the columns' names.
    pub names: &'a ColumnNames<C>,
}

impl<'py, C: Columns> Delivery<'_, 'py, C> {
    /// The object for a row. The module's own `Row` is made without a call through Python.
    ///
    /// # Errors
    /// What a factory raises.
    pub fn convert(&self, row: &impl Record<Columns = C>) -> PyResult<Bound<'py, PyAny>> {
        let py = self.cursor.py();
        let values = row.to_tuple(py, &self.text_factory)?;
        match &self.row_factory {
            None => Ok(values.into_any()),
            Some(factory) if factory.is((self.row_class)(py)) => {
                (self.make_row)(values, self.names.get(py, row.columns())?)
            }
            Some(factory) => factory.call1((self.cursor, values)),
        }
    }
}

/// The names in a cursor's `description`; none while there is none.
///
/// # Errors
/// `TypeError` for a description that is not one of PEP 249.
pub fn names_of_description<'py>(cursor: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    let py = cursor.py();
    let description = cursor.getattr(pyo3::intern!(py, "description"))?;
    if description.is_none() {
        return Ok(PyTuple::empty(py));
    }
    let names = description
        .try_iter()?
        .map(|column| column?.get_item(0))
        .collect::<PyResult<Vec<_>>>()?;
    PyTuple::new(py, names)
}

/// What a row answers for an index: a position, a slice, or a column's name whatever the case of its ASCII letters.
///
/// # Errors
/// `IndexError` for what the row does not have, in the words of `sqlite3`.
pub fn item_of_row<'py>(
    values: &Bound<'py, PyTuple>,
    names: &Bound<'py, PyTuple>,
    index: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    if let Ok(wanted) = index.cast::<PyString>() {
        let wanted = wanted.to_str()?;
        for (position, name) in names.iter().enumerate() {
            if name.cast::<PyString>()?.to_str()?.eq_ignore_ascii_case(wanted) {
                return values.get_item(position);
            }
        }
        return Err(PyIndexError::new_err("No item with that key"));
    }
    if index.cast::<PySlice>().is_ok() {
        return values.as_any().get_item(index);
    }
    // Anything with `__index__`, as the row of `sqlite3` takes it.
    match values.as_any().get_item(index) {
        Err(error) if error.is_instance_of::<PyTypeError>(index.py()) => {
            Err(PyIndexError::new_err("Index must be int or string"))
        }
        outcome => outcome,
    }
}

/// The error of PEP 249 for a use of what is closed, in the words of `sqlite3`.
pub fn closed_text(is_cursor: bool) -> &'static str {
    if is_cursor {
        "Cannot operate on a closed cursor."
    } else {
        "Cannot operate on a closed database."
    }
}

/// What is said of an object of a derived class that has not called the `__init__` of its base, in the words of `sqlite3`.
pub fn unopened_text(class: &str) -> String {
    format!("Base {class}.__init__ not called.")
}

/// What is said of a connection or cursor in another thread than that which made the connection, in the words of `sqlite3`.
pub fn misplaced_text(home: u64, here: u64) -> String {
    format!(
        "SQLite objects created in a thread can only be used in that same thread. The object was created in thread id \
         {home} and this is thread id {here}."
    )
}

/// What is said of `detect_types`.
pub const NO_DETECT_TYPES: &str = "detect_types other than 0 is not supported: the engine does not tell the declared types of \
     columns; convert the values where they are read, or in a row_factory";

/// What is said of an `__init__` that is called again.
pub fn reopened_text(class: &str) -> String {
    format!("this {class} is made already and can't be made anew: make another one")
}

/// The cursor that a factory makes for a connection: `Connection.cursor(factory)` of `sqlite3`.
///
/// # Errors
/// `TypeError` if it is no cursor; what the factory raises.
pub fn cursor_of<'py, C: PyTypeInfo>(
    factory: &Bound<'py, PyAny>,
    connection: &Bound<'py, PyAny>,
    row_factory: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let cursor = factory.call1((connection,))?;
    if !cursor.is_instance_of::<C>() {
        let name = cursor.get_type().fully_qualified_name()?;
        return Err(PyTypeError::new_err(format!(
            "factory must return a cursor, not {name}"
        )));
    }
    if let Some(row_factory) = row_factory {
        cursor.setattr(pyo3::intern!(cursor.py(), "row_factory"), row_factory)?;
    }
    Ok(cursor)
}

/// How many rows a `fetchmany` asks for. A negative number is all that remain, as in `sqlite3`, and so is 0.
///
/// # Errors
/// `TypeError` for what is no whole number.
pub fn size(object: &Bound<'_, PyAny>) -> PyResult<Option<usize>> {
    if object.is_none() {
        return Ok(None);
    }
    let size = object.extract::<i64>()?;
    Ok(Some(usize::try_from(size).unwrap_or(0)))
}

/// What is said of a cursor that is used inside of its own call, in the words of `sqlite3`.
pub const RECURSIVE: &str = "Recursive use of cursors not allowed.";

/// What is said of a call that panicked: an exception for it is the profile's `InternalError`.
pub fn panic_text(message: &str) -> String {
    super::exceptions::panic_text(message)
}

/// Ends a blocking `with connection:` as `sqlite3` does: it commits, or rolls back if the block raised; a commit that
/// fails is rolled back. It does not close.
///
/// # Errors
/// What commit or rollback raise.
pub fn leave(
    raised: bool,
    commit: impl FnOnce() -> PyResult<()>,
    rollback: impl FnOnce() -> PyResult<()>,
) -> PyResult<bool> {
    if raised {
        rollback()?;
    } else if let Err(exception) = commit() {
        // The error of the commit is the one to know of: `sqlite3` raises it too.
        return Err(match rollback() {
            Ok(()) => exception,
            Err(follow_up) => chained(follow_up, &exception),
        });
    }
    Ok(false)
}

/// An exception during the handling of another, which becomes its context.
fn chained(follow_up: PyErr, first: &PyErr) -> PyErr {
    Python::attach(|py| {
        let value = follow_up.value(py).clone();
        // Setting `__context__` to an exception can't fail; if it did, the follow-up alone is raised.
        let _ = value.setattr(pyo3::intern!(py, "__context__"), first.value(py));
    });
    follow_up
}
