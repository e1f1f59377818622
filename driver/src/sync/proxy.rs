//! Which proxy a request goes through, as the environment says.
//!
//! `ureq` looks at the environment too, but takes the first of all the variables whatever the scheme of the server is, and passes
//! over a value that it can't read: then the request would go out past the proxy.

use ureq::Proxy;
use ureq::http::Uri;
use ureq::http::uri::Scheme;

use crate::{Error, Result};

/// What the environment says of proxies. In each list the first variable counts that is set and not empty.
pub(crate) struct Proxies {
    http: Option<Setting>,
    https: Option<Setting>,
    /// The servers that are reached without one.
    exempt: Vec<String>,
}

/// A variable that names a proxy.
struct Setting {
    variable: &'static str,
    value: String,
}

/// The proxy of a request.
pub(crate) struct Via {
    pub(crate) proxy: Proxy,
    /// The variable that names it, for errors: its value may hold a password.
    pub(crate) variable: &'static str,
}

/// For servers of either scheme that have no variable of their own.
const FOR_ALL: [&str; 2] = ["all_proxy", "ALL_PROXY"];

impl Proxies {
    /// Reads the variables of this process.
    pub(crate) fn of_environment() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &'static str| {
            let value = variable(name).filter(|value| !value.trim().is_empty())?;
            Some(Setting { variable: name, value })
        };
        let first = |names: &[&'static str]| names.iter().chain(&FOR_ALL).find_map(|name| set(name));
        // A server calls its CGI programs with what a client sent as its header "Proxy" in HTTP_PROXY.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let for_http: &[&str] = if is_cgi {
            &["http_proxy"]
        } else {
            &["http_proxy", "HTTP_PROXY"]
        };
        let exempt = set("no_proxy").or_else(|| set("NO_PROXY"));
        Self {
            http: first(for_http),
            https: first(&["https_proxy", "HTTPS_PROXY"]),
            exempt: exempt.map_or_else(Vec::new, |exempt| {
                exempt
                    .value
                    .split(|letter: char| letter == ',' || letter.is_whitespace())
                    .filter(|entry| !entry.is_empty())
                    .map(str::to_ascii_lowercase)
                    .collect()
            }),
        }
    }

    /// The proxy for a request, if it goes through one.
    ///
    /// # Errors
    /// `ProgrammingError` if the variable names none: a request must not go out past it.
    pub(crate) fn for_url(&self, url: &Uri) -> Result<Option<Via>> {
        let is_https = url.scheme() == Some(&Scheme::HTTPS);
        let setting = if is_https { &self.https } else { &self.http };
        let Some(Setting { variable, value }) = setting else {
            return Ok(None);
        };
        let host = url.host().unwrap_or_default().to_ascii_lowercase();
        let port = url.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        if self.exempt.iter().any(|entry| exempts(entry, &host, port)) {
            return Ok(None);
        }
        match Proxy::new(value.trim()) {
            Ok(proxy) => Ok(Some(Via { proxy, variable })),
            Err(_) => Err(Error::programming(format!(
                "the variable {variable} of the environment names no proxy: it has the form http://host:port, https://host:port or \
                 socks5://host:port; mend or unset it, or name the server in NO_PROXY"
            ))),
        }
    }
}

