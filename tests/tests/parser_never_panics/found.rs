//! What the fuzz target found, each by its name, so that it stays found.

use crate::exercise::{Reached, exercise};

#[test]
fn an_empty_file_is_rust() {
    assert_eq!(exercise(""), Reached::Rust);
}
