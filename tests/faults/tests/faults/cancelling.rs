//! Calls whose futures are dropped: queued, running, at the moment at which they complete.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use crate::desk::{AsyncDesk, Watch};
use crate::executor::{EACH, Executor, sleep};
use crate::matrix::{DESK, DRIVER, Fault, hanging};
use crate::random::Random;
use crate::resources::processor_time;
use crate::scratch::{ENDLESS, ENDLESS_WRITE, Scratch, number};
use turso_driver::{ConnectOptions, IsolationLevel, connect_async};

pub(crate) const FAULTS: &[Fault] = &[
    Fault {
        name: "cancelled at random points",
        bug: "an interrupt that hits another call, a cancelled call that runs, a result that goes astray",
        worker: DESK,
        executors: EACH,
        run: cancelled_at_random_points,
    },
    Fault {
        name: "cancelled before the driver hears of it",
        bug: "an interrupt that finds nothing to stop yet is lost, and the statement runs on",
        worker: DESK,
        executors: EACH,
        run: cancelled_before_the_driver_hears_of_it,
    },
    Fault {
        name: "cancelled as soon as it begins",
        bug: "the window between the begin of a call and of its statement",
        worker: DRIVER,
        executors: EACH,
        run: cancelled_as_soon_as_it_begins,
    },
    Fault {
        name: "timeout around a long query",
        bug: "the next call waits for one that nobody waits for",
        worker: DRIVER,
        executors: EACH,
        run: timeout_around_a_long_query,
    },
    Fault {
        name: "timeout around a long write",
        bug: "half a statement is committed with the rest of its transaction",
        worker: DRIVER,
        executors: EACH,
        run: timeout_around_a_long_write,
    },
    Fault {
        name: "RETURNING that is broken off",
        bug: "of an INSERT only those rows are there whose RETURNING was read",
        worker: DRIVER,
        executors: EACH,
        run: returning_that_is_broken_off,
    },
];

/// In which an interrupted call makes room for the next: the median of the trials. It is the processor's time, which such a
/// call uses up until it ends; on a machine that is busy with something else, more time passes than that.
const INTERRUPTED_WITHIN: Duration = Duration::from_millis(50);

/// How long the calls behind interrupted ones took, and how much of that the processor worked for this process.
#[derive(Default)]
struct Waits {
    passed: Vec<Duration>,
    used: Vec<Duration>,
}

impl Waits {
    /// Calls, and gives the number of rows that are there.
    async fn measure(&mut self, connection: &turso_driver::AsyncConnection) -> i64 {
        let (started, used_before) = (Instant::now(), processor_time());
        let rows = number(connection, "SELECT count(*) FROM t").await;
        let passed = started.elapsed();
        self.passed.push(passed);
        let used = processor_time().zip(used_before);
        self.used
            .push(used.map_or(passed, |(after, before)| after.saturating_sub(before)));
        rows
    }

    /// Panics if the next call had to wait.
    fn verdict(mut self) -> String {
        self.passed.sort();
        self.used.sort();
        let (passed, used) = (self.passed[self.passed.len() / 2], self.used[self.used.len() / 2]);
        assert!(used < INTERRUPTED_WITHIN, "the next calls waited for {:?}", self.used);
        let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
        format!(
            "the next call after {:.1} ms, {:.1} ms of the processor",
            milliseconds(passed),
            milliseconds(used)
        )
    }
}

/// Victims on each executor.
const ROUNDS: usize = 1_500;
/// Takes some hundred microseconds.
const SHORT: &str = "SELECT sum(value) + ? FROM generate_series(1, 300)";
const SUM: i64 = 45_150;

