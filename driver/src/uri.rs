//! SQLite's URIs: `file:path?mode=ro&cache=private`.

use crate::{Error, Result};

/// Where and how a URI says that a database is to be opened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Uri {
    /// The path; empty for a database of its own in memory.
    pub(crate) path: String,
    pub(crate) mode: Mode,
    /// `cache=shared`: of a database in memory, that all connections in this process that name it see the same.
    pub(crate) is_shared: bool,
    /// `vfs=…`.
    pub(crate) vfs: Option<String>,
    /// `cipher=…`.
    pub(crate) cipher: Option<String>,
    /// `hexkey=…`.
    pub(crate) hexkey: Option<String>,
}

/// What may be done with the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Read and written, made if it is not there.
    #[default]
    Create,
    /// Read and written; it must be there.
    ReadWrite,
    /// Read; it must be there.
    ReadOnly,
    /// No file: in memory.
    Memory,
}

/// Reads a URI; `None` if it does not start with `file:` and so is a path as it stands. Parameters that are not known are
/// ignored, as SQLite does.
///
/// # Errors
/// In SQLite's words: [`Error::Operational`] for an authority other than `localhost` and for a mode that does not exist.
pub(crate) fn parse(uri: &str) -> Result<Option<Uri>> {
    let Some(rest) = uri.strip_prefix("file:") else {
        return Ok(None);
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = match location.strip_prefix("//") {
        Some(behind) => {
            let (authority, path) = behind.split_at(behind.find('/').unwrap_or(behind.len()));
            if !authority.is_empty() && authority != "localhost" {
                return Err(Error::operational(format!("invalid uri authority: {authority}")));
            }
            path
        }
        None => location,
    };
    let mut parsed = Uri {
        path: decode(path)?,
        ..Uri::default()
    };
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let value = decode(value)?;
        match decode(name)?.as_str() {
            "mode" => parsed.mode = parse_mode(&value)?,
            "cache" => parsed.is_shared = parse_cache(&value)?,
            "vfs" => parsed.vfs = Some(value),
            "cipher" => parsed.cipher = Some(value),
            "hexkey" => parsed.hexkey = Some(value),
            _ => {}
        }
    }
    Ok(Some(parsed))
}

fn parse_mode(value: &str) -> Result<Mode> {
    match value {
        "ro" => Ok(Mode::ReadOnly),
        "rw" => Ok(Mode::ReadWrite),
        "rwc" => Ok(Mode::Create),
        "memory" => Ok(Mode::Memory),
        _ => Err(Error::operational(format!("no such access mode: {value}"))),
    }
}

fn parse_cache(value: &str) -> Result<bool> {
    match value {
        "shared" => Ok(true),
        "private" => Ok(false),
        _ => Err(Error::operational(format!("no such cache mode: {value}"))),
    }
}

/// Replaces `%` and two hexadecimal digits by the byte they stand for. A `%` without them stays as it is.
fn decode(text: &str) -> Result<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let escaped = match behind {
            [high, low, ..] if *first == b'%' => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                decoded.push(high * 16 + low);
                rest = &behind[2..];
            }
            None => {
                decoded.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(decoded).map_err(|_| Error::operational(format!("the URI is not UTF-8 behind its %: {text}")))
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_its_parameters_are_read() {
        let uri = parse("file:///tmp/a%20b.db?mode=ro&cache=private&unknown=1#end")
            .unwrap()
            .unwrap();
        assert_eq!(uri.path, "/tmp/a b.db");
        assert_eq!(uri.mode, Mode::ReadOnly);
        assert_eq!(parse("file:a.db").unwrap().unwrap().path, "a.db");
        assert_eq!(parse("file://localhost/a.db").unwrap().unwrap().path, "/a.db");
        assert_eq!(parse("a.db?mode=ro").unwrap(), None);
        assert_eq!(parse("file:100%.db").unwrap().unwrap().path, "100%.db");
    }

    #[test]
    fn what_sqlite_refuses_is_refused_in_its_words() {
        assert_eq!(
            parse("file://host/a").unwrap_err().to_string(),
            "invalid uri authority: host"
        );
        assert_eq!(
            parse("file:a?mode=bogus").unwrap_err().to_string(),
            "no such access mode: bogus"
        );
        assert_eq!(
            parse("file:a?cache=bogus").unwrap_err().to_string(),
            "no such cache mode: bogus"
        );
    }
}
