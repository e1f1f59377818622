//! What `sqlite3.Connection` can do and this driver can't, because the engine has no way for it yet: each of these says so
//! when it is called, and what to do instead.

use async_proxy::async_proxy;

use crate::{AsyncConnection, Connection, Error, Result};

/// A value that is taken and not looked at: the argument of a call that does nothing, or that is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anything;

impl From<()> for Anything {
    fn from((): ()) -> Self {
        Self
    }
}

impl<T> From<Vec<T>> for Anything {
    fn from(_: Vec<T>) -> Self {
        Self
    }
}

impl<T, const LENGTH: usize> From<[T; LENGTH]> for Anything {
    fn from(_: [T; LENGTH]) -> Self {
        Self
    }
}

fn refused<T>(what: &str, instead: &str) -> Result<T> {
    Err(Error::not_supported(format!(
        "{what} is not supported: the engine has no way for it yet; {instead}"
    )))
}

#[async_proxy(extend)]
impl Connection {
    /// Would make a function of the program known to SQL.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (name, narg, func, *, deterministic = False))]
    pub fn create_function(
        &self,
        name: &str,
        narg: i64,
        #[proxy(py = "Callable[..., object] | None")] func: Anything,
        deterministic: bool,
    ) -> Result<()> {
        let (_, _, _) = (narg, func, deterministic);
        self.shared.check_open()?;
        refused(
            &format!("the SQL function \"{name}\""),
            "compute its values in the program and pass them as parameters",
        )
    }

