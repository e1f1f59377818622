//! `#[cfg(…)]` and `#[cfg_attr(…)]`, evaluated against the features of the config.
//!
//! The generator knows features and `test`. Whatever else a `cfg` may ask for (the platform, say) has no answer here,
//! since the output is the same on every machine; it is [`Truth::Unknown`], which is a fault where it decides over
//! something annotated and is ignored elsewhere.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Ident, LitStr, Meta, Token, parenthesized, token};

use crate::diagnose::Diagnostics;

/// What is said of a `cfg` that can't be evaluated.
pub const NOT_UNDERSTOOD: &str = "the generator cannot evaluate this `cfg`\n\
    help: it understands `feature = \"…\"` (the features are listed under `[source]` in async-proxy.toml), `test`, \
    `true`, `false`, `all(…)`, `any(…)` and `not(…)`; move what depends on anything else into the method's body";

/// The value of a predicate.
#[derive(Clone, Copy, Debug)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// The part at this span has no answer.
    Unknown(Span),
}

impl Truth {
    fn from_bool(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    /// Both of two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::Unknown(span), _) | (_, Self::Unknown(span)) => Self::Unknown(span),
            (Self::True, Self::True) => Self::True,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown(span) => Self::Unknown(span),
        }
    }
}

enum Predicate {
    Word(Ident),
    Equals(Ident, LitStr),
    Call(Ident, Vec<Predicate>),
}

impl Parse for Predicate {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            return Ok(Self::Equals(name, input.parse()?));
        }
        if input.peek(token::Paren) {
            let content;
            parenthesized!(content in input);
            let parts = Punctuated::<Self, Token![,]>::parse_terminated(&content)?;
            return Ok(Self::Call(name, parts.into_iter().collect()));
        }
        Ok(Self::Word(name))
    }
}

impl Predicate {
    fn evaluate(&self, features: &[String]) -> Truth {
        match self {
            Self::Word(name) if name == "true" => Truth::True,
            Self::Word(name) if name == "false" || name == "test" => Truth::False,
            Self::Word(name) => Truth::Unknown(name.span()),
            Self::Equals(name, value) if name == "feature" => Truth::from_bool(features.contains(&value.value())),
            Self::Equals(name, value) => Truth::Unknown(name.span().join(value.span()).unwrap_or(name.span())),
            Self::Call(name, parts) => {
                let mut values = parts.iter().map(|part| part.evaluate(features));
                match name.to_string().as_str() {
                    "all" => values.fold(Truth::True, Truth::and),
                    "any" => values.fold(Truth::False, Truth::or),
                    "not" if parts.len() == 1 => values.next().map_or(Truth::True, Truth::not),
                    _ => Truth::Unknown(name.span()),
                }
            }
        }
    }
}

/// Whether what carries these attributes is there: all of its `#[cfg(…)]` together.
pub fn evaluate(attributes: &[Attribute], features: &[String]) -> Truth {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"))
        .map(|attribute| match attribute.parse_args::<Predicate>() {
            Ok(predicate) => predicate.evaluate(features),
            Err(error) => Truth::Unknown(error.span()),
        })
        .fold(Truth::True, Truth::and)
}

/// Replaces each `#[cfg_attr(predicate, …)]` that hides something the generator reads by what it stands for. The others
/// (lints, derives) stay as they are.
pub fn expand(attributes: &mut Vec<Attribute>, features: &[String], diagnostics: &mut Diagnostics) {
    let hides = |attribute: &Attribute| attribute.path().is_ident("cfg_attr") && names_what_is_read(attribute);
    while let Some(position) = attributes.iter().position(hides) {
        let attribute = attributes.remove(position);
        match attribute.parse_args::<Conditional>() {
            Err(error) => diagnostics.absorb(error),
            Ok(conditional) => match conditional.predicate.evaluate(features) {
                Truth::False => {}
                Truth::Unknown(span) => diagnostics.error(span, NOT_UNDERSTOOD),
                Truth::True => {
                    let hidden = conditional.attributes.into_iter().map(|meta| Attribute {
                        meta,
                        ..attribute.clone()
                    });
                    attributes.splice(position..position, hidden);
                }
            },
        }
    }
}

/// What stands in the parentheses of `cfg_attr`.
struct Conditional {
    predicate: Predicate,
    attributes: Vec<Meta>,
}

impl Parse for Conditional {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let predicate = input.parse()?;
        let mut attributes = Vec::new();
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                attributes.push(input.parse()?);
            }
        }
        Ok(Self { predicate, attributes })
    }
}

fn names_what_is_read(attribute: &Attribute) -> bool {
    let Ok(conditional) = attribute.parse_args::<Conditional>() else {
        return true;
    };
    conditional.attributes.iter().any(is_read)
}

/// Whether the generator or the parser of the description looks at such an attribute.
fn is_read(meta: &Meta) -> bool {
    let path = meta.path();
    if path.is_ident("cfg_attr") {
        let Meta::List(list) = meta else { return false };
        return list
            .parse_args::<Conditional>()
            .is_ok_and(|inner| inner.attributes.iter().any(is_read));
    }
    // `doc(cfg(…))` is for rustdoc alone; only `doc = "…"` is documentation.
    let documents = path.is_ident("doc") && matches!(meta, Meta::NameValue(_));
    documents || ["cfg", "path", "proxy"].iter().any(|name| path.is_ident(name)) || is_annotation(meta)
}

/// Whether it is `#[async_proxy]` or `#[sync_proxy]`, under whatever path.
pub fn is_annotation(meta: &Meta) -> bool {
    meta.path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "async_proxy" || segment.ident == "sync_proxy")
}

/// Whether a `cfg_attr` has one of the two in it.
pub fn hides_annotation(attribute: &Attribute) -> bool {
    fn holds_annotation(conditional: &Conditional) -> bool {
        conditional.attributes.iter().any(|meta| match meta {
            Meta::List(list) if meta.path().is_ident("cfg_attr") => list
                .parse_args::<Conditional>()
                .is_ok_and(|inner| holds_annotation(&inner)),
            _ => is_annotation(meta),
        })
    }
    attribute
        .parse_args::<Conditional>()
        .is_ok_and(|conditional| holds_annotation(&conditional))
}

/// Reports a `cfg` without an answer, for something that is annotated.
pub fn refuse_unknown(truth: Truth, diagnostics: &mut Diagnostics) {
    if let Truth::Unknown(span) = truth {
        diagnostics.error(span, NOT_UNDERSTOOD);
    }
}

/// The value of `#[path = "…"]`, if there is one.
pub fn path_attribute(attributes: &[Attribute]) -> Option<(String, Span)> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => {
            let value = syn::parse2::<LitStr>(quote::ToTokens::to_token_stream(&pair.value)).ok()?;
            Some((value.value(), attribute.span()))
        }
        _ => None,
    })
}
