//! What the text of a type shows.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    GenericArgument, Lifetime, ParenthesizedGenericArguments, PathArguments, PathSegment, TraitBound, Type, TypeFnPtr,
    TypeImplTrait, TypeMacro, TypeParamBound, TypePath, TypePtr, TypeReference, TypeTraitObject,
};

/// The type without parentheses and without the invisible group that a `macro_rules!` leaves.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}

/// The last segment of a path: `Result<T>` of `std::io::Result<T>`.
pub(crate) fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match peel(ty) {
        Type::Path(TypePath { qself: None, path, .. }) => path.segments.last(),
        _ => None,
    }
}

/// Whether it is a path whose last segment has that name.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

/// The type arguments of a segment.
pub(crate) fn type_arguments(segment: &PathSegment) -> Vec<&Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The one type argument of a path with that last segment: `T` of `Option<T>`.
pub(crate) fn inside<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let segment = last_segment(ty).filter(|segment| segment.ident == name)?;
    type_arguments(segment).into_iter().next()
}

/// The single identifier that the type is: `T`.
pub(crate) fn as_ident(ty: &Type) -> Option<&Ident> {
    match peel(ty) {
        Type::Path(TypePath { qself: None, path, .. }) => path.get_ident(),
        _ => None,
    }
}

/// `T` of `Result<T, …>`, by the last segment.
pub(crate) fn success_of_result(ty: &Type) -> Option<&Type> {
    inside(ty, "Result")
}

/// `T` of anything that is called a result (`Result<T>`, `DbResult<T>`), the type itself otherwise: what kinds are inferred
/// by, since the macro sees no alias.
pub(crate) fn success_by_name(ty: &Type) -> &Type {
    match last_segment(ty) {
        Some(segment) if segment.ident.to_string().ends_with("Result") => {
            type_arguments(segment).into_iter().next().unwrap_or(ty)
        }
        _ => ty,
    }
}

/// Whether the type is the class: `Self` or its name.
pub(crate) fn is_class(ty: &Type, class: &Ident) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == "Self" || segment.ident == *class)
}

/// Whether it is `&Self` or `&mut Self`.
pub(crate) fn is_class_reference(ty: &Type, class: &Ident) -> bool {
    matches!(peel(ty), Type::Reference(reference) if is_class(&reference.elem, class))
}

/// Whether the trait's name is one of the closures' traits.
pub(crate) fn is_callable(bound: &TypeParamBound) -> bool {
    trait_segment(bound)
        .is_some_and(|segment| segment.ident == "Fn" || segment.ident == "FnMut" || segment.ident == "FnOnce")
}

/// The last segment of a bound's trait.
pub(crate) fn trait_segment(bound: &TypeParamBound) -> Option<&PathSegment> {
    match bound {
        TypeParamBound::Trait(bound) if bound.maybe.is_none() => bound.path.segments.last(),
        _ => None,
    }
}

/// Whether one of the bounds is the trait of that name.
pub(crate) fn has_trait<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>, name: &str) -> bool {
    bounds
        .into_iter()
        .any(|bound| trait_segment(bound).is_some_and(|segment| segment.ident == name))
}

/// Whether one of the bounds is `'static`.
pub(crate) fn has_static<'a>(bounds: impl IntoIterator<Item = &'a TypeParamBound>) -> bool {
    bounds
        .into_iter()
        .any(|bound| matches!(bound, TypeParamBound::Lifetime(lifetime) if is_static(lifetime)))
}

/// Whether it is `'static`.
pub(crate) fn is_static(lifetime: &Lifetime) -> bool {
    lifetime.ident == "static"
}

/// The first borrow in a type: a reference or a lifetime, other than a `'static` one. What a closure's own arguments
/// borrow is theirs.
pub(crate) fn find_borrow(ty: &Type) -> Option<TokenStream> {
    struct Borrow(Option<TokenStream>);
    impl<'ast> Visit<'ast> for Borrow {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            if reference.lifetime.as_ref().is_some_and(is_static) {
                self.visit_type(&reference.elem);
            } else {
                self.0.get_or_insert_with(|| reference.to_token_stream());
            }
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            if !is_static(lifetime) {
                self.0.get_or_insert_with(|| lifetime.to_token_stream());
            }
        }
        fn visit_trait_bound(&mut self, bound: &'ast TraitBound) {
            // `for<'a>` brings its lifetimes along.
            if bound.lifetimes.is_none() {
                visit::visit_trait_bound(self, bound);
            }
        }
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    }
    let mut finder = Borrow(None);
    finder.visit_type(ty);
    finder.0
}

