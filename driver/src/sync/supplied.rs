//! Text that a caller gives once, or is asked for each time that it is needed: the URL of a server, a token.

use std::fmt;
use std::sync::Arc;

use crate::Result;

/// Text that is the same each time, or that a function is asked for before each request: a token that expires, the URL of
/// a server that moves.
///
/// ```
/// use turso_driver::SuppliedText;
///
/// let fixed = SuppliedText::from("http://127.0.0.1:8080");
/// let asked = SuppliedText::asked(|| Ok(std::env::var("SYNC_TOKEN").unwrap_or_default()));
/// assert_eq!(fixed.text()?, "http://127.0.0.1:8080");
/// # let _ = asked.text()?;
/// # Ok::<(), turso_driver::Error>(())
/// ```
#[derive(Clone)]
pub struct SuppliedText(Source);

#[derive(Clone)]
enum Source {
    Fixed(Arc<str>),
    Asked(Arc<dyn Fn() -> Result<String> + Send + Sync>),
}

impl SuppliedText {
    /// Text that a function gives. It is asked before each request, in the thread that makes the request; its error is the
    /// error of the call.
    pub fn asked(source: impl Fn() -> Result<String> + Send + Sync + 'static) -> Self {
        Self(Source::Asked(Arc::new(source)))
    }

    /// The text as it is now.
    ///
    /// # Errors
    /// Those of the function that is asked.
    pub fn text(&self) -> Result<String> {
        match &self.0 {
            Source::Fixed(text) => Ok(text.as_ref().to_owned()),
            Source::Asked(source) => source(),
        }
    }

    /// The text, if it is the same each time.
    pub(crate) fn fixed(&self) -> Option<&str> {
        match &self.0 {
            Source::Fixed(text) => Some(text),
            Source::Asked(_) => None,
        }
    }
}

impl From<&str> for SuppliedText {
    fn from(text: &str) -> Self {
        Self(Source::Fixed(Arc::from(text)))
    }
}

impl From<String> for SuppliedText {
    fn from(text: String) -> Self {
        Self(Source::Fixed(Arc::from(text)))
    }
}

impl fmt::Debug for SuppliedText {
    /// Shows no text: it may be a secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Source::Fixed(_) => "SuppliedText(fixed)",
            Source::Asked(_) => "SuppliedText(asked)",
        })
    }
}
