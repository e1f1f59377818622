//! Reading rows together, for a worker: the engine is taken once for all of them.

use super::Execution;
use crate::Result;
use crate::engine::Engine;
use crate::interrupt::Work;
use crate::packing::Packing;
use crate::session::Shared;

impl Execution {
    /// Packs the next rows, for as long as it is told that more are wanted. The answer is whether there are no more.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch) for the row behind those that are packed then.
    pub(crate) fn pack(
        &mut self,
        shared: &Shared,
        packing: &mut Packing,
        wants_more: &mut dyn FnMut(&Packing) -> bool,
    ) -> Result<bool> {
        // A limit on the time of a call counts for each row, as if it were fetched alone.
        if self.half_read.is_some() && shared.query_timeout().is_none() {
            return shared.operate(|engine, work| self.pack_half_read(engine, work, packing, wants_more));
        }
        while let Some(row) = self.fetch(shared)? {
            packing.put(row.values().iter(), row.description());
            packing.keep();
            if !wants_more(packing) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn pack_half_read(
        &mut self,
        engine: &mut Engine,
        work: Work<'_>,
        packing: &mut Packing,
        wants_more: &mut dyn FnMut(&Packing) -> bool,
    ) -> Result<bool> {
        let Some(row) = self.next_ready() else {
            // It was cut off.
            return self.next(engine, work).map(|_| true);
        };
        packing.put(row.values().iter(), row.description());
        loop {
            // The row that was put last is kept only once the row behind it could be read, and is the one that fails otherwise.
            let ahead = self.advance(engine, work, true, |statement| {
                packing.keep();
                if wants_more(packing) {
                    statement.pack(packing);
                    None
                } else {
                    Some(statement.row())
                }
            })?;
            match ahead {
                Some(None) => {}
                Some(row) => {
                    self.ready.extend(row);
                    return Ok(false);
                }
                None => {
                    packing.keep();
                    return Ok(self.half_read.is_none());
                }
            }
        }
    }
}