/// The first `impl Trait` in a type, at any depth.
pub(crate) fn find_impl(ty: &Type) -> Option<&TypeImplTrait> {
    struct Impl<'ast>(Option<&'ast TypeImplTrait>);
    impl<'ast> Visit<'ast> for Impl<'ast> {
        fn visit_type_impl_trait(&mut self, found: &'ast TypeImplTrait) {
            self.0.get_or_insert(found);
        }
    }
    let mut finder = Impl(None);
    finder.visit_type(ty);
    finder.0
}

/// What in a type can't go to another thread, or is not written out, as far as its text shows.
pub(crate) enum Unsendable {
    /// `Rc`.
    Rc(TokenStream),
    /// `*const T`, `*mut T`.
    Pointer(TokenStream),
    /// `dyn Trait` with neither `Send` nor, behind an `Arc`, `Sync`; and what it lacks.
    Object(TokenStream, &'static str),
    /// A macro.
    Macro(TokenStream),
}

/// The first part of a type that can't go to another thread.
pub(crate) fn find_unsendable(ty: &Type) -> Option<Unsendable> {
    #[derive(Default)]
    struct Finder {
        found: Option<Unsendable>,
        inside_arc: bool,
    }
    impl<'ast> Visit<'ast> for Finder {
        fn visit_path_segment(&mut self, segment: &'ast PathSegment) {
            if segment.ident == "Rc" {
                self.found
                    .get_or_insert_with(|| Unsendable::Rc(segment.to_token_stream()));
            }
            let outer = self.inside_arc;
            self.inside_arc = segment.ident == "Arc";
            visit::visit_path_segment(self, segment);
            self.inside_arc = outer;
        }
        fn visit_type_ptr(&mut self, pointer: &'ast TypePtr) {
            self.found
                .get_or_insert_with(|| Unsendable::Pointer(pointer.to_token_stream()));
        }
        fn visit_type_trait_object(&mut self, object: &'ast TypeTraitObject) {
            let lacks = match (has_trait(&object.bounds, "Send"), has_trait(&object.bounds, "Sync")) {
                (true, true) => return,
                (true, false) if !self.inside_arc => return,
                (true, false) => "Sync",
                (false, _) if !self.inside_arc => "Send",
                (false, _) => "Send + Sync",
            };
            self.found
                .get_or_insert_with(|| Unsendable::Object(object.to_token_stream(), lacks));
        }
        fn visit_type_macro(&mut self, invocation: &'ast TypeMacro) {
            self.found
                .get_or_insert_with(|| Unsendable::Macro(invocation.to_token_stream()));
        }
        fn visit_parenthesized_generic_arguments(&mut self, _: &'ast ParenthesizedGenericArguments) {}
        fn visit_type_fn_ptr(&mut self, _: &'ast TypeFnPtr) {}
    }
    let mut finder = Finder::default();
    finder.visit_type(ty);
    finder.found
}

/// How often one of the names stands as a type (or as a constant) in the tokens.
pub(crate) fn count_name(tokens: impl ToTokens, name: &Ident) -> usize {
    fn count(tokens: TokenStream, name: &Ident) -> usize {
        tokens
            .into_iter()
            .map(|token| match token {
                proc_macro2::TokenTree::Ident(ident) => usize::from(ident == *name),
                proc_macro2::TokenTree::Group(group) => count(group.stream(), name),
                _ => 0,
            })
            .sum()
    }
    count(tokens.into_token_stream(), name)
}

/// Makes a type of tokens.
pub(crate) fn type_of(tokens: TokenStream) -> Type {
    syn::parse2(tokens.clone()).unwrap_or(Type::Verbatim(tokens))
}
