//! Blocking twins of an async API: what they give, where they refuse, and what is left behind when they end.

mod shelf;

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use async_proxy::twin::{Blocking, Driver, SingleThreaded, TwinError};
use shelf::*;
use tokio::runtime::Builder;

/// Whether a future that was polled was dropped, and where.
#[derive(Clone, Default)]
struct Traced(Arc<AtomicUsize>);

impl Drop for Traced {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn twins_give_what_the_methods_give() {
    let shelf = BlockingShelf::open("novels").unwrap();
    assert_eq!(shelf.put("Dune", 2_u16), Ok(2));
    assert_eq!(shelf.put("Emma", 1_u8), Ok(3));
    assert!(matches!(
        BlockingShelf::open(""),
        Err(TwinError::Call(Refused("a name, please")))
    ));
    assert!(!shelf.is_shared());
    let mut loan = shelf.borrow_all().unwrap();
    assert!(shelf.is_shared());
    assert_eq!(loan.keep_one(9), Ok(None));
    assert_eq!(loan.keep_one(0).unwrap().as_deref(), Some("Dune"));
    assert_eq!(loan.give_back(), Ok(2));
    let not_send = std::rc::Rc::new(7);
    assert_eq!(
        shelf.after(async move { *not_send }),
        Ok(Some(7)),
        "the future stays in the thread of the caller"
    );
}

/// Without the name at the receiver the compiler took the object of the twin for lent for less time than the stream.
#[test]
fn a_receiver_that_names_a_lifetime_keeps_it() {
    let shelf = BlockingShelf::open("novels").unwrap();
    for title in ["Dune", "Emma", "Dubliners"] {
        shelf.put(title, 1_u32).unwrap();
    }
    let titles: Vec<_> = shelf.titles_with("Du").map(Result::unwrap).collect();
    assert_eq!(titles, ["Dune", "Dubliners"]);
    let mut loan = shelf.borrow_all().unwrap();
    assert_eq!(loan.keep_called("Emma").unwrap().as_deref(), Some("Emma"));
    assert_eq!(loan.keep_called("Emma"), Ok(None));
}

#[test]
fn a_stream_is_an_iterator_that_reads_nothing_ahead() {
    let shelf = BlockingShelf::open("novels").unwrap();
    for title in ["Dune", "", "Emma"] {
        shelf.put(title, 1_u32).unwrap();
    }
    let mut titles = shelf.titles();
    assert_eq!(titles.next(), Some(Ok("Dune".to_owned())));
    assert_eq!(
        titles.next(),
        Some(Err(TwinError::Call(Refused("a book without a title"))))
    );
    shelf.put("Momo", 1_u32).unwrap();
    assert_eq!(titles.next(), Some(Ok("Emma".to_owned())));
    assert_eq!(
        titles.next(),
        Some(Ok("Momo".to_owned())),
        "put when the others were read"
    );
    assert_eq!(titles.next(), None);
    assert_eq!(titles.next(), None);
}

#[test]
fn twins_on_the_type_itself_stand_beside_the_methods() {
    let bell = cast_sync().unwrap();
    assert_eq!(bell.ring_sync(2), Ok(2));
    assert_eq!(futures::executor::block_on(bell.ring(1)), 3);
    assert_eq!(bell.strokes_sync().collect::<Result<Vec<_>, _>>(), Ok(vec![1, 2, 3]));
}

#[test]
fn a_panic_goes_to_the_caller_and_the_next_call_works() {
    let shelf = BlockingShelf::open("novels").unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| shelf.panic())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the shelf fell down"));
    assert_eq!(shelf.put("Dune", 1_u32), Ok(1));
}

fn refused<T: std::fmt::Debug, E: std::fmt::Debug>(outcome: Result<T, TwinError<E>>) {
    let error = match outcome {
        Err(error @ TwinError::OnRuntime) => error.map(|_| -> Infallible { unreachable!() }),
        other => panic!("not refused: {other:?}"),
    };
    let text = error.to_string();
    assert!(text.contains("spawn_blocking"), "it says what to do: {text}");
}

