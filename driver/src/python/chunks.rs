//! Chunks of rows, on their way from a worker to Python.

use std::sync::Arc;

use async_proxy::python::dbapi::{Chunks, Gathering, Record, TextFactory, tuple_of};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::rows::object_of;
use crate::packing::Packing;
use crate::{Cursor, Description, Error, Result};

impl Chunks for Cursor {
    type Gathering = Packing;
    type Error = Error;

    fn gather(&mut self, packing: &mut Packing, wants_more: &mut dyn FnMut(&Packing) -> bool) -> Result<bool> {
        self.pack(packing, wants_more)
    }
}

impl Gathering for Packing {
    type Row = PackedRow;

    fn len(&self) -> usize {
        Packing::len(self)
    }

    fn bytes(&self) -> usize {
        Packing::bytes(self)
    }

    fn into_rows(self) -> Vec<PackedRow> {
        let (count, Some(description)) = (self.len(), self.description().cloned()) else {
            return Vec::new();
        };
        let chunk = Arc::new(Chunk {
            description,
            packing: self,
        });
        let row = |place| PackedRow {
            chunk: Arc::clone(&chunk),
            place,
        };
        (0..count).map(row).collect()
    }
}

#[derive(Debug)]
struct Chunk {
    description: Description,
    packing: Packing,
}

/// A row of a chunk.
#[derive(Debug)]
pub struct PackedRow {
    chunk: Arc<Chunk>,
    place: usize,
}

impl Record for PackedRow {
    type Columns = Description;

    fn columns(&self) -> &Description {
        &self.chunk.description
    }

    fn to_tuple<'py>(&self, py: Python<'py>, text: &TextFactory<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let values = self.chunk.packing.row(self.place);
        tuple_of(py, values, text, |value| object_of(py, value, text))
    }

    fn weight(&self) -> usize {
        self.chunk.packing.bytes() / self.chunk.packing.len().max(1)
    }
}
