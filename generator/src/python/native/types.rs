//! Rust types in the glue: how they are written outside of the crate that they come from.

use proc_macro2::TokenStream;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{GenericArgument, Path, PathArguments, Type};

use super::literals::{expression, is_number, is_whole};
use super::{Glue, path};

/// Types of the standard library that are named without their path in most code: name and path.
const STANDARD: [(&str, &str); 21] = [
    ("Arc", "std::sync::Arc"),
    ("BTreeMap", "std::collections::BTreeMap"),
    ("BTreeSet", "std::collections::BTreeSet"),
    ("Cow", "std::borrow::Cow"),
    ("Duration", "std::time::Duration"),
    ("HashMap", "std::collections::HashMap"),
    ("HashSet", "std::collections::HashSet"),
    ("Infallible", "std::convert::Infallible"),
    ("IpAddr", "std::net::IpAddr"),
    ("Ipv4Addr", "std::net::Ipv4Addr"),
    ("Ipv6Addr", "std::net::Ipv6Addr"),
    ("OsStr", "std::ffi::OsStr"),
    ("OsString", "std::ffi::OsString"),
    ("Path", "std::path::Path"),
    ("PathBuf", "std::path::PathBuf"),
    ("Rc", "std::rc::Rc"),
    ("SocketAddr", "std::net::SocketAddr"),
    ("SystemTime", "std::time::SystemTime"),
    ("VecDeque", "std::collections::VecDeque"),
    ("Mutex", "std::sync::Mutex"),
    ("RwLock", "std::sync::RwLock"),
];

/// Types that need no path at all.
const PRELUDE: [&str; 21] = [
    "bool", "char", "str", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
    "f32", "f64", "String", "Vec", "Option", "Box",
];

/// Types that PyO3 converts by itself, so that no error of the API can come of them.
const CONVERTED_BY_PYO3: [&str; 8] = [
    "String",
    "PathBuf",
    "OsString",
    "Duration",
    "SystemTime",
    "IpAddr",
    "bool",
    // Any object, as the profile takes it.
    "Py",
];

/// Containers that PyO3 converts if it converts what they hold.
const CONTAINERS: [&str; 7] = ["Option", "Vec", "HashMap", "BTreeMap", "HashSet", "BTreeSet", "Box"];

const INTEGERS: [&str; 12] = [
    "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize",
];

impl Glue<'_> {
    /// A type as the glue writes it: absolute paths for what is not in scope everywhere. A type of the API is taken from
    /// the root of its crate, where everything that a signature names has to be found.
    pub(super) fn qualified(&self, ty: &Type, class: Option<&str>) -> Type {
        let mut ty = ty.clone();
        Qualify {
            crate_path: &self.package.crate_path,
            class,
        }
        .visit_type_mut(&mut ty);
        ty
    }

    /// What a call returns, as the glue writes it.
    pub(super) fn result_type(&self, ty: Option<&Type>, class: Option<&str>) -> TokenStream {
        ty.map_or_else(
            || quote!(()),
            |ty| {
                let ty = self.qualified(ty, class);
                quote!(#ty)
            },
        )
    }

    /// The type of a parameter, as the glue writes it.
    pub(super) fn parameter_type(&mut self, text: &str) -> Type {
        match syn::parse_str::<Type>(text) {
            Ok(ty) => ty,
            Err(_) => {
                self.faults.push(format!(
                    "`{text}` is not a type\nhelp: write a type of Rust for the argument"
                ));
                syn::parse_quote!(())
            }
        }
    }
}

struct Qualify<'a> {
    crate_path: &'a str,
    /// What `Self` stands for.
    class: Option<&'a str>,
}

impl VisitMut for Qualify<'_> {
    fn visit_path_mut(&mut self, found: &mut Path) {
        visit_mut::visit_path_mut(self, found);
        let Some((first, last)) = found.segments.first().zip(found.segments.last()) else {
            return;
        };
        let (first, arguments) = (first.ident.to_string(), last.arguments.clone());
        let name = last.ident.to_string();
        let target = match found.segments.len() {
            1 if PRELUDE.contains(&first.as_str()) => return,
            // `::std::string::String` reads better without its path.
            3 if matches!(first.as_str(), "std" | "alloc") && PRELUDE.contains(&name.as_str()) => {
                found.leading_colon = None;
                found.segments = found.segments.last().cloned().into_iter().collect();
                return;
            }
            1 if first == "Self" => self.class.map_or_else(|| self.of_crate(&name), str::to_owned),
            1 => match STANDARD.iter().find(|(standard, _)| *standard == first) {
                Some((_, standard)) => (*standard).to_owned(),
                None => self.of_crate(&name),
            },
            _ if matches!(first.as_str(), "crate" | "self" | "super") => self.of_crate(&name),
            // A path into another crate.
            _ if found.leading_colon.is_some() => return,
            _ => {
                found.leading_colon = Some(Default::default());
                return;
            }
        };
        if let Ok(mut absolute) = syn::parse2::<Path>(path(&target)) {
            if let Some(last) = absolute.segments.last_mut() {
                last.arguments = arguments;
            }
            *found = absolute;
        }
    }
}

