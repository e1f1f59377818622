//! The arguments of a method or function.

use proc_macro2::Ident;
use syn::{Attribute, FnArg, Lifetime, Pat, PatType, Receiver as SynReceiver, ReceiverKind, Safety, Signature, Type};

use super::attribute::{Entry, Owner, parse_helper, placeholder};
use super::carried::parse_docs;
use super::generics::TypeParameters;
use super::ownership::{own, text};
use super::types::{count_name, is_named, is_static, peel};
use crate::model::{Argument, Colour, Passing, Receiver};
use crate::report::{Fault, Report};

const PARAMETER: Owner = Owner {
    what: "a parameter",
    keys: &["name", "py", "spread"],
    python_only: &["name", "py", "spread"],
};

/// Reads the arguments behind the receiver.
pub(crate) fn parse_arguments(colour: Colour, signature: &Signature, report: &mut Report) -> Vec<Argument> {
    let parameters = TypeParameters::of(signature);
    let mut arguments = Vec::new();
    for input in &signature.inputs {
        if let FnArg::Typed(input) = input {
            arguments.push(parse_argument(input, &parameters, report));
        }
    }
    let crosses = |name: &Ident| {
        count_name(&signature.output, name) > 0
            || arguments
                .iter()
                .any(|argument| argument.passing == Passing::Generic && count_name(&argument.ty, name) > 0)
    };
    // A twin takes any type as it is: nothing of it leaves the caller's thread.
    if colour == Colour::Blocking {
        parameters.check_sendable(crosses, report);
    }
    arguments
}

fn parse_argument(input: &PatType, parameters: &TypeParameters<'_>, report: &mut Report) -> Argument {
    let ident = match &*input.pat {
        Pat::Ident(pattern) if pattern.by_ref.is_none() && pattern.subpat.is_none() => pattern.ident.clone(),
        pattern => {
            report.fault(
                pattern,
                "a pattern has no name that the async side could call it by",
                "write a name, and take it apart in the body",
            );
            placeholder()
        }
    };
    check_attributes(&input.attrs, report);
    let (passing, owned) = own(&input.ty, parameters).unwrap_or_else(|fault| {
        report.add(fault);
        (Passing::Value, (*input.ty).clone())
    });
    let mut argument = Argument {
        ident,
        ty: (*input.ty).clone(),
        passing,
        owned,
        python_name: None,
        python: None,
        spread: false,
        docs: parse_docs(&input.attrs),
    };
    for entry in parse_helper(&input.attrs, &PARAMETER, report) {
        read_entry(&entry, &mut argument, report);
    }
    argument
}

fn read_entry(entry: &Entry, argument: &mut Argument, report: &mut Report) {
    if entry.key == "py" {
        argument.python = entry.annotation(report);
        return;
    }
    if entry.key == "name" {
        argument.python_name = entry.python_name(report);
        return;
    }
    entry.flag(report);
    argument.spread = true;
    let named = matches!(peel(&argument.ty), Type::Path(_)) && !is_named(&argument.ty, "Option");
    if argument.passing != Passing::Value || !named {
        report.fault(
            &argument.ty,
            "only a struct of options, taken by value, can be spread over parameters",
            "take the struct itself, as in `#[proxy(spread)] options: ConnectOptions`",
        );
    }
}

fn check_attributes(attributes: &[Attribute], report: &mut Report) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")) {
        report.fault(
            attribute,
            "a parameter that is there under a condition would change the signature of the async side",
            "write the method twice, one behind `#[cfg(…)]` and one behind `#[cfg(not(…))]`",
        );
    }
}

/// Reads how a method takes its object.
pub(crate) fn parse_receiver(signature: &Signature) -> Result<Receiver, Fault> {
    let Some(receiver) = signature.receiver() else {
        return Ok(Receiver::None);
    };
    match &receiver.kind {
        ReceiverKind::Value => Ok(Receiver::Owned),
        ReceiverKind::Reference(_, Some(lifetime), _) if is_static(lifetime) => Err(exotic(receiver)),
        ReceiverKind::Reference(_, _, None) => Ok(Receiver::Shared),
        ReceiverKind::Reference(_, _, Some(_)) => Ok(Receiver::Exclusive),
        ReceiverKind::Typed(_, ty) => match peel(ty) {
            Type::Path(_) if is_named(ty, "Self") => Ok(Receiver::Owned),
            Type::Reference(reference) if reference.lifetime.as_ref().is_some_and(is_static) => Err(exotic(receiver)),
            Type::Reference(reference) if is_named(&reference.elem, "Self") => Ok(if reference.mutability.is_some() {
                Receiver::Exclusive
            } else {
                Receiver::Shared
            }),
            _ => Err(exotic(receiver)),
        },
        _ => Err(exotic(receiver)),
    }
}

/// The lifetime that a receiver names.
pub(crate) fn receiver_lifetime(signature: &Signature) -> Option<Lifetime> {
    match &signature.receiver()?.kind {
        ReceiverKind::Reference(_, lifetime, _) => lifetime.clone(),
        ReceiverKind::Typed(_, ty) => match peel(ty) {
            Type::Reference(reference) => reference.lifetime.clone(),
            _ => None,
        },
        _ => None,
    }
}

fn exotic(receiver: &SynReceiver) -> Fault {
    Fault::new(
        receiver,
        format!(
            "the worker owns the object and lends it to the call: it cannot give `{}`",
            text(receiver)
        ),
        "take `&self` or `&mut self`, or write `#[proxy(skip = \"why\")]`",
    )
}

/// Refuses functions that no worker can call, or no twin.
pub(crate) fn check_qualifiers(colour: Colour, signature: &Signature, report: &mut Report) {
    if let (Colour::Blocking, Some(asyncness)) = (colour, &signature.asyncness) {
        report.fault(
            asyncness,
            "`#[async_proxy]` makes async twins of blocking methods; this one is async already",
            "write `#[sync_proxy]`, which makes blocking twins of `async fn`s, in a block of such methods; or a blocking \
             `fn`, or `#[proxy(skip = \"why\")]`",
        );
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        report.fault(
            unsafety,
            "an unsafe method has conditions that the other side cannot keep",
            "write a safe method that keeps them, or `#[proxy(skip = \"why\")]`",
        );
    }
    if let Some(abi) = &signature.abi {
        report.fault(
            abi,
            "a foreign calling convention has no other side",
            "write a plain `fn`",
        );
    }
    if let Some(variadic) = &signature.variadic {
        report.fault(
            variadic,
            "a variable number of arguments has no other side",
            "take a `Vec<T>`",
        );
    }
}
