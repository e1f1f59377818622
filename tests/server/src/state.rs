//! What the requests share: the database, the rules for what goes wrong, and a record of what came.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::HeaderMap;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::database::{Remote, RemoteError};
use crate::faults::{Endpoint, Fault, Rules};

/// How many requests are remembered.
const REMEMBERED: usize = 1000;

/// Shared by all connections.
pub struct State {
    remote: Mutex<Remote>,
    newest_revision: watch::Sender<u64>,
    controls: Mutex<Controls>,
}

/// What `/control/…` sets and shows.
#[derive(Default)]
pub(crate) struct Controls {
    /// The bearer token that requests must have; anything goes without one.
    pub(crate) token: Option<String>,
    /// What goes wrong.
    pub(crate) rules: Rules,
    /// What has happened since the start, or since it was last forgotten.
    pub(crate) counters: Counters,
    /// The last requests, the oldest first.
    pub(crate) requests: VecDeque<Request>,
}

/// Counted since the start, or since it was last forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// TCP connections that were made.
    pub connections: u64,
    /// Requests for updates.
    pub pull: u64,
    /// Requests to run SQL.
    pub push: u64,
    /// Requests with a wrong token or none.
    pub refused: u64,
    /// Requests that went wrong on command.
    pub faults: u64,
    /// Requests that wait for news at this moment (this one is never forgotten).
    pub waiting: u64,
}

/// A request as it came.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// Which of the two.
    pub endpoint: Endpoint,
    /// Its headers, by name in small letters.
    pub headers: Vec<(String, String)>,
    /// How long the body was, in bytes.
    pub length: usize,
    /// What went wrong with it.
    pub fault: Option<Fault>,
}

impl State {
    /// Opens the database.
    ///
    /// # Errors
    /// If it can't be opened.
    pub fn open(path: &Path, token: Option<String>) -> Result<Arc<Self>, RemoteError> {
        let remote = Remote::open(path)?;
        let newest_revision = watch::Sender::new(remote.newest_revision()?);
        let controls = Controls {
            token,
            ..Controls::default()
        };
        Ok(Arc::new(Self {
            remote: Mutex::new(remote),
            newest_revision,
            controls: Mutex::new(controls),
        }))
    }

    /// Runs a task with the database to itself, on a thread that may block, and wakes those who wait for news.
    pub(crate) async fn with_remote<T: Send + 'static>(
        self: &Arc<Self>,
        task: impl FnOnce(&Remote) -> T + Send + 'static,
    ) -> std::io::Result<T> {
        let state = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let remote = state.remote.lock().unwrap_or_else(PoisonError::into_inner);
            let result = task(&remote);
            if let Ok(newest) = remote.newest_revision() {
                state.newest_revision.send_if_modified(|known| {
                    let is_newer = *known != newest;
                    *known = newest;
                    is_newer
                });
            }
            result
        });
        task.await.map_err(std::io::Error::other)
    }

    /// Becomes ready when there is a revision newer than this one.
    pub(crate) async fn wait_for_news(&self, revision: u64) {
        let mut newest = self.newest_revision.subscribe();
        // The sender lives as long as this.
        let _ = newest.wait_for(|newest| *newest > revision).await;
    }

    /// What `/control/…` sets and shows.
    pub(crate) fn controls(&self) -> MutexGuard<'_, Controls> {
        self.controls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request that waits, until the guard is dropped: also when its client has gone away.
    pub(crate) fn begin_waiting(self: &Arc<Self>) -> impl Drop + use<> {
        self.controls().counters.waiting += 1;
        Waiting(Arc::clone(self))
    }
}

struct Waiting(Arc<State>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.controls().counters.waiting -= 1;
    }
}

impl Controls {
    /// Notes a request, and tells what goes wrong with it.
    pub(crate) fn receive(&mut self, endpoint: Endpoint, headers: &HeaderMap, length: usize) -> Option<Fault> {
        match endpoint {
            Endpoint::Pull => self.counters.pull += 1,
            Endpoint::Push => self.counters.push += 1,
        }
        let fault = self.rules.next(endpoint);
        self.counters.faults += u64::from(fault.is_some());
        if self.requests.len() == REMEMBERED {
            self.requests.pop_front();
        }
        let headers = headers.iter().map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        });
        self.requests.push_back(Request {
            endpoint,
            headers: headers.collect(),
            length,
            fault: fault.clone(),
        });
        fault
    }

    /// Whether a request may be done, by its header `Authorization`.
    pub(crate) fn allows(&self, headers: &HeaderMap) -> bool {
        let Some(token) = &self.token else { return true };
        headers
            .get(hyper::header::AUTHORIZATION)
            .is_some_and(|value| value.as_bytes() == format!("Bearer {token}").as_bytes())
    }

    /// Forgets the requests and what was counted.
    pub(crate) fn forget(&mut self) {
        self.requests.clear();
        self.counters = Counters {
            waiting: self.counters.waiting,
            ..Counters::default()
        };
    }
}
