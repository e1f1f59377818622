//! A database that is synchronised with a server: the engine behind it, and who may do what at the same time.
//!
//! - A pull waits for the network beside everything else. Only when the server's answer is there it takes its turn with pushes and
//!   checkpoints, and for the moment in which it changes the local file the connection's own statements wait. (The turn comes before
//!   the engine sees the end of the answer: what it then notes of the replica, in memory and in a file, it takes from a copy.)
//! - A push reads the local changes and sends them; statements go on beside it.
//! - A checkpoint takes its turn too, and keeps statements out as applying does.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use turso_core::LimboError;
use turso_sync_engine::database_sync_engine::DatabaseSyncEngine;
use turso_sync_engine::database_sync_operations::MutexSlot;
use turso_sync_engine::types::DbChangesStatus;

use super::claim::Claim;
use super::drive::{drive, is_busy};
use super::gate::Gate;
use super::io::Outside;
use super::line::{Errand, Line};
use super::stats::SyncStats;
use super::unpushed::Pushed;
use crate::session::{Companion, Shared};
use crate::{Error, Result};

pub(crate) type SyncEngine = DatabaseSyncEngine<Outside>;

/// How long to wait between two tries while another connection stands in the way.
const BUSY_RETRY: Duration = Duration::from_millis(5);

/// The synchronised side of a connection.
pub(crate) struct Replica {
    /// `None` once the connection is closed.
    engine: Mutex<Option<Claimed>>,
    pub(crate) io: Arc<dyn turso_core::IO>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) lines: Lines,
    /// One pull at a time: they share a file.
    pulls: Gate,
    /// One push, apply or checkpoint at a time.
    pub(crate) turns: Gate,
    pub(crate) busy_timeout: Duration,
    pub(crate) pushed: Pushed,
}

/// The engine, and the right to use it on the file.
struct Claimed {
    engine: Arc<SyncEngine>,
    _claim: Claim,
}

/// The lines to the server.
pub(crate) struct Lines {
    pub(crate) pull: Arc<Line>,
    pub(crate) push: Arc<Line>,
}

impl Replica {
    pub(crate) fn new(
        engine: SyncEngine,
        claim: Claim,
        io: Arc<dyn turso_core::IO>,
        outside: Arc<Outside>,
        lines: Lines,
        busy_timeout: Duration,
        pushed: Pushed,
    ) -> Arc<Self> {
        Arc::new(Self {
            engine: Mutex::new(Some(Claimed {
                engine: Arc::new(engine),
                _claim: claim,
            })),
            io,
            outside,
            lines,
            pulls: Gate::default(),
            turns: Gate::default(),
            busy_timeout,
            pushed,
        })
    }

    pub(crate) fn engine(&self) -> Result<Arc<SyncEngine>> {
        let engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        let claimed = engine.as_ref().ok_or_else(Error::closed_database)?;
        Ok(Arc::clone(&claimed.engine))
    }

    /// Fetches the server's changes and applies them; tells whether there were any.
    pub(crate) fn pull(&self, shared: &Shared) -> Result<bool> {
        let errand = self.lines.pull.begin_with_turns(&self.turns);
        let _pull = self.pulls.enter(&errand)?;
        self.outside.book.check()?;
        let engine = self.engine()?;
        let changes = drive(&errand, &self.io, &self.outside, |coro| {
            let engine = Arc::clone(&engine);
            async move { engine.wait_changes_from_remote(&coro).await }
        });
        // It began when the answer had come to its end.
        let turn = errand.hand_over_turn();
        let changes = changes?;
        if changes.is_empty() {
            return Ok(false);
        }
        let _turn = match turn {
            Some(turn) => turn,
            None => self.turns.enter(&errand)?,
        };
        // A push may have been refused meanwhile.
        self.outside.book.check()?;
        let mut changes = Changes::new(changes);
        let mut unpushed = self.tidy_unpushed(&errand)?;
        loop {
            if let Some(unpushed) = &unpushed {
                self.check_unpushed(&errand, unpushed)?;
            }
            let come_between = self.while_alone(shared, &errand, || {
                let now = self.tidy_unpushed(&errand)?;
                if now != unpushed {
                    return Ok(Some(now));
                }
                let next = changes.take();
                drive(&errand, &self.io, &self.outside, |coro| {
                    let engine = Arc::clone(&engine);
                    async move { engine.apply_changes_from_remote(&coro, next).await }
                })?;
                Ok(None)
            })?;
            match come_between {
                None => return Ok(true),
                // Statements go on while the server is asked: what they have changed must fit too.
                Some(now) => unpushed = now,
            }
        }
    }

