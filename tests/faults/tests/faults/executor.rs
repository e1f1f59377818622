//! The executors on which faults are tried, under one interface.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::future::{Either, join_all, select};

/// An executor of futures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Executor {
    TokioOneThread,
    TokioThreads,
    /// `futures::executor`, which knows neither timers nor tasks of its own.
    Futures,
    /// smol: tasks on one thread, timers of its reactor.
    Smol,
    /// It makes no difference, or the fault brings its own.
    Any,
}

pub(crate) const EACH: &[Executor] = &[
    Executor::TokioOneThread,
    Executor::TokioThreads,
    Executor::Smol,
    Executor::Futures,
];
pub(crate) const ONCE: &[Executor] = &[Executor::Any];

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Executor {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TokioOneThread => "tokio (1 thread)",
            Self::TokioThreads => "tokio (threads)",
            Self::Futures => "futures",
            Self::Smol => "smol",
            Self::Any => "any",
        }
    }

    /// Runs a future to its end.
    pub(crate) fn run<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T {
        match self {
            Self::TokioOneThread => tokio_one_thread().block_on(future),
            Self::TokioThreads => {
                let runtime = tokio_threads();
                runtime.block_on(async { tokio::spawn(future).await.unwrap_or_else(resume) })
            }
            Self::Smol => smol::block_on(future),
            Self::Futures | Self::Any => futures::executor::block_on(future),
        }
    }

    /// Runs futures beside each other, as tasks where the executor has them.
    pub(crate) async fn together<T: Send + 'static>(self, tasks: Vec<Boxed<T>>) -> Vec<T> {
        match self {
            Self::TokioOneThread | Self::TokioThreads => {
                let tasks: Vec<_> = tasks.into_iter().map(tokio::spawn).collect();
                let mut results = Vec::new();
                for task in tasks {
                    results.push(task.await.unwrap_or_else(resume));
                }
                results
            }
            Self::Smol => {
                let executor = smol::Executor::new();
                let tasks: Vec<_> = tasks.into_iter().map(|task| executor.spawn(task)).collect();
                executor.run(join_all(tasks)).await
            }
            Self::Futures | Self::Any => join_all(tasks).await,
        }
    }

    /// The future's result, or `None`, and the future dropped, if there is none by then.
    pub(crate) async fn timeout<T>(self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        match self {
            Self::TokioOneThread | Self::TokioThreads => tokio::time::timeout(limit, future).await.ok(),
            Self::Smol => match select(Box::pin(future), smol::Timer::after(limit)).await {
                Either::Left((result, _)) => Some(result),
                Either::Right(_) => None,
            },
            Self::Futures | Self::Any => match select(Box::pin(future), sleep(limit)).await {
                Either::Left((result, _)) => Some(result),
                Either::Right(_) => None,
            },
        }
    }
}

pub(crate) fn tokio_one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime")
}

pub(crate) fn tokio_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build()
        .expect("a runtime")
}

fn resume<T>(error: tokio::task::JoinError) -> T {
    std::panic::resume_unwind(error.into_panic())
}

/// Lets others run until so much time has passed, on whatever executor.
pub(crate) fn sleep(duration: Duration) -> Sleep {
    Sleep {
        until: Instant::now() + duration,
        shared: None,
    }
}

/// The future of [`sleep`].
pub(crate) struct Sleep {
    until: Instant,
    shared: Option<Arc<Mutex<Waker>>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.until {
            return Poll::Ready(());
        }
        match &self.shared {
            Some(shared) => context
                .waker()
                .clone_into(&mut shared.lock().unwrap_or_else(PoisonError::into_inner)),
            None => {
                let shared = Arc::new(Mutex::new(context.waker().clone()));
                let alarm = (Reverse(self.until), shared.clone());
                start_timer()
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .send(alarm)
                    .expect("the timer runs");
                self.shared = Some(shared);
            }
        }
        Poll::Pending
    }
}

type Alarm = (Reverse<Instant>, Arc<Mutex<Waker>>);

/// Starts the threads that outlive every fault, before what a fault leaves behind is counted.
pub(crate) fn start_threads() {
    start_timer();
    smol::block_on(smol::Timer::after(Duration::from_millis(1)));
}

/// The thread behind [`sleep`].
fn start_timer() -> &'static Mutex<mpsc::Sender<Alarm>> {
    static TIMER: OnceLock<Mutex<mpsc::Sender<Alarm>>> = OnceLock::new();
    TIMER.get_or_init(|| {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || ring(&receiver));
        Mutex::new(sender)
    })
}

fn ring(receiver: &mpsc::Receiver<Alarm>) {
    /// Ordered by its time alone.
    struct Entry(Alarm);
    impl PartialEq for Entry {
        fn eq(&self, other: &Self) -> bool {
            self.0.0 == other.0.0
        }
    }
    impl Eq for Entry {}
    impl PartialOrd for Entry {
        fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
            Some(self.cmp(other))
        }
    }
    impl Ord for Entry {
        fn cmp(&self, other: &Self) -> std::cmp::Ordering {
            self.0.0.cmp(&other.0.0)
        }
    }

    let mut alarms: BinaryHeap<Entry> = BinaryHeap::new();
    loop {
        let wait = alarms.peek().map_or(Duration::from_secs(3600), |entry| {
            entry.0.0.0.saturating_duration_since(Instant::now())
        });
        match receiver.recv_timeout(wait) {
            Ok(alarm) => alarms.push(Entry(alarm)),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        while alarms.peek().is_some_and(|entry| entry.0.0.0 <= Instant::now()) {
            if let Some(Entry((_, waker))) = alarms.pop() {
                let waker = waker.lock().unwrap_or_else(PoisonError::into_inner).clone();
                waker.wake();
            }
        }
    }
}
