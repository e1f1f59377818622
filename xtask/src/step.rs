//! What a step is. The steps themselves stand in [`crate::steps`].

use crate::failure::Result;
use crate::session::Session;

/// One check, or one piece of set-up that checks need.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    /// What it proves, or provides.
    pub(crate) purpose: &'static str,
    /// Words that select it together with others.
    pub(crate) groups: &'static [&'static str],
    /// Steps that must have passed before.
    pub(crate) needs: &'static [&'static str],
    pub(crate) run: fn(&mut Session) -> Result<Remark>,
}

/// A few words for the summary: what was covered.
pub(crate) type Remark = String;
