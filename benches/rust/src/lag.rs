//! How late the other tasks of an executor run while a query runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::unbounded_channel;

use crate::peer::{HEAVY_RESULT, Peer};
use crate::stopwatch::{Measurement, median};

/// How often the task beside is woken.
const PERIOD: Duration = Duration::from_millis(1);

/// At least so many times, for a percentile.
const WAKE_UPS: usize = 500;

/// The 99th percentile, in milliseconds, of the time between the wake-up of a task and its run. The executor has one thread,
/// so that whoever blocks it is seen. A thread of its own wakes the task: tokio's timers have milliseconds at best.
pub(crate) fn during_heavy_query<P: Peer>(database: &Path) -> Measurement {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("tokio starts");
    let mut lags = runtime.block_on(async {
        let peer = P::open(database).await;
        assert_eq!(peer.heavy().await, HEAVY_RESULT);
        let (sender, mut receiver) = unbounded_channel::<Instant>();
        let beside = tokio::spawn(async move {
            let mut lags = Vec::new();
            while let Some(woken) = receiver.recv().await {
                lags.push(woken.elapsed().as_secs_f64() * 1e3);
            }
            lags
        });
        let waker = sender.downgrade();
        let ticking = thread::spawn(move || {
            // It ends with the query, which holds the other end.
            while let Some(sender) = waker.upgrade() {
                let _ = sender.send(Instant::now());
                drop(sender);
                thread::sleep(PERIOD);
            }
        });
        let begin = Instant::now();
        while begin.elapsed() < PERIOD * u32::try_from(WAKE_UPS * 3 / 2).expect("some hundreds") {
            assert_eq!(
                peer.heavy().await,
                HEAVY_RESULT,
                "the query did not run; nothing was measured"
            );
        }
        drop(sender);
        ticking.join().expect("nothing in it panics");
        beside.await.expect("nothing in it panics")
    });
    assert!(
        lags.len() >= 100,
        "{} wake-ups are too few for a percentile",
        lags.len()
    );
    lags.sort_by(f64::total_cmp);
    let worst = lags[lags.len() - 1];
    let percentile = lags[lags.len() * 99 / 100];
    Measurement {
        value: percentile,
        unit: "ms",
        details: BTreeMap::from([("worst", worst), ("median", median(lags))]),
    }
}
