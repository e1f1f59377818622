//! The engine's I/O, which can be told to refuse what waits for the disk: a call that runs in the thread of an event loop has
//! what is in memory, and goes to a worker for the rest.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use turso_core::io::{FileId, FileSyncType, SharedWalLockKind, SharedWalMappedRegion};
use turso_core::{
    Buffer, Clock, Completion, CompletionError, File, IO, LimboError, MemoryIO, MonotonicInstant, OpenFlags, Result,
    WallClockInstant,
};

thread_local! {
    static REFUSES: Cell<bool> = const { Cell::new(false) };
    static ASKED: RefCell<Option<Arc<AtomicU64>>> = const { RefCell::new(None) };
}

/// Does something in whose course every access to a file fails that goes through a [`RefusingIo`] in this thread.
pub(crate) fn refusing<T>(act: impl FnOnce() -> T) -> T {
    struct Restored(bool);
    impl Drop for Restored {
        fn drop(&mut self) {
            REFUSES.set(self.0);
        }
    }
    let _restored = Restored(REFUSES.replace(true));
    act()
}

/// An error where files are refused, and all else that may take long.
pub(crate) fn check(operation: &'static str) -> Result<()> {
    if REFUSES.get() {
        return Err(LimboError::CompletionError(CompletionError::IOError(
            ErrorKind::WouldBlock,
            operation,
        )));
    }
    Ok(())
}

/// An I/O of one database, whose files can be refused.
pub(crate) struct RefusingIo {
    own: Arc<dyn IO>,
    /// Shared by the connections to the database: see [`shared_place`].
    place: Arc<AtomicU64>,
}

impl RefusingIo {
    pub(crate) fn new(own: Arc<dyn IO>) -> Self {
        Self {
            own,
            place: Arc::default(),
        }
    }
}

/// The number that all connections to the database of this one share, if no access of theirs to a file can wait for the disk while
/// it is [`refusing`]. Asked of its I/O itself: the engine gives all connections to a file the one that it was first opened with.
pub(crate) fn shared_place(core: &turso_core::Connection) -> Option<Arc<AtomicU64>> {
    ASKED.take();
    // It answers in a place of its own, and with an error.
    let _ = refusing(|| core.get_pager().io.file_id(""));
    ASKED.take()
}

impl Clock for RefusingIo {
    fn current_time_monotonic(&self) -> MonotonicInstant {
        self.own.current_time_monotonic()
    }

    fn current_time_wall_clock(&self) -> WallClockInstant {
        self.own.current_time_wall_clock()
    }
}

impl IO for RefusingIo {
    fn open_file(&self, path: &str, flags: OpenFlags, direct: bool) -> Result<Arc<dyn File>> {
        check("open")?;
        let own = self.own.open_file(path, flags, direct)?;
        Ok(Arc::new(RefusingFile { own }))
    }

    fn open_shared_wal_file(&self, path: &str) -> Result<Arc<dyn File>> {
        check("open")?;
        let own = self.own.open_shared_wal_file(path)?;
        Ok(Arc::new(RefusingFile { own }))
    }

    fn remove_file(&self, path: &str) -> Result<()> {
        check("remove")?;
        self.own.remove_file(path)
    }

    fn supports_shared_wal_coordination(&self) -> bool {
        self.own.supports_shared_wal_coordination()
    }

    fn step(&self) -> Result<()> {
        self.own.step()
    }

    fn cancel(&self, completions: &[Completion]) -> Result<()> {
        self.own.cancel(completions)
    }

    fn drain_completions(&self, completions: &[Completion]) -> Result<()> {
        self.own.drain_completions(completions)
    }

    fn wait_for_completion(&self, completion: Completion) -> Result<()> {
        self.own.wait_for_completion(completion)
    }

    fn generate_random_number(&self) -> i64 {
        self.own.generate_random_number()
    }

    fn fill_bytes(&self, destination: &mut [u8]) {
        self.own.fill_bytes(destination);
    }

    fn get_memory_io(&self) -> Arc<MemoryIO> {
        self.own.get_memory_io()
    }

    fn register_fixed_buffer(&self, start: NonNull<u8>, length: usize) -> Result<u32> {
        self.own.register_fixed_buffer(start, length)
    }

    fn yield_now(&self) {
        self.own.yield_now();
    }

    /// The engine sleeps between two tries for a lock, and after some tries it gives up.
    fn sleep(&self, duration: Duration) {
        if !REFUSES.get() {
            self.own.sleep(duration);
        }
    }

    fn file_id(&self, path: &str) -> Result<FileId> {
        if REFUSES.get() {
            ASKED.set(Some(Arc::clone(&self.place)));
        }
        check("stat")?;
        self.own.file_id(path)
    }
}

struct RefusingFile {
    own: Arc<dyn File>,
}

impl File for RefusingFile {
    fn lock_file(&self, exclusive: bool) -> Result<()> {
        check("lock")?;
        self.own.lock_file(exclusive)
    }

    fn unlock_file(&self) -> Result<()> {
        self.own.unlock_file()
    }

    fn pread(&self, position: u64, completion: Completion) -> Result<Completion> {
        check("read")?;
        self.own.pread(position, completion)
    }

    fn pwrite(&self, position: u64, buffer: Arc<Buffer>, completion: Completion) -> Result<Completion> {
        check("write")?;
        self.own.pwrite(position, buffer, completion)
    }

    fn sync(&self, completion: Completion, kind: FileSyncType) -> Result<Completion> {
        check("sync")?;
        self.own.sync(completion, kind)
    }

    fn pwritev(&self, position: u64, buffers: Vec<Arc<Buffer>>, completion: Completion) -> Result<Completion> {
        check("write")?;
        self.own.pwritev(position, buffers, completion)
    }

    fn size(&self) -> Result<u64> {
        check("stat")?;
        self.own.size()
    }

    fn truncate(&self, length: u64, completion: Completion) -> Result<Completion> {
        check("truncate")?;
        self.own.truncate(length, completion)
    }

    fn has_hole(&self, position: usize, length: usize) -> Result<bool> {
        self.own.has_hole(position, length)
    }

    fn punch_hole(&self, position: usize, length: usize) -> Result<()> {
        self.own.punch_hole(position, length)
    }

    fn shared_wal_lock_byte(&self, offset: u64, exclusive: bool, kind: SharedWalLockKind) -> Result<()> {
        self.own.shared_wal_lock_byte(offset, exclusive, kind)
    }

    fn shared_wal_try_lock_byte(&self, offset: u64, exclusive: bool, kind: SharedWalLockKind) -> Result<bool> {
        self.own.shared_wal_try_lock_byte(offset, exclusive, kind)
    }

    fn shared_wal_probe_exclusive_byte(&self, offset: u64, kind: SharedWalLockKind) -> Result<bool> {
        self.own.shared_wal_probe_exclusive_byte(offset, kind)
    }

    fn shared_wal_probe_exclusive_while_shared_byte(&self, offset: u64, kind: SharedWalLockKind) -> Result<bool> {
        self.own.shared_wal_probe_exclusive_while_shared_byte(offset, kind)
    }

    fn shared_wal_unlock_byte(&self, offset: u64, kind: SharedWalLockKind) -> Result<()> {
        self.own.shared_wal_unlock_byte(offset, kind)
    }

    fn shared_wal_set_len(&self, length: u64) -> Result<()> {
        self.own.shared_wal_set_len(length)
    }

    fn shared_wal_map(&self, offset: u64, length: usize) -> Result<Box<dyn SharedWalMappedRegion>> {
        self.own.shared_wal_map(offset, length)
    }
}
