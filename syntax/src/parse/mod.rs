//! Reads annotated items.

use proc_macro2::TokenStream;
use syn::Item;

use crate::model::{Block, Description, ErrorEnum, FreeFunction, OptionStruct};
use crate::report::Report;

/// One annotated item.
pub enum ParsedItem {
    /// An inherent `impl` block.
    Block(Block),
    /// A free function.
    Function(FreeFunction),
    /// An enum of errors.
    Errors(ErrorEnum),
    /// A struct of options.
    Options(OptionStruct),
}

/// Reads the annotated items of a file, at its top level and in its inline modules.
pub fn parse_file(_file: &syn::File, _report: &mut Report) -> Description {
    Description::default()
}

/// Reads one annotated item; `attribute` is what stands in the parentheses of `#[async_proxy(…)]`.
pub fn parse_item(_attribute: TokenStream, _item: &Item, _report: &mut Report) -> Option<ParsedItem> {
    None
}
