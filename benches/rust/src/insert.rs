//! Many rows by one statement.

use std::path::Path;
use std::sync::Arc;

use crate::peer::{Entry, ITEMS, Peer};
use crate::stopwatch::{Effort, Measurement, per_operation};

/// By one task; how many came to be there is checked.
pub(crate) fn all<P: Peer>(database: &Path, effort: Effort) -> Measurement {
    let entries: Vec<Entry> = (1..=ITEMS).map(|id| (id, format!("item number {id}"), 0.5)).collect();
    let entries = Arc::new(entries);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .build()
        .expect("tokio starts");
    runtime.block_on(async {
        let peer = P::open(database).await;
        per_operation(effort, entries.len(), async || {
            let (peer, entries) = (peer.clone(), Arc::clone(&entries));
            let task = tokio::spawn(async move { peer.insert_all(entries).await });
            let count = task.await.expect("no insert fails");
            assert_eq!(
                count, ITEMS,
                "other rows are there than were inserted; nothing was measured"
            );
        })
        .await
    })
}
