//! One member of a proxy, by its kind.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::Type;

use super::{argument, at, text};
use crate::model::{Block, Kind, Member, Property, Receiver, RowsRole};
use crate::parse::types::peel;

/// The proxy's method; `None` for what stays on the blocking side.
pub(super) fn emit_member(block: &Block, proxy: &Ident, member: &Member) -> Option<TokenStream> {
    let emitter = Emitter { block, proxy, member };
    let (returns, body) = match &member.kind {
        // The last two are of the async colour alone.
        Kind::Skip { .. } | Kind::Abandon | Kind::Stream => return None,
        Kind::Open => emitter.open(),
        Kind::Call => emitter.call(),
        Kind::Child => emitter.child(),
        Kind::SelfReturn => emitter.chain(),
        Kind::Direct { when_closed, .. } => emitter.direct(*when_closed),
        Kind::Interrupt | Kind::Property(Property::Live) => emitter.direct(false),
        Kind::Property(Property::Snapshot) => emitter.snapshot(),
        Kind::Setter { check, .. } => emitter.setter(check.as_ref()),
        Kind::Parent => emitter.parent(),
        Kind::Rows(role) => emitter.rows(*role),
        Kind::Close => emitter.close(),
    };
    let carried = text::carried(&member.carried);
    let name = &member.ident;
    let (generics, _, where_clause) = member.generics.split_for_impl();
    let receiver = (member.kind != Kind::Open).then(|| quote!(&self));
    let parameters: Vec<TokenStream> = receiver
        .into_iter()
        .chain(argument::parameters(&member.arguments))
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

struct Emitter<'a> {
    block: &'a Block,
    proxy: &'a Ident,
    member: &'a Member,
}

