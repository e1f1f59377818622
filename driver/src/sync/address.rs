//! Where the server is: the checked and completed form of a URL that a caller gives.

use ureq::http::Uri;
use ureq::http::uri::Scheme;

use crate::{Error, Result};

/// The base of a server's URLs: `https://host:port/path`, without a slash at the end.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    base: String,
    origin: String,
}

impl Address {
    /// Reads a URL. `libsql://` and `turso://` mean `https://`.
    ///
    /// # Errors
    /// `ProgrammingError` if it is no such URL, or if it holds what would be a secret in a place where secrets are shown:
    /// a password, a query.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let refused = |what: &str| {
            Error::programming(format!(
                "remote_url {what}: it has the form https://host, http://host:port, libsql://host or turso://host"
            ))
        };
        let url = url.trim();
        let completed = ["libsql://", "turso://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
            .map_or_else(|| url.to_owned(), |rest| format!("https://{rest}"));
        let uri: Uri = completed.parse().map_err(|_| refused("is no URL"))?;
        if uri.scheme() != Some(&Scheme::HTTP) && uri.scheme() != Some(&Scheme::HTTPS) {
            return Err(refused("is neither http nor https"));
        }
        let authority = uri.authority().ok_or_else(|| refused("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused("holds a user or a password; pass a token as auth_token"));
        }
        if uri.query().is_some() {
            return Err(refused("holds a query; pass a token as auth_token"));
        }
        let origin = format!("{}://{}", uri.scheme_str().unwrap_or("http"), authority);
        Ok(Self {
            base: format!("{origin}{}", uri.path().trim_end_matches('/')),
            origin,
        })
    }

    /// The URL of one of the server's endpoints; the path begins with a slash.
    pub(crate) fn endpoint(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Scheme, host and port: what errors show.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The base as it was completed; the engine keeps it beside the database.
    pub(crate) fn as_str(&self) -> &str {
        &self.base
    }
}

/// Where a redirect leads.
pub(crate) struct Redirect {
    pub(crate) url: String,
    /// Whether it stays with the server that the secrets are for: the same host and port, and not from `https` to `http`.
    pub(crate) is_same_server: bool,
}

impl Redirect {
    /// Resolves the `Location` of an answer.
    pub(crate) fn resolve(from: &str, location: &str) -> Option<Self> {
        let base: Uri = from.parse().ok()?;
        let url = if location.starts_with('/') && !location.starts_with("//") {
            format!("{}://{}{location}", base.scheme_str()?, base.authority()?)
        } else {
            location.to_owned()
        };
        let target: Uri = url.parse().ok()?;
        let port = |uri: &Uri| uri.port_u16().unwrap_or(if is_https(uri) { 443 } else { 80 });
        let is_upgrade = !is_https(&base) && is_https(&target);
        let is_same_host = target.host()?.eq_ignore_ascii_case(base.host()?);
        let is_same_server = is_same_host
            && (base.scheme() == target.scheme() && port(&base) == port(&target)
                || is_upgrade && target.port_u16().is_none() && base.port_u16().is_none());
        matches!(target.scheme_str(), Some("http" | "https")).then_some(Self { url, is_same_server })
    }
}

fn is_https(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_of_turso_mean_https() {
        for url in ["libsql://db.example", "turso://db.example/", "https://db.example"] {
            let address = Address::parse(url).unwrap();
            assert_eq!(address.endpoint("/pull-updates"), "https://db.example/pull-updates");
        }
        let address = Address::parse("http://127.0.0.1:8080/base/").unwrap();
        assert_eq!(
            address.endpoint("/v2/pipeline"),
            "http://127.0.0.1:8080/base/v2/pipeline"
        );
    }

    #[test]
    fn what_is_no_url_or_would_show_a_secret_is_refused_without_being_shown() {
        for url in [
            "",
            "db.example",
            "ftp://db.example",
            "http://user:hunter2@db.example",
            "http://db.example?authToken=hunter2",
        ] {
            let error = Address::parse(url).map(|_| ()).unwrap_err();
            assert!(matches!(error, Error::Programming(_)), "{url}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_redirect_takes_the_secrets_along_only_to_the_same_server() {
        let same = |from: &str, location: &str| Redirect::resolve(from, location).unwrap().is_same_server;
        assert!(same("http://a.example/pull-updates", "/other"));
        assert!(same("http://a.example/pull-updates", "https://a.example/pull-updates"));
        assert!(!same("https://a.example/x", "http://a.example/x"));
        assert!(!same("https://a.example/x", "https://b.example/x"));
        assert!(!same("http://127.0.0.1:1/x", "http://127.0.0.1:2/x"));
        assert!(Redirect::resolve("http://a.example/x", "file:///etc/passwd").is_none());
    }
}
