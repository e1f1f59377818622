//! The async API that the tests call the twins of.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "an API as a crate has it; not every member of it is called"
)]

use std::future::{Future, pending, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_proxy::sync_proxy;
use async_proxy::twin::TwinError;
use futures::{Stream, StreamExt as _};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub &'static str);

/// A shelf, written by somebody who likes `async fn`.
#[derive(Clone, Default)]
pub struct Shelf {
    books: Arc<Mutex<Vec<String>>>,
    pub dropped_inside: Arc<AtomicBool>,
}

#[sync_proxy]
impl Shelf {
    #[proxy(open)]
    pub async fn open(name: &str) -> Result<Self, Refused> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if name.is_empty() {
            Err(Refused("a name, please"))
        } else {
            Ok(Self::default())
        }
    }

    /// Puts a book on the shelf.
    pub async fn put(&self, title: &str, copies: impl Into<u32>) -> usize {
        let copies = copies.into();
        let mut books = self.books.lock().await;
        for _ in 0..copies {
            // On another thread of the runtime, so that the caller's has to be woken.
            let title = title.to_owned();
            books.push(tokio::spawn(async move { title }).await.expect("it does not panic"));
        }
        books.len()
    }

    pub async fn panic(&self) -> Result<(), Refused> {
        tokio::task::yield_now().await;
        panic!("the shelf fell down")
    }

    #[proxy(child)]
    pub async fn borrow_all(&self) -> Result<Loan, Refused> {
        Ok(Loan {
            shelf: self.clone(),
            taken: std::mem::take(&mut *self.books.lock().await),
        })
    }

    /// The titles, one after the other; none is read before it is asked for.
    pub fn titles(&self) -> impl Stream<Item = Result<String, Refused>> + '_ {
        let mut next = 0;
        futures::stream::poll_fn(move |context| {
            let mut lock = std::pin::pin!(self.books.lock());
            let books = std::task::ready!(lock.as_mut().poll(context));
            next += 1;
            Poll::Ready(match books.get(next - 1).map(String::as_str) {
                Some("") => Some(Err(Refused("a book without a title"))),
                Some(title) => Some(Ok(title.to_owned())),
                None => None,
            })
        })
    }

    /// The titles that begin with these letters: both are borrowed for as long as the stream is read.
    pub fn titles_with<'a>(&'a self, letters: &'a str) -> impl Stream<Item = Result<String, Refused>> + 'a {
        self.titles()
            .filter(move |title| ready(title.as_ref().is_ok_and(|title| title.starts_with(letters))))
    }

    #[proxy(property)]
    pub fn is_shared(&self) -> bool {
        Arc::strong_count(&self.books) > 1
    }

    #[proxy(no_twin = "it never ends")]
    pub async fn guard(&self) {
        pending().await
    }

    #[proxy(skip = "it takes the shelf apart")]
    pub async fn into_books(self) -> Vec<String> {
        std::mem::take(&mut *self.books.lock().await)
    }

    #[proxy(rust_only = "it takes any future")]
    pub async fn after<T, F: Future<Output = T>>(&self, future: F) -> Option<T> {
        Some(future.await)
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.dropped_inside
            .store(Handle::try_current().is_ok(), Ordering::SeqCst);
    }
}

/// Books that were taken off a shelf.
pub struct Loan {
    shelf: Shelf,
    taken: Vec<String>,
}

#[sync_proxy]
impl Loan {
    /// The first book that is called so, and the name itself: both are lent for as long as the future runs.
    pub async fn keep_called<'a>(&'a mut self, title: &'a str) -> Option<String> {
        fn place<'a>(taken: &'a [String], title: &'a str) -> Option<(usize, &'a str)> {
            Some((taken.iter().position(|taken| taken == title)?, title))
        }
        let (at, _) = place(&self.taken, title)?;
        Some(self.taken.swap_remove(at))
    }

    pub async fn keep_one(&mut self, driver: usize) -> Option<String> {
        (driver < self.taken.len()).then(|| self.taken.swap_remove(driver))
    }

    #[proxy(close)]
    pub async fn give_back(self) -> Result<usize, Refused> {
        let mut books = self.shelf.books.lock().await;
        books.extend(self.taken);
        Ok(books.len())
    }
}

/// The same with the twins on the type itself, and an error type of the program's own.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    rung: Arc<AtomicUsize>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Silence(String);

impl<E> From<TwinError<E>> for Silence {
    fn from(error: TwinError<E>) -> Self {
        Self(match error {
            TwinError::Call(_) => "the bell is broken".to_owned(),
            TwinError::OnRuntime => "on the runtime".to_owned(),
            TwinError::NoRuntime(reason) => reason,
        })
    }
}

#[sync_proxy]
pub async fn cast() -> Bell {
    Bell::default()
}

#[sync_proxy(twins, error = Silence)]
impl Bell {
    pub async fn ring(&self, times: usize) -> usize {
        self.rung.fetch_add(times, Ordering::SeqCst) + times
    }

    pub fn strokes(&self) -> impl Stream<Item = usize> + use<> {
        futures::stream::iter(1..=self.rung.load(Ordering::SeqCst))
    }
}
