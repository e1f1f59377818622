//! The emitter of Rust proxies.
//!
//! It works from one annotated item alone, since the macro sees no more: what another item decides (how a base is kept, what
//! proxy a child has) is left to rustc, by way of the runtime's traits. The generator prints the same tokens as files, so
//! they are written to be read.

mod argument;
mod class;
mod member;
mod text;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::model::{Block, ErrorEnum, FreeFunction, OptionStruct};
use crate::names;

/// The proxy of a class: all of it for its first block, further methods for an `extend` block.
pub fn emit_block(block: &Block) -> TokenStream {
    let proxy = names::proxy_ident(&block.ident, &block.options);
    let first = !block.options.extend;
    let declaration = first.then(|| class::emit_struct(block, &proxy));
    let class = first.then(|| class::emit_class(block, &proxy));
    let members = block
        .members
        .iter()
        .filter_map(|member| member::emit_member(block, &proxy, member));
    let cfgs = text::conditions(&block.carried);
    quote! {
        #declaration

        #(#cfgs)*
        impl #proxy {
            #(#members)*
        }

        #class
    }
}

/// The async twin of a free function: every one opens an object, since only rustc could tell what else it returns.
pub fn emit_function(function: &FreeFunction) -> TokenStream {
    let carried = text::carried(&function.carried);
    let ident = &function.ident;
    let name = names::function_ident(function);
    let (generics, _, where_clause) = function.generics.split_for_impl();
    let parameters = argument::parameters(&function.arguments);
    let allowed = argument::allow_many(parameters.len());
    let owned = argument::own(&function.arguments);
    let lent = argument::lend(&function.arguments);
    let returns = text::outcome(&function.returns, None);
    let future = text::future("Open", &returns, function.error.as_ref(), ident.span());
    let open = text::runtime("open", ident.span());
    let body = quote_spanned!(at(ident.span())=> #open(move || #ident(#(#lent),*)));
    quote! {
        #carried
        #allowed
        pub fn #name #generics (#(#parameters),*) -> #future #where_clause {
            #(#owned)*
            #body
        }
    }
}

/// What an error enum needs in Rust: nothing, the proxies give it as it is.
pub fn emit_errors(_errors: &ErrorEnum) -> TokenStream {
    TokenStream::new()
}

/// What a struct of options needs in Rust: nothing, it is an argument like others.
pub fn emit_options(_options: &OptionStruct) -> TokenStream {
    TokenStream::new()
}

/// Our own tokens, shown by rustc at a place of the description.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}
