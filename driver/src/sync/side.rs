//! A connection beside the user's, whose own changes are not noted as such: for looking at the noted changes and for taking
//! them back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use turso_sync_engine::server_proto;
use turso_sync_engine::types::parse_bin_record;

use super::drive::is_busy;
use super::line::Errand;
use super::opening;
use super::replica::Replica;
use crate::session::Shared;
use crate::{Autocommit, ConnectOptions, Connection, Error, Params, Result, Row, Value};

/// Such a connection.
pub(crate) struct SideConnection(Connection);

/// A change as the engine has noted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) change_id: i64,
    pub(crate) kind: Kind,
    pub(crate) table: String,
    pub(crate) rowid: Option<i64>,
}

/// What a change does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Insert,
    Update,
    Delete,
}

/// The columns of a table.
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    /// Where the columns of the primary key stand.
    pub(crate) key: Vec<usize>,
}

impl SideConnection {
    pub(crate) fn open(replica: &Replica, errand: &Arc<Errand>) -> Result<Self> {
        Self::open_within(replica, errand, replica.busy_timeout)
    }

    fn open_within(replica: &Replica, errand: &Arc<Errand>, busy_timeout: Duration) -> Result<Self> {
        let core = if busy_timeout.is_zero() {
            opening::connect_now(replica, errand)
        } else {
            opening::connect(replica, errand)
        };
        let shared = Shared::new(core?, 0, busy_timeout, None, Autocommit::Enabled);
        let connection = Connection {
            shared: Arc::new(shared),
        };
        connection
            .execute("PRAGMA capture_data_changes_conn('off')", ())?
            .fetchall()?;
        Ok(Self(connection))
    }

    /// A connection for looking at the noted changes.
    pub(crate) fn reading(replica: &Replica, errand: &Arc<Errand>) -> Result<Self> {
        match &replica.pushed.database {
            // To read is what a transaction that is open here does not hold up.
            Some(database) => Self::to_read(database, replica.busy_timeout),
            None => Self::open(replica, errand),
        }
    }

    /// The same; `None` where a transaction is in its way. Only one in memory can be: there is no connection to it that only reads.
    pub(crate) fn reading_now(replica: &Replica, errand: &Arc<Errand>) -> Result<Option<Self>> {
        if replica.pushed.database.is_some() {
            return Self::reading(replica, errand).map(Some);
        }
        match Self::open_within(replica, errand, Duration::ZERO) {
            Err(error) if is_busy(&error) => Ok(None),
            side => side.map(Some),
        }
    }

    /// A connection that only reads, also while a transaction of the user's writes.
    pub(crate) fn to_read(database: &Path, busy_timeout: Duration) -> Result<Self> {
        let options = ConnectOptions::default().timeout(busy_timeout.as_secs_f64());
        Ok(Self(crate::connect(database, options)?))
    }

    /// Runs a statement and gives all its rows.
    pub(crate) fn rows(&self, sql: &str, parameters: impl Into<Params>) -> Result<Vec<Row>> {
        self.0.execute(sql, parameters)?.fetchall()
    }

    /// Does all of something in one transaction, or nothing.
    pub(crate) fn in_transaction<T>(&self, task: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.rows("BEGIN IMMEDIATE", ())?;
        let done = task(self).and_then(|value| self.rows("COMMIT", ()).map(|_| value));
        if done.is_err() {
            // The error that led here is the one to tell.
            let _ = self.rows("ROLLBACK", ());
        }
        done
    }

    /// The changes of rows that were noted after one and up to another.
    pub(crate) fn noted_between(&self, after: i64, last: i64) -> Result<Vec<Noted>> {
        let rows = self.rows(
            "SELECT change_id, change_type, table_name, id FROM turso_cdc \
             WHERE change_id > ? AND change_id <= ? ORDER BY change_id",
            [after, last],
        )?;
        Ok(rows.iter().filter_map(noted).collect())
    }

    /// The changes of a table's rows that were noted from one on, each with the number of its transaction.
    pub(crate) fn noted_of(&self, table: &str, from: i64) -> Result<Vec<(Noted, Option<i64>)>> {
        let rows = self.rows(
            "SELECT change_id, change_type, table_name, id, change_txn_id FROM turso_cdc \
             WHERE change_id >= ? AND table_name = ? ORDER BY change_id",
            (from, table),
        )?;
        let transaction = |row: &Row| row.get::<i64>(4).ok();
        Ok(rows
            .iter()
            .filter_map(|row| noted(row).map(|noted| (noted, transaction(row))))
            .collect())
    }

    /// The row before a change, or after it.
    pub(crate) fn image(&self, change_id: i64, is_before: bool) -> Result<Vec<Value>> {
        let column = if is_before { "before" } else { "after" };
        let sql = format!("SELECT \"{column}\" FROM turso_cdc WHERE change_id = ?");
        let rows = self.rows(&sql, [change_id])?;
        match rows.first().and_then(|row| row.values().first()) {
            Some(Value::Blob(record)) => {
                let values = parse_bin_record(record).map_err(super::drive::tell)?;
                Ok(values.iter().map(Value::from_engine).collect())
            }
            _ => Err(Error::not_supported(
                "the engine has noted the change without the row itself",
            )),
        }
    }

    /// The columns of a table; none if it is not there.
    pub(crate) fn columns(&self, table: &str) -> Result<Columns> {
        let rows = self.rows(&format!("PRAGMA table_info({})", quoted(table)), ())?;
        let mut columns = Columns {
            names: Vec::new(),
            key: Vec::new(),
        };
        for (place, row) in rows.iter().enumerate() {
            columns.names.push(row.get("name")?);
            if row.get::<i64>("pk")? > 0 {
                columns.key.push(place);
            }
        }
        Ok(columns)
    }
}

fn noted(row: &Row) -> Option<Noted> {
    let kind = match row.get::<i64>(1).ok()? {
        1 => Kind::Insert,
        0 => Kind::Update,
        -1 => Kind::Delete,
        // The end of a transaction.
        _ => return None,
    };
    Some(Noted {
        change_id: row.get(0).ok()?,
        kind,
        table: row.get(2).ok()?,
        rowid: row.get(3).ok(),
    })
}

/// A name as SQL takes it, whatever it consists of.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value as it goes to the server.
pub(crate) fn to_server(value: &Value) -> server_proto::Value {
    match value {
        Value::Null => server_proto::Value::Null,
        Value::Integer(value) => server_proto::Value::Integer { value: *value },
        Value::Real(value) => server_proto::Value::Float { value: *value },
        Value::Text(value) => server_proto::Value::Text { value: value.clone() },
        Value::Blob(value) => server_proto::Value::Blob {
            value: value.clone().into(),
        },
    }
}
