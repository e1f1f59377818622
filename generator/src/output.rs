//! What a run gives before anything is written: files in memory.

/// One generated file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its path below the output folder, with `/` on every platform: `python/aioturso/lib.py`.
    pub path: String,
    /// Its whole text: `\n` at the end of each line, the last one too.
    pub text: String,
}

impl File {
    /// A file of that path and text.
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}
