//! Running the sync engine's coroutines to their end, and telling their errors in the classes of PEP 249.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use genawaiter::GeneratorState;
use genawaiter::sync::Gen;
use turso_core::LimboError;
use turso_sync_engine::errors::Error as EngineError;
use turso_sync_engine::types::Coro;

use super::io::Outside;
use super::line::Errand;
use crate::{Error, Result};

/// How long to rest between two looks at I/O of the engine that has not come to its end.
const REST: Duration = Duration::from_micros(200);

/// Runs one of the engine's operations to its end, in this thread.
///
/// # Errors
/// What was noted on the way, in the driver's words; otherwise the engine's error.
pub(crate) fn drive<T, F>(
    errand: &Arc<Errand>,
    io: &Arc<dyn turso_core::IO>,
    outside: &Arc<Outside>,
    operation: impl FnOnce(Coro<()>) -> F,
) -> Result<T>
where
    F: Future<Output = Result<T, EngineError>>,
{
    let ran = catch_unwind(AssertUnwindSafe(|| {
        Outside::on_behalf_of(errand, || {
            let mut generator = Gen::new(|co| operation(Coro::from(co)));
            loop {
                match generator.resume_with(Ok(())) {
                    GeneratorState::Complete(result) => return result,
                    GeneratorState::Yielded(_) => {
                        io.step()?;
                        outside
                            .fetch_pages()
                            .map_err(|error| EngineError::IoError(error.to_string()))?;
                        std::thread::sleep(REST);
                    }
                }
            }
        })
    }));
    let result = ran.unwrap_or_else(|panic| {
        let error = errand.fail(gave_up(&*panic));
        Err(EngineError::IoError(error.message().to_owned()))
    });
    result.map_err(|error| {
        errand
            .notes(|notes| notes.failure.clone())
            .unwrap_or_else(|| concealed(errand, tell(error)))
    })
}

/// The engine's error without the secrets that the server has repeated in what the engine could not read.
fn concealed(errand: &Errand, error: Error) -> Error {
    let words = errand.conceal(error.message());
    if words == error.message() {
        return error;
    }
    error.in_words(words)
}

/// The error of a call in which the engine panicked.
pub(crate) fn gave_up(panic: &(dyn std::any::Any + Send)) -> Error {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let words = words.unwrap_or("it did not say why");
    Error::internal(format!(
        "the sync engine gave up: {words}; if the server is well, it is a bug of the engine"
    ))
}

/// The engine's error in the classes of PEP 249.
pub(crate) fn tell(error: EngineError) -> Error {
    match error {
        EngineError::TursoError(error) => error.into(),
        EngineError::DatabaseTapeError(message) if message == "database is busy" => LimboError::Busy.into(),
        EngineError::DatabaseTapeError(message) if message == "statement was interrupted" => {
            LimboError::Interrupt.into()
        }
        // The part of the log that was synced can't be moved while a statement reads from it.
        EngineError::DatabaseSyncEngineError(message) if message.starts_with("unable to checkpoint synced portion") => {
            LimboError::Busy.into()
        }
        EngineError::DatabaseSyncEngineError(message)
            if message.starts_with("failed to replay local change") && !message.contains("constraint failed") =>
        {
            Error::operational(format!(
                "a local change does not fit what the server has: {message}; nothing was applied, and the local rows are as \
                 they were. A push names the row, and then resolve decides which side prevails"
            ))
        }
        EngineError::DatabaseSyncEngineError(message) if message.contains("constraint failed") => {
            Error::integrity(format!(
                "a local change does not fit what the server has: {message}; nothing was applied, and the local rows are \
                 as they were. A push names the row, and then resolve decides which side prevails"
            ))
        }
        EngineError::JsonDecode(message) => Error::operational(format!(
            "the sync server's answer, or what is kept beside the database, can't be understood: {message}"
        )),
        EngineError::DatabaseTapeError(message)
        | EngineError::DatabaseSyncEngineError(message)
        | EngineError::DatabaseSyncEngineConflict(message)
        | EngineError::IoError(message) => Error::operational(format!("synchronisation failed: {message}")),
    }
}

/// Whether another connection stood in the way, so that the same may succeed in a moment.
pub(crate) fn is_busy(error: &Error) -> bool {
    matches!(
        error.fault().engine_error(),
        Some(LimboError::Busy | LimboError::BusySnapshot | LimboError::TableLocked)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::conflicts::ConflictBook;
    use crate::sync::line::{Limits, Line};
    use crate::sync::proxy::Proxies;
    use crate::sync::request::{Requests, Secrets};

    /// Bug: what the engine said of an answer that it could not read was told with the token in it.
    #[test]
    fn the_engine_s_words_are_told_without_the_secrets_of_the_request() {
        let line = Line::new(Limits {
            connect: None,
            silence: None,
        });
        let requests = Requests {
            remote_url: None,
            auth_token: None,
            encryption_key: None,
            client_name: String::new(),
            proxies: Proxies::of_environment(),
        };
        let outside = Outside::new(requests, ConflictBook::open(None).unwrap(), Arc::clone(&line));
        let io: Arc<dyn turso_core::IO> = Arc::new(turso_core::MemoryIO::new());
        let errand = line.begin();
        errand.hold_back(&Secrets::new(Some("SECRET-TOKEN"), Some("SECRET-KEY")));
        for error in [
            EngineError::DatabaseSyncEngineError("body=SECRET-TOKEN SECRET-KEY".to_owned()),
            EngineError::TursoError(LimboError::ParseError("SECRET-TOKEN".to_owned())),
        ] {
            let told = drive(&errand, &io, &outside, |_| async move { Err::<(), _>(error) }).unwrap_err();
            assert!(told.message().contains("[held back]"), "{told}");
            assert!(!format!("{told:?}").contains("SECRET"), "{told:?}");
        }
    }
}
