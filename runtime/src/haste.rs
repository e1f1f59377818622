//! Short waits without sleep, of a worker for its next call.
//!
//! To wake a thread that sleeps, on another processor, takes ten times as long as a short call does. So a worker that is
//! called again and again looks for the next call for a moment before it sleeps. Both sides need a processor each: on one, nobody
//! waits like that.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// For how long a worker looks: somewhat longer than an event loop takes to be told of a result and to make the next call.
const WORKER: Duration = Duration::from_micros(100);
/// How far the record of looks that found something goes, and where it begins.
pub(crate) const BEST_RECORD: i32 = 8;
/// What a look that found nothing costs of the record, where one that found something adds 1.
const COST_OF_MISS: i32 = 2;
/// How many looks are left out when the record is used up.
pub(crate) const PAUSE: u32 = 64;
/// The record after that.
const RECORD_AFTER_PAUSE: i32 = 2;
/// How many looks at memory lie between two looks at the clock.
const LOOKS: usize = 16;

/// How many workers look at this moment. Another processor is the event loop's.
static LOOKING: AtomicUsize = AtomicUsize::new(0);

/// How many processors the process may use.
pub(crate) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Looks until something is there, for no longer than that.
pub(crate) fn look(for_time: Duration, is_there: impl Fn() -> bool) -> bool {
    let end = Instant::now() + for_time;
    loop {
        for _ in 0..LOOKS {
            if is_there() {
                return true;
            }
            std::hint::spin_loop();
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

/// How the latest looks ended. Where many found nothing, as on a machine that is busy with other things, most are left out:
/// they would take the processor from those who are waited for.
#[derive(Debug)]
pub(crate) struct Record {
    score: AtomicI32,
    pause: AtomicU32,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            score: AtomicI32::new(BEST_RECORD),
            pause: AtomicU32::new(0),
        }
    }
}

impl Record {
    /// Whether to look.
    pub(crate) fn is_good(&self) -> bool {
        let pause = self.pause.load(Ordering::Relaxed);
        self.pause.store(pause.saturating_sub(1), Ordering::Relaxed);
        pause == 0
    }

    /// Notes whether something was found.
    pub(crate) fn note(&self, is_found: bool) {
        let score = self.score.load(Ordering::Relaxed) + if is_found { 1 } else { -COST_OF_MISS };
        if score > 0 {
            self.score.store(score.min(BEST_RECORD), Ordering::Relaxed);
        } else {
            self.score.store(RECORD_AFTER_PAUSE, Ordering::Relaxed);
            self.pause.store(PAUSE, Ordering::Relaxed);
        }
    }
}

/// What a worker knows of how often it is called.
pub(crate) struct Gaps {
    latest: Duration,
    record: Record,
}

impl Gaps {
    pub(crate) fn new() -> Self {
        Self {
            latest: Duration::MAX,
            record: Record::default(),
        }
    }

    /// Notes for how long there was nothing to do.
    pub(crate) fn note(&mut self, gap: Duration) {
        self.latest = gap;
    }

    /// Looks for the next call for a moment, if the latest one came so soon that a look would have found it.
    pub(crate) fn look(&self, is_there: impl Fn() -> bool) {
        if self.latest > WORKER || !self.record.is_good() {
            return;
        }
        if LOOKING.fetch_add(1, Ordering::Relaxed) + 1 < processors() {
            self.record.note(look(WORKER, is_there));
        }
        LOOKING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Gaps, WORKER, processors};
    use std::cell::Cell;
    use std::time::Duration;

    /// Bug: a worker that is called once a second uses up a processor between two calls.
    #[test]
    fn a_worker_looks_only_where_the_latest_call_came_soon() {
        let looks = Cell::new(0);
        let look = |gaps: &Gaps| {
            gaps.look(|| {
                looks.set(looks.get() + 1);
                true
            });
        };
        let mut gaps = Gaps::new();
        look(&gaps);
        gaps.note(WORKER + Duration::from_micros(1));
        look(&gaps);
        assert_eq!(looks.get(), 0);
        gaps.note(WORKER);
        look(&gaps);
        assert_eq!(looks.get(), u32::from(processors() > 1));
    }
}
