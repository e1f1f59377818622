//! Secrets go into a request below `ureq`, and are blotted out of an answer before it sees them: at its level `trace` it logs what
//! it writes and reads, as it is.
//!
//! What is sealed is a header of which `ureq` knows a stand-in alone. The outermost layer of the connection puts the secret in its
//! place, in the head of the request and nowhere else. It works in the thread that sends the request, which is how it knows the
//! secrets.

use std::cell::RefCell;
use std::sync::Arc;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport};

/// What stands in a header for its secret.
pub(crate) const TOKEN_STAND_IN: &str = "Bearer sealed-token";
pub(crate) const KEY_STAND_IN: &str = "sealed-key";

/// What is shorter is no secret, and may well stand in an answer by itself.
const SHORTEST_SECRET: usize = 12;

/// From how many of its bytes on the beginning of a secret, at the end of what came, is taken for one.
const SHORTEST_HINT: usize = 4;

/// How long the head of an answer may be. (`ureq` takes less.)
const LONGEST_HEAD: usize = 256 * 1024;

const BLOT: u8 = b'*';

thread_local! {
    /// The secrets of the request that this thread sends.
    static SEALED: RefCell<Option<Arc<Sealed>>> = const { RefCell::new(None) };
}

/// The secrets of a request.
#[derive(Default)]
pub(crate) struct Sealed {
    pub(crate) token: Option<String>,
    pub(crate) key: Option<String>,
    /// Whether the answer, where it is none of an error, is the content of a database: that is passed on as it is.
    pub(crate) is_answered_by_content: bool,
}

impl Sealed {
    /// Sends a request with these secrets in the place of their stand-ins.
    pub(crate) fn in_place<T>(self, send: impl FnOnce() -> T) -> T {
        /// Forgets the secrets, also behind a panic.
        struct Forget;
        impl Drop for Forget {
            fn drop(&mut self) {
                SEALED.set(None);
            }
        }
        SEALED.set(Some(Arc::new(self)));
        let _forget = Forget;
        send()
    }

    /// The head of a request, with the secrets.
    fn unseal(&self, head: &[u8]) -> Vec<u8> {
        let mut unsealed = Vec::with_capacity(head.len() + 1024);
        for line in head.split_inclusive(|byte| *byte == b'\n') {
            let value = line.strip_suffix(b"\r\n").unwrap_or(line);
            let sealed = [(TOKEN_STAND_IN, &self.token, "Bearer "), (KEY_STAND_IN, &self.key, "")];
            let secret = sealed.into_iter().find_map(|(stand_in, secret, before)| {
                let name = value.strip_suffix(stand_in.as_bytes())?.strip_suffix(b": ")?;
                Some((name, before, secret.as_deref()?))
            });
            match secret {
                Some((name, before, secret)) => {
                    unsealed.extend_from_slice(name);
                    unsealed.extend_from_slice(b": ");
                    unsealed.extend_from_slice(before.as_bytes());
                    unsealed.extend_from_slice(secret.as_bytes());
                    unsealed.extend_from_slice(b"\r\n");
                }
                None => unsealed.extend_from_slice(line),
            }
        }
        unsealed
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        let secrets = [&self.token, &self.key].into_iter().flatten();
        secrets
            .map(String::as_str)
            .filter(|secret| secret.len() >= SHORTEST_SECRET)
    }
}

/// Words of an answer with something to read in the place of what was blotted out.
pub(crate) fn name_blots(words: &str, name: &str) -> String {
    let mut named = String::with_capacity(words.len());
    let mut rest = words;
    while let Some(start) = rest.find(char::from(BLOT)) {
        let (before, blot) = rest.split_at(start);
        let behind = blot.trim_start_matches(char::from(BLOT));
        let is_blot = blot.len() - behind.len() >= SHORTEST_SECRET;
        named.push_str(before);
        named.push_str(if is_blot {
            name
        } else {
            &blot[..blot.len() - behind.len()]
        });
        rest = behind;
    }
    named.push_str(rest);
    named
}

/// Makes the outermost layer.
#[derive(Debug)]
pub(crate) struct Sealing;