    /// Moves the log into the database file.
    pub(crate) fn checkpoint(&self, shared: &Shared) -> Result<()> {
        let errand = self.lines.push.begin();
        let _turn = self.turns.enter(&errand)?;
        let engine = self.engine()?;
        self.while_alone(shared, &errand, || {
            drive(&errand, &self.io, &self.outside, |coro| {
                let engine = Arc::clone(&engine);
                async move { engine.checkpoint(&coro).await }
            })
        })
    }

    /// What is known of the replica.
    pub(crate) fn stats(&self) -> Result<SyncStats> {
        // It needs no server, so that no line has to be cut to end it.
        let errand = self.outside.statements.begin_statement();
        let engine = self.engine()?;
        let stats = self.patiently(&errand, || {
            drive(&errand, &self.io, &self.outside, |coro| {
                let engine = Arc::clone(&engine);
                async move { engine.stats(&coro).await }
            })
        })?;
        Ok(stats.into())
    }

    /// Does something to the file while the connection's own statements wait, as often as it takes until no other
    /// connection stands in the way.
    pub(crate) fn while_alone<T>(
        &self,
        shared: &Shared,
        errand: &Errand,
        mut task: impl FnMut() -> Result<T>,
    ) -> Result<T> {
        let done = self.patiently(errand, || errand.deafly(|| shared.while_idle(&mut task)));
        done.map_err(in_the_way)
    }

    /// Tries again while another connection stands in the way, for as long as the busy timeout says.
    pub(crate) fn patiently<T>(&self, errand: &Errand, mut task: impl FnMut() -> Result<T>) -> Result<T> {
        let started = Instant::now();
        loop {
            match task() {
                Err(error) if is_busy(&error) && started.elapsed() < self.busy_timeout => {
                    errand.look()?;
                    std::thread::sleep(BUSY_RETRY);
                }
                outcome => return outcome,
            }
        }
    }

    /// Ends the pull that runs now, if one does.
    pub(crate) fn interrupt_pull(&self) {
        self.lines.pull.cut();
        self.wake();
    }

    /// Ends the push or the checkpoint that runs now, if one does.
    pub(crate) fn interrupt_push(&self) {
        self.lines.push.cut();
        self.wake();
    }

    fn wake(&self) {
        self.pulls.wake();
        self.turns.wake();
    }
}

/// What to do, if an error says that something else stood in the way for too long.
pub(crate) fn in_the_way(error: Error) -> Error {
    if !is_busy(&error) {
        return error;
    }
    let advice = "database is locked: a transaction is open, or a statement half read; end it and try again";
    Error::retold(advice, LimboError::Busy)
}

/// What closing or interrupting a connection does to its replica.
pub(crate) struct Attachment(pub(crate) Weak<Replica>);

impl Companion for Attachment {
    fn interrupt(&self) {
        if let Some(replica) = self.0.upgrade() {
            replica.outside.statements.cut();
        }
    }

    fn close(&self) {
        let Some(replica) = self.0.upgrade() else {
            return;
        };
        for line in [&replica.lines.pull, &replica.lines.push, &replica.outside.statements] {
            line.close();
        }
        replica.wake();
        let engine = replica.engine.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(engine);
    }
}

/// Changes that were fetched, to be applied as often as it takes.
struct Changes {
    first: Option<DbChangesStatus>,
    again: Again,
}

/// What a second try is made from.
struct Again {
    time: turso_core::WallClockInstant,
    revision: turso_sync_engine::types::DatabasePullRevision,
    stream_kind: turso_sync_engine::types::DbChangesStreamKind,
    file: Option<(Arc<dyn turso_core::File>, Slot)>,
}

type Slot = Arc<Mutex<Option<Arc<dyn turso_core::File>>>>;

impl Changes {
    fn new(changes: DbChangesStatus) -> Self {
        let file = changes.file_slot.as_ref();
        let again = Again {
            time: changes.time,
            revision: changes.revision.clone(),
            stream_kind: changes.stream_kind,
            file: file.map(|file| (Arc::clone(&file.value), Arc::clone(&file.slot))),
        };
        Self {
            first: Some(changes),
            again,
        }
    }

    /// The changes, to be applied. An attempt gives their file back when it ends; only pulls use it, and one at a time.
    fn take(&mut self) -> DbChangesStatus {
        self.first.take().unwrap_or_else(|| DbChangesStatus {
            time: self.again.time,
            revision: self.again.revision.clone(),
            stream_kind: self.again.stream_kind,
            file_slot: self.again.file.as_ref().map(|(value, slot)| {
                slot.lock().unwrap_or_else(PoisonError::into_inner).take();
                MutexSlot {
                    value: Arc::clone(value),
                    slot: Arc::clone(slot),
                }
            }),
        })
    }
}
