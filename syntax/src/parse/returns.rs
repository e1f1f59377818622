//! What a method returns.

use proc_macro2::Ident;
use quote::{ToTokens, quote};
use syn::{AssocType, GenericArgument, PathArguments, ReturnType, Type, TypeImplTrait};

use super::ownership::{refuse_unsendable, text};
use super::types::{
    find_borrow, find_impl, is_class_reference, is_named, peel, success_by_name, success_of_result, trait_segment,
    type_of,
};
use crate::model::{Colour, Kind, Returns, RowsRole};
use crate::report::{Fault, Report};

/// Reads a return type.
pub(crate) fn parse_returns(output: &ReturnType) -> Returns {
    let ty = match output {
        ReturnType::Default => {
            return Returns {
                ty: None,
                ok: Some(type_of(quote!(()))),
                fallible: false,
                item: None,
            };
        }
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    if let Some(item) = item_of_stream(&ty) {
        let ok = if is_named(item, "Result") {
            success_of_result(item)
        } else {
            Some(item)
        };
        return Returns {
            ok: ok.cloned(),
            fallible: is_named(item, "Result"),
            item: Some(item.clone()),
            ty: Some(ty),
        };
    }
    if is_named(&ty, "Result") {
        let ok = success_of_result(&ty).cloned();
        return Returns {
            ty: Some(ty),
            ok,
            fallible: true,
            item: None,
        };
    }
    Returns {
        ok: Some(ty.clone()),
        ty: Some(ty),
        fallible: false,
        item: None,
    }
}

/// The `T` of `impl Stream<Item = T>`.
fn item_of_stream(ty: &Type) -> Option<&Type> {
    let Type::ImplTrait(TypeImplTrait { bounds, .. }) = peel(ty) else {
        return None;
    };
    let stream = bounds
        .iter()
        .filter_map(trait_segment)
        .find(|segment| segment.ident == "Stream")?;
    let PathArguments::AngleBracketed(arguments) = &stream.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(AssocType { ident, ty, .. }) if ident == "Item" => Some(ty),
        _ => None,
    })
}

/// Whether a method returns its own object: `&mut Self`, or a `Result` of it.
pub(crate) fn returns_itself(returns: &Returns, class: &Ident) -> bool {
    returns
        .ty
        .as_ref()
        .is_some_and(|ty| is_class_reference(success_by_name(ty), class))
}

/// Which reader of a result set a method is, by what it takes and gives.
pub(crate) fn infer_rows_role(returns: &Returns, arguments: usize, place: &Ident) -> Result<RowsRole, Fault> {
    let success = returns.ty.as_ref().map(success_by_name);
    let role = success.and_then(|ty| {
        if is_named(ty, "Option") {
            Some(RowsRole::One)
        } else if is_named(ty, "Vec") {
            Some(if arguments == 0 { RowsRole::All } else { RowsRole::Many })
        } else if matches!(peel(ty), Type::ImplTrait(_) | Type::Path(_)) && !is_scalar(ty) {
            Some(RowsRole::Iterate)
        } else {
            None
        }
    });
    match role {
        Some(RowsRole::Many) if arguments == 1 => Ok(RowsRole::Many),
        Some(RowsRole::One | RowsRole::All | RowsRole::Iterate) if arguments == 0 => role.ok_or_else(|| fault(place)),
        _ => Err(fault(place)),
    }
}

fn fault(place: &Ident) -> Fault {
    Fault::new(
        place,
        format!("`{place}` does not read rows in a way that is understood"),
        "write `(&mut self) -> Option<Row>` (the next row), `(&mut self, size: usize) -> Vec<Row>` (the next rows), \
         `(&mut self) -> Vec<Row>` (all that remain) or `(&mut self) -> impl Iterator` (iteration), each also as a `Result`",
    )
}

fn is_scalar(ty: &Type) -> bool {
    const SCALARS: &[&str] = &[
        "bool", "char", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128",
        "usize", "String", "Self",
    ];
    SCALARS.iter().any(|name| is_named(ty, name))
}

/// Refuses what can't come back from the worker: borrows, unnamed types, what is not `Send`.
pub(crate) fn check_returns(colour: Colour, returns: &Returns, kind: &Kind, report: &mut Report) {
    let ty = match kind {
        Kind::Stream => &returns.item,
        _ => &returns.ty,
    };
    let Some(ty) = ty else { return };
    if matches!(
        kind,
        Kind::Skip { .. } | Kind::Parent | Kind::SelfReturn | Kind::Rows(RowsRole::Iterate)
    ) {
        return;
    }
    if let Some(found) = find_impl(ty) {
        let future = found.bounds.to_token_stream().to_string().starts_with("Future");
        let cure = if future {
            match colour {
                Colour::Blocking => "write a blocking method that gives the value, or `#[proxy(skip = \"why\")]`",
                Colour::Async => "write an `async fn` that gives the value, or `#[proxy(skip = \"why\")]`",
            }
        } else {
            "name the type, collect it into a `Vec`, or write `#[proxy(skip = \"why\")]`"
        };
        let wrong = match colour {
            Colour::Blocking => "an unnamed type cannot come back from the worker",
            Colour::Async => "an unnamed type has no form in the blocking twin",
        };
        return report.fault(found, wrong, cure);
    }
    if let Some(lent) = find_borrow(ty) {
        return report.fault(
            lent,
            match colour {
                Colour::Blocking => format!("`{}` borrows from the object, which stays on its worker", text(ty)),
                Colour::Async => format!(
                    "`{}` borrows from the object, and what an awaitable gives outlives the call",
                    text(ty)
                ),
            },
            "return a value that owns all it has, as in `String` for `&str`, or write `#[proxy(skip = \"why\")]`",
        );
    }
    if matches!(peel(ty), Type::Never(_)) {
        return report.fault(
            ty,
            "a method that never returns has no other side",
            "write `#[proxy(skip = \"why\")]`",
        );
    }
    if let Err(fault) = refuse_unsendable(ty) {
        report.add(fault);
    }
}
