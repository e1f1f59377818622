//! `POST /pull-updates`: the pages of a revision, or what has changed since another.

use bytes::Bytes;
use prost::Message;
use roaring::RoaringBitmap;
use turso_sync_engine::server_proto::{
    PageData, PageSetRawEncodingProto, PageUpdatesEncodingReq, PullUpdatesApplyMode, PullUpdatesProtocol,
    PullUpdatesReqProtoBody, PullUpdatesRespProtoBody, PullUpdatesStreamKind,
};

use crate::database::{Remote, RemoteError};

/// A request that was understood.
#[derive(Debug)]
pub(crate) struct PullRequest {
    message: PullUpdatesReqProtoBody,
    wanted_pages: Option<RoaringBitmap>,
}

/// Why a request was not understood or not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
    /// The body is no message of the protocol.
    #[error("this is no request for updates: {0}")]
    NotDecoded(#[from] prost::DecodeError),
    /// The selection of pages is no bitmap.
    #[error("the selection of pages is no bitmap: {0}")]
    NoBitmap(#[from] std::io::Error),
    /// An encoding that this server does not have.
    #[error("this server sends pages as they are: ask for the raw encoding")]
    UnknownEncoding,
    /// The database refused.
    #[error("{0}")]
    Remote(#[from] RemoteError),
}

impl PullRequest {
    /// Reads the body of a request. An empty one asks for everything.
    ///
    /// # Errors
    /// If it is not of the protocol.
    pub(crate) fn decode(body: &[u8]) -> Result<Self, PullError> {
        let message = PullUpdatesReqProtoBody::decode(body)?;
        if message.encoding != PageUpdatesEncodingReq::Raw as i32 {
            return Err(PullError::UnknownEncoding);
        }
        let selector = &message.server_pages_selector;
        let wanted_pages = (!selector.is_empty()).then(|| RoaringBitmap::deserialize_from(&selector[..]));
        Ok(Self {
            wanted_pages: wanted_pages.transpose()?,
            message,
        })
    }

    /// The revision that the client has, and how long it would wait for a newer one, if it would: only a client that has one
    /// and asks for the newest waits.
    pub(crate) fn long_poll(&self) -> Option<(&str, std::time::Duration)> {
        let message = &self.message;
        let waits = message.long_poll_timeout_ms > 0
            && !message.client_revision.is_empty()
            && message.server_revision.is_empty();
        waits.then(|| {
            let timeout = u64::from(message.long_poll_timeout_ms);
            (
                message.client_revision.as_str(),
                std::time::Duration::from_millis(timeout),
            )
        })
    }

    /// The answer: a header and the pages, each with its length before it. A selection of pages by a query is answered with
    /// all of them: more than was asked for is allowed. `revision` stands in the header in place of the true one.
    ///
    /// # Errors
    /// If a revision is not known, or the database can't be read.
    pub(crate) fn answer(&self, remote: &Remote, revision: Option<String>) -> Result<Vec<u8>, PullError> {
        let message = &self.message;
        let until = match message.server_revision.as_str() {
            "" => remote.newest_revision()?,
            known => remote.parse_revision(known)?,
        };
        let is_wanted = |page: u32| self.wanted_pages.as_ref().is_none_or(|pages| pages.contains(page));
        // Whoever has no revision has nothing: the log alone would leave out what was in the file before it.
        let mut pages = match message.client_revision.as_str() {
            "" => remote.pages_at(until, is_wanted)?,
            since => remote.pages_between(remote.parse_revision(since)?, until)?,
        };
        pages.retain(|(page, _)| u32::try_from(*page).is_ok_and(is_wanted));
        let header = PullUpdatesRespProtoBody {
            server_revision: revision.unwrap_or_else(|| until.to_string()),
            db_size: remote.size_at(until)?,
            raw_encoding: Some(PageSetRawEncodingProto {}),
            zstd_encoding: None,
            stream_kind: PullUpdatesStreamKind::Pages as i32,
            apply_mode: PullUpdatesApplyMode::Incremental as i32,
            mvcc_log: None,
            protocol: PullUpdatesProtocol::Pages as i32,
        };
        let mut body = header.encode_length_delimited_to_vec();
        for (page_id, page) in pages {
            let encoded_page = Bytes::from(page);
            body.extend(PageData { page_id, encoded_page }.encode_length_delimited_to_vec());
        }
        Ok(body)
    }
}
