//! One statement, once for each set of parameters.

use std::collections::VecDeque;

use super::Execution;
use crate::engine::Batch;
use crate::session::{LongOperation, Shared};
use crate::{Error, Params, ParamsSequence, Result};

/// Whether many rows are inserted with one run of the engine.
enum Batches {
    /// Nobody has looked yet whether that can be.
    Unknown,
    Used(Batch),
    Never,
}

impl Execution {
    pub(super) fn run_for_each(
        &mut self,
        shared: &Shared,
        operation: &LongOperation<'_>,
        sql: &str,
        mut sequence: ParamsSequence,
    ) -> Result<()> {
        let mut statement = operation.part(|engine, work| {
            self.start(engine);
            let statement = engine
                .statement(sql, work)?
                .filter(|statement| !statement.is_readonly());
            let statement =
                statement.ok_or_else(|| Error::programming("executemany() can only execute DML statements."))?;
            self.begin(shared, engine, &statement, work)?;
            Ok(statement)
        })?;
        let mut batches = Batches::Unknown;
        // Those of a batch that was undone.
        let mut again: VecDeque<Params> = VecDeque::new();
        // The source of the parameters may use this connection itself, so it is asked while the engine is free.
        while let Some(parameters) = again.pop_front().map(Ok).or_else(|| sequence.next()) {
            let parameters = match parameters.and_then(|parameters| statement.looked_up(parameters)) {
                Ok(parameters) => parameters,
                Err(error) => {
                    operation.part(|engine, _| engine.give_back(statement))?;
                    return Err(error);
                }
            };
            statement = operation.part(|engine, work| {
                if let Err(error) = engine.bind(&mut statement, parameters, work) {
                    engine.give_back(statement)?;
                    return Err(error);
                }
                if let Err(error) = self.run(engine, &mut statement, work) {
                    return Err(engine.abandon(statement, error, work));
                }
                // Rows of RETURNING are dropped, and what they would add to `rowcount` with them, as in `sqlite3`.
                self.ready.clear();
                self.rowcount_at_end = None;
                statement.reset()?;
                if matches!(batches, Batches::Unknown) && sequence.ready() >= Batch::WORTHWHILE {
                    batches = engine.batch_of(&statement, work).map_or(Batches::Never, Batches::Used);
                }
                Ok(statement)
            })?;
            if again.is_empty() {
                (batches, again) = self.run_batches(operation, batches, &mut sequence)?;
            }
        }
        operation.part(|engine, _| engine.give_back(statement))
    }

    /// Runs as many batches as there are parameters for. The last row is left to be run by itself: what it leaves to be seen is
    /// then what a row leaves. With the batches, this gives those parameters whose batch was undone.
    fn run_batches(
        &mut self,
        operation: &LongOperation<'_>,
        batches: Batches,
        sequence: &mut ParamsSequence,
    ) -> Result<(Batches, VecDeque<Params>)> {
        let Batches::Used(mut batch) = batches else {
            return Ok((batches, VecDeque::new()));
        };
        while let Some(rows) = sequence.take_ready(batch.rows(), &|parameters| batch.takes(parameters)) {
            let (kept, inserted) = operation.part(|engine, work| match engine.run_batch(&mut batch, &rows, work) {
                Ok(inserted) => Ok((batch, inserted)),
                Err(error) => Err(engine.abandon_batch(batch, error, work)),
            })?;
            let Some(inserted) = inserted else {
                // Where one has failed, the rows of others are likely to do so.
                return Ok((Batches::Never, rows.into()));
            };
            self.rowcount += inserted;
            batch = kept;
        }
        Ok((Batches::Used(batch), VecDeque::new()))
    }
}
