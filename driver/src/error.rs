//! What goes wrong, in the classes of PEP 249.

use std::fmt;

use async_proxy::async_proxy;
use turso_core::{CompletionError, LimboError};

/// A result of the driver.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the driver, in the classes of PEP 249; which class a fault of the engine belongs to is the rule of
/// CPython's `sqlite3` (`Modules/_sqlite/util.c`, `get_exception_class`).
#[async_proxy]
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A warning that something may be wrong.
    #[error(transparent)]
    #[proxy(exception = "Warning")]
    Warning(Fault),
    /// The driver was used in a way that it can't serve, apart from the database.
    #[error(transparent)]
    #[proxy(exception = "InterfaceError")]
    Interface(Fault),
    /// The database itself is at fault: it is damaged, or the file is no database.
    #[error(transparent)]
    #[proxy(exception = "DatabaseError")]
    Database(Fault),
    /// The data can't be processed: a value is too large or of another type than was asked for.
    #[error(transparent)]
    #[proxy(exception = "DataError")]
    Data(Fault),
    /// Something that is not the program's fault alone: a lock, a full disk, an interrupt; also SQL that does not parse
    /// or names what is not there.
    #[error(transparent)]
    #[proxy(exception = "OperationalError")]
    Operational(Fault),
    /// A constraint of the database would be broken.
    #[error(transparent)]
    #[proxy(exception = "IntegrityError")]
    Integrity(Fault),
    /// The engine ran into an error of its own.
    #[error(transparent)]
    #[proxy(exception = "InternalError")]
    Internal(Fault),
    /// The program is wrong: a closed cursor, a wrong number of parameters, two statements in one `execute`.
    #[error(transparent)]
    #[proxy(exception = "ProgrammingError")]
    Programming(Fault),
    /// The engine does not do that.
    #[error(transparent)]
    #[proxy(exception = "NotSupportedError")]
    NotSupported(Fault),
}

/// What went wrong, in words, and the engine's error if it came from there.
#[derive(Clone, Debug)]
pub struct Fault {
    message: String,
    engine: Option<Box<LimboError>>,
    /// SQLite's result code where it is not the one that follows from the engine's error.
    code: Option<i32>,
}