/// Whether an entry of `NO_PROXY` means a server: `*`, or an address, or a name, which means what is below it too; with a port
/// or without.
fn exempts(entry: &str, host: &str, port: u16) -> bool {
    // An address of version 6 has colons of its own.
    let (name, wanted_port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, Some(port)),
        _ => (entry, None),
    };
    if wanted_port.is_some_and(|wanted| wanted.parse() != Ok(port)) {
        return false;
    }
    let bare = |name: &str| name.trim_start_matches('[').trim_end_matches(']').to_owned();
    let (name, host) = (bare(name), bare(host));
    let name = name.strip_prefix('*').unwrap_or(&name);
    let name = name.strip_prefix('.').unwrap_or(name);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let is_below = || host.strip_suffix(name).is_some_and(|above| above.ends_with('.'));
    name.is_empty() || host == name || !is_address && is_below()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(environment: &[(&str, &str)], url: &str) -> Option<String> {
        let proxies = Proxies::read(|name| {
            let found = environment.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        let via = proxies.for_url(&url.parse().unwrap()).unwrap()?;
        Some(format!("{} {}:{}", via.variable, via.proxy.host(), via.proxy.port()))
    }

    /// Bug: the variable for the other scheme was taken, or ALL_PROXY before one of a scheme.
    #[test]
    fn the_scheme_of_the_server_decides_which_variable_counts() {
        let all = [
            ("ALL_PROXY", "http://all:1"),
            ("HTTPS_PROXY", "http://secure:2"),
            ("HTTP_PROXY", "plain:3"),
        ];
        assert_eq!(via(&all, "https://db.example").unwrap(), "HTTPS_PROXY secure:2");
        assert_eq!(via(&all, "http://db.example").unwrap(), "HTTP_PROXY plain:3");
        assert_eq!(via(&all[..2], "http://db.example").unwrap(), "ALL_PROXY all:1");
        assert_eq!(via(&all[1..2], "http://db.example"), None);
        let small = [("https_proxy", "socks5://small:4"), ("HTTPS_PROXY", "http://large:5")];
        assert_eq!(via(&small, "https://db.example").unwrap(), "https_proxy small:4");
        let empty = [("https_proxy", ""), ("HTTPS_PROXY", "http://large:5")];
        assert_eq!(via(&empty, "https://db.example").unwrap(), "HTTPS_PROXY large:5");
    }

    /// Bug: what a client of a CGI program sends as its header "Proxy" was taken for a proxy.
    #[test]
    fn a_cgi_program_does_not_believe_its_client() {
        let cgi = [("REQUEST_METHOD", "POST"), ("HTTP_PROXY", "http://attacker:1")];
        assert_eq!(via(&cgi, "http://db.example"), None);
    }

    /// Bug: an entry behind a space, or above the server's name, or with its port, was not heeded.
    #[test]
    fn no_proxy_names_servers_those_below_them_and_ports() {
        let exempted = |list: &str, url: &str| {
            let environment = [("ALL_PROXY", "http://all:1"), ("NO_PROXY", list)];
            via(&environment, url).is_none()
        };
        for (list, url) in [
            ("*", "https://db.example"),
            ("other, DB.example ,more", "https://db.example"),
            ("example", "https://db.example"),
            (".example", "https://db.example"),
            ("*.example", "https://a.db.example"),
            ("db.example:443", "https://db.example"),
            ("127.0.0.1", "http://127.0.0.1:8080"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("::1", "http://[::1]:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert!(exempted(list, url), "{list} {url}");
        }
        for (list, url) in [
            ("b.example", "https://db.example"),
            ("db.example:80", "https://db.example"),
            ("db.example", "https://example"),
            ("0.0.1", "http://127.0.0.1:8080"),
            ("[::1]:80", "http://[::1]:8080"),
        ] {
            assert!(!exempted(list, url), "{list} {url}");
        }
    }

    /// Bug: the request went out past a proxy whose variable could not be read; the error showed its password.
    #[test]
    fn a_variable_that_names_no_proxy_is_an_error_that_shows_no_password() {
        let proxies = Proxies::read(|name| (name == "HTTPS_PROXY").then(|| "ftp://user:hunter2@host:1".to_owned()));
        let error = proxies
            .for_url(&"https://db.example".parse().unwrap())
            .map(|_| ())
            .unwrap_err();
        assert!(matches!(error, Error::Programming(_)));
        assert!(
            error.to_string().contains("HTTPS_PROXY") && !error.to_string().contains("hunter2"),
            "{error}"
        );
        assert!(
            proxies
                .for_url(&"http://db.example".parse().unwrap())
                .unwrap()
                .is_none()
        );
    }
}
