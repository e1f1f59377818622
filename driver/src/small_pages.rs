//! The engine's I/O, with memory that comes page by page.
//!
//! For each database the engine maps two stretches of 3 MiB for pages and asks for huge ones (2 MiB) there. The system clears
//! one at the first touch and takes it apart when the stretch is given back: for a connection that reads a few pages, that is a
//! quarter of its life, and nine tenths of its memory. So this takes the wish back; the stretches come to the I/O to be
//! registered before they are touched.

use std::ptr::NonNull;
use std::sync::Arc;

use turso_core::io::FileId;
use turso_core::{
    Clock, File, IO, LimboError, MemoryIO, MonotonicInstant, OpenFlags, PlatformIO, Result, WallClockInstant,
};

/// The engine's own: what this does not say itself, that does not say either, on this system.
struct SmallPages<Own>(Own);

/// The I/O for a database in a file.
///
/// # Errors
/// The engine's.
pub(crate) fn file_io() -> Result<Arc<dyn IO>> {
    Ok(Arc::new(SmallPages(PlatformIO::new()?)))
}

/// The I/O for a database in memory.
pub(crate) fn memory_io() -> Arc<dyn IO> {
    Arc::new(SmallPages(MemoryIO::new()))
}

impl<Own: Clock> Clock for SmallPages<Own> {
    fn current_time_monotonic(&self) -> MonotonicInstant {
        self.0.current_time_monotonic()
    }

    fn current_time_wall_clock(&self) -> WallClockInstant {
        self.0.current_time_wall_clock()
    }
}

impl<Own: IO> IO for SmallPages<Own> {
    fn open_file(&self, path: &str, flags: OpenFlags, direct: bool) -> Result<Arc<dyn File>> {
        self.0.open_file(path, flags, direct)
    }

    fn open_shared_wal_file(&self, path: &str) -> Result<Arc<dyn File>> {
        self.0.open_shared_wal_file(path)
    }

    fn remove_file(&self, path: &str) -> Result<()> {
        self.0.remove_file(path)
    }

    fn supports_shared_wal_coordination(&self) -> bool {
        self.0.supports_shared_wal_coordination()
    }

    fn file_id(&self, path: &str) -> Result<FileId> {
        self.0.file_id(path)
    }

    fn step(&self) -> Result<()> {
        self.0.step()
    }

    /// Registers nothing, as the system's: the engine goes on without.
    fn register_fixed_buffer(&self, start: NonNull<u8>, length: usize) -> Result<u32> {
        take_small_pages(start, length);
        Err(LimboError::InternalError("buffers are not registered".to_owned()))
    }
}

/// Takes back the wish for huge pages. Where the system does not know of it, nothing is lost but time.
#[expect(unsafe_code, reason = "the system is told by an address")]
fn take_small_pages(start: NonNull<u8>, length: usize) {
    // SAFETY: the engine has just mapped these bytes for itself and has nothing there yet. The advice changes neither what is
    // mapped nor what it holds.
    unsafe { libc::madvise(start.as_ptr().cast(), length, libc::MADV_NOHUGEPAGE) };
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::{env, fs};

    use crate::{ConnectOptions, connect};

    /// Bug: the first page that a connection reads has 2 MiB cleared for it.
    #[test]
    fn a_database_wants_no_huge_pages() {
        const ALONE: &str = "TURSO_DRIVER_TEST_IS_ALONE";
        if env::var_os(ALONE).is_none() {
            // In this process others open databases by the engine itself, whose pages may be huge.
            let mut alone = Command::new(env::current_exe().unwrap());
            alone.args(["--exact", "small_pages::tests::a_database_wants_no_huge_pages"]);
            assert!(alone.env(ALONE, "1").status().unwrap().success());
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("some.db"), ":memory:".into()] {
            let connection = connect(&path, ConnectOptions::default()).unwrap();
            connection.execute("CREATE TABLE t (a)", ()).unwrap();
            connection.commit().unwrap();
            let mapped = fs::read_to_string("/proc/self/smaps").unwrap();
            let mut flags = mapped.lines().filter_map(|line| line.strip_prefix("VmFlags:"));
            let are_huge = flags.any(|flags| flags.split_whitespace().any(|flag| flag == "hg"));
            assert!(!are_huge, "{}", path.display());
            connection.close().unwrap();
        }
    }
}
