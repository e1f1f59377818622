//! What the sync engine asks of the outside world: files beside the database, requests to the server.
//!
//! The engine is written as coroutines that give control back while they wait. Here nothing waits in the background: a request
//! is made, and its answer read, in the thread of the call that needs it, at the moment at which the engine looks for it.
//! So each call has its own thread and its own connections, and none can hold up another.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use turso_core::Completion;
use turso_sync_engine::database_sync_engine_io::{DataCompletion, DataPollResult, SyncEngineIo};
use turso_sync_engine::errors::Error as EngineError;
use turso_sync_engine::types::{DatabaseRowMutation, DatabaseRowTransformResult};

use super::conflicts::ConflictBook;
use super::drive::gave_up;
use super::line::{Errand, Line};
use super::pipeline;
use super::request::{Answer, PIPELINE, Requests};
use super::whole::PageCount;
use crate::Error;

/// How much of an answer is read at a time.
const CHUNK: usize = 64 * 1024;

/// How long a thread waits for pages that another one fetches before it looks again whether it must stop.
const LONGEST_WAIT_FOR_PAGES: Duration = Duration::from_millis(10);

thread_local! {
    /// The call for which the engine works in this thread.
    static CURRENT: RefCell<Option<Arc<Errand>>> = const { RefCell::new(None) };

    /// The fetch that the engine began last in this thread.
    static ADDED: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The outside world of one database.
pub(crate) struct Outside {
    requests: Requests,
    pub(crate) book: ConflictBook,
    /// The line of the statements that fetch pages.
    pub(crate) statements: Arc<Line>,
    fetches: Mutex<Fetches>,
    fetched: Condvar,
}

/// Pages that statements of a partial replica wait for.
#[derive(Default)]
struct Fetches {
    waiting: BTreeMap<u64, Fetch>,
    last_number: u64,
    /// How many are being fetched, by some thread.
    under_way: usize,
}

/// A page that a statement waits for.
struct Fetch {
    /// The engine's work; it tells whether it is done.
    work: Box<dyn FnMut() -> bool + Send>,
    /// What the statement waits on. The engine's work leaves it open where it fails.
    completion: Option<Completion>,
}

impl Fetch {
    /// Does a part of the work; tells whether there is more.
    fn go_on(&mut self, errand: &Errand) -> bool {
        let is_done = catch_unwind(AssertUnwindSafe(|| (self.work)())).unwrap_or_else(|panic| {
            errand.fail(gave_up(&*panic));
            true
        });
        if is_done
            && let Some(completion) = self.completion.take()
            && !completion.finished()
        {
            completion.abort();
        }
        !is_done
    }
}

impl Outside {
    pub(crate) fn new(requests: Requests, book: ConflictBook, statements: Arc<Line>) -> Arc<Self> {
        Arc::new(Self {
            requests,
            book,
            statements,
            fetches: Mutex::default(),
            fetched: Condvar::new(),
        })
    }

    /// Runs a part of the engine's work on behalf of a call.
    pub(crate) fn on_behalf_of<T>(errand: &Arc<Errand>, work: impl FnOnce() -> T) -> T {
        /// Restores what was current before, also behind a panic.
        struct Restore(Option<Arc<Errand>>);
        impl Drop for Restore {
            fn drop(&mut self) {
                CURRENT.set(self.0.take());
            }
        }
        let _restore = Restore(CURRENT.replace(Some(Arc::clone(errand))));
        work()
    }

    /// An error if the call for which this thread works must stop. Signals are looked at too.
    pub(crate) fn look() -> crate::Result<()> {
        CURRENT
            .with_borrow(Option::clone)
            .map_or(Ok(()), |errand| errand.look())
    }

    /// The call for which the engine works now: a pull or a push, otherwise a statement that needs pages.
    fn current(&self) -> Arc<Errand> {
        CURRENT
            .with_borrow(Option::clone)
            .unwrap_or_else(|| self.statements.begin_statement())
    }

    /// Has a page read by the engine, which may want to fetch it: then what waits for it is known here too.
    pub(crate) fn read_page(
        &self,
        completion: &Completion,
        read: impl FnOnce() -> turso_core::Result<Completion>,
    ) -> turso_core::Result<Completion> {
        ADDED.set(None);
        let outcome = read();
        if let Some(number) = ADDED.take() {
            let mut fetches = self.lock();
            if let Some(fetch) = fetches.waiting.get_mut(&number) {
                fetch.completion = Some(completion.clone());
            }
        }
        outcome
    }

    /// Fetches the pages that statements wait for. What fails is an error of the statement that asks.
    pub(crate) fn fetch_pages(&self) -> crate::Result<()> {
        let mut taken = {
            let mut fetches = self.lock();
            if fetches.waiting.is_empty() && fetches.under_way > 0 {
                // Another thread is at it.
                let waited = self.fetched.wait_timeout(fetches, LONGEST_WAIT_FOR_PAGES);
                fetches = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
            let taken = std::mem::take(&mut fetches.waiting);
            fetches.under_way += taken.len();
            taken
        };
        if taken.is_empty() {
            return Ok(());
        }
        let errand = self.current();
        let count = taken.len();
        Self::on_behalf_of(&errand, || taken.retain(|_, fetch| fetch.go_on(&errand)));
        let mut fetches = self.lock();
        fetches.under_way -= count;
        fetches.waiting.append(&mut taken);
        drop(fetches);
        self.fetched.notify_all();
        match errand.notes(|notes| notes.failure.clone()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Fetches> {
        self.fetches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SyncEngineIo for Outside {
    type DataCompletionBytes = Arrival;
    type DataCompletionTransform = NoTransform;

    /// Reads a file; nothing if it is not there.
    fn full_read(&self, path: &str) -> Result<Arrival, EngineError> {
        match fs::read(path) {
            Ok(content) => Ok(Arrival::whole(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Arrival::whole(Vec::new())),
            Err(error) => Err(self.file_error(path, "read", &error)),
        }
    }

    /// Writes a file so that after a crash it holds the old content or the new one.
    fn full_write(&self, path: &str, content: Vec<u8>) -> Result<Arrival, EngineError> {
        write_durably(Path::new(path), &content).map_err(|error| self.file_error(path, "write", &error))?;
        Ok(Arrival::whole(Vec::new()))
    }

    fn transform(&self, _mutations: Vec<DatabaseRowMutation>) -> Result<NoTransform, EngineError> {
        Err(EngineError::DatabaseSyncEngineError(
            "changes are pushed as they are".to_owned(),
        ))
    }

    /// Sends a request. The engine calls this in the thread of the call that needs the answer.
    fn http(
        &self,
        url: Option<&str>,
        _method: &str,
        path: &str,
        body: Option<Vec<u8>>,
        headers: &[(&str, &str)],
    ) -> Result<Arrival, EngineError> {
        let errand = self.current();
        // Nobody waits for the server in their turn who can wait for it beside others.
        errand.end_turn();
        let body = body.unwrap_or_default();
        let arrival = Self::on_behalf_of(&errand, || {
            if path == PIPELINE {
                return self.push(&errand, url, headers, &body);
            }
            self.requests
                .send(&errand, url, path, headers, &body)
                .map(|answer| Arrival::streamed(Arc::clone(&errand), answer, PageCount::for_request(&body)))
        });
        arrival.map_err(|error| told_to_engine(&errand.fail(error)))
    }

    fn add_io_callback(&self, work: Box<dyn FnMut() -> bool + Send>) {
        let mut fetches = self.lock();
        fetches.last_number += 1;
        let number = fetches.last_number;
        let completion = None;
        fetches.waiting.insert(number, Fetch { work, completion });
        ADDED.set(Some(number));
    }

    fn step_io_callbacks(&self) {
        // A failure is noted at the call, or found again by the statement that steps next.
        let _ = self.fetch_pages();
    }
}

impl Outside {
    /// Sends a step of a push, all or nothing, and looks into the answer before the engine does.
    fn push(
        &self,
        errand: &Arc<Errand>,
        url: Option<&str>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> crate::Result<Arrival> {
        let (body, prepared) = errand.notes(|notes| pipeline::prepare(body, &notes.push.to_force))?;
        if let pipeline::Prepared::Impossible(push, step) = &prepared {
            errand.notes(|notes| push.refuse(*step, pipeline::INFINITE.to_owned(), &mut notes.push));
            return Err(Error::data(pipeline::INFINITE));
        }
        let mut answer = self.requests.send(errand, url, PIPELINE, headers, &body)?;
        let mut content = Vec::new();
        answer
            .body
            .read_to_end(&mut content)
            .map_err(|error| answer.place.broken(errand, &error))?;
        match errand.notes(|notes| prepared.read(&content, &answer.secrets, &mut notes.push)) {
            Some(Ok(content)) => Ok(Arrival::whole(content)),
            Some(Err(error)) => Err(answer.place.operational(error.message())),
            None => Err(answer.place.unintelligible("it does not fit the request")),
        }
    }

    /// Asks the server something in SQL.
    pub(crate) fn ask(&self, errand: &Arc<Errand>, kept_url: Option<&str>, body: &[u8]) -> crate::Result<Vec<u8>> {
        let headers = [("content-type", "application/json")];
        let mut answer = Self::on_behalf_of(errand, || {
            self.requests.send(errand, kept_url, PIPELINE, &headers, body)
        })?;
        let mut content = Vec::new();
        Self::on_behalf_of(errand, || answer.body.read_to_end(&mut content))
            .map_err(|error| answer.place.broken(errand, &error))?;
        Ok(content)
    }

    fn file_error(&self, path: &str, what: &str, error: &std::io::Error) -> EngineError {
        let error = Error::operational(format!("can't {what} \"{path}\", which the sync engine keeps: {error}"));
        told_to_engine(&self.current().fail(error))
    }
}

fn told_to_engine(error: &Error) -> EngineError {
    EngineError::IoError(error.message().to_owned())
}

/// Writes a file beside its place and moves it there.
pub(crate) fn write_durably(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let beside = Path::new(&name);
    let written = File::create(beside)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(beside, path));
    if written.is_err() {
        // The error that led here is the one to tell.
        let _ = fs::remove_file(beside);
        return written;
    }
    // The move itself is durable when the directory is; where a directory can't be opened, the system takes care of it.
    if let Some(Ok(directory)) = path.parent().map(|parent| {
        File::open(if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        })
    }) {
        let _ = directory.sync_all();
    }
    Ok(())
}

/// What the engine waits for: a file's content, or an answer that is read piece by piece.
pub(crate) struct Arrival(Mutex<Content>);

enum Content {
    Whole(Vec<u8>),
    Streamed(Box<Stream>),
    Ended,
}

/// An answer that is being read.
struct Stream {
    errand: Arc<Errand>,
    answer: Answer,
    count: Option<PageCount>,
}

impl Stream {
    /// The next piece; nothing at the end.
    fn read(&mut self) -> crate::Result<Vec<u8>> {
        self.errand.check()?;
        let mut piece = vec![0; CHUNK];
        let read = self.answer.body.read(&mut piece);
        let length = read.map_err(|error| self.answer.place.broken(&self.errand, &error))?;
        piece.truncate(length);
        if let Some(count) = &mut self.count {
            count.pass(&piece);
            if let Some(lack) = count.lack().filter(|_| length == 0) {
                return Err(self
                    .answer
                    .place
                    .operational(&format!("its answer is cut short: {lack}; try again")));
            }
        }
        if length == 0 {
            self.errand.take_turn()?;
        }
        Ok(piece)
    }
}

/// A piece of it.
pub(crate) struct Piece(Vec<u8>);

impl DataPollResult<u8> for Piece {
    fn data(&self) -> &[u8] {
        &self.0
    }
}

impl Arrival {
    fn whole(content: Vec<u8>) -> Self {
        Self(Mutex::new(Content::Whole(content)))
    }

    fn streamed(errand: Arc<Errand>, answer: Answer, count: Option<PageCount>) -> Self {
        Self(Mutex::new(Content::Streamed(Box::new(Stream {
            errand,
            answer,
            count,
        }))))
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DataCompletion<u8> for Arrival {
    type DataPollResult = Piece;

    /// Other answers than these are errors before the engine sees them.
    fn status(&self) -> Result<Option<u16>, EngineError> {
        Ok(Some(200))
    }

    fn poll_data(&self) -> Result<Option<Piece>, EngineError> {
        let mut content = self.lock();
        match std::mem::replace(&mut *content, Content::Ended) {
            Content::Whole(whole) if !whole.is_empty() => Ok(Some(Piece(whole))),
            Content::Streamed(mut stream) => match stream.read() {
                Ok(piece) if piece.is_empty() => Ok(None),
                Ok(piece) => {
                    *content = Content::Streamed(stream);
                    Ok(Some(Piece(piece)))
                }
                Err(error) => Err(told_to_engine(&stream.errand.fail(error))),
            },
            Content::Whole(_) | Content::Ended => Ok(None),
        }
    }

    fn is_done(&self) -> Result<bool, EngineError> {
        Ok(matches!(*self.lock(), Content::Ended))
    }
}

/// The answer of a transformation of changes, of which there is none.
pub(crate) enum NoTransform {}

/// A piece of such an answer.
pub(crate) enum NoPiece {}

impl DataPollResult<DatabaseRowTransformResult> for NoPiece {
    fn data(&self) -> &[DatabaseRowTransformResult] {
        match *self {}
    }
}

impl DataCompletion<DatabaseRowTransformResult> for NoTransform {
    type DataPollResult = NoPiece;

    fn status(&self) -> Result<Option<u16>, EngineError> {
        match *self {}
    }

    fn poll_data(&self) -> Result<Option<NoPiece>, EngineError> {
        match *self {}
    }

    fn is_done(&self) -> Result<bool, EngineError> {
        match *self {}
    }
}