impl<In: Transport> Connector<In> for Sealing {
    type Out = SealedWire<In>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|wire| SealedWire {
            wire,
            buffers: LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size()),
            sending: Sending::Nothing,
            blotter: Blotter::default(),
        }))
    }
}

/// The layer: a connection on which secrets are put in and blotted out.
pub(crate) struct SealedWire<In> {
    wire: In,
    buffers: LazyBuffers,
    sending: Sending,
    blotter: Blotter,
}

/// What of a request is being sent.
enum Sending {
    Nothing,
    Head(Arc<Sealed>),
    Body,
}

impl<In: Transport> Transport for SealedWire<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = &self.buffers.output()[..amount];
        if let Sending::Nothing = self.sending
            // Not what asks a proxy for a tunnel.
            && output.starts_with(b"POST ")
            && let Some(sealed) = SEALED.with_borrow(Option::clone)
        {
            self.blotter = Blotter::new(Arc::clone(&sealed));
            self.sending = Sending::Head(sealed);
        }
        let Sending::Head(sealed) = &self.sending else {
            return send(&mut self.wire, output, timeout);
        };
        // The head ends where what is written ends: `ureq` writes the body by itself.
        let unsealed = sealed.unseal(output);
        if output.ends_with(b"\r\n\r\n") {
            self.sending = Sending::Body;
        }
        send(&mut self.wire, &unsealed, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.sending = Sending::Nothing;
        // What did not fit in the last time comes first.
        let is_open = !self.wire.buffers().input().is_empty() || self.wire.await_input(timeout)?;
        let came = self.wire.buffers();
        let place = self.buffers.input_append_buf();
        let length = came.input().len().min(place.len());
        place[..length].copy_from_slice(&came.input()[..length]);
        self.blotter.blot(&mut place[..length]);
        self.buffers.input_appended(length);
        came.input_consume(length);
        Ok(is_open)
    }

    fn is_open(&mut self) -> bool {
        self.wire.is_open()
    }

    fn is_tls(&self) -> bool {
        self.wire.is_tls()
    }
}

/// Sends bytes, in pieces if the connection takes no more at a time.
fn send(wire: &mut impl Transport, mut bytes: &[u8], timeout: NextTimeout) -> Result<(), Error> {
    while !bytes.is_empty() {
        let place = wire.buffers().output();
        let length = bytes.len().min(place.len());
        place[..length].copy_from_slice(&bytes[..length]);
        wire.transmit_output(length, timeout)?;
        bytes = &bytes[length..];
    }
    Ok(())
}

impl<In> std::fmt::Debug for SealedWire<In> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SealedWire").finish_non_exhaustive()
    }
}

/// Blots the secrets of a request out of its answer, without changing its length.
#[derive(Default)]
struct Blotter {
    sealed: Arc<Sealed>,
    /// How much of each secret stood at the end of what came last.
    begun: Vec<usize>,
    /// The head as far as it came; `None` behind it.
    head: Option<Vec<u8>>,
    is_off: bool,
}

impl Blotter {
    fn new(sealed: Arc<Sealed>) -> Self {
        Self {
            begun: vec![0; sealed.secrets().count()],
            sealed,
            head: Some(Vec::new()),
            is_off: false,
        }
    }

    /// A piece of the answer.
    fn blot(&mut self, piece: &mut [u8]) {
        if self.is_off || self.begun.is_empty() {
            return;
        }
        let Some(head) = &mut self.head else {
            return self.blot_all(piece);
        };
        let known = head.len();
        head.extend_from_slice(piece);
        let end = head.windows(4).position(|four| four == b"\r\n\r\n").map(|end| end + 4);
        let is_content = self.sealed.is_answered_by_content && status(head) == Some(b"200");
        match end {
            Some(end) => {
                self.head = None;
                self.is_off = is_content;
                let (head, body) = piece.split_at_mut(end.saturating_sub(known).min(piece.len()));
                self.blot_all(head);
                if !is_content {
                    self.blot_all(body);
                }
            }
            None => {
                if head.len() > LONGEST_HEAD {
                    self.head = None;
                }
                self.blot_all(piece);
            }
        }
    }

