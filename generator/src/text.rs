//! Pieces of Rust as one line of text, spaced as a person writes them.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Generics, Signature, Type};

/// A type: `Option<&str>`.
pub fn of_type(ty: &Type) -> String {
    of_item(quote! { type X = #ty; }, "type X = ", ";").unwrap_or_else(|| ty.to_token_stream().to_string())
}

/// Generics with their where clause: `<T: Clone> where T: Send`; empty if there are none.
pub fn of_generics(generics: &Generics) -> String {
    let clause = &generics.where_clause;
    let text = of_item(quote! { fn x #generics () #clause; }, "fn x", ";");
    text.unwrap_or_else(|| generics.to_token_stream().to_string())
        .replacen("()", "", 1)
        .trim()
        .to_owned()
}

/// A function's signature without its body: `fn execute(&self, sql: &str) -> Result<Cursor>`.
pub fn of_signature(signature: &Signature) -> String {
    of_item(quote! { #signature; }, "", ";").unwrap_or_else(|| signature.to_token_stream().to_string())
}

/// What stands between `before` and `after` in an item of a trait, printed; `None` where it is no item.
fn of_item(item: TokenStream, before: &str, after: &str) -> Option<String> {
    let file = syn::parse2(quote! { trait Y { #item } }).ok()?;
    let printed = prettyplease::unparse(&file);
    let inner = printed.trim().strip_prefix("trait Y {")?.strip_suffix('}')?;
    let line = join_lines(inner);
    Some(
        line.strip_prefix(before)?
            .strip_suffix(after)?
            .trim()
            .trim_end_matches(',')
            .to_owned(),
    )
}

/// Lines of printed Rust as one line, without what only a broken line has: spaces inside of brackets, a last comma.
fn join_lines(text: &str) -> String {
    let mut line = String::new();
    for part in text.split('\n').map(str::trim).filter(|part| !part.is_empty()) {
        let closes = part.starts_with([')', ']', '>', '}']);
        if closes && line.ends_with(',') {
            line.pop();
        }
        let glued = line.is_empty() || line.ends_with(['(', '[', '<']) || closes;
        if !glued {
            line.push(' ');
        }
        line.push_str(part);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(text: &str) -> String {
        of_signature(&syn::parse_str(text).unwrap())
    }

    #[test]
    fn types_are_spaced_as_written_by_hand() {
        for text in [
            "Option<&str>",
            "Result<Vec<u8>, Error>",
            "impl Into<String>",
            "Box<dyn Fn(i64) -> bool + Send>",
        ] {
            assert_eq!(of_type(&syn::parse_str(text).unwrap()), text);
        }
    }

    #[test]
    fn a_long_signature_stays_on_one_line_without_a_last_comma() {
        let text = "fn execute_many_statements(&self, statements: &str, seq_of_parameters: ParamsSequence, another: \
                    Option<String>) -> Result<Cursor>";
        assert_eq!(signature(text), text);
        let generic = "fn name<T>(&self, value: T) -> T where T: Into<String> + Send";
        assert_eq!(signature(generic), generic);
    }

    #[test]
    fn generics_keep_their_where_clause() {
        let function: syn::TraitItemFn = syn::parse_str("fn x<T>(value: T) where T: Send;").unwrap();
        assert_eq!(of_generics(&function.sig.generics), "<T> where T: Send");
        let plain: syn::TraitItemFn = syn::parse_str("fn x();").unwrap();
        assert_eq!(of_generics(&plain.sig.generics), "");
    }
}
