//! A line to the server: what requests of one kind go through, and what cuts them off.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_proxy::CallToken;
use turso_core::LimboError;
use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector, RustlsConnector, SocksConnector};

use super::gate::{Gate, Pass};
use super::names::Names;
use super::request::Secrets;
use super::seal::Sealing;
use super::wire::{Attend, Dialer};
use crate::{Error, Result};

/// The connections to the server that one kind of call uses: a pull, a push, a statement that fetches pages. They are kept
/// open from one request to the next. Cutting the line ends the requests that are under way on it, and no other.
pub(crate) struct Line {
    config: Config,
    state: Mutex<State>,
}

struct State {
    /// How often the line was cut.
    cuts: u64,
    is_closed: bool,
    agent: Option<Agent>,
}

/// The time limits of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For making a connection.
    pub(crate) connect: Option<Duration>,
    /// For the silence of the other side.
    pub(crate) silence: Option<Duration>,
}

impl Line {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        let config = Config::builder()
            // A status is an answer like others, with words to tell; a redirect is followed by hand, because only the
            // driver knows which headers are secret.
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // Each request says by itself which it goes through.
            .proxy(None)
            .timeout_resolve(limits.connect)
            .timeout_connect(limits.connect)
            .timeout_per_read(limits.silence)
            .timeout_per_write(limits.silence)
            .build();
        Arc::new(Self {
            config,
            state: Mutex::new(State {
                cuts: 0,
                is_closed: false,
                agent: None,
            }),
        })
    }

    /// Begins a statement that fetches pages. It holds the engine, which the handler of a signal may want.
    pub(crate) fn begin_statement(self: &Arc<Self>) -> Arc<Errand> {
        let errand = self.begin();
        errand.is_deaf.store(true, Ordering::Relaxed);
        errand
    }

    /// Begins a call that uses the line.
    pub(crate) fn begin(self: &Arc<Self>) -> Arc<Errand> {
        Arc::new(self.errand(None))
    }

    /// Begins a call that waits for the server beside others, and for its turn behind that: what the engine does with an answer
    /// changes what is known of the replica, which must not be done twice at a time.
    pub(crate) fn begin_with_turns(self: &Arc<Self>, turns: &Gate) -> Arc<Errand> {
        Arc::new(self.errand(Some(turns.clone())))
    }

    fn errand(self: &Arc<Self>, turns: Option<Gate>) -> Errand {
        Errand {
            cuts: self.lock().cuts,
            line: Arc::clone(self),
            call: CallToken::current(),
            is_stopped: AtomicBool::new(false),
            is_deaf: AtomicBool::new(false),
            turns,
            notes: Mutex::default(),
        }
    }

    /// Ends the requests that are under way. Never waits.
    pub(crate) fn cut(&self) {
        let agent = {
            let mut state = self.lock();
            state.cuts += 1;
            state.agent.take()
        };
        if let Some(agent) = agent {
            agent.shutdown();
        }
    }

    /// Ends the requests that are under way, and refuses those to come.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.cut();
    }

    fn new_agent(&self) -> Agent {
        let connector =
            ().chain(SocksConnector::default())
                .chain(Attend)
                .chain(ConnectProxyConnector::default())
                .chain(Dialer)
                .chain(RustlsConnector::default())
                .chain(Sealing);
        Agent::with_parts(self.config.clone(), connector, Names)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call that uses a line, from its beginning to its end: whether it must stop, and what was noted on its way.
pub(crate) struct Errand {
    line: Arc<Line>,
    cuts: u64,
    /// The call of a worker that it is a part of.
    call: Option<CallToken>,
    /// Whether the handler of a signal has ended it.
    is_stopped: AtomicBool,
    /// Whether signals are left alone.
    is_deaf: AtomicBool,
    /// Where the call takes its turn as soon as what it waits for from the server is there.
    turns: Option<Gate>,
    notes: Mutex<Notes>,
}

/// What is noted on the way of a call and told at its end.
#[derive(Default)]
pub(crate) struct Notes {
    /// What went wrong first, in the driver's own words.
    pub(crate) failure: Option<Error>,
    /// How a push went.
    pub(crate) push: super::pipeline::PushNotes,
    /// What its errors may not show, of the last request.
    secrets: Secrets,
    /// The turn that it has.
    turn: Option<Pass>,
    /// Whether it has done all that it does beside others.
    has_waited: bool,
}

impl Errand {
    /// An error if the call must stop.
    pub(crate) fn check(&self) -> Result<()> {
        let state = self.line.lock();
        if state.is_closed {
            return Err(Error::closed_database());
        }
        if state.cuts != self.cuts
            || self.is_stopped.load(Ordering::Relaxed)
            || self.call.as_ref().is_some_and(CallToken::is_cancelled)
        {
            return Err(LimboError::Interrupt.into());
        }
        Ok(())
    }

    /// As `check`, and runs the handlers of signals that have come in. Called now and then by what waits, holding no lock: a
    /// handler may use the connection.
    pub(crate) fn look(&self) -> Result<()> {
        self.check()?;
        // A worker's call is ended by its token; signals come to the main thread.
        if self.call.is_none()
            && !self.is_deaf.load(Ordering::Relaxed)
            && let Err(error) = check_signals()
        {
            self.is_stopped.store(true, Ordering::Relaxed);
            return Err(error);
        }
        Ok(())
    }

    /// Does something that holds what the handler of a signal may want: signals are left alone meanwhile.
    pub(crate) fn deafly<T>(&self, task: impl FnOnce() -> T) -> T {
        let before = self.is_deaf.swap(true, Ordering::Relaxed);
        let done = task();
        self.is_deaf.store(before, Ordering::Relaxed);
        done
    }

    /// What to send a request with.
    pub(crate) fn agent(&self) -> Result<Agent> {
        self.check()?;
        let mut state = self.line.lock();
        if state.cuts != self.cuts {
            return Err(LimboError::Interrupt.into());
        }
        let agent = state.agent.get_or_insert_with(|| self.line.new_agent());
        Ok(agent.clone())
    }

    /// Waits for its turn, if the call takes one: what it waited for from the server is there.
    pub(crate) fn take_turn(&self) -> Result<()> {
        if let Some(turns) = &self.turns
            && self.notes(|notes| notes.turn.is_none() && !notes.has_waited)
        {
            let turn = turns.enter(self)?;
            self.notes(|notes| notes.turn = Some(turn));
        }
        Ok(())
    }

    /// Ends its turn, if it has one: it waits for the server again.
    pub(crate) fn end_turn(&self) {
        drop(self.notes(|notes| notes.turn.take()));
    }

    /// Gives its turn to who goes on with the call, and takes none any more: what the server is asked from now on it is asked
    /// within that one.
    pub(crate) fn hand_over_turn(&self) -> Option<Pass> {
        self.notes(|notes| {
            notes.has_waited = true;
            notes.turn.take()
        })
    }

    /// Looks at what was noted, or notes something.
    pub(crate) fn notes<T>(&self, task: impl FnOnce(&mut Notes) -> T) -> T {
        task(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes what may be shown in no error of the call.
    pub(crate) fn hold_back(&self, secrets: &Secrets) {
        self.notes(|notes| notes.secrets = secrets.clone());
    }

    /// Words of the engine, which may be the server's, without what they may not show.
    pub(crate) fn conceal(&self, words: &str) -> String {
        self.notes(|notes| notes.secrets.conceal(words))
    }

    /// Notes what went wrong, if nothing did before.
    pub(crate) fn fail(&self, error: Error) -> Error {
        self.notes(|notes| notes.failure.get_or_insert_with(|| error.clone()).clone())
    }
}

/// Runs the handlers of signals that have come in. What one raises reaches the caller; the error that is given back ends the call.
pub(crate) fn check_signals() -> Result<()> {
    #[cfg(feature = "python")]
    crate::python::check_signals()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Arc<Line> {
        Line::new(Limits {
            connect: None,
            silence: None,
        })
    }

    #[test]
    fn a_cut_ends_the_call_that_runs_and_not_the_one_after_it() {
        let line = line();
        let errand = line.begin();
        assert!(errand.check().is_ok());
        line.cut();
        assert_eq!(errand.check().unwrap_err().to_string(), "interrupted");
        assert!(errand.agent().is_err());
        assert!(line.begin().agent().is_ok());
    }

    #[test]
    fn a_closed_line_refuses_all_calls() {
        let line = line();
        let errand = line.begin();
        line.close();
        assert!(matches!(errand.check(), Err(Error::Programming(_))));
        assert!(matches!(line.begin().agent(), Err(Error::Programming(_))));
    }
}
