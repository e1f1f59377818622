//! A sync server that fails on command.
//!
//! It speaks the protocol of the sync engine, over a database of the same engine: bootstrap, pull (by pages, in chunks, waiting
//! for news) and push. What goes wrong, when, and how, is said by requests to `/control/…`; `sync-test-server --help` lists them.
//!
//! It is made for tests: it keeps every revision for ever, runs one request at a time, and answers streams of pages alone
//! (a client that asks for a logical log, or for the pages that a query touches, gets pages, and all of them).

#![forbid(unsafe_code)]

mod body;
mod control;
mod database;
mod faults;
mod pipeline;
mod pull;
mod service;
mod state;

use std::io;
use std::sync::Arc;

use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

pub use crate::database::RemoteError;
pub use crate::faults::{Endpoint, Fault, Rule};
pub use crate::state::{Counters, Request, State};

/// Serves every connection to a socket, until it is dropped.
///
/// # Errors
/// If no further connection can be accepted.
pub async fn serve(listener: TcpListener, state: Arc<State>) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        state.controls().counters.connections += 1;
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let service = service_fn(|request| service::answer(Arc::clone(&state), request));
            // Connections break off: that is what the server is for.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
