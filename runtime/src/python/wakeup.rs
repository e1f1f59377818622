//! What an event loop watches, and another thread writes to.

use std::io;
#[cfg(not(target_os = "linux"))]
use std::io::{Read, Write};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::os::fd::{AsRawFd, RawFd};
#[cfg(not(target_os = "linux"))]
use std::os::unix::net::UnixStream;

#[cfg(target_os = "linux")]
use rustix::event::{EventfdFlags, eventfd};

/// A descriptor that can be read from once it was written to, until it is cleared: a counter of the kernel where there is one, which
/// costs a third of a pair of sockets.
pub(super) struct Wakeup {
    #[cfg(target_os = "linux")]
    counter: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    writer: UnixStream,
    #[cfg(not(target_os = "linux"))]
    reader: UnixStream,
}

#[cfg(target_os = "linux")]
impl Wakeup {
    pub(super) fn new() -> io::Result<Self> {
        let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { counter })
    }

    /// What the loop watches.
    pub(super) fn descriptor(&self) -> RawFd {
        self.counter.as_raw_fd()
    }

    pub(super) fn write(&self) {
        // If there is no room for one more, it can be read from.
        let _ = rustix::io::write(&self.counter, &1_u64.to_ne_bytes());
    }

    pub(super) fn clear(&self) {
        let _ = rustix::io::read(&self.counter, &mut [0; 8]);
    }
}

#[cfg(not(target_os = "linux"))]
impl Wakeup {
    pub(super) fn new() -> io::Result<Self> {
        let (writer, reader) = UnixStream::pair()?;
        writer.set_nonblocking(true)?;
        reader.set_nonblocking(true)?;
        Ok(Self { writer, reader })
    }

    /// What the loop watches.
    pub(super) fn descriptor(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    pub(super) fn write(&self) {
        // One byte is enough, and if there is no room for it, there are bytes.
        let _ = (&self.writer).write(&[0]);
    }

    pub(super) fn clear(&self) {
        let _ = (&self.reader).read(&mut [0; 64]);
    }
}
