//! How passes over the same work become one number.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::Serialize;

/// How much a process does.
#[derive(Clone, Copy)]
pub(crate) struct Effort {
    /// The share of a workload's full number of operations.
    pub(crate) share: f64,
    /// Measured passes, after one that warms up.
    pub(crate) passes: usize,
}

/// What one process found, as the report reads it.
#[derive(Serialize)]
pub(crate) struct Measurement {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) details: BTreeMap<&'static str, f64>,
}

impl Effort {
    /// How many operations a pass has.
    pub(crate) fn operations(self, full: usize) -> usize {
        // A share of a number of operations is a number of operations, and small.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let operations = (full as f64 * self.share).round() as usize;
        operations.max(1)
    }
}

/// Microseconds for one operation: the median of the passes, of which the first does not count.
pub(crate) async fn per_operation(effort: Effort, operations: usize, mut pass: impl AsyncFnMut()) -> Measurement {
    let mut times = Vec::new();
    for _ in 0..=effort.passes {
        let begin = Instant::now();
        pass().await;
        let operations = u32::try_from(operations).expect("a pass has less than four billion operations");
        times.push(begin.elapsed().as_secs_f64() / f64::from(operations) * 1e6);
    }
    Measurement {
        value: median(times.split_off(1)),
        unit: "µs",
        details: BTreeMap::new(),
    }
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}
