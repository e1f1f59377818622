//! Iteration over a cursor's rows.

use std::iter::FusedIterator;

use crate::{Cursor, Result, Row};

/// The rows that a cursor has not read yet, one by one; made by [`Cursor::rows`]. It ends at the last row or behind the
/// first error. What it has not read when it is dropped, the cursor can still read.
#[derive(Debug)]
pub struct Rows<'a> {
    cursor: &'a mut Cursor,
    has_ended: bool,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(cursor: &'a mut Cursor) -> Self {
        Self {
            cursor,
            has_ended: false,
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let next = self.cursor.fetchone().transpose();
        self.has_ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl FusedIterator for Rows<'_> {}
