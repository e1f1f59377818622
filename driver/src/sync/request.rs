//! One request to the server: where it goes, what it carries, what came back, in the words of PEP 249 where it failed.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use ureq::Timeout;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION, TRANSFER_ENCODING, USER_AGENT};
use ureq::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use ureq::{Body, BodyReader};

use super::address::{Address, Redirect};
use super::line::Errand;
use super::proxy::Proxies;
use super::seal::{KEY_STAND_IN, Sealed, TOKEN_STAND_IN, name_blots};
use super::supplied::SuppliedText;
use crate::{Error, Result};

/// The header by which the key of an encrypted database goes to its server.
const ENCRYPTION_KEY_HEADER: &str = "x-turso-encryption-key";

/// What the engine is given in place of the key of an encrypted database, so that it can't show the key in its logs. The
/// true one comes in as the request is made.
pub(crate) const KEY_IS_HELD_BACK: &str = "held back";

/// The engine's path of pushes.
pub(crate) const PIPELINE: &str = "/v2/pipeline";

const LONGEST_CHAIN_OF_REDIRECTS: usize = 5;
/// How much is read of an answer that is an error, and how much of that is told.
const LONGEST_ERROR: u64 = 64 * 1024;
const LONGEST_WORDS: usize = 500;

/// What is the same in all requests.
pub(crate) struct Requests {
    /// Where the server is; `None` leaves it to what the engine has kept.
    pub(crate) remote_url: Option<SuppliedText>,
    pub(crate) auth_token: Option<SuppliedText>,
    pub(crate) encryption_key: Option<String>,
    pub(crate) client_name: String,
    pub(crate) proxies: Proxies,
}

/// An answer that is not an error, of which the body is still to be read.
pub(crate) struct Answer {
    pub(crate) body: BodyReader<'static>,
    /// For errors on the way.
    pub(crate) place: Place,
    /// What its words may not show.
    pub(crate) secrets: Secrets,
}

/// Which request it was, for errors: the server and the endpoint, and the way there.
#[derive(Clone)]
pub(crate) struct Place {
    origin: Arc<str>,
    path: Arc<str>,
    /// The variable of the environment that names the proxy.
    proxy_variable: Option<&'static str>,
}

/// What may be shown in no error.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    token: Option<String>,
    key: Option<String>,
}

/// What stands in the server's words for a secret.
const HELD_BACK: &str = "[held back]";

impl Secrets {
    pub(crate) fn new(token: Option<&str>, key: Option<&str>) -> Self {
        Self {
            token: token.map(str::to_owned),
            key: key.map(str::to_owned),
        }
    }

    /// The server's words, without what they may not show.
    pub(crate) fn conceal(&self, words: &str) -> String {
        let secrets = [&self.token, &self.key].into_iter().flatten();
        let words = secrets
            .filter(|secret| !secret.is_empty())
            .fold(words.to_owned(), |words, secret| {
                words.replace(secret.as_str(), HELD_BACK)
            });
        name_blots(&words, HELD_BACK)
    }

    /// An error if a secret can't be sent: then a header would be missing, or the request be refused with the secret in its
    /// words.
    fn check(&self) -> Result<()> {
        let given = [("auth_token", &self.token), ("remote_encryption_key", &self.key)];
        given
            .into_iter()
            .filter_map(|(name, secret)| secret.as_deref().map(|secret| (name, secret)))
            .try_for_each(|(name, secret)| check_header(name, secret))
    }

    /// For the layer of the connection that puts them into the request.
    fn seal(&self, path: &str) -> Sealed {
        Sealed {
            token: self.token.clone(),
            key: self.key.clone(),
            is_answered_by_content: path != PIPELINE,
        }
    }
}