/// The guard against a worker thread that waits for itself.
#[test]
fn a_thread_that_polls_tasks_of_tokio_is_refused_with_the_way_out() {
    let shelf = Arc::new(BlockingShelf::open("novels").unwrap());
    for threads in [1, 2] {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.worker_threads(threads).enable_all().build().unwrap();
        let on_worker = Arc::clone(&shelf);
        runtime
            .block_on(runtime.spawn(async move { refused(on_worker.put("Dune", 1_u32)) }))
            .unwrap();
        runtime.block_on(async { refused(shelf.put("Dune", 1_u32)) });
        let on_blocking = Arc::clone(&shelf);
        let put = runtime.spawn_blocking(move || on_blocking.put("Dune", 1_u32));
        assert!(runtime.block_on(put).unwrap().is_ok(), "that thread may wait");
        let in_place = Arc::clone(&shelf);
        let put = runtime.spawn(async move { tokio::task::block_in_place(|| in_place.put("Dune", 1_u32)) });
        assert!(runtime.block_on(put).unwrap().is_ok(), "this one too");
        let _context = runtime.enter();
        assert!(shelf.put("Dune", 1_u32).is_ok(), "it merely entered the context");
    }
    let single = Builder::new_current_thread().build().unwrap();
    single.block_on(async { refused(shelf.put("Dune", 1_u32)) });
    assert!(shelf.put("Dune", 1_u32).is_ok());
    assert!(
        futures::executor::block_on(async { shelf.put("Dune", 1_u32) }).is_ok(),
        "a loop of another kind holds up nobody of tokio's"
    );
}

/// Looking whether tokio polls a task uses its budget up for a moment. If it were not put back, the task would yield at its
/// next channel for nothing.
#[test]
fn a_refusal_leaves_the_budget_of_the_task_as_it_was() {
    let shelf = BlockingShelf::open("novels").unwrap();
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..300 {
            refused(shelf.put("Dune", 1_u32));
        }
        assert!(tokio::task::coop::has_budget_remaining());
        let mut polls = 0;
        let mut ready = Box::pin(async {
            let (sender, mut receiver) = tokio::sync::mpsc::channel(8);
            for number in 0..8 {
                sender.send(number).await.unwrap();
                receiver.recv().await.unwrap();
            }
        });
        poll_fn(|context| {
            polls += 1;
            ready.as_mut().poll(context)
        })
        .await;
        assert_eq!(polls, 1, "the task had to yield");
    });
}

#[test]
fn a_given_runtime_runs_what_the_futures_spawn() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("given")
        .enable_all()
        .build()
        .unwrap();
    let shelf = BlockingShelf::of(Shelf::default(), Driver::on(runtime.handle().clone()).unwrap());
    let name = shelf.after(async {
        tokio::spawn(async { thread::current().name().map(str::to_owned) })
            .await
            .unwrap()
    });
    assert_eq!(name, Ok(Some(Some("given".to_owned()))));
    let loan = shelf.borrow_all().unwrap();
    assert_eq!(loan.give_back(), Ok(0));
    let single = Builder::new_current_thread().build().unwrap();
    assert_eq!(Driver::on(single.handle().clone()).err(), Some(SingleThreaded));
}

#[test]
fn objects_and_futures_are_dropped_inside_of_the_runtime() {
    let shelf = BlockingShelf::open("novels").unwrap();
    let dropped_inside = Arc::clone(&shelf.object().dropped_inside);
    let traced = Traced::default();
    let count = Arc::clone(&traced.0);
    shelf
        .after(async move {
            let _traced = traced;
            tokio::time::sleep(Duration::from_millis(1)).await;
        })
        .unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 1);
    drop(shelf);
    assert!(
        dropped_inside.load(Ordering::SeqCst),
        "its `Drop` may spawn what is left to do"
    );
}

#[test]
fn sixteen_threads_call_twins_of_one_object_at_once() {
    let shelf = Arc::new(BlockingShelf::open("novels").unwrap());
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let shelf = Arc::clone(&shelf);
            thread::spawn(move || {
                for _ in 0..25 {
                    shelf.put("Dune", 1_u32).unwrap();
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(shelf.put("Dune", 0_u32), Ok(400));
}