    fn blot_all(&mut self, piece: &mut [u8]) {
        let Self { sealed, begun, .. } = self;
        // Each is looked for in what came: the beginning of one may be that of another.
        let came = piece.to_vec();
        for (secret, begun) in sealed.secrets().zip(begun) {
            blot_one(secret.as_bytes(), begun, &came, piece);
        }
    }
}

/// Blots one secret out of a piece that came; `begun` says how much of it stood at the end of the piece before.
fn blot_one(secret: &[u8], begun: &mut usize, came: &[u8], piece: &mut [u8]) {
    let rest = &secret[*begun..];
    let shared = rest.len().min(came.len());
    if *begun > 0 && came[..shared] == rest[..shared] {
        piece[..shared].fill(BLOT);
        if shared == came.len() {
            *begun = (*begun + shared) % secret.len();
            return;
        }
    }
    let mut from = 0;
    while let Some(found) = came[from..].windows(secret.len()).position(|bytes| bytes == secret) {
        let end = from + found + secret.len();
        piece[from + found..end].fill(BLOT);
        from = end;
    }
    let longest = came.len().min(secret.len() - 1);
    let is_begun = |length: &usize| came.ends_with(&secret[..*length]);
    *begun = (1..=longest).rev().find(is_begun).unwrap_or(0);
    if *begun >= SHORTEST_HINT {
        let start = came.len() - *begun;
        piece[start..].fill(BLOT);
    }
}

/// The status in the head of an answer.
fn status(head: &[u8]) -> Option<&[u8]> {
    head.splitn(3, |byte| *byte == b' ').nth(1)?.get(..3)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "SECRET-TOKEN-ey8zQ";

    fn sealed(is_answered_by_content: bool) -> Arc<Sealed> {
        Arc::new(Sealed {
            token: Some(TOKEN.to_owned()),
            key: Some("SECRET-KEY-0123".to_owned()),
            is_answered_by_content,
        })
    }

    #[test]
    fn the_stand_ins_of_a_head_alone_give_place_to_the_secrets() {
        let head = format!("POST / HTTP/1.1\r\nauthorization: {TOKEN_STAND_IN}\r\nkey: {KEY_STAND_IN}\r\nx: y\r\n\r\n");
        let unsealed = String::from_utf8(sealed(false).unseal(head.as_bytes())).unwrap();
        assert_eq!(
            unsealed,
            format!("POST / HTTP/1.1\r\nauthorization: Bearer {TOKEN}\r\nkey: SECRET-KEY-0123\r\nx: y\r\n\r\n")
        );
    }

    /// Bug: a server that repeats the token had it logged, in one piece or in two.
    #[test]
    fn a_secret_is_blotted_out_of_an_answer_wherever_that_is_cut() {
        let answer = format!("HTTP/1.1 401 No\r\nx: {TOKEN}\r\n\r\nno {TOKEN}{TOKEN} SECRET-KEY-0123, SECRET");
        let expected = "HTTP/1.1 401 No\r\nx: [t]\r\n\r\nno [t] [t], ******";
        for size in [4, 5, 7, 19, 40, 1000] {
            let mut blotter = Blotter::new(sealed(true));
            let mut bytes = answer.clone().into_bytes();
            bytes.chunks_mut(size).for_each(|piece| blotter.blot(piece));
            let shown = String::from_utf8(bytes).unwrap();
            assert!(!shown.contains("TOKEN") && !shown.contains("KEY"), "{size}: {shown}");
            if size == 1000 {
                assert_eq!(name_blots(&shown, "[t]"), expected);
            }
        }
    }

    /// Bug: a row that holds the same text as the token came as another one.
    #[test]
    fn the_content_of_a_database_is_passed_on_as_it_is() {
        let answer = format!("HTTP/1.1 200 OK\r\nx: {TOKEN}\r\n\r\nrow {TOKEN}");
        for size in [1, 5, 30, 1000] {
            let mut blotter = Blotter::new(sealed(true));
            let mut bytes = answer.clone().into_bytes();
            bytes.chunks_mut(size).for_each(|piece| blotter.blot(piece));
            let shown = String::from_utf8(bytes).unwrap();
            assert!(shown.ends_with(&format!("row {TOKEN}")), "{size}: {shown}");
        }
    }
}