impl Requests {
    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// `OperationalError` if no answer came or if it is an error; those of a function that is asked for the URL or the token.
    pub(crate) fn send(
        &self,
        errand: &Errand,
        kept_url: Option<&str>,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer> {
        let address = self.address(kept_url)?;
        let mut place = Place {
            origin: Arc::from(address.origin()),
            path: Arc::from(path),
            proxy_variable: None,
        };
        let token = self.auth_token.as_ref().map(SuppliedText::text).transpose()?;
        let secrets = Secrets::new(token.as_deref(), self.encryption_key.as_deref());
        secrets.check()?;
        errand.hold_back(&secrets);
        let mut url = address.endpoint(path);
        let mut with_secrets = true;
        for _ in 0..=LONGEST_CHAIN_OF_REDIRECTS {
            let sent = with_secrets.then_some(&secrets);
            let answer = self.send_once(errand, &mut place, &url, headers, sent, body)?;
            if !is_redirect(answer.status()) {
                return accept(errand, answer, place, secrets);
            }
            let location = answer
                .headers()
                .get(LOCATION)
                .and_then(|location| location.to_str().ok());
            let redirect = location.and_then(|location| Redirect::resolve(&url, location));
            let redirect = redirect
                .ok_or_else(|| place.operational("it redirects the request to a place that can't be understood"))?;
            with_secrets &= redirect.is_same_server;
            url = redirect.url;
        }
        Err(place.operational("it redirects the request again and again"))
    }

    fn address(&self, kept_url: Option<&str>) -> Result<Address> {
        match (&self.remote_url, kept_url) {
            (Some(url), _) => Address::parse(&url.text()?),
            (None, Some(url)) => Address::parse(url),
            (None, None) => Err(no_remote_url()),
        }
    }

    fn send_once(
        &self,
        errand: &Errand,
        place: &mut Place,
        url: &str,
        headers: &[(&str, &str)],
        secrets: Option<&Secrets>,
        body: &[u8],
    ) -> Result<Response<Body>> {
        let uri = url
            .parse::<Uri>()
            .map_err(|_| place.operational("its URL can't be understood"))?;
        let via = self.proxies.for_url(&uri)?;
        place.proxy_variable = via.as_ref().map(|via| via.variable);
        let request = errand.agent()?.post(uri).header(USER_AGENT, &self.client_name);
        let mut request = request.config().proxy(via.map(|via| via.proxy)).build();
        for (name, value) in headers {
            if !name.eq_ignore_ascii_case(ENCRYPTION_KEY_HEADER) {
                request = request.header(*name, *value);
            }
        }
        let Some(secrets) = secrets else {
            return request.send(body).map_err(|error| place.failed(errand, error));
        };
        if secrets.token.is_some() {
            request = request.header(AUTHORIZATION, TOKEN_STAND_IN);
        }
        if secrets.key.is_some() {
            request = request.header(ENCRYPTION_KEY_HEADER, KEY_STAND_IN);
        }
        let sent = secrets.seal(&place.path).in_place(|| request.send(body));
        sent.map_err(|error| place.failed(errand, error))
    }
}

/// An error if a text can't be the value of a header. It does not show it.
pub(crate) fn check_header(name: &str, text: &str) -> Result<()> {
    if HeaderValue::from_str(text).is_ok() {
        return Ok(());
    }
    Err(Error::programming(format!(
        "{name} holds a line break, or another character that can't go over HTTP: pass it without what stands around it, as \
         strip() does"
    )))
}

/// The error for a database that no server is known for.
pub(crate) fn no_remote_url() -> Error {
    Error::programming("no server is known for this database: pass remote_url")
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    )
}

/// The answer, if it is none of the server's errors.
fn accept(errand: &Errand, answer: Response<Body>, place: Place, secrets: Secrets) -> Result<Answer> {
    let status = answer.status();
    if status != StatusCode::OK {
        let words = words_of(answer.into_body(), &secrets);
        errand.check()?;
        return Err(place.refused(status, &words));
    }
    if !has_marked_end(answer.headers()) {
        return Err(place.operational(
            "the answer has neither a length nor chunks, so that nobody could tell whether it came whole",
        ));
    }
    Ok(Answer {
        body: answer.into_body().into_reader(),
        place,
        secrets,
    })
}

/// Whether a cut in the body would be noticed.
fn has_marked_end(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING)
}

