//! The futures that a proxy's members return.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::class::{Handed, Proxied};
use crate::error::{CallError, Fault};
use crate::outcome::Outcome;
use crate::task::Pending;

/// What all the futures are: an answer that comes, or that is there already.
pub(crate) struct Answering<T, E> {
    source: Source<Result<T, CallError<E>>>,
}

enum Source<A> {
    Pending(Arc<dyn Pending<A>>),
    Ready(Option<A>),
}

impl<T, E> Answering<T, E> {
    pub(crate) fn pending(call: Arc<dyn Pending<Result<T, CallError<E>>>>) -> Self {
        Self {
            source: Source::Pending(call),
        }
    }

    pub(crate) fn ready(answer: Result<T, CallError<E>>) -> Self {
        Self {
            source: Source::Ready(Some(answer)),
        }
    }

    pub(crate) fn fault(fault: Fault) -> Self {
        Self::ready(Err(fault.into()))
    }

    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<Result<T, CallError<E>>> {
        match &mut self.source {
            Source::Ready(answer) => Poll::Ready(
                answer
                    .take()
                    .expect("a call's future was polled after it had given its result"),
            ),
            Source::Pending(call) => {
                let answer = std::task::ready!(call.poll_answer(context));
                self.source = Source::Ready(None);
                Poll::Ready(answer)
            }
        }
    }
}

impl<T, E> Drop for Answering<T, E> {
    fn drop(&mut self) {
        if let Source::Pending(call) = &self.source {
            call.cancel();
        }
    }
}

macro_rules! future {
    ($(#[$meta:meta])* $name:ident gives $answer:ty where $($bound:tt)*) => {
        $(#[$meta])*
        #[must_use = "the call is made at once, but dropping its future before it has begun cancels it: await it"]
        pub struct $name<R: Outcome, F = CallError<<R as Outcome>::Error>>
        where
            $($bound)*
        {
            answering: Answering<$answer, R::Error>,
            error: PhantomData<fn() -> F>,
        }

        impl<R: Outcome, F> $name<R, F>
        where
            $($bound)*
        {
            pub(crate) fn new(answering: Answering<$answer, R::Error>) -> Self {
                Self { answering, error: PhantomData }
            }
        }

        impl<R: Outcome, F> Future for $name<R, F>
        where
            F: From<CallError<R::Error>>,
            $($bound)*
        {
            type Output = Result<$answer, F>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                self.answering.poll_answer(context).map(|answer| answer.map_err(F::from))
            }
        }

        impl<R: Outcome, F> Unpin for $name<R, F> where $($bound)* {}

        impl<R: Outcome, F> fmt::Debug for $name<R, F>
        where
            $($bound)*
        {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

future! {
    /// The future of a call: gives what the blocking method returns, `R`, as an [`Answer`](crate::Answer).
    ///
    /// The call was queued when the proxy's method was called, not when this is first polled. Dropped before the call has
    /// begun, it cancels it: the call never runs. Dropped while the call runs, it calls the class's `interrupt` member, if
    /// there is one, at a moment at which this call and no other is the current one; the call runs to its end and its result
    /// is dropped. It needs no particular executor.
    Call gives R::Ok where
}

future! {
    /// The future of a call that hands out another object, which lives on the same worker: gives that object's proxy.
    ///
    /// It behaves as [`Call`]; if it is dropped when the object is made already, the worker drops the object.
    Child gives Handed<R> where R::Ok: Proxied
}

future! {
    /// The future of a call that opens an object on a worker of its own: gives the object's proxy.
    ///
    /// The worker's thread is started when the opening function is called. If opening fails, or this is dropped before it has
    /// given the proxy, no object stays open and the thread ends.
    Open gives Handed<R> where R::Ok: Proxied
}

impl<R: Outcome, F> Call<R, F> {
    /// A call that a setter's check refused: it is never queued.
    pub fn refused(error: impl Into<R::Error>) -> Self {
        Self::new(Answering::ready(Err(CallError::Call(error.into()))))
    }
}
