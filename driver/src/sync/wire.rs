//! TCP connections that can be given up at any moment, also while they are being made.
//!
//! `ureq` has connections of its own, which an agent that is shut down ends, save one that is still being made: to a host that
//! does not answer that takes as long as the time limit.
//!
//! What cuts a line ends its connections at once. A call that is given up in another way, before there is a connection to
//! interrupt, or by a signal, is told between two short waits: see [`look`].

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

use super::io::Outside;

/// How long a wait lasts at a stretch, until the call looks whether it must stop.
const LONGEST_WAIT: Duration = Duration::from_millis(25);

/// How long a connection that is slow to be made is left alone between two looks at it.
const REST: Duration = Duration::from_millis(5);

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
    if limit.is_some_and(|limit| limit.is_zero()) {
        return Err(Error::Timeout(Timeout::Connect));
    }
    let stretch = limit.map_or(LONGEST_WAIT, |limit| limit.min(LONGEST_WAIT));
    match socket.0.connect_timeout(&address.into(), stretch) {
        Ok(()) => {}
        // The stretch is over, and the system goes on. (The system's own time limit has a number.)
        Err(error) if error.kind() == ErrorKind::TimedOut && error.raw_os_error().is_none() => {
            await_connection(&socket.0, limit.map(|limit| limit - stretch))?;
        }
        Err(error) => return Err(error.into()),
    }
    // Small requests shall not wait for more to come.
    socket.0.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// Waits until a connection is made. Looks between two rests are all that it takes: no
/// system call that waits for it is the same everywhere, and what takes that long already is not made slower.
fn await_connection(socket: &Socket, limit: Option<Duration>) -> Result<(), Error> {
    let started = Instant::now();
    loop {
        if let Some(error) = socket.take_error()? {
            return Err(error.into());
        }
        // Only a connection that is made has another end.
        if socket.peer_addr().is_ok() {
            return Ok(());
        }
        look()?;
        let passed = started.elapsed();
        if limit.is_some_and(|limit| passed >= limit) {
            return Err(Error::Timeout(Timeout::Connect));
        }
        std::thread::sleep(REST);
    }
}

/// An error if the call for which this thread waits must stop.
pub(crate) fn look() -> Result<(), Error> {
    // It is told in the driver's words where the request is made.
    Outside::look().map_err(|_| std::io::Error::from(ErrorKind::ConnectionAborted).into())
}

/// Waits in short stretches, between which the call looks whether it must stop.
fn patiently(limit: NextTimeout, mut wait: impl FnMut(Duration) -> std::io::Result<usize>) -> Result<usize, Error> {
    let started = Instant::now();
    let most = limit.not_zero().map(|limit| *limit);
    loop {
        let left = most.map_or(LONGEST_WAIT, |most| most.saturating_sub(started.elapsed()));
        if left.is_zero() {
            return Err(Error::Timeout(limit.reason));
        }
        match wait(left.min(LONGEST_WAIT)) {
            // The stretch is over, or a signal came in.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                ) =>
            {
                look()?;
            }
            outcome => return outcome.map_err(Error::from),
        }
    }
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
        let socket = &self.socket.0;
        let mut output = &self.buffers.output()[..amount];
        while !output.is_empty() {
            let written = patiently(timeout, |stretch| {
                socket.set_write_timeout(Some(stretch))?;
                (&*socket).write(output)
            })?;
            if written == 0 {
                return Err(std::io::Error::from(ErrorKind::WriteZero).into());
            }
            output = &output[written..];
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let socket = &self.socket.0;
        let input = self.buffers.input_append_buf();
        let amount = patiently(timeout.for_read(), |stretch| {
            socket.set_read_timeout(Some(stretch))?;
            (&*socket).read(input)
        })?;
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

/// Has a connection through a SOCKS proxy, which `ureq` makes itself, look while it waits whether the call must stop. (While it
/// is made, `connect_timeout` bounds it.)
#[derive(Debug)]
pub(crate) struct Attend;

impl<In: Transport> Connector<In> for Attend {
    type Out = Attended<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(Attended))
    }
}

/// Such a connection.
#[derive(Debug)]
pub(crate) struct Attended<T>(T);

impl<T: Transport> Transport for Attended<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    /// In one go: after a part of it nobody could tell how much went out.
    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let limit = timeout.for_read();
        let started = Instant::now();
        loop {
            let mut stretch = limit;
            if let Some(most) = limit.not_zero() {
                let left = most.saturating_sub(started.elapsed());
                if left.is_zero() {
                    return Err(Error::Timeout(limit.reason));
                }
                stretch.after = left.min(LONGEST_WAIT).into();
            } else {
                stretch.after = LONGEST_WAIT.into();
            }
            match self.0.await_input(stretch) {
                Err(Error::Timeout(_)) => look()?,
                outcome => return outcome,
            }
        }
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Wire").finish_non_exhaustive()
    }
}
