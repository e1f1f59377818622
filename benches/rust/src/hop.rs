//! The cost of a hop: a call that does nothing, awaited.

use std::path::Path;

use crate::peer::Peer;
use crate::stopwatch::{Effort, Measurement, per_operation};

/// So many tasks call the same object, each one call after the other.
pub(crate) fn by_tasks<P: Peer>(tasks: usize, database: &Path, effort: Effort) -> Measurement {
    let each = (effort.operations(40_000) / tasks).max(1);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("tokio starts");
    runtime.block_on(async {
        let peer = P::open(database).await;
        per_operation(effort, each * tasks, async || {
            let running: Vec<_> = (0..tasks)
                .map(|_| {
                    let peer = peer.clone();
                    tokio::spawn(async move {
                        for _ in 0..each {
                            peer.nothing().await;
                        }
                    })
                })
                .collect();
            for task in running {
                task.await.expect("no call fails");
            }
        })
        .await
    })
}
