//! What this process holds: threads, open files, memory. Only Linux tells; elsewhere the objects count themselves.

use std::time::{Duration, Instant};

/// Threads and open files at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Resources {
    pub(crate) threads: usize,
    pub(crate) files: usize,
}

impl Resources {
    pub(crate) fn now() -> Self {
        let count = |folder: &str| std::fs::read_dir(folder).map_or(0, Iterator::count);
        Self {
            threads: count("/proc/self/task"),
            files: count("/proc/self/fd"),
        }
    }

    /// An error if there is more now than there was, and stays so: a thread that ends is seen a moment longer.
    pub(crate) fn check_restored(self) -> Result<(), String> {
        let started = Instant::now();
        loop {
            let now = Self::now();
            if now.threads <= self.threads && now.files <= self.files {
                return Ok(());
            }
            if started.elapsed() > crate::matrix::hanging() {
                return Err(format!(
                    "it left {} threads and {} files",
                    now.threads.saturating_sub(self.threads),
                    now.files.saturating_sub(self.files)
                ));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// The memory that this process has, in bytes, where the system tells it.
pub(crate) fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// How long processors have worked for the threads that this process has now, where the system tells it.
pub(crate) fn processor_time() -> Option<Duration> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task").ok()? {
        // A thread may end in the meantime.
        if let Ok(times) = std::fs::read_to_string(thread.ok()?.path().join("schedstat")) {
            nanoseconds += times.split_whitespace().next()?.parse::<u64>().ok()?;
        }
    }
    (nanoseconds > 0).then(|| Duration::from_nanos(nanoseconds))
}
