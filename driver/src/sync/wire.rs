//! TCP connections that can be given up at any moment, also while they are being made.
//!
//! `ureq` has connections of its own, which an agent that is shut down ends, save one that is still being made: to a host that
//! does not answer that takes as long as the time limit.

use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle, Transport,
};
use ureq::{Error, Timeout};

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Dialer;

impl<In: Transport> Connector<In> for Dialer {
    type Out = Either<In, Wire>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        // A connection through a proxy is there already.
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let started = Instant::now();
        let limit = details.timeout.not_zero().map(|limit| *limit);
        let mut failure = Error::ConnectionFailed;
        let count = details.addrs.len();
        for (place, address) in details.addrs.iter().enumerate() {
            // The last address may take what is left, each one before it the half of that.
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            let share = left.map(|left| if place + 1 < count { left / 2 } else { left });
            match dial(*address, share, details) {
                Ok(socket) => {
                    let buffers =
                        LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
                    return Ok(Some(Either::B(Wire { socket, buffers })));
                }
                // Another address may do.
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}

/// A socket that can be shut down in the middle of whatever it does.
struct Handle(Socket);

impl ShutdownHandle for Handle {
    fn shutdown(&self) {
        // It may be shut down already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn dial(address: SocketAddr, limit: Option<Duration>, details: &ConnectionDetails<'_>) -> Result<Arc<Handle>, Error> {
    let socket = Arc::new(Handle(Socket::new(Domain::for_address(address), Type::STREAM, None)?));
    // Known from here on; an agent that is shut down already refuses it.
    let handle: Weak<Handle> = Arc::downgrade(&socket);
    (details.register_shutdown)(handle)?;
    let connected = match limit {
        Some(limit) if limit.is_zero() => return Err(Error::Timeout(Timeout::Connect)),
        Some(limit) => socket.0.connect_timeout(&address.into(), limit),
        None => socket.0.connect(&address.into()),
    };
    match connected {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::TimedOut => return Err(Error::Timeout(Timeout::Connect)),
        Err(error) => return Err(error.into()),
    }
    // Small requests shall not wait for more to come.
    socket.0.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// A connection.
pub(crate) struct Wire {
    socket: Arc<Handle>,
    buffers: LazyBuffers,
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        self.socket
            .0
            .set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let output = &self.buffers.output()[..amount];
        (&self.socket.0)
            .write_all(output)
            .map_err(|error| told(error, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let started = Instant::now();
        let limit = timeout.not_zero().map(|limit| *limit);
        let input = self.buffers.input_append_buf();
        let amount = loop {
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Error::Timeout(timeout.reason));
            }
            self.socket.0.set_read_timeout(left)?;
            match (&self.socket.0).read(input) {
                // A signal; it waits for what is left of the time.
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(|error| told(error, timeout.reason))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        // Nothing is to be read on a connection that rests: what is there is its end, or was not asked for.
        let rests = || -> std::io::Result<bool> {
            self.socket.0.set_nonblocking(true)?;
            let read = (&self.socket.0).read(&mut [0]);
            self.socket.0.set_nonblocking(false)?;
            Ok(matches!(read, Err(error) if error.kind() == ErrorKind::WouldBlock))
        };
        rests().unwrap_or(false)
    }
}

/// An error of a socket; a wait that took too long is told as such.
fn told(error: std::io::Error, reason: Timeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(reason),
        _ => error.into(),
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wire").finish_non_exhaustive()
    }
}
