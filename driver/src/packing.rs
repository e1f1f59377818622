//! Rows packed together: those of a chunk take a few allocations, and not some for each row.
//!
//! They are read in the thread of a worker and become Python objects in that of an event loop. What one thread allocates and
//! another one frees costs more than what stays with one.

use crate::{Description, Value};

/// The length in bytes from which a text or a blob is kept by itself: a buffer that grows would move it again and again.
const LARGE: usize = 4096;

/// Rows of one result set.
#[derive(Debug, Default)]
pub struct Packing {
    description: Option<Description>,
    cells: Vec<Cell>,
    texts: String,
    blobs: Vec<u8>,
    /// The bytes of values that are kept by themselves.
    large_bytes: usize,
    /// How many rows there are; the cells of one that is put and not kept yet come behind them.
    rows: usize,
}

/// Where a value is.
#[derive(Debug)]
enum Cell {
    Null,
    Integer(i64),
    Real(f64),
    Text { begin: usize, length: u16 },
    Blob { begin: usize, length: u16 },
    Large(Box<Value>),
}

/// A value of a packed row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ValueRef<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a str),
    Blob(&'a [u8]),
}

impl<'a> From<&'a Value> for ValueRef<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Real(real) => Self::Real(*real),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl<'a> From<&'a turso_core::Value> for ValueRef<'a> {
    fn from(value: &'a turso_core::Value) -> Self {
        match value {
            turso_core::Value::Null => Self::Null,
            turso_core::Value::Numeric(turso_core::Numeric::Integer(integer)) => Self::Integer(*integer),
            turso_core::Value::Numeric(turso_core::Numeric::Float(real)) => Self::Real(f64::from(*real)),
            turso_core::Value::Text(text) => Self::Text(text.as_str()),
            turso_core::Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

impl ValueRef<'_> {
    fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Integer(integer) => Value::Integer(integer),
            Self::Real(real) => Value::Real(real),
            Self::Text(text) => Value::from(text),
            Self::Blob(bytes) => Value::from(bytes),
        }
    }
}

impl Packing {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// How many bytes they take, about.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.cells) + self.texts.len() + self.blobs.len() + self.large_bytes
    }

    /// The columns; `None` if no row was put.
    pub(crate) fn description(&self) -> Option<&Description> {
        self.description.as_ref()
    }

    /// Puts a row with these columns, which all rows share.
    pub(crate) fn put<'a>(&mut self, values: impl Iterator<Item = &'a Value>, description: &Description) {
        let known = self.description.get_or_insert_with(|| description.clone());
        debug_assert_eq!(known, description, "the rows of a result set have the same columns");
        self.put_more(values);
    }

    /// Puts a row behind the first.
    pub(crate) fn put_more<'a, V>(&mut self, values: impl Iterator<Item = &'a V>)
    where
        V: 'a,
        ValueRef<'a>: From<&'a V>,
    {
        let columns = self.columns();
        // That of a row that was put and could not be kept.
        self.cells.truncate(self.rows * columns);
        for value in values.take(columns) {
            let cell = self.cell(value.into());
            self.cells.push(cell);
        }
        self.cells.resize_with((self.rows + 1) * columns, || Cell::Null);
    }

    /// Keeps the row that was put last.
    pub(crate) fn keep(&mut self) {
        self.rows += 1;
    }

    /// The values of the row at that place.
    pub(crate) fn row(&self, place: usize) -> impl ExactSizeIterator<Item = ValueRef<'_>> {
        let columns = self.columns();
        self.cells[place * columns..(place + 1) * columns]
            .iter()
            .map(|cell| self.value(cell))
    }

    /// The same as they would be fetched.
    #[cfg(test)]
    pub(crate) fn values(&self, place: usize) -> Vec<Value> {
        self.row(place).map(ValueRef::to_value).collect()
    }

    fn columns(&self) -> usize {
        self.description.as_ref().map_or(0, |columns| columns.len())
    }

    fn cell(&mut self, value: ValueRef<'_>) -> Cell {
        let short = |length: usize| u16::try_from(length).ok().filter(|_| length < LARGE);
        match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(integer) => Cell::Integer(integer),
            ValueRef::Real(real) => Cell::Real(real),
            ValueRef::Text(text) => match short(text.len()) {
                Some(length) => {
                    let begin = self.texts.len();
                    self.texts.push_str(text);
                    Cell::Text { begin, length }
                }
                None => self.large(value, text.len()),
            },
            ValueRef::Blob(bytes) => match short(bytes.len()) {
                Some(length) => {
                    let begin = self.blobs.len();
                    self.blobs.extend_from_slice(bytes);
                    Cell::Blob { begin, length }
                }
                None => self.large(value, bytes.len()),
            },
        }
    }

    fn large(&mut self, value: ValueRef<'_>, bytes: usize) -> Cell {
        self.large_bytes += bytes;
        Cell::Large(Box::new(value.to_value()))
    }

    fn value<'a>(&'a self, cell: &'a Cell) -> ValueRef<'a> {
        match cell {
            Cell::Null => ValueRef::Null,
            Cell::Integer(integer) => ValueRef::Integer(*integer),
            Cell::Real(real) => ValueRef::Real(*real),
            Cell::Text { begin, length } => ValueRef::Text(&self.texts[*begin..*begin + usize::from(*length)]),
            Cell::Blob { begin, length } => ValueRef::Blob(&self.blobs[*begin..*begin + usize::from(*length)]),
            Cell::Large(value) => ValueRef::from(&**value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(rows: &[Vec<Value>], kept: usize) -> Packing {
        let mut packing = Packing::default();
        let description = Description::new(rows[0].iter().map(|_| "column"));
        for (place, row) in rows.iter().enumerate() {
            packing.put(row.iter(), &description);
            if place < kept {
                packing.keep();
            }
        }
        packing
    }

    fn unpacked(packing: &Packing) -> Vec<Vec<Value>> {
        (0..packing.len()).map(|place| packing.values(place)).collect()
    }

    /// Bug: a value comes out of a buffer at the place of another, or without its end.
    #[test]
    fn rows_come_out_as_they_were_put() {
        let rows = [
            vec![
                Value::Integer(i64::MIN),
                Value::from("é\0e"),
                Value::Null,
                Value::from(""),
            ],
            vec![
                Value::Real(-0.5),
                Value::from("x".repeat(LARGE)),
                Value::from([0, 255]),
                Value::Null,
            ],
            vec![
                Value::from([]),
                Value::from("x".repeat(LARGE - 1)),
                Value::from(vec![7; 100_000]),
                Value::Integer(1),
            ],
            vec![
                Value::from("last"),
                Value::from("of"),
                Value::from([1]),
                Value::from("all"),
            ],
        ];
        let packing = packed(&rows, rows.len());
        assert_eq!(unpacked(&packing), rows);
        let contents = 4 + LARGE + 2 + LARGE - 1 + 100_000 + 6 + 1 + 3;
        assert_eq!(packing.bytes(), contents + 16 * size_of::<Cell>());
        assert_eq!(size_of::<Cell>(), 16);
    }

    /// Bug: a row behind which the statement failed stays, or the next one stands in its place only in part.
    #[test]
    fn a_row_that_is_not_kept_gives_its_place_to_the_next() {
        let rows = [
            vec![Value::from("lost"), Value::from("row")],
            vec![Value::Null, Value::Integer(2)],
        ];
        let mut packing = packed(&rows, 0);
        packing.keep();
        assert_eq!(unpacked(&packing), rows[1..]);
        assert_eq!(packing.len(), 1);
    }
}
