//! Python literals as expressions of Rust. The literals are those that [`async_proxy_syntax`] lets pass as defaults, in the
//! form that it gives them.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// An expression that PyO3 converts to the object of a Python literal. A whole number is one of 64 bits, since one without
/// a type of its own would have 32.
pub(super) fn expression(literal: &str) -> Option<TokenStream> {
    let mut reader = Reader { rest: literal };
    let value = reader.value()?;
    reader.rest.is_empty().then_some(value)
}

/// Whether a literal is a number without a point.
pub(super) fn is_whole(literal: &str) -> bool {
    is_number(literal) && literal.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// Whether a literal is a number.
pub(super) fn is_number(literal: &str) -> bool {
    literal.starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<TokenStream> {
        if self.eat("None") {
            return Some(quote!(None::<()>));
        }
        if self.eat("True") {
            return Some(quote!(true));
        }
        if self.eat("False") {
            return Some(quote!(false));
        }
        if self.eat("(") {
            return self.tuple();
        }
        if self.eat("b\"") {
            let text = self.text('"')?;
            let bytes: Option<Vec<u8>> = text
                .chars()
                .map(|character| u8::try_from(u32::from(character)).ok())
                .collect();
            let literal = Literal::byte_string(&bytes?);
            return Some(quote!(#literal.as_slice()));
        }
        for quote in ['"', '\''] {
            if self.eat(quote.encode_utf8(&mut [0; 4])) {
                let literal = Literal::string(&self.text(quote)?);
                return Some(quote!(#literal));
            }
        }
        self.number()
    }

    fn tuple(&mut self) -> Option<TokenStream> {
        let mut elements = Vec::new();
        while !self.eat(")") {
            elements.push(self.value()?);
            if !self.eat(",") && !self.rest.starts_with(')') {
                return None;
            }
            self.rest = self.rest.trim_start();
        }
        Some(quote!((#(#elements,)*)))
    }

    fn number(&mut self) -> Option<TokenStream> {
        let end = self.rest.find([',', ')', ' ']).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        if !is_number(number) {
            return None;
        }
        let text = if is_whole(number) {
            format!("{number}i64")
        } else {
            format!("{number}f64")
        };
        syn::parse_str(&text).ok()
    }

    /// The text up to the closing quote, which is taken too.
    fn text(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.chars();
        loop {
            match characters.next()? {
                '\\' => text.push(match characters.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'x' => code(&mut characters, 2)?,
                    'u' => code(&mut characters, 4)?,
                    plain => plain,
                }),
                end if end == quote => break,
                character => text.push(character),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }

    fn eat(&mut self, token: &str) -> bool {
        self.rest.strip_prefix(token).map(|rest| self.rest = rest).is_some()
    }
}

fn code(characters: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let text = characters.as_str().get(..digits)?;
    characters.by_ref().take(digits).for_each(drop);
    char::from_u32(u32::from_str_radix(text, 16).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(literal: &str) -> String {
        expression(literal).map_or_else(|| "refused".to_owned(), |tokens| tokens.to_string().replace(' ', ""))
    }

    #[test]
    fn every_form_of_a_default_is_read() {
        let forms = [
            ("None", "None::<()>"),
            ("True", "true"),
            ("5", "5i64"),
            ("-5000000000", "-5000000000i64"),
            ("2.5", "2.5f64"),
            ("-1e10", "-1e10f64"),
            ("()", "()"),
            ("(1,)", "(1i64,)"),
            ("(1, (\"a\", None))", "(1i64,(\"a\",None::<()>,),)"),
            ("\"it's\"", "\"it's\""),
            (r#"'"\n'"#, r#""\"\n""#),
            (r#"b"\xff""#, r#"b"\xFF".as_slice()"#),
        ];
        for (literal, expected) in forms {
            assert_eq!(printed(literal), expected, "{literal}");
        }
    }

    #[test]
    fn escapes_that_rust_writes_otherwise_are_read() {
        assert_eq!(
            expression(r#""\x85\u2028\\""#).unwrap().to_string(),
            r#""\u{85}\u{2028}\\""#
        );
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in ["", "five", "(1", "\"open", "1 2", "[1]", "(1 2)"] {
            assert_eq!(printed(text), "refused", "{text}");
        }
    }
}
