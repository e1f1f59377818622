//! Short waits without sleep, of an event loop for a result.
//!
//! An event loop whose call is about to be done looks for its result for a moment before it goes to the others: to be told of it takes
//! longer.

use std::time::{Duration, Instant};

use crate::haste::{Record, look, processors};

/// For how long an event loop looks: less than it takes to be told.
const EVENT_LOOP: Duration = Duration::from_micros(20);

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
    use super::Haste;
    use crate::haste::{BEST_RECORD, PAUSE, processors};

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
