//! One row by its id, again and again.

use std::path::Path;

use crate::peer::{ITEMS, Peer};
use crate::stopwatch::{Effort, Measurement, per_operation};

/// By one task; the ids that come back are summed and checked.
pub(crate) fn points<P: Peer>(database: &Path, effort: Effort) -> Measurement {
    let operations = effort.operations(20_000);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("tokio starts");
    runtime.block_on(async {
        let peer = P::open(database).await;
        per_operation(effort, operations, async || {
            let peer = peer.clone();
            let task = tokio::spawn(async move {
                let (mut found, mut expected) = (0, 0);
                for id in (1..=ITEMS).cycle().step_by(37).take(operations) {
                    found += peer.select_one(id).await;
                    expected += id;
                }
                assert_eq!(
                    found, expected,
                    "other rows came back than were asked for; nothing was measured"
                );
            });
            task.await.expect("no select fails");
        })
        .await
    })
}