/// What the server says in an error, in one line.
fn words_of(body: Body, secrets: &Secrets) -> String {
    let mut bytes = Vec::new();
    // As much as came: the words are a help, the status is the fact.
    let _ = body.into_reader().take(LONGEST_ERROR).read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let text = serde_json::from_str::<serde_json::Value>(&text)
        .ok()
        .and_then(|json| {
            let said = json.get("error").or_else(|| json.get("message"))?;
            let said = said.get("message").unwrap_or(said);
            said.as_str().map(str::to_owned)
        })
        .unwrap_or_else(|| text.into_owned());
    let mut words = secrets.conceal(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if let Some((end, _)) = words.char_indices().nth(LONGEST_WORDS) {
        words.truncate(end);
        words.push('…');
    }
    words
}

impl Place {
    /// An `OperationalError` about the server, that names it.
    pub(crate) fn operational(&self, what: &str) -> Error {
        let Self { origin, path, .. } = self;
        let way = self.proxy_variable.map_or_else(String::new, |variable| {
            format!(", through the proxy that {variable} names")
        });
        Error::operational(format!("the sync server {origin} ({path}){way}: {what}"))
    }

    /// The error of an answer whose status says that there is one.
    fn refused(&self, status: StatusCode, words: &str) -> Error {
        let said = if words.is_empty() {
            status.to_string()
        } else {
            format!("{status}: {words}")
        };
        let cure = match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; pass a valid auth_token",
            StatusCode::NOT_FOUND => "; look whether remote_url names a database of a sync server",
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "; try again later",
            _ => "",
        };
        self.operational(&format!("{said}{cure}"))
    }

    /// The error of a request that got no answer.
    fn failed(&self, errand: &Errand, error: ureq::Error) -> Error {
        // What was cut off failed because of that.
        if let Err(stopped) = errand.check() {
            return stopped;
        }
        match error {
            ureq::Error::Io(error) => self.broken(errand, &error),
            ureq::Error::Timeout(timeout) => self.timed_out(timeout),
            ureq::Error::HostNotFound => self.operational("there is no host of that name; look at remote_url"),
            ureq::Error::ConnectProxyFailed(why) => self.operational(&format!(
                "the proxy does not connect to it ({why}); look at the proxy, or name the server in NO_PROXY"
            )),
            other => self.operational(&other.to_string()),
        }
    }

    /// The error of a connection that broke.
    pub(crate) fn broken(&self, errand: &Errand, error: &io::Error) -> Error {
        if let Err(stopped) = errand.check() {
            return stopped;
        }
        if let Some(ureq::Error::Timeout(timeout)) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return self.timed_out(*timeout);
        }
        match error.kind() {
            ErrorKind::ConnectionRefused if self.proxy_variable.is_some() => self.operational(
                "the proxy refuses the connection; look whether it runs there, or name the server in NO_PROXY",
            ),
            ErrorKind::ConnectionRefused => self.operational("connection refused; look whether it runs there"),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => self.timed_out(Timeout::PerRead),
            ErrorKind::NotFound if self.proxy_variable.is_some() => {
                self.operational(&format!("{error}; look at the name of the proxy, and at the network"))
            }
            ErrorKind::NotFound => self.operational(&format!("{error}; look at remote_url, and at the network")),
            // What the layer of TLS says: the first words were none, or the certificate is not trusted.
            ErrorKind::InvalidData if self.origin.starts_with("https:") => self.operational(&format!(
                "no TLS with it ({error}); look at its certificate, or write http:// if it has none"
            )),
            ErrorKind::UnexpectedEof => self.operational("the connection ended in the middle of the answer; try again"),
            _ => self.operational(&format!("{error}; try again")),
        }
    }

    fn timed_out(&self, timeout: Timeout) -> Error {
        self.operational(match timeout {
            Timeout::Resolve | Timeout::Connect => {
                "no connection within connect_timeout; look whether it can be reached, or allow more time"
            }
            _ => "it was silent for longer than read_timeout; try again, or allow more time",
        })
    }

    /// The error of an answer that can't be understood.
    pub(crate) fn unintelligible(&self, why: &str) -> Error {
        self.operational(&format!(
            "its answer can't be understood ({why}); look whether remote_url names a sync server"
        ))
    }
}
