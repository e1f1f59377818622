//! Reading rows that are kept together.

use super::dbapi::Gathering;
use super::rows::{Chunk, Limit, ROWS_BETWEEN_LOOKS};
use crate::span;

/// Reads rows until the limit, the end, or an error, those that belong together in one go. `read` reads on for as long as it is told
/// that more are wanted, and answers whether there are no more. Behind a row at which the call that asks was interrupted, none is
/// wanted: the interrupt itself would end the result set, and others may read on.
pub(super) fn gather<G: Gathering, F>(
    limit: Limit,
    is_interrupted: impl Fn() -> bool,
    mut read: impl FnMut(&mut G, &mut dyn FnMut(&G) -> bool) -> Result<bool, F>,
) -> Chunk<G::Row, F> {
    let is_late = limit.clock();
    let mut rows = G::default();
    let is_within = |rows: &G| {
        let count = rows.len();
        let is_look = count < ROWS_BETWEEN_LOOKS || count.is_multiple_of(ROWS_BETWEEN_LOOKS);
        count < limit.rows && rows.bytes() < limit.bytes && (count == 0 || !(is_interrupted() || is_look && is_late()))
    };
    let mut outcome = Ok(false);
    if let Some(asker) = limit.asker
        && asker.rows > 0
        && is_within(&rows)
    {
        let mut wants_more = |rows: &G| rows.len() < asker.rows && is_within(rows);
        outcome = span::run_as_part(asker.began, || read(&mut rows, &mut wants_more));
    }
    if matches!(outcome, Ok(false)) && is_within(&rows) {
        outcome = read(&mut rows, &mut |rows| is_within(rows));
    }
    let (exhausted, failure) = match outcome {
        Ok(exhausted) => (exhausted, None),
        Err(failure) => (false, Some(failure)),
    };
    Chunk {
        rows: rows.into_rows(),
        exhausted,
        failure,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use pyo3::prelude::*;
    use pyo3::types::PyTuple;

    use super::super::dbapi;
    use super::*;

    /// Rows of four bytes each.
    #[derive(Default)]
    struct Numbers(Vec<Number>);

    #[derive(Debug, PartialEq)]
    struct Number(usize);

    #[derive(Clone)]
    struct NoColumns;

    impl dbapi::Columns for NoColumns {
        fn names(&self) -> impl ExactSizeIterator<Item = &str> {
            std::iter::empty()
        }

        fn is(&self, _other: &Self) -> bool {
            true
        }
    }

    impl dbapi::Record for Number {
        type Columns = NoColumns;

        fn columns(&self) -> &NoColumns {
            &NoColumns
        }

        fn to_tuple<'py>(&self, py: Python<'py>, _text: &dbapi::TextFactory<'py>) -> PyResult<Bound<'py, PyTuple>> {
            Ok(PyTuple::empty(py))
        }

        fn weight(&self) -> usize {
            4
        }
    }

    impl Gathering for Numbers {
        type Row = Number;

        fn len(&self) -> usize {
            self.0.len()
        }

        fn bytes(&self) -> usize {
            self.0.len() * 4
        }

        fn into_rows(self) -> Vec<Number> {
            self.0
        }
    }

    /// Gathers the numbers up to the end, behind which reading fails if it is told so. With them: how many at a time.
    fn gathered(limit: Limit, end: usize, fails: bool) -> (Chunk<Number, &'static str>, Vec<usize>) {
        let mut times = Vec::new();
        let mut next = 0;
        let read = |rows: &mut Numbers, wants_more: &mut dyn FnMut(&Numbers) -> bool| {
            let before = rows.0.len();
            let outcome = loop {
                if next == end {
                    break if fails { Err("broken") } else { Ok(true) };
                }
                next += 1;
                rows.0.push(Number(next));
                if !wants_more(rows) {
                    break Ok(false);
                }
            };
            times.push(rows.0.len() - before);
            outcome
        };
        let chunk = gather(limit, || false, read);
        (chunk, times)
    }

    fn numbers(end: usize) -> Vec<Number> {
        (1..=end).map(Number).collect()
    }

    /// Bugs: more rows are gathered than are wanted, or fewer; what is said of their end is not so.
    #[test]
    fn rows_that_are_gathered_have_the_same_limits() {
        let bytes = Limit {
            bytes: 10,
            ..Limit::of_rows(100)
        };
        for (limit, end, count, exhausted) in [
            (Limit::of_rows(3), 5, 3, false),
            (Limit::of_rows(3), 2, 2, true),
            (Limit::of_rows(3), 0, 0, true),
            (bytes, 9, 3, false),
            (Limit { bytes: 1, ..bytes }, 9, 1, false),
            (
                Limit {
                    time: Duration::ZERO,
                    ..bytes
                },
                9,
                1,
                false,
            ),
        ] {
            let (chunk, _) = gathered(limit, end, false);
            assert_eq!((chunk.rows, chunk.exhausted), (numbers(count), exhausted), "{limit:?}");
            assert_eq!(chunk.failure, None);
        }
        let (chunk, _) = gathered(Limit::of_rows(3), 2, true);
        assert_eq!(
            (chunk.rows, chunk.exhausted, chunk.failure),
            (numbers(2), false, Some("broken"))
        );
    }

    /// Bug: a limit on the time of a call counts for rows that nobody has asked for yet.
    #[test]
    fn the_rows_that_a_call_asked_for_are_gathered_by_themselves() {
        let asked = |rows, asked| Limit::of_rows(rows).asked(Instant::now(), asked);
        for (limit, end, expected) in [
            (asked(5, 2), 9, vec![2, 3]),
            (asked(5, usize::MAX), 9, vec![5]),
            (asked(5, 5), 9, vec![5]),
            (asked(5, 0), 9, vec![5]),
            (asked(5, 2), 1, vec![1]),
            (asked(5, 2), 3, vec![2, 1]),
        ] {
            let (chunk, times) = gathered(limit, end, false);
            assert_eq!(times, expected, "{limit:?}");
            assert_eq!(chunk.rows, numbers(end.min(5)));
        }
        let began = Instant::now().checked_sub(Duration::from_secs(5)).unwrap();
        let mut spans = Vec::new();
        let read = |rows: &mut Numbers, _: &mut dyn FnMut(&Numbers) -> bool| {
            rows.0.push(Number(0));
            spans.push(span::call_began() == began);
            Ok::<_, ()>(false)
        };
        gather(Limit::of_rows(5).asked(began, 1), || false, read);
        assert_eq!(spans, [true, false]);
    }

    /// Bugs: a call that was given up has all the rows of a chunk read; its interrupt ends the result set for those who read on.
    #[test]
    fn no_row_is_wanted_behind_an_interrupt() {
        let count = Cell::new(0);
        for limit in [Limit::of_rows(100), Limit::of_rows(100).asked(Instant::now(), 50)] {
            let read = |rows: &mut Numbers, wants_more: &mut dyn FnMut(&Numbers) -> bool| {
                loop {
                    count.set(rows.0.len() + 1);
                    rows.0.push(Number(count.get()));
                    if !wants_more(rows) {
                        break Ok::<_, ()>(false);
                    }
                }
            };
            let chunk = gather(limit, || count.get() == 3, read);
            assert_eq!((chunk.rows, chunk.exhausted), (numbers(3), false));
            assert_eq!(gather(limit, || true, read).rows, numbers(1), "none is read before");
        }
    }
}
