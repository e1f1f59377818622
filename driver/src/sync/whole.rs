//! Whether the server's whole database came whole. The protocol marks no end of an answer; where all pages were asked for, they
//! can be counted, and a database that lacks some must not be taken for one.

use prost::Message;
use turso_sync_engine::server_proto::{PullUpdatesReqProtoBody, PullUpdatesRespProtoBody, PullUpdatesStreamKind};

/// Counts the pages of an answer as it passes by: a header and then pages, each behind its length.
#[derive(Default)]
pub(crate) struct PageCount {
    /// The header's bytes as far as they came; empty once it is read.
    header: Vec<u8>,
    /// How many pages there should be; `None` before the header, or if the answer is of another kind.
    expected: Option<u64>,
    is_header_read: bool,
    pages: u64,
    length: Length,
}

/// Where in a message the count stands.
enum Length {
    /// Within the length: what came of it, and where the next seven bits go.
    Unknown { value: u64, shift: u32 },
    /// Within the message: how much of it is left.
    Left(u64),
}

impl Default for Length {
    fn default() -> Self {
        Self::Unknown { value: 0, shift: 0 }
    }
}

impl PageCount {
    /// A count for the answer to a request for the whole database; none for another request.
    pub(crate) fn for_request(body: &[u8]) -> Option<Self> {
        let request = PullUpdatesReqProtoBody::decode(body).ok()?;
        let is_whole = request.client_revision.is_empty()
            && request.server_revision.is_empty()
            && request.server_pages_selector.is_empty()
            && request.server_query_selector.is_empty();
        is_whole.then(Self::default)
    }

    /// A piece of the answer. What can't be read is left to the engine to complain about.
    pub(crate) fn pass(&mut self, mut piece: &[u8]) {
        while let Some((first, rest)) = piece.split_first() {
            match &mut self.length {
                Length::Unknown { value, shift } => {
                    *value |= u64::from(first & 0x7f).checked_shl(*shift).unwrap_or(0);
                    *shift += 7;
                    piece = rest;
                    if first & 0x80 == 0 {
                        self.length = Length::Left(*value);
                        self.end_if_complete();
                    }
                }
                Length::Left(left) => {
                    let taken = piece.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    if !self.is_header_read {
                        self.header.extend_from_slice(&piece[..taken]);
                    }
                    *left -= taken as u64;
                    piece = &piece[taken..];
                    self.end_if_complete();
                }
            }
        }
    }

    fn end_if_complete(&mut self) {
        if !matches!(self.length, Length::Left(0)) {
            return;
        }
        self.length = Length::default();
        if self.is_header_read {
            self.pages += 1;
            return;
        }
        self.is_header_read = true;
        let header = PullUpdatesRespProtoBody::decode(std::mem::take(&mut self.header).as_slice());
        self.expected = header
            .ok()
            .filter(|header| header.stream_kind == PullUpdatesStreamKind::Pages as i32)
            .map(|header| header.db_size);
    }

    /// What is wrong with the answer at its end, if something is.
    pub(crate) fn lack(&self) -> Option<String> {
        let expected = self.expected.filter(|expected| *expected != self.pages)?;
        Some(format!("{} pages came of {expected}", self.pages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(db_size: u64, pages: u64) -> Vec<u8> {
        let header = PullUpdatesRespProtoBody {
            db_size,
            ..PullUpdatesRespProtoBody::default()
        };
        let mut bytes = header.encode_length_delimited_to_vec();
        for _ in 0..pages {
            // Two bytes of length, as for a page.
            bytes.extend([0x80 | 44, 2]);
            bytes.extend([7; 300]);
        }
        bytes
    }

    #[test]
    fn pages_are_counted_however_the_answer_is_cut_into_pieces() {
        let request = PullUpdatesReqProtoBody::default().encode_to_vec();
        for size in [1, 2, 7, 301, 100_000] {
            for (pages, lack) in [(3, None), (2, Some("2 pages came of 3".to_owned()))] {
                let mut count = PageCount::for_request(&request).expect("all is asked for");
                answer(3, pages).chunks(size).for_each(|piece| count.pass(piece));
                assert_eq!(count.lack(), lack, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn where_news_alone_are_asked_for_nothing_is_counted() {
        let request = PullUpdatesReqProtoBody {
            client_revision: "7".to_owned(),
            ..PullUpdatesReqProtoBody::default()
        };
        assert!(PageCount::for_request(&request.encode_to_vec()).is_none());
    }
}