    /// Would make an aggregate of the program known to SQL.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    pub fn create_aggregate(
        &self,
        name: &str,
        n_arg: i64,
        #[proxy(py = "Callable[[], object] | None")] aggregate_class: Anything,
    ) -> Result<()> {
        let (_, _) = (n_arg, aggregate_class);
        self.shared.check_open()?;
        refused(
            &format!("the SQL aggregate \"{name}\""),
            "read the rows and aggregate them in the program",
        )
    }

    /// Would make a window function of the program known to SQL.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    pub fn create_window_function(
        &self,
        name: &str,
        num_params: i64,
        #[proxy(py = "Callable[[], object] | None")] aggregate_class: Anything,
    ) -> Result<()> {
        let (_, _) = (num_params, aggregate_class);
        self.shared.check_open()?;
        refused(
            &format!("the SQL window function \"{name}\""),
            "read the rows and aggregate them in the program",
        )
    }

    /// Would make an order of texts known to SQL. Removing one (`None`) does nothing, since there is none.
    ///
    /// # Errors
    /// `NotSupportedError` for an order.
    pub fn create_collation(
        &self,
        name: &str,
        #[proxy(py = "Callable[[str, str], int] | None")] callback: Option<Anything>,
    ) -> Result<()> {
        self.shared.check_open()?;
        match callback {
            None => Ok(()),
            Some(_) => refused(
                &format!("the collation \"{name}\""),
                "use BINARY, NOCASE or RTRIM, or sort in the program",
            ),
        }
    }

    /// Would have each access of a statement allowed or denied by the program. Removing the function (`None`) does
    /// nothing, since there is none.
    ///
    /// # Errors
    /// `NotSupportedError` for a function.
    pub fn set_authorizer(
        &self,
        #[proxy(py = "Callable[..., int] | None")] authorizer_callback: Option<Anything>,
    ) -> Result<()> {
        self.shared.check_open()?;
        match authorizer_callback {
            None => Ok(()),
            Some(_) => refused(
                "an authorizer",
                "open the database with mode=ro in a URI if it shall only be read",
            ),
        }
    }

    /// Would have the program called while a statement runs. Removing the function (`None`) does nothing, since there is
    /// none.
    ///
    /// # Errors
    /// `NotSupportedError` for a function.
    pub fn set_progress_handler(
        &self,
        #[proxy(py = "Callable[[], int | None] | None")] progress_handler: Option<Anything>,
        n: i64,
    ) -> Result<()> {
        let _ = n;
        self.shared.check_open()?;
        match progress_handler {
            None => Ok(()),
            Some(_) => refused(
                "a progress handler",
                "end a call from outside with interrupt, or limit its time with set_query_timeout",
            ),
        }
    }

    /// Would have the program told of each statement. Removing the function (`None`) does nothing, since there is none.
    ///
    /// # Errors
    /// `NotSupportedError` for a function.
    pub fn set_trace_callback(
        &self,
        #[proxy(py = "Callable[[str], object] | None")] trace_callback: Option<Anything>,
    ) -> Result<()> {
        self.shared.check_open()?;
        match trace_callback {
            None => Ok(()),
            Some(_) => refused("a trace callback", "log the statements where the program runs them"),
        }
    }

    /// Would allow extensions of SQLite to be loaded. Forbidding it does nothing, since they never are.
    ///
    /// # Errors
    /// `NotSupportedError` if they shall be allowed.
    #[proxy(signature = (enable, /))]
    pub fn enable_load_extension(&self, enable: bool) -> Result<()> {
        self.shared.check_open()?;
        if enable {
            refused(
                "loading extensions",
                "what the engine has of SQLite's extensions is built in",
            )
        } else {
            Ok(())
        }
    }

    /// Would load an extension of SQLite from a shared library.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (name, /, *, entrypoint = None))]
    pub fn load_extension(&self, name: &str, entrypoint: Option<&str>) -> Result<()> {
        let _ = entrypoint;
        self.shared.check_open()?;
        refused(
            &format!("loading the extension \"{name}\""),
            "what the engine has of SQLite's extensions is built in",
        )
    }

    /// Would copy the database into that of another connection.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (target, *, pages = -1, progress = None, name = "main", sleep = 0.250))]
    pub fn backup(
        &self,
        target: Anything,
        pages: i64,
        #[proxy(py = "Callable[[int, int, int], object] | None")] progress: Option<Anything>,
        name: &str,
        sleep: f64,
    ) -> Result<()> {
        let (_, _, _, _, _) = (target, pages, progress, name, sleep);
        self.shared.check_open()?;
        refused(
            "a backup",
            "run the statements of iterdump in the other database, or VACUUM INTO a file",
        )
    }

    /// Would open a blob for reading and writing in parts.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (table, column, row, /, *, readonly = False, name = "main"))]
    pub fn blobopen(&self, table: &str, column: &str, row: i64, readonly: bool, name: &str) -> Result<()> {
        let (_, _, _) = (row, readonly, name);
        self.shared.check_open()?;
        refused(
            &format!("opening a blob of \"{table}\".\"{column}\""),
            "read parts of it with substr() in a SELECT",
        )
    }

    /// Would give the database as the bytes of its file.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (*, name = "main"))]
    pub fn serialize(&self, name: &str) -> Result<Vec<u8>> {
        let _ = name;
        self.shared.check_open()?;
        refused(
            "serializing a database",
            "VACUUM INTO a file and read that, or keep the statements of iterdump",
        )
    }

    /// Would replace the database by one that was serialized.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (data, /, *, name = "main"))]
    pub fn deserialize(&self, data: Anything, name: &str) -> Result<()> {
        let (_, _) = (data, name);
        self.shared.check_open()?;
        refused(
            "deserializing a database",
            "write the bytes to a file and connect to that",
        )
    }

    /// Would give one of SQLite's limits.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (category, /))]
    pub fn getlimit(&self, category: i64) -> Result<i64> {
        let _ = category;
        self.shared.check_open()?;
        refused("reading a limit", "the engine's limits are fixed")
    }

    /// Would set one of SQLite's limits.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (category, limit, /))]
    pub fn setlimit(&self, category: i64, limit: i64) -> Result<i64> {
        let (_, _) = (category, limit);
        self.shared.check_open()?;
        refused("setting a limit", "check sizes before they are bound")
    }

    /// Would give one of SQLite's settings.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (op, /))]
    pub fn getconfig(&self, op: i64) -> Result<bool> {
        let _ = op;
        self.shared.check_open()?;
        refused("reading a setting", "ask the PRAGMA of the same meaning")
    }

    /// Would set one of SQLite's settings.
    ///
    /// # Errors
    /// `NotSupportedError`, always.
    #[proxy(signature = (op, enable = True, /))]
    pub fn setconfig(&self, op: i64, enable: bool) -> Result<()> {
        let (_, _) = (op, enable);
        self.shared.check_open()?;
        refused("changing a setting", "use the PRAGMA of the same meaning")
    }
}
