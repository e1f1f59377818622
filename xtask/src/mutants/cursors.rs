//! Bugs in what is read ahead: rows and snapshot properties.

use super::list::{Mutant, proxy};

const BUFFER: &str = "runtime/src/rows/buffer.rs";
const FETCH: &str = "runtime/src/rows/fetch.rs";
const LENT: &str = "runtime/src/rows/lent.rs";

pub(super) const MUTANTS: &[Mutant] = &[
    Mutant {
        bug: "a row that went to a future that was dropped is lost",
        file: LENT,
        right: "                state.put_back(home.first, rows);",
        wrong: "                drop(rows);",
        test: proxy("proxy_rows", "a_fetch_that_is_dropped_at_a_random_point_loses_no_row"),
        quick: true,
    },
    Mutant {
        bug: "rows that come back stand in the wrong order",
        file: BUFFER,
        right: "self.entries.partition_point(|(number, _)| *number < first)",
        wrong: "0",
        test: proxy("proxy_rows", "rows_that_come_back_stand_in_their_old_order"),
        quick: true,
    },
    Mutant {
        bug: "a row of the old result set comes back among those of the new one",
        file: LENT,
        right: "            if state.generation == home.generation {",
        wrong: "            if home.generation < u64::MAX {",
        test: proxy(
            "proxy_rows",
            "a_new_result_set_drops_the_old_rows_when_it_is_its_turn_and_not_before",
        ),
        quick: true,
    },
    Mutant {
        bug: "rows of the old result set are given for those of the new one",
        file: BUFFER,
        right: "            mem::take(&mut state.entries)",
        wrong: "            VecDeque::<(u64, Entry<One::Row, One::Error>)>::new()",
        test: proxy(
            "proxy_rows",
            "a_new_result_set_drops_the_old_rows_when_it_is_its_turn_and_not_before",
        ),
        quick: false,
    },
    Mutant {
        bug: "rows are taken in place while a call waits that comes before",
        file: BUFFER,
        right: "        self.turns == 0",
        wrong: "        self.turns < usize::MAX",
        test: proxy(
            "proxy_rows",
            "a_new_result_set_drops_the_old_rows_when_it_is_its_turn_and_not_before",
        ),
        quick: true,
    },
    Mutant {
        bug: "the rest of a chunk is lost when the members are mixed",
        file: FETCH,
        right: "                taken.extend(rest);",
        wrong: "                taken = rest;",
        test: proxy(
            "proxy_rows",
            "an_iteration_broken_off_and_resumed_in_any_mix_gives_each_row_once_and_in_order",
        ),
        quick: true,
    },
    Mutant {
        bug: "a chunk has no end in rows",
        file: FETCH,
        right: "count == CHUNK_ROWS || ",
        wrong: "count == usize::MAX || ",
        test: proxy("proxy_rows", "a_chunk_ends_at_its_rows_and_at_its_time"),
        quick: true,
    },
    Mutant {
        bug: "a chunk has no end in time",
        file: FETCH,
        right: "|| started.elapsed() >= CHUNK_TIME",
        wrong: "|| started.elapsed() >= CHUNK_TIME * 1_000_000",
        test: proxy("proxy_rows", "a_chunk_ends_at_its_rows_and_at_its_time"),
        quick: false,
    },
    Mutant {
        bug: "an error is raised before the rows in front of it",
        file: BUFFER,
        right: "            self.entries.push_back((self.next, entry));",
        wrong: "            match entry {
                Entry::Failed(_) => self.entries.push_front((self.next, entry)),
                _ => self.entries.push_back((self.next, entry)),
            }",
        test: proxy("proxy_rows", "an_error_at_a_row_is_raised_at_that_row"),
        quick: true,
    },
    Mutant {
        bug: "a panic while reading ahead is told to who asked for the rows before it",
        file: FETCH,
        right: "match guarded(|| T::Access::with(worker, place, false, T::one)) {",
        wrong: "match Ok::<_, Fault>(T::Access::with(worker, place, false, T::one)) {",
        test: proxy("proxy_corners", "a_panic_while_reading_ahead_is_raised_at_its_row"),
        quick: false,
    },
    Mutant {
        bug: "nothing is read ahead while an iteration goes on",
        file: FETCH,
        right: "        let Some(prefetch) = self.rows().begin_prefetch(LOW) else {",
        wrong: "        let Some(prefetch) = self.rows().begin_prefetch(LOW).filter(|_| false) else {",
        test: proxy(
            "proxy_rows",
            "the_next_chunk_is_read_while_the_rows_of_the_last_are_consumed",
        ),
        quick: false,
    },
    Mutant {
        bug: "snapshot properties are not published after a call",
        file: "runtime/src/storage.rs",
        right: "        let result = code(reached.ok_or(Fault::Gone)?);
        if publish {",
        wrong: "        let result = code(reached.ok_or(Fault::Gone)?);
        if publish && board.is::<()>() {",
        test: proxy("proxy_calls", "every_kind_works_on_a_simple_executor"),
        quick: true,
    },
];
