//! One way to write a test for both Rust faces of the driver: the blocking connection, which then blocks the executor, and its
//! async proxy.

use std::path::Path;

use turso_driver::{
    AsyncConnectionSync, Conflict, ConnectionSync, Keep, ParamsSequence, Result, SyncOptions, SyncStats, Value,
    connect_sync, connect_sync_async,
};

/// The error of a call of either face.
pub(crate) type AnyResult<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A connection that is synchronised with a server.
pub(crate) trait Face: Sized {
    async fn open(path: &Path, options: SyncOptions) -> AnyResult<Self>;
    /// Runs statements and commits.
    async fn run(&self, script: &str) -> AnyResult<()>;
    /// Runs a statement and leaves its transaction open.
    async fn begin(&self, sql: &str) -> AnyResult<()>;
    /// Runs one statement many times and commits.
    async fn run_many(&self, sql: &str, parameters: Vec<Vec<Value>>) -> AnyResult<()>;
    async fn rows(&self, sql: &str) -> AnyResult<Vec<Vec<Value>>>;
    async fn pull(&self) -> AnyResult<bool>;
    async fn push(&self) -> AnyResult<()>;
    async fn checkpoint(&self) -> AnyResult<()>;
    async fn stats(&self) -> AnyResult<SyncStats>;
    async fn conflicts(&self) -> AnyResult<Vec<Conflict>>;
    async fn resolve(&self, conflict: &Conflict, keep: Keep) -> AnyResult<()>;
    async fn close(self) -> AnyResult<()>;
}

impl Face for ConnectionSync {
    async fn open(path: &Path, options: SyncOptions) -> AnyResult<Self> {
        Ok(connect_sync(path, options)?)
    }

    async fn run(&self, script: &str) -> AnyResult<()> {
        self.executescript(script)?;
        Ok(self.commit()?)
    }

    async fn begin(&self, sql: &str) -> AnyResult<()> {
        self.execute(sql, ())?;
        Ok(())
    }

    async fn run_many(&self, sql: &str, parameters: Vec<Vec<Value>>) -> AnyResult<()> {
        self.executemany(sql, ParamsSequence::from(parameters))?;
        Ok(self.commit()?)
    }

    async fn rows(&self, sql: &str) -> AnyResult<Vec<Vec<Value>>> {
        let rows = self.execute(sql, ())?.fetchall()?;
        Ok(rows.iter().map(|row| row.values().to_vec()).collect())
    }

    async fn pull(&self) -> AnyResult<bool> {
        Ok(ConnectionSync::pull(self)?)
    }

    async fn push(&self) -> AnyResult<()> {
        Ok(ConnectionSync::push(self)?)
    }

    async fn checkpoint(&self) -> AnyResult<()> {
        Ok(ConnectionSync::checkpoint(self)?)
    }

    async fn stats(&self) -> AnyResult<SyncStats> {
        Ok(ConnectionSync::stats(self)?)
    }

    async fn conflicts(&self) -> AnyResult<Vec<Conflict>> {
        Ok(ConnectionSync::conflicts(self)?)
    }

    async fn resolve(&self, conflict: &Conflict, keep: Keep) -> AnyResult<()> {
        Ok(ConnectionSync::resolve(self, conflict, keep)?)
    }

    async fn close(self) -> AnyResult<()> {
        let closed: Result<()> = turso_driver::Connection::close(&self);
        Ok(closed?)
    }
}

impl Face for AsyncConnectionSync {
    async fn open(path: &Path, options: SyncOptions) -> AnyResult<Self> {
        Ok(connect_sync_async(path, options).await?)
    }

    async fn run(&self, script: &str) -> AnyResult<()> {
        self.executescript(script).await?;
        Ok(self.commit().await?)
    }

    async fn begin(&self, sql: &str) -> AnyResult<()> {
        self.execute(sql, ()).await?;
        Ok(())
    }

    async fn run_many(&self, sql: &str, parameters: Vec<Vec<Value>>) -> AnyResult<()> {
        self.executemany(sql, ParamsSequence::from(parameters)).await?;
        Ok(self.commit().await?)
    }

    async fn rows(&self, sql: &str) -> AnyResult<Vec<Vec<Value>>> {
        let rows = self.execute(sql, ()).await?.fetchall().await?;
        Ok(rows.iter().map(|row| row.values().to_vec()).collect())
    }

    async fn pull(&self) -> AnyResult<bool> {
        Ok(AsyncConnectionSync::pull(self).await?)
    }

    async fn push(&self) -> AnyResult<()> {
        Ok(AsyncConnectionSync::push(self).await?)
    }

    async fn checkpoint(&self) -> AnyResult<()> {
        Ok(AsyncConnectionSync::checkpoint(self).await?)
    }

    async fn stats(&self) -> AnyResult<SyncStats> {
        Ok(AsyncConnectionSync::stats(self).await?)
    }

    async fn conflicts(&self) -> AnyResult<Vec<Conflict>> {
        Ok(AsyncConnectionSync::conflicts(self).await?)
    }

    async fn resolve(&self, conflict: &Conflict, keep: Keep) -> AnyResult<()> {
        Ok(AsyncConnectionSync::resolve(self, conflict, keep).await?)
    }

    async fn close(self) -> AnyResult<()> {
        Ok(turso_driver::AsyncConnection::close(&self).await?)
    }
}