impl Fault {
    /// A fault found by the driver itself.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            engine: None,
            code: None,
        }
    }

    /// A fault found by the engine, told in other words than its own.
    pub(crate) fn of_engine(message: impl Into<String>, engine: LimboError) -> Self {
        Self {
            message: message.into(),
            engine: Some(Box::new(engine)),
            code: None,
        }
    }

    /// What went wrong, in words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The engine's error, if it came from there.
    pub fn engine_error(&self) -> Option<&LimboError> {
        self.engine.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.engine
            .as_deref()
            .map(|engine| engine as &(dyn std::error::Error + 'static))
    }
}

/// Defines a constructor for each variant.
macro_rules! constructors {
    ($($name:ident => $variant:ident),+ $(,)?) => {
        impl Error {$(
            #[doc = concat!("An [`Error::", stringify!($variant), "`] of that message.")]
            pub fn $name(message: impl Into<String>) -> Self {
                Self::$variant(Fault::new(message))
            }
        )+}
    };
}

constructors! {
    warning => Warning,
    interface => Interface,
    database => Database,
    data => Data,
    operational => Operational,
    integrity => Integrity,
    internal => Internal,
    programming => Programming,
    not_supported => NotSupported,
}

impl Error {
    /// What went wrong and, where there is one, the engine's error.
    pub fn fault(&self) -> &Fault {
        match self {
            Self::Warning(fault)
            | Self::Interface(fault)
            | Self::Database(fault)
            | Self::Data(fault)
            | Self::Operational(fault)
            | Self::Integrity(fault)
            | Self::Internal(fault)
            | Self::Programming(fault)
            | Self::NotSupported(fault) => fault,
        }
    }

    /// What went wrong, in words.
    pub fn message(&self) -> &str {
        self.fault().message()
    }

    /// SQLite's primary result code for it, if the engine raised it: 5 for a lock, 9 for an interrupt, 19 for a constraint.
    pub fn sqlite_errorcode(&self) -> Option<i32> {
        let fault = self.fault();
        fault.code.or_else(|| fault.engine_error().map(result_code))
    }

    /// SQLite's extended result code, which says what kind of constraint it was, as far as the engine tells; otherwise the
    /// primary one. It is what `sqlite3` has as `sqlite_errorcode` (Python 3.11). Of a primary key the engine says that it
    /// is unique.
    pub fn sqlite_extended_errorcode(&self) -> Option<i32> {
        let code = self.sqlite_errorcode()?;
        let kind = CONSTRAINTS.iter().find(|(words, _, _)| self.message().contains(words));
        Some(kind.filter(|_| code == 19).map_or(code, |(_, code, _)| *code))
    }

    /// The name of that code, such as `SQLITE_BUSY`: `sqlite_errorname` of `sqlite3`.
    pub fn sqlite_errorname(&self) -> Option<&'static str> {
        let code = self.sqlite_extended_errorcode()?;
        let constraint = CONSTRAINTS.iter().find(|(_, constraint, _)| *constraint == code);
        let primary = || {
            usize::try_from(code)
                .ok()
                .and_then(|code| PRIMARY_CODES.get(code))
                .copied()
        };
        constraint.map(|(_, _, name)| *name).or_else(primary)
    }

    /// The same error under another of SQLite's result codes than follows from the engine's error.
    pub(crate) fn with_code(mut self, code: i32) -> Self {
        self.fault_mut().code = Some(code);
        self
    }

    /// The same error in other words than the engine's, which is kept out of it: its own words are those to replace.
    pub(crate) fn in_words(mut self, words: String) -> Self {
        let code = self.sqlite_errorcode();
        let fault = self.fault_mut();
        fault.message = words;
        fault.engine = None;
        fault.code = code;
        self
    }

    fn fault_mut(&mut self) -> &mut Fault {
        match self {
            Self::Warning(fault)
            | Self::Interface(fault)
            | Self::Database(fault)
            | Self::Data(fault)
            | Self::Operational(fault)
            | Self::Integrity(fault)
            | Self::Internal(fault)
            | Self::Programming(fault)
            | Self::NotSupported(fault) => fault,
        }
    }

    /// The error for a use of a closed connection, in `sqlite3`'s words.
    pub(crate) fn closed_database() -> Self {
        Self::programming("Cannot operate on a closed database.")
    }

    /// The error for a use of a closed cursor, in `sqlite3`'s words.
    pub(crate) fn closed_cursor() -> Self {
        Self::programming("Cannot operate on a closed cursor.")
    }

    /// The error for rows that a rollback has taken away, in SQLite's words for it (`SQLITE_ABORT_ROLLBACK`).
    pub(crate) fn cut_off() -> Self {
        Self::operational("abort due to ROLLBACK: run the query again, or read it to its end before the rollback")
    }

    /// The error for rows that are lost with the snapshot that they were in.
    pub(crate) fn cut_off_by_others() -> Self {
        Self::operational(
            "the query lost the rest of its rows: the connection ended its transaction while the query was half read, and its \
             snapshot was gone before another could be taken. Run the query again, or read it to its end before",
        )
    }

    /// The error for values by position that are too many or too few, in `sqlite3`'s words.
    pub(crate) fn wrong_number_of_values(needed: usize, supplied: usize) -> Self {
        Self::programming(format!(
            "Incorrect number of bindings supplied. The current statement uses {needed}, and there are {supplied} supplied."
        ))
    }

    /// An engine's error with other words than its own, in the class that it belongs to.
    pub(crate) fn retold(message: impl Into<String>, engine: LimboError) -> Self {
        class_of(&engine)(Fault::of_engine(message, engine))
    }
}

/// SQLite's result code for a file that can't be opened.
pub(crate) const CANNOT_OPEN: i32 = 14;

/// The names of SQLite's primary result codes, each at its place.
const PRIMARY_CODES: [&str; 27] = [
    "SQLITE_OK",
    "SQLITE_ERROR",
    "SQLITE_INTERNAL",
    "SQLITE_PERM",
    "SQLITE_ABORT",
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_NOMEM",
    "SQLITE_READONLY",
    "SQLITE_INTERRUPT",
    "SQLITE_IOERR",
    "SQLITE_CORRUPT",
    "SQLITE_NOTFOUND",
    "SQLITE_FULL",
    "SQLITE_CANTOPEN",
    "SQLITE_PROTOCOL",
    "SQLITE_EMPTY",
    "SQLITE_SCHEMA",
    "SQLITE_TOOBIG",
    "SQLITE_CONSTRAINT",
    "SQLITE_MISMATCH",
    "SQLITE_MISUSE",
    "SQLITE_NOLFS",
    "SQLITE_AUTH",
    "SQLITE_FORMAT",
    "SQLITE_RANGE",
    "SQLITE_NOTADB",
];

/// The words by which the engine tells what kind of constraint it was, SQLite's extended result code for it, its name.
const CONSTRAINTS: [(&str, i32, &str); 5] = [
    ("CHECK constraint failed", 275, "SQLITE_CONSTRAINT_CHECK"),
    ("FOREIGN KEY constraint failed", 787, "SQLITE_CONSTRAINT_FOREIGNKEY"),
    ("NOT NULL constraint failed", 1299, "SQLITE_CONSTRAINT_NOTNULL"),
    ("PRIMARY KEY constraint failed", 1555, "SQLITE_CONSTRAINT_PRIMARYKEY"),
    ("UNIQUE constraint failed", 2067, "SQLITE_CONSTRAINT_UNIQUE"),
];

