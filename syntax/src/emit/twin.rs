//! The blocking twins of an API of `async fn`s.
//!
//! A twin runs the future of its method in the thread that calls it, so arguments are passed on as they came: nothing is
//! owned, nothing is sent. What is asserted beside it is for the other targets, whose awaitables run on the runtime's threads.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use super::{argument, at, text};
use crate::model::{Argument, Block, FreeFunction, Kind, Member, Passing, Receiver};
use crate::names;

/// The blocking class of a type, or with `twins` the twins on the type itself; for an `extend` block its methods alone.
pub(super) fn emit_block(block: &Block) -> TokenStream {
    let twin = names::proxy_ident(block.colour, &block.ident, &block.options);
    let first = !block.options.extend;
    let cfgs = text::conditions(&block.carried);
    let declaration = (first && !block.options.twins).then(|| emit_struct(block, &twin));
    let mirrored = first.then(|| emit_mirrored(block, &twin));
    let methods: Vec<TokenStream> = block
        .members
        .iter()
        .filter_map(|member| Emitter { block, member }.emit())
        .collect();
    let assertions = emit_assertions(block);
    quote! {
        #declaration

        #(#cfgs)*
        impl #twin {
            #(#methods)*
        }

        #mirrored

        #assertions
    }
}

/// The blocking twin of a free function: it opens an object and gives the object's twin.
pub(super) fn emit_function(function: &FreeFunction) -> TokenStream {
    let carried = text::carried(&function.carried);
    let ident = &function.ident;
    let name = names::function_ident(function);
    let (generics, _, where_clause) = function.generics.split_for_impl();
    let parameters = argument::parameters(&function.arguments);
    let allowed = argument::allow_many(parameters.len());
    let place = ident.span();
    let outcome = text::outcome(&function.returns, None);
    let returns = handed_out(
        &outcome,
        function.error.as_ref(),
        return_place(&function.returns, place),
    );
    let arguments = passed(&function.arguments);
    let driver = item("Driver", place);
    let assertion = (function.python.rust_only.is_none() && is_concrete(&function.arguments)).then(|| {
        let parameters = owned_parameters(&function.arguments);
        let lent = argument::lend(&function.arguments);
        let cfgs = text::conditions(&function.carried);
        let awaitable = item("awaitable", place);
        quote_spanned! {at(place)=>
            #(#cfgs)*
            const _: () = {
                #[allow(dead_code, deprecated, clippy::too_many_arguments)]
                fn assert(#(#parameters),*) {
                    #awaitable(#ident(#(#lent),*));
                }
            };
        }
    });
    let body = quote_spanned!(at(place)=> #driver::shared().hand_out(|| #ident(#(#arguments),*)));
    quote! {
        #carried
        #allowed
        pub fn #name #generics (#(#parameters),*) -> #returns #where_clause {
            #body
        }

        #assertion
    }
}

fn emit_struct(block: &Block, twin: &Ident) -> TokenStream {
    let class = &block.self_ty;
    let conditions = text::conditions(&block.carried);
    let plain = names::plain(&block.ident);
    let mut lines = vec![format!(
        "Blocking twin of [`{plain}`]: its methods run the futures of that type's methods to their end, in the thread that \
         calls them."
    )];
    if !block.carried.docs.is_empty() {
        lines.push(String::new());
        lines.extend(block.carried.docs.iter().cloned());
    }
    for member in &block.members {
        let reason = match &member.kind {
            Kind::Skip { reason } => Some(reason),
            _ => member.no_twin.as_ref(),
        };
        if let Some(reason) = reason {
            lines.push(String::new());
            lines.push(format!(
                "Without a twin: [`{plain}::{}`]: {reason}.",
                names::plain(&member.ident)
            ));
        }
    }
    let docs = text::docs(&lines);
    let deprecated = &block.carried.deprecated;
    let kept = item("Kept", block.ident.span());
    quote! {
        #docs
        #(#conditions)*
        #deprecated
        #[derive(Debug)]
        pub struct #twin {
            kept: #kept<#class>,
        }

        #(#conditions)*
        impl ::async_proxy::twin::Blocking for #twin {
            type Object = #class;
            fn of(object: #class, driver: ::async_proxy::twin::Driver) -> Self {
                Self { kept: ::async_proxy::twin::Kept::new(object, driver) }
            }
            fn object(&self) -> &#class {
                self.kept.object()
            }
            fn into_object(self) -> #class {
                self.kept.into_object()
            }
        }

        #(#conditions)*
        impl ::std::convert::From<#class> for #twin {
            fn from(object: #class) -> Self {
                <Self as ::async_proxy::twin::Blocking>::of(object, ::async_proxy::twin::Driver::shared())
            }
        }
    }
}

