//! What every driver is asked to do.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

/// One row by its id.
pub(crate) const SELECT_POINT: &str = "SELECT id, name, score FROM item WHERE id = ?";

/// The query of `measure/data.py`, and what comes out of it.
pub(crate) const HEAVY: &str = "SELECT count(*) FROM item AS a, item AS b WHERE b.id <= 800 AND (a.id + b.id) % 7 = 0";
pub(crate) const HEAVY_RESULT: i64 = 1_142_856;

/// The statement that is run once for each entry, and the count of them.
pub(crate) const INSERT_ENTRY: &str = "INSERT INTO entry VALUES (?, ?, ?)";
pub(crate) const COUNT_ENTRIES: &str = "SELECT count(*) FROM entry";

/// A row to insert.
pub(crate) type Entry = (i64, String, f64);

/// How many rows `item` has.
pub(crate) const ITEMS: i64 = 10_000;

/// A driver that is open. Clones use the same connection.
pub(crate) trait Peer: Clone + Send + Sync + 'static {
    /// Opens the database.
    fn open(path: &Path) -> impl Future<Output = Self> + Send;

    /// A call that goes to where calls go, and does nothing there.
    fn nothing(&self) -> impl Future<Output = ()> + Send;

    /// The id in the row of that id.
    fn select_one(&self, id: i64) -> impl Future<Output = i64> + Send;

    /// The result of the heavy query.
    fn heavy(&self) -> impl Future<Output = i64> + Send;

    /// Inserts all entries in a transaction, one statement for each, and rolls it back; how many there were before that.
    fn insert_all(&self, entries: Arc<Vec<Entry>>) -> impl Future<Output = i64> + Send;
}