/// SQLite's primary result code, where the engine's own table of them has no entry.
fn result_code(engine: &LimboError) -> i32 {
    match engine {
        LimboError::CompletionError(CompletionError::DecryptionError { .. }) => 26,
        LimboError::CompletionError(CompletionError::ChecksumMismatch { .. }) => 11,
        LimboError::CompletionError(_) | LimboError::CheckpointFailed(_) => 10,
        LimboError::InternalError(_) => 2,
        LimboError::LockingError(_) => 5,
        LimboError::OutOfMemory => 7,
        LimboError::WriteWriteConflict | LimboError::CommitDependencyAborted | LimboError::Conflict(_) => 5,
        // SQLITE_MISMATCH: text for an INTEGER PRIMARY KEY, say.
        LimboError::Constraint(message) if message.contains("datatype mismatch") => 20,
        // The engine says `Constraint` also for malformed JSON and for arguments that a function refuses.
        LimboError::Constraint(message) if !is_constraint(message) => 1,
        other => other.sqlite_result_code(),
    }
}

fn is_constraint(message: &str) -> bool {
    ["constraint failed", "cannot store", "invalid input for type"]
        .iter()
        .any(|words| message.contains(words))
}

/// The class for a result code: CPython's table.
fn class_of(engine: &LimboError) -> fn(Fault) -> Error {
    match result_code(engine) {
        2 | 12 => Error::Internal,
        11 => Error::Database,
        18 => Error::Data,
        19 | 20 => Error::Integrity,
        21 | 25 => Error::Interface,
        1 | 3..=10 | 13..=17 => Error::Operational,
        _ => Error::Database,
    }
}

impl From<LimboError> for Error {
    /// The class as `sqlite3` has it, and the engine's own message, save where programs look for SQLite's words.
    fn from(engine: LimboError) -> Self {
        let message = match &engine {
            LimboError::Busy => "database is locked".to_owned(),
            LimboError::Interrupt => "interrupted".to_owned(),
            LimboError::NotADB => "file is not a database".to_owned(),
            LimboError::ParseError(message) | LimboError::TxError(message) => message.clone(),
            LimboError::BusySnapshot => {
                "database is locked: another connection has changed what this transaction read; \
                 roll back and run it again"
                    .to_owned()
            }
            other => other.to_string(),
        };
        Self::retold(message, engine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_the_engine_get_the_class_that_sqlite3_gives_them() {
        let constraint = Error::from(LimboError::Constraint("UNIQUE constraint failed: t.a".to_owned()));
        assert!(matches!(constraint, Error::Integrity(_)));
        assert_eq!(constraint.sqlite_errorcode(), Some(19));
        assert!(matches!(
            Error::from(LimboError::ParseError("no such table: t".to_owned())),
            Error::Operational(_)
        ));
        assert!(matches!(Error::from(LimboError::Busy), Error::Operational(_)));
        assert!(matches!(Error::from(LimboError::TableLocked), Error::Operational(_)));
        assert!(matches!(Error::from(LimboError::ReadOnly), Error::Operational(_)));
        assert!(matches!(Error::from(LimboError::DatabaseFull), Error::Operational(_)));
        assert!(matches!(Error::from(LimboError::NotADB), Error::Database(_)));
        assert!(matches!(
            Error::from(LimboError::Corrupt("page 3".to_owned())),
            Error::Database(_)
        ));
        assert!(matches!(Error::from(LimboError::TooBig), Error::Data(_)));
        assert!(matches!(
            Error::from(LimboError::InternalError("bug".to_owned())),
            Error::Internal(_)
        ));
    }

    #[test]
    fn a_lock_and_an_interrupt_are_told_in_the_words_of_sqlite() {
        assert_eq!(Error::from(LimboError::Busy).to_string(), "database is locked");
        assert_eq!(Error::from(LimboError::Interrupt).to_string(), "interrupted");
    }

    #[test]
    fn result_codes_say_what_kind_of_constraint_it_was() {
        let of = |message: &str| Error::from(LimboError::Constraint(message.to_owned()));
        let unique = of("UNIQUE constraint failed: t.a");
        assert_eq!(unique.sqlite_extended_errorcode(), Some(2067));
        assert_eq!(unique.sqlite_errorname(), Some("SQLITE_CONSTRAINT_UNIQUE"));
        assert_eq!(of("datatype mismatch").sqlite_errorname(), Some("SQLITE_MISMATCH"));
        assert_eq!(Error::from(LimboError::Busy).sqlite_errorname(), Some("SQLITE_BUSY"));
        assert_eq!(Error::programming("ours").sqlite_errorname(), None);
    }

    #[test]
    fn the_engines_error_is_the_source() {
        let error = Error::from(LimboError::ParseError("near \"sel\": syntax error".to_owned()));
        let source = std::error::Error::source(&error).expect("the engine's error");
        assert!(source.to_string().contains("near \"sel\""));
        assert!(std::error::Error::source(&Error::programming("ours")).is_none());
    }
}