impl Qualify<'_> {
    fn of_crate(&self, name: &str) -> String {
        format!("{}::{name}", self.crate_path)
    }
}

/// The name of a type, if it is a plain name, and the types in its angle brackets.
pub(super) fn name_and_arguments(ty: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(ty) = ty else { return None };
    let last = ty.path.segments.last()?;
    let arguments = match &last.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|argument| {
                if let GenericArgument::Type(ty) = argument {
                    Some(ty)
                } else {
                    None
                }
            })
            .collect(),
        _ => Vec::new(),
    };
    Some((last.ident.to_string(), arguments))
}

/// Whether PyO3 converts a type of argument by itself.
pub(super) fn is_converted_by_pyo3(ty: &Type) -> bool {
    if let Type::Tuple(tuple) = ty {
        return tuple.elems.iter().all(is_converted_by_pyo3);
    }
    name_and_arguments(ty).is_some_and(|(name, arguments)| {
        let name = name.as_str();
        CONVERTED_BY_PYO3.contains(&name)
            || INTEGERS.contains(&name)
            || matches!(name, "f32" | "f64" | "char")
            || (CONTAINERS.contains(&name) && arguments.into_iter().all(is_converted_by_pyo3))
    })
}

/// What `Option` holds.
pub(super) fn in_option(ty: &Type) -> Option<&Type> {
    match name_and_arguments(ty) {
        Some((name, arguments)) if name == "Option" => arguments.first().copied(),
        _ => None,
    }
}

/// Whether a type of what a borrowed option holds is lent as another: `Option<String>` as `Option<&str>`.
pub(super) fn is_lent_by_deref(ty: &Type) -> bool {
    in_option(ty).and_then(name_and_arguments).is_some_and(|(name, _)| {
        matches!(
            name.as_str(),
            "String" | "Vec" | "PathBuf" | "OsString" | "CString" | "Box"
        )
    })
}

/// An expression for the size that a parameter asks for, if it is one that counts.
pub(super) fn size(ty: &Type, ident: &proc_macro2::Ident) -> TokenStream {
    let is_size = |ty: &Type| name_and_arguments(ty).is_some_and(|(name, _)| name == "usize");
    match in_option(ty) {
        Some(held) if is_size(held) => quote!(#ident.unwrap_or(1)),
        None if is_size(ty) => quote!(#ident),
        _ => quote!(1),
    }
}

/// Whether a type is that of a number of rows which may be left out.
pub(super) fn counts_optionally(text: &str) -> bool {
    text.split_whitespace().collect::<String>() == "Option<usize>"
}

/// A default of a parameter.
pub(super) enum DefaultValue {
    /// It is a literal of Rust too.
    Literal(TokenStream),
    /// The type's own conversion makes it of a Python object, which this expression is turned into.
    Converted(TokenStream),
}

/// The default that a Python literal is for a type.
pub(super) fn default(ty: &Type, literal: &str) -> Option<DefaultValue> {
    if let Some(held) = in_option(ty) {
        return Some(match literal {
            "None" => DefaultValue::Literal(quote!(None)),
            _ => match default(held, literal)? {
                DefaultValue::Literal(literal) => DefaultValue::Literal(quote!(Some(#literal))),
                converted => converted,
            },
        });
    }
    let name = name_and_arguments(ty).map(|(name, _)| name).unwrap_or_default();
    let fits = match literal {
        "True" | "False" => name == "bool",
        number if is_whole(number) => INTEGERS.contains(&name.as_str()),
        number if is_number(number) => matches!(name.as_str(), "f32" | "f64"),
        _ => false,
    };
    if fits {
        return syn::parse_str(&literal.to_lowercase()).ok().map(DefaultValue::Literal);
    }
    expression(literal).map(DefaultValue::Converted)
}

/// A call as a `Result`.
pub(super) fn fallible(fallible: bool, call: TokenStream) -> TokenStream {
    if fallible {
        call
    } else {
        quote!(Ok::<_, ::std::convert::Infallible>(#call))
    }
}

/// Whether a value of the type is copied and not cloned.
pub(super) fn is_copied(ty: &Type) -> bool {
    if let Type::Tuple(tuple) = ty {
        return tuple.elems.iter().all(is_copied);
    }
    name_and_arguments(ty).is_some_and(|(name, arguments)| {
        let name = name.as_str();
        INTEGERS.contains(&name)
            || matches!(name, "bool" | "char" | "f32" | "f64" | "Duration")
            || (name == "Option" && arguments.into_iter().all(is_copied))
    })
}
