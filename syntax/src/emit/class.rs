//! The proxy's type and what the runtime is told of the class.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use super::{at, text};
use crate::model::{Block, Kind, Member, Property, Receiver, RowsRole};
use crate::names;

/// What the runtime is told of a class, from its first block.
pub(super) fn emit_class(block: &Block, proxy: &Ident) -> TokenStream {
    let parts = [
        Some(emit_proxied(block, proxy)),
        Some(emit_proxy(block, proxy)),
        emit_result_set(block),
        emit_snapshot(block, proxy),
        emit_deref(block, proxy),
    ];
    let parts = parts.into_iter().flatten();
    let conditions = text::conditions(&block.carried);
    let class = &block.self_ty;
    let closes_whole = |member: &Member| member.kind == Kind::Close && member.receiver == Receiver::Owned;
    let extendable = (!block.members.iter().any(closes_whole))
        .then(|| quote!(#(#conditions)* impl ::async_proxy::Extendable for #class {}));
    quote! {
        #(#parts)*

        #extendable

        #(#conditions)*
        impl ::async_proxy::Plain for #class {}

        #(#conditions)*
        impl ::async_proxy::Plain for #proxy {}
    }
}

/// The proxy's type.
pub(super) fn emit_struct(block: &Block, proxy: &Ident) -> TokenStream {
    let class = &block.self_ty;
    let conditions = text::conditions(&block.carried);
    let plain = names::plain(&block.ident);
    let mut lines = vec![
        format!("Async proxy of [`{plain}`]: its methods queue their calls to the worker that owns the object."),
        String::new(),
        "Clones lead to the same object. When the last one is gone, the worker runs what is queued, drops the object and ends."
            .to_owned(),
    ];
    if !block.carried.docs.is_empty() {
        lines.push(String::new());
        lines.extend(block.carried.docs.iter().cloned());
    }
    let docs = text::docs(&lines);
    let base = block.options.extends.as_ref().map(|base| {
        let base = text::of_class(base, "Proxy", base.span());
        quote!(base: #base,)
    });
    let deprecated = &block.carried.deprecated;
    quote! {
        #docs
        #(#conditions)*
        #deprecated
        #[derive(Clone, Debug)]
        pub struct #proxy {
            handle: ::async_proxy::Handle<#class>,
            #base
        }
    }
}

fn emit_proxied(block: &Block, proxy: &Ident) -> TokenStream {
    let class = &block.self_ty;
    let conditions = text::conditions(&block.carried);
    let name = names::plain(&block.ident);
    let base = block.options.extends.as_ref();
    let place = at(class.span());
    let of_base = |name: &str| base.map(|base| text::of_class(base, name, base.span()));
    let is_shared = block.members.iter().any(Member::needs_shared_object);
    let storage =
        of_base("Storage").unwrap_or_else(|| text::runtime(if is_shared { "Shared" } else { "Owned" }, place));
    let parent = match member_of(block, |kind| *kind == Kind::Parent).and_then(|member| member.returns.ty.as_ref()) {
        Some(ty) => text::of_class(text::parent(ty), "Proxy", ty.span()),
        None => of_base("Parent").unwrap_or_else(|| quote!(::async_proxy::Keeper)),
    };
    let rows = match row_reader(block) {
        Some(one) => {
            let one = text::outcome(&one.returns, Some(class));
            quote!(::async_proxy::RowBuffer<#one>)
        }
        None => of_base("Rows").unwrap_or_else(|| quote!(::async_proxy::NoRows)),
    };
    let constants = emit_constants(block);
    let (board, publishing) = emit_board(block, proxy);
    let prime = match (row_reader(block), base) {
        (Some(_), _) => Some(quote!(proxy.handle.read_ahead(worker);)),
        (None, Some(base)) => Some(quote!(<#base as ::async_proxy::Proxied>::prime(&proxy.base, worker);)),
        (None, None) => None,
    };
    let prime = prime.map(|prime| {
        quote! {
            fn prime(proxy: &#proxy, worker: &mut ::async_proxy::Worker) {
                #prime
            }
        }
    });
    let interrupt = emit_interrupt(block);
    let reach = base.map(emit_reach);
    quote_spanned! {place=>
        #(#conditions)*
        impl ::async_proxy::Proxied for #class {
            type Proxy = #proxy;
            type Storage = #storage;
            type Parent = #parent;
            type Board = #board;
            type Rows = #rows;
            const NAME: &'static str = #name;
            #constants
            #publishing
            #prime
            #interrupt
            #reach
        }
    }
}

fn emit_constants(block: &Block) -> TokenStream {
    let base = block.options.extends.as_ref();
    let constant = |name: &str, own: bool| {
        let name = format_ident!("{name}");
        match (own, base) {
            (true, _) => Some(quote!(const #name: bool = true;)),
            (false, Some(base)) => Some(quote!(const #name: bool = <#base as ::async_proxy::Proxied>::#name;)),
            (false, None) => None,
        }
    };
    let interrupts = constant(
        "INTERRUPTS",
        member_of(block, |kind| *kind == Kind::Interrupt).is_some(),
    );
    let answers = |kind: &Kind| matches!(kind, Kind::Direct { when_closed: true, .. });
    let answers = constant("ANSWERS_WHEN_CLOSED", member_of(block, answers).is_some());
    quote!(#interrupts #answers)
}

/// The board, where snapshot properties are published, those of a base beside the class's own: its type, and how it is
/// written.
fn emit_board(block: &Block, proxy: &Ident) -> (TokenStream, TokenStream) {
    let snapshot = snapshot_ident(proxy);
    let has_snapshot = snapshots(block).next().is_some();
    let (own, read, set) = if has_snapshot {
        (
            quote!(::async_proxy::Snapshot<#snapshot>),
            quote!(::async_proxy::Snapshot::new(#snapshot::read(self))),
            Some(quote!(.set(#snapshot::read(self));)),
        )
    } else {
        (
            quote!(::async_proxy::NoSnapshot),
            quote!(::async_proxy::NoSnapshot::new()),
            None,
        )
    };
    let Some(base) = &block.options.extends else {
        let publish = set.map(|set| {
            quote! {
                fn publish(&self, board: &Self::Board) {
                    board #set
                }
            }
        });
        let publishing = quote! {
            fn board(&self) -> Self::Board {
                #read
            }
            #publish
        };
        return (own, publishing);
    };
    let set = set.map(|set| quote!(board.own #set));
    let as_base = as_base(base);
    let board = quote!(::async_proxy::ExtendedBoard<#own, <#base as ::async_proxy::Proxied>::Board>);
    let publishing = quote! {
        fn board(&self) -> Self::Board {
            ::async_proxy::ExtendedBoard::new(#read, <#base as ::async_proxy::Proxied>::board(#as_base))
        }
        fn publish(&self, board: &Self::Board) {
            #set
            <#base as ::async_proxy::Proxied>::publish(#as_base, &board.base);
        }
    };
    (board, publishing)
}

fn emit_interrupt(block: &Block) -> Option<TokenStream> {
    let base = block.options.extends.as_ref();
    let members: Vec<&Member> = block
        .members
        .iter()
        .filter(|member| member.kind == Kind::Interrupt)
        .collect();
    if members.is_empty() && base.is_none() {
        return None;
    }
    let arms = members.iter().map(|member| {
        let conditions = text::conditions(&member.carried);
        let lane = member.lane.as_ref().map_or("", |lane| lane.name.as_str());
        let ident = &member.ident;
        let allowed = member.carried.deprecated.as_ref().map(|_| quote!(#[allow(deprecated)]));
        quote! {
            #(#conditions)*
            #allowed
            #lane => {
                let _ = self.#ident();
            }
        }
    });
    let rest = match base {
        Some(base) => {
            let as_base = as_base(base);
            quote!(<#base as ::async_proxy::Proxied>::interrupt(#as_base, lane))
        }
        None => quote!({}),
    };
    Some(quote! {
        fn interrupt(&self, lane: &str) {
            match lane {
                #(#arms)*
                _ => #rest,
            }
        }
    })
}

/// The object as one of the class that its own extends.
fn as_base(base: &Ident) -> TokenStream {
    quote_spanned!(at(base.span())=> ::async_proxy::as_base::<#base, Self>(self))
}

/// An object of the class is reached as one of its base, too.
fn emit_reach(base: &Ident) -> TokenStream {
    let as_base = as_base(base);
    quote_spanned! {at(base.span())=>
        fn reach(&self, class: ::std::any::TypeId) -> Option<&dyn ::std::any::Any> {
            if class == ::std::any::TypeId::of::<Self>() {
                Some(self)
            } else {
                <#base as ::async_proxy::Proxied>::reach(#as_base, class)
            }
        }
        fn reach_mut(&mut self, class: ::std::any::TypeId) -> Option<&mut dyn ::std::any::Any> {
            if class == ::std::any::TypeId::of::<Self>() {
                Some(self)
            } else {
                <<#base as ::async_proxy::Proxied>::Storage as ::async_proxy::Derive<Self, #base>>::reach_mut(self, class)
            }
        }
    }
}

fn emit_proxy(block: &Block, proxy: &Ident) -> TokenStream {
    let class = &block.self_ty;
    let conditions = text::conditions(&block.carried);
    let make = match &block.options.extends {
        Some(base) => quote_spanned! {at(base.span())=>
            let base = handle.base::<#base>(handle.board().base.clone());
            Self { handle, base }
        },
        None => quote!(Self { handle }),
    };
    quote! {
        #(#conditions)*
        impl ::async_proxy::Proxy for #proxy {
            type Class = #class;
            fn from_handle(handle: ::async_proxy::Handle<#class>) -> Self {
                #make
            }
        }
    }
}

fn emit_result_set(block: &Block) -> Option<TokenStream> {
    let one = row_reader(block)?;
    let (class, ident) = (&block.self_ty, &one.ident);
    let conditions = text::conditions(&block.carried);
    let outcome = text::outcome(&one.returns, Some(class));
    let (access, taken) = match rows_receiver(block) {
        Receiver::Exclusive => (quote!(Exclusive), quote!(&mut #class)),
        _ => (quote!(InPlace), quote!(&#class)),
    };
    Some(quote! {
        #(#conditions)*
        impl ::async_proxy::ResultSet for #class {
            type One = #outcome;
            type Access = ::async_proxy::#access;
            fn one(object: #taken) -> Self::One {
                object.#ident()
            }
        }
    })
}

/// The values of the snapshot properties.
fn emit_snapshot(block: &Block, proxy: &Ident) -> Option<TokenStream> {
    snapshots(block).next()?;
    let class = &block.self_ty;
    let snapshot = snapshot_ident(proxy);
    let conditions = text::conditions(&block.carried);
    let docs = text::docs(&[format!(
        "The snapshot properties of [`{proxy}`], as the last completed call brought them back."
    )]);
    let fields = snapshots(block).map(|member| {
        let conditions = text::conditions(&member.carried);
        let ident = &member.ident;
        let ty = text::outcome(&member.returns, Some(class));
        quote!(#(#conditions)* #ident: #ty)
    });
    let values = snapshots(block).map(|member| {
        let conditions = text::conditions(&member.carried);
        let ident = &member.ident;
        quote!(#(#conditions)* #ident: object.#ident())
    });
    Some(quote! {
        #docs
        #(#conditions)*
        #[doc(hidden)]
        pub struct #snapshot {
            #(#fields),*
        }

        #(#conditions)*
        impl #snapshot {
            #[allow(deprecated)]
            fn read(object: &#class) -> Self {
                Self { #(#values),* }
            }
        }
    })
}

/// A proxy of a class that extends another derefs to that one's proxy.
fn emit_deref(block: &Block, proxy: &Ident) -> Option<TokenStream> {
    let base = block.options.extends.as_ref()?;
    let conditions = text::conditions(&block.carried);
    Some(quote! {
        #(#conditions)*
        impl ::std::ops::Deref for #proxy {
            type Target = <#base as ::async_proxy::Proxied>::Proxy;
            fn deref(&self) -> &Self::Target {
                &self.base
            }
        }

        #(#conditions)*
        impl ::async_proxy::HandsOut<<#base as ::async_proxy::Proxied>::Proxy> for #proxy {
            fn parent(&self) -> <#base as ::async_proxy::Proxied>::Proxy {
                self.base.clone()
            }
        }
    })
}

/// How the members that read rows take the object: as the one of them that asks for most.
pub(super) fn rows_receiver(block: &Block) -> Receiver {
    let exclusive = |member: &&Member| {
        matches!(member.kind, Kind::Rows(role) if role != RowsRole::Iterate) && member.receiver == Receiver::Exclusive
    };
    match block.members.iter().find(exclusive) {
        Some(_) => Receiver::Exclusive,
        None => Receiver::Shared,
    }
}

fn snapshot_ident(proxy: &Ident) -> Ident {
    format_ident!("{}Snapshot", proxy)
}

fn snapshots(block: &Block) -> impl Iterator<Item = &Member> {
    block
        .members
        .iter()
        .filter(|member| member.kind == Kind::Property(Property::Snapshot))
}

fn row_reader(block: &Block) -> Option<&Member> {
    member_of(block, |kind| *kind == Kind::Rows(RowsRole::One))
}

fn member_of(block: &Block, is_it: impl Fn(&Kind) -> bool) -> Option<&Member> {
    block.members.iter().find(|member| is_it(&member.kind))
}
