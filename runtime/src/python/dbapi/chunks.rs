//! How a worker reads a cursor's rows: many at once, kept together until they become Python objects.

use super::Record;

/// A cursor of the API, as a worker reads from it.
///
/// What a worker reads becomes Python objects in the thread of an event loop. An API for which nothing is to be gained by keeping
/// the rows together gathers them in a [`Vec`], one by one:
///
/// ```
/// # use async_proxy::python::dbapi::{Chunks, gather_each};
/// # struct Cursor;
/// # struct Row;
/// # impl Cursor {
/// #     fn fetchone(&mut self) -> Result<Option<Row>, String> { Ok(None) }
/// # }
/// # impl async_proxy::python::dbapi::Record for Row {
/// #     type Columns = Names;
/// #     fn columns(&self) -> &Names { &Names }
/// #     fn to_tuple<'py>(
/// #         &self,
/// #         py: pyo3::Python<'py>,
/// #         _: &async_proxy::python::dbapi::TextFactory<'py>,
/// #     ) -> pyo3::PyResult<pyo3::Bound<'py, pyo3::types::PyTuple>> { Ok(pyo3::types::PyTuple::empty(py)) }
/// #     fn weight(&self) -> usize { 0 }
/// # }
/// # #[derive(Clone)]
/// # struct Names;
/// # impl async_proxy::python::dbapi::Columns for Names {
/// #     fn names(&self) -> impl ExactSizeIterator<Item = &str> { ["a"].into_iter() }
/// #     fn is(&self, _: &Self) -> bool { true }
/// # }
/// impl Chunks for Cursor {
///     type Gathering = Vec<Row>;
///     type Error = String;
///
///     fn gather(
///         &mut self,
///         rows: &mut Vec<Row>,
///         wants_more: &mut dyn FnMut(&Vec<Row>) -> bool,
///     ) -> Result<bool, String> {
///         gather_each(rows, wants_more, || self.fetchone())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the profile `dbapi` does not know how a worker reads the rows of `{Self}`",
    note = "implement `async_proxy::python::dbapi::Chunks` for it: `gather_each` reads them one by one"
)]
pub trait Chunks {
    /// Where the rows are gathered.
    type Gathering: Gathering;

    /// What reading fails with.
    type Error;

    /// Reads at least one row, if there is one, and on for as long as `wants_more` says so, which is asked behind each row. The
    /// answer is whether there are no more. Each row counts as one that was read alone: one that can't be read takes none of those
    /// before it along, and what was not gathered can still be read.
    ///
    /// # Errors
    /// That of the row behind those that were gathered.
    fn gather(
        &mut self,
        rows: &mut Self::Gathering,
        wants_more: &mut dyn FnMut(&Self::Gathering) -> bool,
    ) -> Result<bool, Self::Error>;
}

/// A row as a worker reads it from such a cursor.
pub type RowOf<C> = <<C as Chunks>::Gathering as Gathering>::Row;

/// Where rows of one result set are gathered.
pub trait Gathering: Default {
    /// A row.
    type Row: Record + Send + 'static;

    /// How many rows there are.
    fn len(&self) -> usize;

    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes they take, about.
    fn bytes(&self) -> usize;

    /// The rows in order.
    fn into_rows(self) -> Vec<Self::Row>;
}

impl<R: Record + Send + 'static> Gathering for Vec<R> {
    type Row = R;

    fn len(&self) -> usize {
        Vec::len(self)
    }

    fn bytes(&self) -> usize {
        self.iter().map(Record::weight).sum()
    }

    fn into_rows(self) -> Self {
        self
    }
}

/// Gathers rows that are read one by one.
///
/// # Errors
/// The first of the function.
pub fn gather_each<R, E>(
    rows: &mut Vec<R>,
    wants_more: &mut dyn FnMut(&Vec<R>) -> bool,
    mut next: impl FnMut() -> Result<Option<R>, E>,
) -> Result<bool, E> {
    while let Some(row) = next()? {
        rows.push(row);
        if !wants_more(rows) {
            return Ok(false);
        }
    }
    Ok(true)
}