fn emit_mirrored(block: &Block, twin: &Ident) -> TokenStream {
    let class = &block.self_ty;
    let conditions = text::conditions(&block.carried);
    let (driver, into) = if block.options.twins {
        (quote!(_driver), quote!(self))
    } else {
        (
            quote!(driver),
            quote!(<#twin as ::async_proxy::twin::Blocking>::of(self, driver)),
        )
    };
    let plain_twin = (!block.options.twins).then(|| {
        quote! {
            #(#conditions)*
            impl ::async_proxy::Plain for #twin {}
        }
    });
    quote_spanned! {at(class.span())=>
        #(#conditions)*
        impl ::async_proxy::twin::Mirrored for #class {
            type Blocking = #twin;
            fn into_blocking(self, #driver: ::async_proxy::twin::Driver) -> #twin {
                #into
            }
        }

        #(#conditions)*
        impl ::async_proxy::Plain for #class {}

        #plain_twin
    }
}

/// What awaitables need, at the place of each method: a future that any thread may run, of a type that any thread may hold.
fn emit_assertions(block: &Block) -> Option<TokenStream> {
    let class = &block.self_ty;
    let mut asserted = block
        .members
        .iter()
        .filter(|member| member.python.rust_only.is_none() && is_concrete(&member.arguments))
        .filter_map(|member| emit_assertion(class, member))
        .peekable();
    asserted.peek()?;
    let conditions = text::conditions(&block.carried);
    Some(quote! {
        #(#conditions)*
        const _: () = {
            #(#asserted)*
        };
    })
}

