//! How an argument is owned at the boundary: what of it is borrowed or generic becomes a value that can be sent.

use proc_macro2::Ident;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{AssocType, GenericArgument, PathArguments, PathSegment, Type, TypeImplTrait, TypeParamBound};

use super::generics::TypeParameters;
use super::types::{
    Unsendable, as_ident, count_name, find_borrow, find_impl, find_unsendable, has_static, has_trait, inside,
    is_callable, is_static, last_segment, peel, trait_segment, type_arguments, type_of,
};
use crate::model::Passing;
use crate::report::Fault;

type Owned = Result<(Passing, Type), Fault>;

/// Decides how an argument of a type is owned at the boundary, and as what.
pub(crate) fn own(ty: &Type, parameters: &TypeParameters<'_>) -> Owned {
    let peeled = peel(ty);
    if let Some(fault) = find_self(peeled) {
        return Err(fault);
    }
    match peeled {
        Type::Reference(reference) if reference.mutability.is_some() => Err(Fault::new(
            ty,
            "an argument lent as `&mut` cannot be given back: the call runs later, on the worker's thread",
            "take the value, and return what became of it",
        )),
        Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(is_static) => own_value(ty, parameters),
        Type::Reference(reference) => own_borrowed(&reference.elem, parameters).map(|owned| (Passing::Borrowed, owned)),
        Type::ImplTrait(anonymous) => own_impl(ty, anonymous, parameters),
        _ => match inside(peeled, "Option").map(peel) {
            Some(Type::Reference(reference)) if reference.mutability.is_some() => Err(Fault::new(
                ty,
                "an argument lent as `&mut` cannot be given back: the call runs later, on the worker's thread",
                "take an `Option` of the value, and return what became of it",
            )),
            Some(Type::Reference(reference)) if !reference.lifetime.as_ref().is_some_and(is_static) => {
                let owned = own_borrowed(&reference.elem, parameters)?;
                let owned = type_of(quote_spanned!(ty.span()=> ::std::option::Option<#owned>));
                Ok((Passing::OptionBorrowed, owned))
            }
            _ => own_other(ty, peeled, parameters),
        },
    }
}

fn own_other(ty: &Type, peeled: &Type, parameters: &TypeParameters<'_>) -> Owned {
    if let Some(borrowed) = inside(peeled, "Cow") {
        return own_borrowed(borrowed, parameters).map(|owned| (Passing::Cow, owned));
    }
    if let Some(parameter) = as_ident(peeled).filter(|ident| parameters.contains(ident)) {
        let stand_in = match parameters.bounds(parameter) {
            Some(bounds) if parameters.stands_only_as_an_argument(parameter) => stand_in(&bounds, ty, parameters)?,
            _ => None,
        };
        return Ok(stand_in.unwrap_or_else(|| (Passing::Generic, ty.clone())));
    }
    own_value(ty, parameters)
}

/// `T` of `&T`, as a value.
fn own_borrowed(borrowed: &Type, parameters: &TypeParameters<'_>) -> Result<Type, Fault> {
    let peeled = peel(borrowed);
    if let Some(parameter) = parameters.first_in(peeled) {
        return Err(Fault::new(
            borrowed,
            format!("a borrowed `{parameter}` cannot be owned: nothing says how it is cloned"),
            "take the value, or a concrete type",
        ));
    }
    match peeled {
        Type::Slice(slice) => {
            refuse_what_is_lent(&slice.elem, "a slice of values, as in `&[String]`")?;
            let element = &slice.elem;
            Ok(type_of(quote_spanned!(borrowed.span()=> ::std::vec::Vec<#element>)))
        }
        Type::TraitObject(object) => {
            let closure = object.bounds.iter().any(is_callable);
            let bounds = &object.bounds;
            let cure = if closure {
                format!(
                    "take `Box<dyn {}>`",
                    text(with_send(bounds.to_token_stream(), has_trait(bounds, "Send")))
                )
            } else {
                "take the value, or a `Box<dyn … + Send>`".to_owned()
            };
            Err(Fault::new(
                borrowed,
                "a borrowed trait object cannot be owned at the boundary",
                cure,
            ))
        }
        Type::ImplTrait(_) => Err(Fault::new(
            borrowed,
            "a borrowed `impl Trait` cannot be owned at the boundary",
            "take it by value, as in `impl AsRef<str>`, or borrow a concrete type",
        )),
        _ => {
            if let Some(owned) = unsized_twin(peeled) {
                return Ok(owned);
            }
            refuse_what_is_lent(peeled, "a type that owns all it has")?;
            refuse_unsendable(peeled)?;
            Ok(borrowed.clone())
        }
    }
}

/// What owns a `str`, a `Path` and the like.
fn unsized_twin(ty: &Type) -> Option<Type> {
    let segment = last_segment(ty).filter(|segment| segment.arguments.is_none())?;
    let span = ty.span();
    let owned = match segment.ident.to_string().as_str() {
        "str" => quote_spanned!(span=> ::std::string::String),
        "Path" => quote_spanned!(span=> ::std::path::PathBuf),
        "OsStr" => quote_spanned!(span=> ::std::ffi::OsString),
        "CStr" => quote_spanned!(span=> ::std::ffi::CString),
        _ => return None,
    };
    Some(type_of(owned))
}

/// An argument that is moved.
fn own_value(ty: &Type, parameters: &TypeParameters<'_>) -> Owned {
    let peeled = peel(ty);
    refuse_what_is_lent(
        peeled,
        "a type that owns all it has; `&T`, `Option<&T>` and `Cow<'_, T>` are understood",
    )?;
    if let Some(nested) = find_impl(peeled) {
        return Err(Fault::new(
            nested,
            "an `impl Trait` inside of another type is not understood",
            format!("name the type{}", named_target(nested)),
        ));
    }
    refuse_unsendable(peeled)?;
    let passing = if is_callback(peeled) {
        Passing::Callback
    } else if parameters.first_in(peeled).is_some() {
        Passing::Generic
    } else {
        Passing::Value
    };
    Ok((passing, ty.clone()))
}

/// Whether it is `Box<dyn Fn…>`, `Arc<dyn Fn…>` or an `Option` of one.
fn is_callback(ty: &Type) -> bool {
    let ty = inside(ty, "Option").unwrap_or(ty);
    let object = inside(ty, "Box").or_else(|| inside(ty, "Arc")).map(peel);
    matches!(object, Some(Type::TraitObject(object)) if object.bounds.iter().any(is_callable))
}

/// `impl Trait` as the whole of an argument.
fn own_impl(ty: &Type, anonymous: &TypeImplTrait, parameters: &TypeParameters<'_>) -> Owned {
    let bounds: Vec<&TypeParamBound> = anonymous.bounds.iter().collect();
    if let Some(owned) = stand_in(&bounds, ty, parameters)? {
        return Ok(owned);
    }
    if bounds.iter().any(|bound| is_callable(bound)) {
        let sent = has_trait(bounds.iter().copied(), "Send");
        let lasting = has_static(bounds.iter().copied());
        if sent && lasting {
            return Ok((Passing::Generic, ty.clone()));
        }
        let mut complete = with_send(anonymous.bounds.to_token_stream(), sent);
        if !lasting {
            complete = quote!(#complete + 'static);
        }
        return Err(Fault::new(
            ty,
            "the closure crosses to the worker's thread, and its bounds do not say that it can",
            format!("write `impl {}`", text(complete)),
        ));
    }
    Err(Fault::new(
        ty,
        "this `impl Trait` cannot be owned at the boundary",
        "take a concrete type, or `impl Into<T>`, `impl AsRef<T>`, `impl IntoIterator<Item = T>` or a closure",
    ))
}

/// What stands in for a type parameter of these bounds: the `T` of `Into<T>` and the like. `None` if nothing does.
fn stand_in(
    bounds: &[&TypeParamBound],
    place: &Type,
    parameters: &TypeParameters<'_>,
) -> Result<Option<(Passing, Type)>, Fault> {
    let is_harmless = |bound: &&&TypeParamBound| match bound {
        TypeParamBound::Lifetime(_) => true,
        TypeParamBound::Trait(bound) if bound.maybe.is_some() => true,
        _ => trait_segment(bound).is_some_and(|segment| {
            ["Send", "Sync", "Unpin", "Clone", "Debug"]
                .iter()
                .any(|name| segment.ident == name)
        }),
    };
    let mut telling = bounds.iter().filter(|bound| !is_harmless(bound));
    let (Some(bound), None) = (telling.next(), telling.next()) else {
        return Ok(None);
    };
    let Some(segment) = trait_segment(bound) else {
        return Ok(None);
    };
    let owned = match segment.ident.to_string().as_str() {
        "Into" => {
            let Some(target) = type_arguments(segment).into_iter().next() else {
                return Ok(None);
            };
            refuse_what_is_lent(target, "a target that owns all it has, as in `impl Into<String>`")?;
            (Passing::Into, target.clone())
        }
        "AsRef" => {
            let Some(target) = type_arguments(segment).into_iter().next() else {
                return Ok(None);
            };
            (Passing::AsRef, own_as_ref(target)?)
        }
        "IntoIterator" => {
            let Some(item) = iterator_item(segment) else {
                return Err(Fault::new(
                    place,
                    "an iterator whose items have no stated type cannot be collected at the boundary",
                    "write `impl IntoIterator<Item = T>`",
                ));
            };
            refuse_what_is_lent(item, "items that own all they have, as in `Item = String`")?;
            if let Some(nested) = find_impl(item) {
                let cure = format!("name the type of the items{}", named_target(nested));
                return Err(Fault::new(
                    nested,
                    "an `impl Trait` inside of another type is not understood",
                    cure,
                ));
            }
            (
                Passing::Iterator,
                type_of(quote_spanned!(place.span()=> ::std::vec::Vec<#item>)),
            )
        }
        "Iterator" | "Read" | "Write" | "ToString" | "Display" | "Future" if matches!(place, Type::ImplTrait(_)) => {
            return Err(Fault::new(
                place,
                format!("`{}` cannot be owned at the boundary", text(place)),
                cure_for(segment),
            ));
        }
        _ => return Ok(None),
    };
    refuse_unsendable(&owned.1)?;
    // What is converted to must be told from the text: a type parameter in it leaves the argument generic.
    Ok(Some(if parameters.first_in(&owned.1).is_some() {
        (Passing::Generic, place.clone())
    } else {
        owned
    }))
}

fn cure_for(segment: &PathSegment) -> &'static str {
    match segment.ident.to_string().as_str() {
        "Iterator" => "take `impl IntoIterator<Item = T>`: it is collected into a `Vec<T>`",
        "ToString" | "Display" => "take `impl Into<String>`",
        "Future" => "take the value that it gives: the API is a blocking one",
        _ => "take a concrete type, or a `Box<dyn … + Send>`",
    }
}

fn own_as_ref(target: &Type) -> Result<Type, Fault> {
    if let Type::Slice(slice) = peel(target) {
        refuse_what_is_lent(&slice.elem, "a slice of values, as in `AsRef<[String]>`")?;
        let element = &slice.elem;
        return Ok(type_of(quote_spanned!(target.span()=> ::std::vec::Vec<#element>)));
    }
    unsized_twin(target).ok_or_else(|| {
        Fault::new(
            target,
            format!("nothing says what owns `{}`", text(target)),
            "`AsRef` is understood of `str`, `Path`, `OsStr`, `CStr` and slices; of any other type, take `&T` or `T`",
        )
    })
}

fn iterator_item(segment: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == "Item" => Some(ty),
        _ => None,
    })
}

/// Refuses what a type borrows, with what to write in its place.
fn refuse_what_is_lent(ty: &Type, cure: &str) -> Result<(), Fault> {
    match find_borrow(ty) {
        None => Ok(()),
        Some(lent) => Err(Fault::new(
            lent,
            format!(
                "`{}` borrows inside of its type, and cannot be owned at the boundary",
                text(ty)
            ),
            format!("take {cure}"),
        )),
    }
}

/// Refuses what can't go to another thread.
pub(crate) fn refuse_unsendable(ty: &Type) -> Result<(), Fault> {
    let Some(unsendable) = find_unsendable(ty) else {
        return Ok(());
    };
    Err(match unsendable {
        Unsendable::Rc(place) => Fault::new(
            place,
            "an `Rc` cannot cross to the worker's thread",
            "write `std::sync::Arc`",
        ),
        Unsendable::Pointer(place) => Fault::new(
            place,
            "a raw pointer cannot cross to the worker's thread",
            "give the value, or a type of your own that is `Send` and says why",
        ),
        Unsendable::Object(place, lacks) => {
            let cure = format!("write `{} + {lacks}`", text(&place));
            Fault::new(
                place,
                format!("nothing says that the trait object is {}", lacks.replace('+', "and")),
                cure,
            )
        }
        Unsendable::Macro(place) => Fault::new(
            place,
            "a macro hides what the type is",
            "write the type out, or give it an alias",
        ),
    })
}

fn find_self(ty: &Type) -> Option<Fault> {
    let own = Ident::new("Self", ty.span());
    (count_name(ty, &own) > 0).then(|| {
        Fault::new(
            ty,
            "`Self` in an argument would be the proxy on the async side",
            "write the type's name",
        )
    })
}

fn named_target(anonymous: &TypeImplTrait) -> String {
    let target = anonymous
        .bounds
        .iter()
        .filter_map(trait_segment)
        .find(|segment| segment.ident == "Into");
    match target.and_then(|segment| type_arguments(segment).into_iter().next()) {
        Some(target) => format!(": `{}`", text(target)),
        None => String::new(),
    }
}

fn with_send(bounds: proc_macro2::TokenStream, sent: bool) -> proc_macro2::TokenStream {
    if sent { bounds } else { quote!(#bounds + Send) }
}

/// Tokens as a person writes them, roughly.
pub(crate) fn text(tokens: impl ToTokens) -> String {
    let mut text = tokens.into_token_stream().to_string();
    for (spaced, tight) in [
        (" < ", "<"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        ("& ", "&"),
        (" ,", ","),
        (" : ", ": "),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        ("[ ", "["),
        (" ]", "]"),
        (" ;", ";"),
        ("->(", "-> ("),
    ] {
        text = text.replace(spaced, tight);
    }
    text
}