fn cancelled_at_random_points(executor: Executor) -> String {
    let watch = Watch::default();
    let inside = watch.clone();
    let remark = executor.run(async move {
        let desk = AsyncDesk::open(inside.clone()).await.expect("it opens");
        let over = Arc::new(AtomicBool::new(false));
        let right = Arc::new(AtomicUsize::new(0));
        let counts = Arc::new([const { AtomicUsize::new(0) }; 3]);
        let mut tasks: Vec<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
        for task in 0..3 {
            let (desk, over, right) = (desk.clone(), over.clone(), right.clone());
            tasks.push(Box::pin(async move {
                let mut number = task;
                while !over.load(Ordering::SeqCst) {
                    number += 3;
                    let answer = desk.ask(SHORT, number).await;
                    assert_eq!(answer.expect("nobody cancelled this one"), SUM + number);
                    right.fetch_add(1, Ordering::SeqCst);
                    sleep(Duration::from_micros(100)).await;
                }
            }));
        }
        let (victim_desk, victim_over, victim_counts) = (desk.clone(), over, counts.clone());
        tasks.push(Box::pin(async move {
            drop_victims(&victim_desk, &inside, &victim_counts).await;
            victim_over.store(true, Ordering::SeqCst);
        }));
        executor.together(tasks).await;
        desk.close().await.expect("it closes");
        let [queued, running, done] = [0, 1, 2].map(|index: usize| counts[index].load(Ordering::SeqCst));
        assert!(
            running * 5 >= ROUNDS,
            "only {running} of {ROUNDS} were interrupted while they ran"
        );
        format!(
            "{queued} queued, {running} running, {done} completing; {} beside them right",
            right.load(Ordering::SeqCst)
        )
    });
    assert_eq!(watch.alive(), 0);
    remark
}

async fn drop_victims(desk: &AsyncDesk, watch: &Watch, counts: &[AtomicUsize; 3]) {
    let mut random = Random(17);
    for round in 0..ROUNDS {
        let begun = watch.begun();
        let mut call = match round % 3 {
            // Ends by an interrupt alone.
            0 => Box::pin(desk.run_endlessly()),
            _ => Box::pin(desk.ask(SHORT, 0)),
        };
        match round % 3 {
            // While it runs; others may stand before it.
            0 => {
                let started = Instant::now();
                while watch.begun() == begun && started.elapsed() < hanging() {
                    sleep(Duration::from_micros(20)).await;
                }
                sleep(Duration::from_micros(random.below(1_500))).await;
            }
            // While it waits, or a little later.
            1 => std::thread::sleep(Duration::from_micros(random.below(50))),
            // About when it completes.
            _ => sleep(Duration::from_micros(random.below(2_000))).await,
        }
        let before = watch.interrupts();
        let ready = call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        drop(call);
        let state = if ready {
            2
        } else if watch.interrupts() > before {
            1
        } else {
            0
        };
        counts[state].fetch_add(1, Ordering::SeqCst);
    }
}

/// The call runs, and the driver has nothing of it to interrupt yet.
fn cancelled_before_the_driver_hears_of_it(executor: Executor) -> String {
    let watch = Watch::default();
    let inside = watch.clone();
    executor.run(async move {
        let desk = AsyncDesk::open(inside.clone()).await.expect("it opens");
        let victim = desk.ask_late(ENDLESS);
        inside.until_waiting();
        drop(victim);
        assert_eq!(inside.interrupts(), 1);
        inside.open_gate();
        let next = executor.timeout(hanging(), desk.ask("SELECT ?", 1)).await;
        if next.is_none() {
            // Ends what runs on, so that the failure is one line of the table and not a hang.
            desk.interrupt().expect("it is open");
        }
        assert_eq!(
            next.expect("the call that nobody waits for runs on").expect("no error"),
            1
        );
        desk.close().await.expect("it closes");
    });
    assert_eq!(watch.alive(), 0);
    String::new()
}

fn cancelled_as_soon_as_it_begins(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let connection = scratch.with_table().await;
        let mut random = Random(23);
        let rounds = 700;
        let mut longest = Duration::ZERO;
        for round in 0..rounds {
            let victim = connection.execute(ENDLESS, ());
            let started = Instant::now();
            let wait = Duration::from_micros(random.below(60));
            while started.elapsed() < wait {
                std::hint::spin_loop();
            }
            drop(victim);
            let next = Instant::now();
            let one = executor.timeout(hanging(), number(&connection, "SELECT 1")).await;
            if one.is_none() {
                connection.interrupt().expect("it is open");
            }
            assert!(
                one.is_some(),
                "the call dropped {wait:?} after it was made runs on (round {round})"
            );
            longest = longest.max(next.elapsed());
        }
        connection.close().await.expect("it closes");
        format!("{rounds} dropped; next result at most {} ms later", longest.as_millis())
    })
}

