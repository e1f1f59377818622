//! Short waits without sleep: of a worker for its next call, and of an event loop for a result.
//!
//! To wake a thread that sleeps, on another processor, takes ten times as long as a short call does. So a worker that is
//! called again and again looks for the next call for a moment before it sleeps, and an event loop whose call is about to
//! be done looks for its result for a moment before it goes to the others. Both need a processor each: on one, nobody
//! waits like that.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// For how long a worker looks: somewhat longer than an event loop takes to be told of a result and to make the next call.
const WORKER: Duration = Duration::from_micros(100);
/// For how long an event loop looks: less than it takes to be told.
const EVENT_LOOP: Duration = Duration::from_micros(20);
/// How far the record of looks that found something goes, and where it begins.
const BEST_RECORD: i32 = 8;
/// What a look that found nothing costs of the record, where one that found something adds 1.
const COST_OF_MISS: i32 = 2;
/// How many looks are left out when the record is used up.
const PAUSE: u32 = 64;
/// The record after that.
const RECORD_AFTER_PAUSE: i32 = 2;
/// How many looks at memory lie between two looks at the clock.
const LOOKS: usize = 16;

/// How many workers look at this moment. Another processor is the event loop's.
static LOOKING: AtomicUsize = AtomicUsize::new(0);

/// How many processors the process may use.
pub(super) fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Looks until something is there, for no longer than that.
fn look(for_time: Duration, is_there: impl Fn() -> bool) -> bool {
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
struct Record {
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
    fn is_good(&self) -> bool {
        let pause = self.pause.load(Ordering::Relaxed);
        self.pause.store(pause.saturating_sub(1), Ordering::Relaxed);
        pause == 0
    }

    /// Notes whether something was found.
    fn note(&self, is_found: bool) {
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
pub(super) struct Gaps {
    latest: Duration,
    record: Record,
}

impl Gaps {
    pub(super) fn new() -> Self {
        Self {
            latest: Duration::MAX,
            record: Record::default(),
        }
    }

    /// Notes for how long there was nothing to do.
    pub(super) fn note(&mut self, gap: Duration) {
        self.latest = gap;
    }

    /// Looks for the next call for a moment, if the latest one came so soon that a look would have found it.
    pub(super) fn look(&self, is_there: impl Fn() -> bool) {
        if self.latest > WORKER || !self.record.is_good() {
            return;
        }
        if LOOKING.fetch_add(1, Ordering::Relaxed) + 1 < processors() {
            self.record.note(look(WORKER, is_there));
        }
        LOOKING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the event loops know of how long the calls in one queue take.
#[derive(Default)]
pub(super) struct Haste(Record);

impl Haste {
    /// Whether to look for a result.
    pub(super) fn is_worthwhile(&self) -> bool {
        processors() > 1 && self.0.is_good()
    }

    /// Looks for a result for a moment.
    pub(super) fn look(end: Instant, is_there: impl Fn() -> bool) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        !left.is_zero() && look(left, is_there)
    }

    /// Until when an event loop looks that begins now.
    pub(super) fn end() -> Instant {
        Instant::now() + EVENT_LOOP
    }

    /// Notes whether the result came in time.
    pub(super) fn note(&self, is_found: bool) {
        self.0.note(is_found);
    }
}

#[cfg(test)]
mod tests {
    use super::{BEST_RECORD, Gaps, Haste, PAUSE, WORKER, processors};
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

    /// Bug: each await of a slow call keeps the event loop for a moment.
    #[test]
    fn an_event_loop_looks_seldom_where_it_finds_nothing() {
        let haste = Haste::default();
        let looks = (0..10_000)
            .filter(|_| haste.is_worthwhile())
            .inspect(|_| haste.note(false));
        let looks = u32::try_from(looks.count()).unwrap();
        assert!(looks <= 10_000 / PAUSE + BEST_RECORD.unsigned_abs(), "{looks}");
    }

    /// Bug: one slow call among quick ones costs these their haste; or what was found long ago outweighs what is not now.
    #[test]
    fn an_event_loop_looks_on_where_most_looks_find_something() {
        let looks = |every: u32| {
            let haste = Haste::default();
            let looked = (0..1_000).filter(|_| haste.is_worthwhile()).zip(0_u32..);
            looked.inspect(|(_, look)| haste.note(look % every != 0)).count()
        };
        if processors() > 1 {
            assert_eq!(looks(4), 1_000);
            assert!(looks(2) < 300, "{}", looks(2));
        }
    }
}
