//! The runtime that twins share where they are given no other.

use std::process;
use std::sync::OnceLock;
use std::thread;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use super::error::{AlreadyShared, Refused, SingleThreaded};

/// More threads than these would only be more to wake: twins poll in the threads of their callers.
const MOST_THREADS: usize = 4;

/// A runtime, and the process whose threads it has: a child of a fork has the memory of it, and none of the threads.
struct Shared {
    process: u32,
    handle: Handle,
    /// Kept alive; never dropped, since a static is not.
    _runtime: Option<Runtime>,
    /// That of a child process.
    next: OnceLock<Result<Box<Shared>, String>>,
}

static FIRST: OnceLock<Result<Box<Shared>, String>> = OnceLock::new();

/// The handle of the shared runtime, which is made if there is none.
pub(crate) fn handle() -> Result<&'static Handle, Refused> {
    let process = process::id();
    let mut place = &FIRST;
    loop {
        match place.get_or_init(start) {
            Ok(shared) if shared.process == process => return Ok(&shared.handle),
            Ok(of_parent) => place = &of_parent.next,
            Err(reason) => return Err(Refused::NoRuntime(reason.clone())),
        }
    }
}

fn start() -> Result<Box<Shared>, String> {
    let threads = thread::available_parallelism().map_or(1, |number| number.get().min(MOST_THREADS));
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("async-proxy-twin")
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    Ok(Box::new(Shared {
        process: process::id(),
        handle: runtime.handle().clone(),
        _runtime: Some(runtime),
        next: OnceLock::new(),
    }))
}

/// Makes a runtime of the program the shared one: twins that are given no other run their futures on it.
///
/// To be called once, before the first twin.
///
/// # Errors
/// [`AlreadyShared`] if there is a shared runtime already, or if the handle's runtime has one thread.
pub fn share(handle: Handle) -> Result<(), AlreadyShared> {
    check(&handle)?;
    let mut given = Some(handle);
    FIRST.get_or_init(|| match given.take() {
        Some(handle) => Ok(Box::new(Shared {
            process: process::id(),
            handle,
            _runtime: None,
            next: OnceLock::new(),
        })),
        None => start(),
    });
    match given {
        None => Ok(()),
        Some(_) => Err(AlreadyShared::InUse),
    }
}

/// Refuses a runtime that stands still while a twin waits.
pub(super) fn check(handle: &Handle) -> Result<(), SingleThreaded> {
    match handle.runtime_flavor() {
        RuntimeFlavor::CurrentThread => Err(SingleThreaded),
        _ => Ok(()),
    }
}