impl Emitter<'_> {
    fn span(&self) -> Span {
        at(self.member.ident.span())
    }

    /// What the blocking method returns.
    fn outcome(&self) -> TokenStream {
        text::outcome(&self.member.returns, Some(&self.block.self_ty))
    }

    fn future(&self, name: &str) -> TokenStream {
        self.future_of(name, &self.outcome())
    }

    fn future_of(&self, name: &str, outcome: &TokenStream) -> TokenStream {
        let place = self
            .member
            .returns
            .ty
            .as_ref()
            .map_or_else(|| self.span(), syn::spanned::Spanned::span);
        text::future(name, outcome, self.block.options.error.as_ref(), place)
    }

    /// A name for the object on its worker that no argument has.
    fn object(&self) -> Ident {
        let mut name = "object".to_owned();
        while self.member.arguments.iter().any(|argument| argument.ident == name) {
            name.push('_');
        }
        format_ident!("{name}", span = self.span())
    }

    /// `|object: &Connection| object.commit()`.
    fn work(&self) -> TokenStream {
        self.work_on(self.member.receiver)
    }

    fn work_on(&self, receiver: Receiver) -> TokenStream {
        let Member { ident, arguments, .. } = self.member;
        let class = &self.block.self_ty;
        let object = self.object();
        let lent = argument::lend(arguments);
        let taken = match receiver {
            Receiver::Exclusive => quote!(&mut #class),
            Receiver::Owned => quote!(#class),
            Receiver::Shared | Receiver::None => quote!(&#class),
        };
        quote_spanned!(self.span()=> |#object: #taken| #object.#ident(#(#lent),*))
    }

    /// The handle's method for how the object is taken: `call`, `call_mut`.
    fn by_receiver(&self, name: &str) -> Ident {
        let name = match self.member.receiver {
            Receiver::Exclusive => format!("{name}_mut"),
            Receiver::Owned => format!("{name}_owned"),
            Receiver::Shared | Receiver::None => name.to_owned(),
        };
        format_ident!("{name}", span = self.span())
    }

    fn own(&self) -> TokenStream {
        let owned = argument::own(&self.member.arguments);
        quote!(#(#owned)*)
    }

    fn open(&self) -> (TokenStream, TokenStream) {
        let Member { ident, arguments, .. } = self.member;
        let class = text::qualified(&self.block.self_ty);
        let (owned, lent) = (self.own(), argument::lend(arguments));
        let open = text::runtime("open", self.span());
        let body = quote_spanned!(self.span()=> #owned #open(move || #class::#ident(#(#lent),*)));
        (self.future("Open"), body)
    }

    fn call(&self) -> (TokenStream, TokenStream) {
        let (owned, work) = (self.own(), self.work());
        let body = match &self.member.lane {
            Some(lane) => {
                let lane = &lane.name;
                quote_spanned!(self.span()=> #owned self.handle.call_in_lane(#lane, move #work))
            }
            None => {
                let call = self.by_receiver("call");
                quote_spanned!(self.span()=> #owned self.handle.#call(move #work))
            }
        };
        (self.future("Call"), body)
    }

    fn child(&self) -> (TokenStream, TokenStream) {
        let (owned, work) = (self.own(), self.work());
        let child = self.by_receiver("child");
        let body = quote_spanned!(self.span()=> #owned self.handle.#child(self, move #work));
        (self.future("Child"), body)
    }

    fn chain(&self) -> (TokenStream, TokenStream) {
        let Member {
            ident,
            arguments,
            returns,
            ..
        } = self.member;
        let class = &self.block.self_ty;
        let (owned, lent, object) = (self.own(), argument::lend(arguments), self.object());
        let ty = returns.ty.as_ref();
        let plain = ty.is_some_and(|ty| matches!(peel(ty), Type::Reference(_)));
        let call = quote_spanned!(self.span()=> #object.#ident(#(#lent),*));
        let work = if plain {
            quote_spanned!(self.span()=> |#object: &mut #class| {
                #call;
                Ok(())
            })
        } else {
            quote_spanned!(self.span()=> |#object: &mut #class| #call.map(|_| ()))
        };
        let outcome = ty.map(|ty| text::named(&text::chained(ty, &self.block.ident, self.proxy), Some(class)));
        let outcome = outcome.to_token_stream();
        let body = quote_spanned!(self.span()=> #owned self.handle.chain(self, move #work));
        (self.future_of("Call", &outcome), body)
    }

    fn direct(&self, when_closed: bool) -> (TokenStream, TokenStream) {
        let Member { ident, arguments, .. } = self.member;
        let class = &self.block.self_ty;
        let object = self.object();
        let names = arguments.iter().map(|argument| &argument.ident);
        let direct = format_ident!(
            "{}",
            if when_closed { "direct_when_closed" } else { "direct" },
            span = self.span()
        );
        // In place nothing crosses to another thread: the arguments are passed on as they came.
        let body = quote_spanned!(self.span()=> self.handle.#direct(|#object: &#class| #object.#ident(#(#names),*)));
        (self.future("Answer"), body)
    }

    fn snapshot(&self) -> (TokenStream, TokenStream) {
        let ident = &self.member.ident;
        let own = self.block.options.extends.as_ref().map(|_| quote!(.own));
        let body = quote_spanned!(self.span()=> self.handle.board() #own.get(|snapshot| snapshot.#ident.clone()));
        (self.outcome(), body)
    }

    fn setter(&self, check: Option<&Ident>) -> (TokenStream, TokenStream) {
        let (returns, call) = self.call();
        let (Some(check), [argument]) = (check, self.member.arguments.as_slice()) else {
            return (returns, call);
        };
        let (class, value) = (text::qualified(&self.block.self_ty), &argument.ident);
        let run = text::runtime("check", check.span());
        let refused = text::runtime("Call", check.span());
        let owned = self.own();
        let work = self.work();
        let queue = self.by_receiver("call");
        let body = quote_spanned! {self.span()=>
            #owned
            let #value = match #run(#value, |#value| #class::#check(#value)) {
                Ok(#value) => #value,
                Err(error) => return #refused::refused(error),
            };
            self.handle.#queue(move #work)
        };
        (returns, body)
    }

    fn parent(&self) -> (TokenStream, TokenStream) {
        let parent = match &self.member.returns.ty {
            Some(ty) => text::parent(ty).to_token_stream(),
            None => quote!(()),
        };
        let proxy = text::of_class(parent, "Proxy", self.span());
        (quote!(&#proxy), quote!(self.handle.parent()))
    }

    fn rows(&self, role: RowsRole) -> (TokenStream, TokenStream) {
        let one = self
            .block
            .members
            .iter()
            .find(|member| member.kind == Kind::Rows(RowsRole::One));
        let one = text::outcome(&one.unwrap_or(self.member).returns, Some(&self.block.self_ty));
        match role {
            RowsRole::One => (self.future("Call"), quote!(self.handle.fetch_one())),
            RowsRole::Iterate => (self.future_of("RowStream", &one), quote!(self.handle.stream())),
            RowsRole::All => {
                let work = self.work_on(super::class::rows_receiver(self.block));
                (
                    self.future("Call"),
                    quote_spanned!(self.span()=> self.handle.fetch_all(#work)),
                )
            }
            RowsRole::Many => (self.future("Call"), self.many()),
        }
    }

    /// A size that is left out is asked of the property that the description names.
    fn many(&self) -> TokenStream {
        let Member { ident, arguments, .. } = self.member;
        let class = &self.block.self_ty;
        let Some(size) = arguments.first() else {
            return TokenStream::new();
        };
        let (size, object) = (&size.ident, self.object());
        let taken = match super::class::rows_receiver(self.block) {
            Receiver::Exclusive => quote!(&mut #class),
            _ => quote!(&#class),
        };
        let default = match &self.member.size {
            Some(property) => {
                quote_spanned!(self.span()=> |#object: &#class| ::async_proxy::RowCount::rows(#object.#property()))
            }
            None => quote_spanned!(self.span()=> |_: &#class| None),
        };
        quote_spanned! {self.span()=>
            self.handle.fetch_many(#size, #default, |#object: #taken, #size| #object.#ident(#size))
        }
    }

    fn close(&self) -> (TokenStream, TokenStream) {
        let work = self.work();
        let close = self.by_receiver("close");
        (
            self.future("Close"),
            quote_spanned!(self.span()=> self.handle.#close(#work)),
        )
    }
}