fn emit_assertion(class: &Type, member: &Member) -> Option<TokenStream> {
    let ident = &member.ident;
    let place = ident.span();
    let checked = match member.kind {
        Kind::Open | Kind::Child | Kind::Call | Kind::Close | Kind::Abandon => item("awaitable", place),
        Kind::Stream => item("readable", place),
        _ => return None,
    };
    let cfgs = text::conditions(&member.carried);
    let parameters = owned_parameters(&member.arguments);
    let lent = argument::lend(&member.arguments);
    let object = fresh("object", &member.arguments, at(place));
    let on_object = quote_spanned!(at(place)=> #object.#ident(#(#lent),*));
    let (taken, call) = match member.receiver {
        Receiver::None => {
            let class = text::qualified(class);
            (None, quote_spanned!(at(place)=> #class::#ident(#(#lent),*)))
        }
        Receiver::Shared => (Some(quote!(#object: &#class)), on_object),
        Receiver::Exclusive => (Some(quote!(#object: &mut #class)), on_object),
        Receiver::Owned => (Some(quote!(#object: #class)), on_object),
    };
    let parameters = taken.into_iter().chain(parameters);
    Some(quote_spanned! {at(place)=>
        #(#cfgs)*
        const _: () = {
            #[allow(dead_code, deprecated, clippy::too_many_arguments)]
            fn assert(#(#parameters),*) {
                #checked(#call);
            }
        };
    })
}

/// How a twin reaches the object, and what runs its futures.
struct Reached {
    prepare: TokenStream,
    driver: TokenStream,
    object: TokenStream,
}

struct Emitter<'a> {
    block: &'a Block,
    member: &'a Member,
}

impl Emitter<'_> {
    /// The twin; `None` for what has none.
    fn emit(&self) -> Option<TokenStream> {
        let Member { kind, ident, .. } = self.member;
        let on_type = self.block.options.twins;
        let in_place = matches!(kind, Kind::Direct { .. } | Kind::Property(_));
        if self.member.no_twin.is_some() || (on_type && in_place) {
            return None;
        }
        let (returns, body) = match kind {
            Kind::Open | Kind::Child => self.run(true),
            Kind::Call | Kind::Close | Kind::Abandon => self.run(false),
            Kind::Stream => self.stream(),
            Kind::Direct { .. } | Kind::Property(_) => self.direct(),
            _ => return None,
        };
        let carried = text::carried(&self.member.carried);
        let name = if on_type {
            format_ident!("{}", names::twin_name(&names::plain(ident)), span = ident.span())
        } else {
            ident.clone()
        };
        let (generics, _, where_clause) = self.member.generics.split_for_impl();
        let lifetime = &self.member.receiver_lifetime;
        let receiver = match self.member.receiver {
            Receiver::None => None,
            Receiver::Shared => Some(quote!(&#lifetime self)),
            Receiver::Exclusive => Some(quote!(&#lifetime mut self)),
            Receiver::Owned => Some(quote!(self)),
        };
        let parameters: Vec<TokenStream> = receiver
            .into_iter()
            .chain(argument::parameters(&self.member.arguments))
            .collect();
        let allowed = argument::allow_many(parameters.len());
        Some(quote! {
            #carried
            #allowed
            pub fn #name #generics (#(#parameters),*) -> #returns #where_clause {
                #body
            }
        })
    }

    fn span(&self) -> Span {
        at(self.member.ident.span())
    }

    fn outcome(&self) -> TokenStream {
        text::outcome(&self.member.returns, Some(&self.block.self_ty))
    }

    /// The call of the author's method.
    fn call(&self, object: &TokenStream) -> TokenStream {
        let Member {
            ident,
            arguments,
            receiver,
            ..
        } = self.member;
        let arguments = passed(arguments);
        match receiver {
            Receiver::None => {
                let class = text::qualified(&self.block.self_ty);
                quote_spanned!(self.span()=> #class::#ident(#(#arguments),*))
            }
            _ => quote_spanned!(self.span()=> #object.#ident(#(#arguments),*)),
        }
    }

    /// How the object is reached, and what runs its futures.
    fn object(&self) -> Reached {
        let shared = item("Driver", self.member.ident.span());
        let in_place = |driver, object| Reached {
            prepare: TokenStream::new(),
            driver,
            object,
        };
        match self.member.receiver {
            _ if self.block.options.twins => in_place(quote!(#shared::shared()), quote!(self)),
            Receiver::None => in_place(quote!(#shared::shared()), TokenStream::new()),
            Receiver::Shared => in_place(quote!(self.kept.driver()), quote!(self.kept.object())),
            receiver => {
                let parts = format_ident!(
                    "{}",
                    if receiver == Receiver::Owned {
                        "into_parts"
                    } else {
                        "parts"
                    }
                );
                let driver = fresh("driver", &self.member.arguments, self.span());
                let object = fresh("object", &self.member.arguments, self.span());
                Reached {
                    prepare: quote!(let (#driver, #object) = self.kept.#parts();),
                    driver: driver.into_token_stream(),
                    object: object.into_token_stream(),
                }
            }
        }
    }

    fn run(&self, hands_out: bool) -> (TokenStream, TokenStream) {
        let outcome = self.outcome();
        let place = return_place(&self.member.returns, self.member.ident.span());
        let error = self.block.options.error.as_ref();
        let returns = if hands_out {
            handed_out(&outcome, error, place)
        } else {
            answer(&outcome, error, place)
        };
        let Reached {
            prepare,
            driver,
            object,
        } = self.object();
        let call = self.call(&object);
        let run = format_ident!("{}", if hands_out { "hand_out" } else { "run" }, span = self.span());
        (returns, quote_spanned!(self.span()=> #prepare #driver.#run(|| #call)))
    }

    fn stream(&self) -> (TokenStream, TokenStream) {
        let stream = self
            .member
            .returns
            .ty
            .as_ref()
            .map(|ty| text::named(ty, Some(&self.block.self_ty)));
        let iterator = item("Items", self.member.ident.span());
        let Reached {
            prepare,
            driver,
            object,
        } = self.object();
        let call = self.call(&object);
        let returns = match &self.block.options.error {
            Some(error) => quote!(#iterator<#stream, #error>),
            None => quote!(#iterator<#stream>),
        };
        (returns, quote_spanned!(self.span()=> #prepare #driver.items(|| #call)))
    }

    fn direct(&self) -> (TokenStream, TokenStream) {
        let Reached { prepare, object, .. } = self.object();
        let call = self.call(&object);
        (self.outcome(), quote!(#prepare #call))
    }
}

/// An item of the runtime's module for twins.
fn item(name: &str, place: Span) -> TokenStream {
    let name = format_ident!("{name}", span = at(place));
    quote_spanned!(at(place)=> ::async_proxy::twin::#name)
}

fn answer(outcome: &TokenStream, error: Option<&Type>, place: Span) -> TokenStream {
    let name = item("Answer", place);
    match error {
        None => quote_spanned!(at(place)=> #name<#outcome>),
        Some(error) => quote_spanned!(at(place)=> #name<#outcome, #error>),
    }
}

fn handed_out(outcome: &TokenStream, error: Option<&Type>, place: Span) -> TokenStream {
    let name = item("HandedOut", place);
    match error {
        None => quote_spanned!(at(place)=> #name<#outcome>),
        Some(error) => quote_spanned!(at(place)=> #name<#outcome, #error>),
    }
}

fn return_place(returns: &crate::model::Returns, otherwise: Span) -> Span {
    returns.ty.as_ref().map_or(otherwise, Spanned::span)
}

/// The arguments as they came.
fn passed(arguments: &[Argument]) -> Vec<TokenStream> {
    arguments
        .iter()
        .map(|argument| argument.ident.to_token_stream())
        .collect()
}

/// The parameters as an awaitable owns them.
fn owned_parameters(arguments: &[Argument]) -> Vec<TokenStream> {
    arguments
        .iter()
        .map(|Argument { ident, owned, .. }| quote!(#ident: #owned))
        .collect()
}

/// Whether the types that cross the boundary are all known: what takes any type is for Rust alone.
fn is_concrete(arguments: &[Argument]) -> bool {
    arguments.iter().all(|argument| argument.passing != Passing::Generic)
}

/// A name that no argument has.
fn fresh(wanted: &str, arguments: &[Argument], span: Span) -> Ident {
    let mut name = wanted.to_owned();
    while arguments.iter().any(|argument| argument.ident == name) {
        name.push('_');
    }
    format_ident!("{name}", span = span)
}
