//! The emitter of Rust proxies.

use proc_macro2::TokenStream;

use crate::model::{Block, ErrorEnum, FreeFunction, OptionStruct};

/// The proxy of a class.
pub fn emit_block(_block: &Block) -> TokenStream {
    TokenStream::new()
}

/// The async twin of a free function.
pub fn emit_function(_function: &FreeFunction) -> TokenStream {
    TokenStream::new()
}

/// What an error enum needs.
pub fn emit_errors(_errors: &ErrorEnum) -> TokenStream {
    TokenStream::new()
}

/// What a struct of options needs.
pub fn emit_options(_options: &OptionStruct) -> TokenStream {
    TokenStream::new()
}