fn timeout_around_a_long_query(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let connection = scratch.with_table().await;
        connection
            .execute("INSERT INTO t VALUES (1)", ())
            .await
            .expect("no error");
        let mut waits = Waits::default();
        for _ in 0..20 {
            let victim = executor.timeout(Duration::from_millis(15), connection.execute(ENDLESS, ()));
            assert!(victim.await.is_none());
            assert_eq!(waits.measure(&connection).await, 1);
            assert!(
                connection.in_transaction().expect("it is open"),
                "a query that is interrupted ends alone"
            );
        }
        connection.commit().await.expect("it commits");
        connection.close().await.expect("it closes");
        assert_eq!(scratch.count(), 1);
        waits.verdict()
    })
}

fn timeout_around_a_long_write(executor: Executor) -> String {
    executor.run(async move {
        let scratch = Scratch::new();
        let connection = scratch.with_table().await;
        let mut waits = Waits::default();
        let mut limit = Duration::from_millis(5);
        let mut interrupted = 0;
        while interrupted < 10 {
            connection
                .execute("INSERT INTO t VALUES (-1)", ())
                .await
                .expect("no error");
            let write = executor.timeout(limit, connection.execute(ENDLESS_WRITE, ()));
            assert!(write.await.is_none());
            match waits.measure(&connection).await {
                0 => {
                    assert!(
                        !connection.in_transaction().expect("it is open"),
                        "a write that is interrupted takes its transaction along"
                    );
                    interrupted += 1;
                    limit += Duration::from_millis(5);
                }
                // On a busy machine it may not have begun by then, and then it has not happened.
                1 if connection.in_transaction().expect("it is open") => limit *= 2,
                rows => panic!("{rows} rows are left of a write that was interrupted"),
            }
            connection.rollback().await.expect("what is left is undone");
        }
        connection
            .execute("INSERT INTO t VALUES (1)", ())
            .await
            .expect("no error");
        connection.commit().await.expect("it commits");
        connection.close().await.expect("it closes");
        assert_eq!(scratch.count(), 1);
        waits.verdict()
    })
}

fn returning_that_is_broken_off(executor: Executor) -> String {
    const ROWS: i64 = 1_000;
    executor.run(async move {
        let scratch = Scratch::new();
        scratch.with_table().await.close().await.expect("it closes");
        let mut expected = 0;
        // In a transaction that goes on, and in one of the statement's own.
        for isolation_level in [Some(IsolationLevel::Deferred), None] {
            let options = ConnectOptions {
                isolation_level,
                ..ConnectOptions::default()
            };
            let connection = connect_async(scratch.path("faults.db"), options)
                .await
                .expect("it opens");
            let sql = format!("INSERT INTO t SELECT value FROM generate_series(1, {ROWS}) RETURNING a");
            // One row is read, and the cursor dropped,
            let cursor = connection.execute(sql.as_str(), ()).await.expect("it inserts");
            assert!(cursor.fetchone().await.expect("no error").is_some());
            drop(cursor);
            expected += ROWS;
            assert_eq!(number(&connection, "SELECT count(*) FROM t").await, expected);
            // or the read that has begun is.
            let cursor = connection.execute(sql.as_str(), ()).await.expect("it inserts");
            let mut reading = Box::pin(cursor.fetchall());
            let _ = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            drop(reading);
            drop(cursor);
            expected += ROWS;
            assert_eq!(number(&connection, "SELECT count(*) FROM t").await, expected);
            connection.commit().await.expect("it commits");
            connection.close().await.expect("it closes");
            assert_eq!(scratch.count(), expected);
        }
        format!("{expected} rows, 2 of them read")
    })
}
