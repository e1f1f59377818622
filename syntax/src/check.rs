//! The rules that one item shows.

use crate::model::{Block, ErrorEnum, FreeFunction, OptionStruct};
use crate::report::Report;

/// Checks an annotated `impl` block.
pub fn check_block(_block: &Block, _report: &mut Report) {}

/// Checks an annotated free function.
pub fn check_function(_function: &FreeFunction, _report: &mut Report) {}

/// Checks an annotated error enum.
pub fn check_errors(_errors: &ErrorEnum, _report: &mut Report) {}

/// Checks an annotated struct of options.
pub fn check_options(_options: &OptionStruct, _report: &mut Report) {}
