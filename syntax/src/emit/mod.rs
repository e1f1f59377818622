//! The emitter of Rust proxies.
//!
//! It works from one annotated item alone, since the macro sees no more: what another item decides (how a base is kept, what
//! proxy a child has) is left to rustc, by way of the runtime's traits. The generator prints the same tokens as files, so
//! they are written to be read.

mod argument;
mod class;
mod member;
mod text;
mod twin;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use crate::model::{Block, Colour, ErrorEnum, FreeFunction, OptionStruct};
use crate::names;

/// The proxy of a class: all of it for its first block, further methods for an `extend` block.
pub fn emit_block(block: &Block) -> TokenStream {
    if block.colour == Colour::Async {
        return twin::emit_block(block);
    }
    let proxy = names::proxy_ident(block.colour, &block.ident, &block.options);
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

/// The other side of a free function: every one opens an object, since only rustc could tell what else it returns.
pub fn emit_function(function: &FreeFunction) -> TokenStream {
    if function.colour == Colour::Async {
        return twin::emit_function(function);
    }
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

/// What a struct of options needs in Rust: nothing, it is an argument like others. A value can be returned, and is no error.
pub fn emit_options(options: &OptionStruct) -> TokenStream {
    let (ident, cfgs) = (&options.ident, &options.carried.cfgs);
    if options.is_value {
        quote::quote! {
            #(#cfgs)*
            impl ::async_proxy::Plain for #ident {}
        }
    } else {
        TokenStream::new()
    }
}

/// Our own tokens, shown by rustc at a place of the description.
fn at(place: Span) -> Span {
    Span::call_site().located_at(place)
}

#[cfg(test)]
pub(crate) mod tests {
    use quote::quote;
    use syn::parse_quote;

    use super::*;
    use crate::parse::{ParsedItem, parse_item};
    use crate::report::Report;

    /// What is emitted for an item, without the spaces, so that fragments can be looked for.
    fn emitted(attribute: TokenStream, item: &syn::Item) -> String {
        emitted_of(Colour::Blocking, attribute, item)
    }

    pub(super) fn emitted_of(colour: Colour, attribute: TokenStream, item: &syn::Item) -> String {
        let mut report = Report::new();
        let parsed = parse_item(colour, attribute, item, &mut report);
        report.into_result().expect("a right description");
        let tokens = match parsed {
            Some(ParsedItem::Block(block)) => emit_block(&block),
            Some(ParsedItem::Function(function)) => emit_function(&function),
            _ => TokenStream::new(),
        };
        syn::parse2::<syn::File>(tokens.clone()).expect("what is emitted is Rust");
        compact(tokens)
    }

    fn compact(tokens: TokenStream) -> String {
        tokens
            .to_string()
            .chars()
            .filter(|character| !character.is_whitespace())
            .collect()
    }

    pub(super) fn assert_has(text: &str, fragment: TokenStream) {
        let fragment = compact(fragment);
        assert!(text.contains(&fragment), "no `{fragment}` in\n{text}");
    }

    #[test]
    fn what_stands_on_a_method_stands_on_its_proxy() {
        let text = emitted(
            TokenStream::new(),
            &parse_quote! {
                impl Store {
                    /// Gives the value.
                    ///
                    /// ```
                    /// example();
                    /// ```
                    #[cfg(feature = "values")]
                    #[deprecated = "use `get`"]
                    #[must_use]
                    pub fn value(&self) -> Result<u32, Error> {
                        Ok(1)
                    }
                    fn private(&self) {}
                }
            },
        );
        assert_has(
            &text,
            quote! {
                #[doc = " Gives the value."]
                #[doc = ""]
                #[doc = " ```"]
                #[doc = " example();"]
                #[doc = " ```"]
                #[cfg(feature = "values")]
                #[deprecated = "use `get`"]
                #[allow(deprecated)]
                #[must_use]
                pub fn value(&self) -> ::async_proxy::Call<Result<u32, Error>>
            },
        );
        assert!(!text.contains("private"));
    }

    #[test]
    fn self_is_the_class_in_a_result_and_the_proxy_in_a_chain() {
        let text = emitted(
            quote!(name = "StoreProxy", error = Mine),
            &parse_quote! {
                impl Store {
                    #[proxy(open)]
                    pub fn open() -> Result<Self, Error> {
                        Ok(Store)
                    }
                    pub fn row(&self) -> Result<Self::Row, Error> {
                        Ok(())
                    }
                    pub fn execute(&mut self) -> Result<&mut Self, Error> {
                        Ok(self)
                    }
                }
            },
        );
        assert_has(&text, quote!(-> ::async_proxy::Open<Result<Store, Error>, Mine>));
        assert_has(&text, quote!(-> ::async_proxy::Call<Result<<Store>::Row, Error>, Mine>));
        assert_has(&text, quote!(-> ::async_proxy::Call<Result<StoreProxy, Error>, Mine>));
    }

    #[test]
    fn a_further_block_adds_methods_and_nothing_else() {
        let text = emitted(
            quote!(extend, name = "StoreProxy"),
            &parse_quote! {
                impl Store {
                    pub fn flush(&self) {}
                }
            },
        );
        assert!(text.starts_with("implStoreProxy{pubfnflush"), "{text}");
    }

    #[test]
    fn generics_and_lifetimes_are_kept_and_arguments_owned_before_the_call_is_queued() {
        let text = emitted(
            TokenStream::new(),
            &parse_quote! {
                pub fn open<'a, P>(path: P, r#type: Option<&'a str>) -> Store
                where
                    P: AsRef<Path>,
                {
                    Store
                }
            },
        );
        assert_has(
            &text,
            quote! {
                pub fn open_async<'a, P>(path: P, r#type: Option<&'a str>) -> ::async_proxy::Open<Store>
                where
                    P: AsRef<Path>,
                {
                    let path: ::std::path::PathBuf = path.as_ref().to_owned();
                    let r#type: ::std::option::Option<::std::string::String> =
                        r#type.map(::std::borrow::ToOwned::to_owned);
                    ::async_proxy::open(move || open(path, r#type.as_deref()))
                }
            },
        );
    }
}
