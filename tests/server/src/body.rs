//! A body that is sent in parts, with pauses, and that may break off.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

/// How long what was sent before may take to leave, when a connection is closed on purpose.
const TIME_TO_LEAVE: Duration = Duration::from_millis(20);

/// The body of an answer.
pub(crate) struct ScriptedBody {
    parts: VecDeque<Part>,
    pause: Option<Pin<Box<Sleep>>>,
    /// How many bytes are announced and not sent yet.
    length: u64,
}

enum Part {
    Bytes(Bytes),
    Pause(Duration),
    Break,
}

impl ScriptedBody {
    /// All of it at once.
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::of(vec![Part::Bytes(bytes.into())])
    }

    /// The first bytes; then the connection is closed, although all of them were announced.
    pub(crate) fn cut(bytes: impl Into<Bytes>, sent: usize) -> Self {
        let mut bytes = bytes.into();
        let sent = bytes.split_to(sent.min(bytes.len()));
        let mut body = Self::of(vec![Part::Bytes(sent), Part::Pause(TIME_TO_LEAVE), Part::Break]);
        // One more, so that there is something to cut off in any case.
        body.length += bytes.len().max(1) as u64;
        body
    }

    /// The first bytes, and after a pause the others.
    pub(crate) fn stalled(bytes: impl Into<Bytes>, sent: usize, pause: Duration) -> Self {
        let mut bytes = bytes.into();
        let sent = bytes.split_to(sent.min(bytes.len()));
        Self::of(vec![Part::Bytes(sent), Part::Pause(pause), Part::Bytes(bytes)])
    }

    fn of(parts: Vec<Part>) -> Self {
        let lengths = parts.iter().map(|part| match part {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Pause(_) | Part::Break => 0,
        });
        Self {
            length: lengths.sum(),
            parts: parts.into(),
            pause: None,
        }
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.pause = None;
            }
            match self.parts.pop_front() {
                None => return Poll::Ready(None),
                Some(Part::Bytes(bytes)) if bytes.is_empty() => {}
                Some(Part::Bytes(bytes)) => {
                    self.length -= bytes.len() as u64;
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Part::Pause(time)) => self.pause = Some(Box::pin(tokio::time::sleep(time))),
                Some(Part::Break) => {
                    let error = io::Error::other("the connection is closed on purpose");
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
