//! The rules between items, and the API that all sources together declare.

use crate::model::{Api, Description};
use crate::report::Report;

/// Merges what the files declare.
pub fn resolve(_descriptions: Vec<Description>, _report: &mut Report) -> Api {
    Api {
        classes: Vec::new(),
        functions: Vec::new(),
        errors: Vec::new(),
        options: Vec::new(),
    }
}
