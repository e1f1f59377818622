//! From a request of HTTP to its answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, LOCATION};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};

use crate::body::ScriptedBody;
use crate::control;
use crate::faults::{Endpoint, Fault};
use crate::pipeline;
use crate::pull::{PullError, PullRequest};
use crate::state::State;

/// What is answered.
pub(crate) type Answer = Response<ScriptedBody>;

const RUBBISH: &[u8] = b"\xff\xff\xff\xff\xff<html>this is no message of the protocol</html>";

/// Answers one request.
///
/// # Errors
/// To close the connection without an answer.
pub(crate) async fn answer(state: Arc<State>, request: Request<Incoming>) -> io::Result<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let endpoint = match (&head.method, head.uri.path()) {
        (_, path) if path.starts_with("/control/") => {
            return control::answer(&state, &head.method, path, body).await;
        }
        (&Method::POST, path) if path.ends_with("/pull-updates") => Endpoint::Pull,
        (&Method::POST, path) if path.ends_with("/v2/pipeline") => Endpoint::Push,
        (method, path) => {
            return Ok(plain(
                StatusCode::NOT_FOUND,
                &format!("there is no {method} {path} here: see --help"),
            ));
        }
    };
    let fault = state.controls().receive(endpoint, &head.headers, body.len());
    match fault {
        Some(Fault::Delay { milliseconds }) => tokio::time::sleep(Duration::from_millis(milliseconds)).await,
        Some(Fault::Status { status, body }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return Ok(plain(status, &body));
        }
        Some(Fault::Rubbish) => return Ok(Response::new(ScriptedBody::whole(RUBBISH))),
        Some(Fault::Drop) => return Err(closed_on_purpose()),
        Some(Fault::Redirect { location, status }) => return redirect(&location, status),
        fault => return do_request(&state, endpoint, &head.headers, body, fault).await,
    }
    do_request(&state, endpoint, &head.headers, body, None).await
}

/// Does what is asked, and answers as the fault says.
async fn do_request(
    state: &Arc<State>,
    endpoint: Endpoint,
    headers: &HeaderMap,
    body: Bytes,
    fault: Option<Fault>,
) -> io::Result<Answer> {
    {
        let mut controls = state.controls();
        if !controls.allows(headers) {
            controls.counters.refused += 1;
            return Ok(plain(
                StatusCode::UNAUTHORIZED,
                "the token is missing or wrong: ask for another",
            ));
        }
    }
    let revision = match &fault {
        Some(Fault::Revision { revision }) => Some(revision.clone()),
        _ => None,
    };
    let (status, content_type, bytes) = match endpoint {
        Endpoint::Pull => pull(state, body, revision).await?,
        Endpoint::Push => push(state, body).await?,
    };
    let body = match fault {
        Some(Fault::Truncate { bytes: kept }) => ScriptedBody::whole(bytes[..kept.min(bytes.len())].to_vec()),
        Some(Fault::Cut { bytes: sent }) => ScriptedBody::cut(bytes, sent),
        Some(Fault::Stall {
            bytes: sent,
            milliseconds,
        }) => ScriptedBody::stalled(bytes, sent, Duration::from_millis(milliseconds)),
        Some(Fault::DropAnswer) => return Err(closed_on_purpose()),
        _ => ScriptedBody::whole(bytes),
    };
    respond(status, content_type, body)
}

async fn pull(
    state: &Arc<State>,
    body: Bytes,
    revision: Option<String>,
) -> io::Result<(StatusCode, &'static str, Vec<u8>)> {
    let answered = match PullRequest::decode(&body) {
        Ok(request) => {
            wait_for_news(state, &request).await;
            state
                .with_remote(move |remote| request.answer(remote, revision))
                .await?
        }
        Err(error) => Err(error),
    };
    Ok(match answered {
        Ok(bytes) => (StatusCode::OK, "application/protobuf", bytes),
        Err(error) => {
            let status = match error {
                PullError::Remote(crate::RemoteError::Engine(_)) => StatusCode::INTERNAL_SERVER_ERROR,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, "text/plain", error.to_string().into_bytes())
        }
    })
}

/// Waits as long as the client asked for, if it has the newest revision. One that is not known is refused later.
async fn wait_for_news(state: &Arc<State>, request: &PullRequest) {
    if let Some((revision, timeout)) = request.long_poll()
        && let Ok(revision) = revision.parse()
    {
        let _waiting = state.begin_waiting();
        // Whether there is news is found out when the answer is made.
        let _ = tokio::time::timeout(timeout, state.wait_for_news(revision)).await;
    }
}

async fn push(state: &Arc<State>, body: Bytes) -> io::Result<(StatusCode, &'static str, Vec<u8>)> {
    Ok(match serde_json::from_slice(&body) {
        Ok(request) => {
            let answered = state
                .with_remote(move |remote| pipeline::run(remote.connection(), request))
                .await?;
            (StatusCode::OK, "application/json", serde_json::to_vec(&answered)?)
        }
        Err(error) => {
            let message = format!("this is no pipeline: {error}");
            (StatusCode::BAD_REQUEST, "text/plain", message.into_bytes())
        }
    })
}

/// Runs a pipeline for `/control/pipeline`: past the token, the faults and the counters.
pub(crate) async fn run_pipeline(state: &Arc<State>, body: Bytes) -> io::Result<Answer> {
    let (status, content_type, bytes) = push(state, body).await?;
    respond(status, content_type, ScriptedBody::whole(bytes))
}

/// An answer in words.
pub(crate) fn plain(status: StatusCode, message: &str) -> Answer {
    let mut answer = Response::new(ScriptedBody::whole(message.as_bytes().to_vec()));
    *answer.status_mut() = status;
    answer
}

fn respond(status: StatusCode, content_type: &'static str, body: ScriptedBody) -> io::Result<Answer> {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, content_type)
        .body(body)
        .map_err(io::Error::other)
}

fn redirect(location: &str, status: u16) -> io::Result<Answer> {
    Response::builder()
        .status(status)
        .header(LOCATION, location)
        .body(ScriptedBody::whole(Bytes::new()))
        .map_err(io::Error::other)
}

fn closed_on_purpose() -> io::Error {
    io::Error::other("the connection is closed on purpose")
}
