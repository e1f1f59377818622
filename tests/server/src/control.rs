//! `/control/…`: what a test sets and looks at.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, Response, StatusCode};
use serde::{Deserialize, Serialize};

use crate::body::ScriptedBody;
use crate::faults::Rule;
use crate::service::{self, Answer};
use crate::state::State;

/// The body of `PUT /control/token`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    token: Option<String>,
}

/// Answers a request to the controls.
pub(crate) async fn answer(state: &Arc<State>, method: &Method, path: &str, body: Bytes) -> io::Result<Answer> {
    match (method, path) {
        (&Method::GET, "/control/counters") => json(&state.controls().counters),
        (&Method::GET, "/control/requests") => json(&state.controls().requests),
        (&Method::DELETE, "/control/requests") => {
            state.controls().forget();
            done()
        }
        (&Method::GET, "/control/faults") => json(state.controls().rules.pending()),
        (&Method::DELETE, "/control/faults") => {
            state.controls().rules.clear();
            done()
        }
        (&Method::POST, "/control/faults") => match serde_json::from_slice::<Rule>(&body) {
            Ok(rule) => {
                state.controls().rules.add(rule);
                done()
            }
            Err(error) => Ok(not_understood(&error)),
        },
        (&Method::PUT, "/control/token") => match serde_json::from_slice::<Token>(&body) {
            Ok(Token { token }) => {
                state.controls().token = token;
                done()
            }
            Err(error) => Ok(not_understood(&error)),
        },
        (&Method::POST, "/control/pipeline") => service::run_pipeline(state, body).await,
        _ => Ok(service::plain(
            StatusCode::NOT_FOUND,
            &format!("there is no control {method} {path}: see --help"),
        )),
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> io::Result<Answer> {
    Ok(Response::new(ScriptedBody::whole(serde_json::to_vec(value)?)))
}

fn done() -> io::Result<Answer> {
    Ok(service::plain(StatusCode::NO_CONTENT, ""))
}

fn not_understood(error: &serde_json::Error) -> Answer {
    service::plain(StatusCode::BAD_REQUEST, &format!("{error}: see --help"))
}
