//! Short waits without sleep: of a worker for its next call, and of an event loop for a result.
//!
//! To wake a thread that sleeps, on another processor, takes ten times as long as a short call does. So a worker that is
//! called again and again looks for the next call for a moment before it sleeps, and an event loop whose call is about to
//! be done looks for its result for a moment before it goes to the others. Both need a processor each: on one, nobody
//! waits like that.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// For how long a worker looks: somewhat longer than an event loop takes to be told of a result and to make the next call.
const WORKER: Duration = Duration::from_micros(100);
/// For how long an event loop looks: less than it takes to be told.
const EVENT_LOOP: Duration = Duration::from_micros(20);
/// An event loop that found nothing so many times lets some calls pass before it looks again.
const MISSES: u32 = 2;
/// How many calls it lets pass at most, as a power of two.
const LONGEST_PAUSE: u32 = 7;
/// How many looks at memory lie between two looks at the clock.
const LOOKS: usize = 16;

/// How many workers look at this moment. Another processor is the event loop's.
static LOOKING: AtomicUsize = AtomicUsize::new(0);

fn processors() -> usize {
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

/// What a worker knows of how often it is called.
pub(super) struct Gaps {
    latest: Duration,
}

impl Gaps {
    pub(super) fn new() -> Self {
        Self { latest: Duration::MAX }
    }

    /// Notes for how long there was nothing to do.
    pub(super) fn note(&mut self, gap: Duration) {
        self.latest = gap;
    }

    /// Looks for the next call for a moment, if the latest one came so soon that a look would have found it.
    pub(super) fn look(&self, is_there: impl Fn() -> bool) {
        if self.latest > WORKER {
            return;
        }
        if LOOKING.fetch_add(1, Ordering::Relaxed) + 1 < processors() {
            look(WORKER, is_there);
        }
        LOOKING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What the event loops know of how long the calls in one queue take.
#[derive(Default)]
pub(super) struct Haste {
    misses: AtomicU32,
    pause: AtomicU32,
}

impl Haste {
    /// Whether to look for a result.
    pub(super) fn is_worthwhile(&self) -> bool {
        if processors() == 1 {
            return false;
        }
        let pause = self.pause.load(Ordering::Relaxed);
        self.pause.store(pause.saturating_sub(1), Ordering::Relaxed);
        pause == 0
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
        let misses = if is_found {
            0
        } else {
            self.misses.load(Ordering::Relaxed).saturating_add(1)
        };
        self.misses.store(misses, Ordering::Relaxed);
        if misses >= MISSES {
            self.pause.store(1 << misses.min(LONGEST_PAUSE), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gaps, Haste, LONGEST_PAUSE, WORKER, processors};
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
    fn an_event_loop_looks_seldom_where_it_found_nothing() {
        let haste = Haste::default();
        let mut looks = 0;
        for _ in 0..10_000 {
            if haste.is_worthwhile() {
                looks += 1;
                haste.note(false);
            }
        }
        assert!(looks <= 10_000 / (1 << LONGEST_PAUSE) + 16, "{looks}");
        haste.note(true);
        while !haste.is_worthwhile() && processors() > 1 {}
        let looked = (0..100).filter(|_| haste.is_worthwhile()).count();
        assert_eq!(looked, if processors() > 1 { 100 } else { 0 });
    }
}
