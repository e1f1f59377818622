//! Defaults: literals as Python has them, since it is Python that shows them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::Lit;

use super::attribute::split_at_commas;
use crate::report::Fault;

const CURE: &str =
    "write a literal as Python has it: `None`, `True`, `False`, a number, a string, `()` or a tuple of such";

/// Reads a literal and gives its text in Python.
pub(crate) fn python_literal(tokens: TokenStream) -> Result<String, Fault> {
    let parts: Vec<TokenTree> = tokens.clone().into_iter().collect();
    match parts.as_slice() {
        [TokenTree::Ident(word)] => match word.to_string().as_str() {
            known @ ("None" | "True" | "False") => Ok(known.to_owned()),
            "true" => Err(Fault::new(
                word,
                "a default is a literal as Python has it",
                "write `True`",
            )),
            "false" => Err(Fault::new(
                word,
                "a default is a literal as Python has it",
                "write `False`",
            )),
            _ => Err(Fault::new(word, format!("`{word}` is not a literal in Python"), CURE)),
        },
        [TokenTree::Punct(minus), TokenTree::Literal(_)] if minus.as_char() == '-' => {
            let number = python_literal(parts[1..].iter().cloned().collect())?;
            if number.starts_with(|first: char| first.is_ascii_digit()) {
                Ok(format!("-{number}"))
            } else {
                Err(Fault::new(tokens, "only a number has a sign", CURE))
            }
        }
        [TokenTree::Literal(literal)] => {
            let literal = literal.clone();
            python_of_literal(syn::parse2(tokens).unwrap_or(Lit::Verbatim(literal)))
        }
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => python_literal(group.stream()),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            let mut elements = Vec::new();
            for part in split_at_commas(group.stream()) {
                elements.push(python_literal(part.into_iter().collect())?);
            }
            let comma = matches!(group.stream().into_iter().last(),
                Some(TokenTree::Punct(punct)) if punct.as_char() == ',');
            match elements.as_slice() {
                [one] if comma => Ok(format!("({one},)")),
                [_] => Err(Fault::new(
                    group.stream(),
                    "this is no tuple: it has no comma",
                    "write `(…,)`",
                )),
                _ => Ok(format!("({})", elements.join(", "))),
            }
        }
        [TokenTree::Group(group)] => Err(Fault::new(
            tokens.clone(),
            if group.delimiter() == Delimiter::Bracket {
                "a list as a default would be shared between calls"
            } else {
                "a dict as a default would be shared between calls"
            },
            "write a tuple, or `None`",
        )),
        _ => Err(Fault::new(tokens, "this is not a literal in Python", CURE)),
    }
}

fn python_of_literal(literal: Lit) -> Result<String, Fault> {
    let suffixed = |text: &str| Fault::new(&literal, "a number in Python has no suffix", format!("write `{text}`"));
    match &literal {
        Lit::Str(text) => Ok(python_string(&text.value())),
        Lit::ByteStr(bytes) => Ok(format!("b{}", python_bytes(&bytes.value()))),
        Lit::Int(number) if !number.suffix().is_empty() => Err(suffixed(number.base10_digits())),
        Lit::Int(number) => Ok(number.base10_digits().to_owned()),
        Lit::Float(number) if !number.suffix().is_empty() => Err(suffixed(number.base10_digits())),
        Lit::Float(number) => Ok(python_float(number.base10_digits())),
        _ => Err(Fault::new(&literal, "this is not a literal in Python", CURE)),
    }
}

fn python_float(digits: &str) -> String {
    let digits = digits.to_ascii_lowercase();
    if digits.ends_with('.') {
        format!("{digits}0")
    } else {
        digits
    }
}

/// A string as `ruff format` leaves it: in double quotes, if that does not take more escapes.
pub(crate) fn python_string(text: &str) -> String {
    let quote = if text.contains('"') && !text.contains('\'') {
        '\''
    } else {
        '"'
    };
    let mut literal = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            _ if character == quote => literal.extend(['\\', quote]),
            _ if character.is_control() => literal.push_str(&python_escape(character as u32)),
            _ => literal.push(character),
        }
    }
    literal.push(quote);
    literal
}

fn python_escape(code: u32) -> String {
    if code <= 0xff {
        format!("\\x{code:02x}")
    } else {
        format!("\\u{code:04x}")
    }
}

fn python_bytes(bytes: &[u8]) -> String {
    let mut literal = String::from('"');
    for byte in bytes {
        match byte {
            b'"' | b'\\' => literal.extend(['\\', char::from(*byte)]),
            b' '..=b'~' => literal.push(char::from(*byte)),
            _ => literal.push_str(&python_escape(u32::from(*byte))),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn read(text: &str) -> Option<String> {
        python_literal(TokenStream::from_str(text).unwrap()).ok()
    }

    #[test]
    fn literals_become_what_python_reads() {
        for (rust, python) in [
            ("None", "None"),
            ("True", "True"),
            ("5.0", "5.0"),
            ("5.", "5.0"),
            ("1_000", "1000"),
            ("0xff", "255"),
            ("-1", "-1"),
            ("-2.5E3", "-2.5e3"),
            ("()", "()"),
            ("(1,)", "(1,)"),
            ("(1, \"a\", (True, None))", "(1, \"a\", (True, None))"),
            (r#""DEFERRED""#, r#""DEFERRED""#),
            (r#""a\"b\n\\""#, r#"'a"b\n\\'"#),
            (r#""it's \"q\"""#, r#""it's \"q\"""#),
            (r#"b"\x00a\"""#, r#"b"\x00a\"""#),
        ] {
            assert_eq!(read(rust).as_deref(), Some(python), "{rust}");
        }
    }

    #[test]
    fn what_python_has_no_literal_for_is_refused() {
        for rust in [
            "true", "5u8", "1.0f32", "[]", "{}", "X", "1 + 1", "'a'", "-None", "-\"a\"", "(1)", "- -1", "", "a.b",
        ] {
            assert_eq!(read(rust), None, "{rust}");
        }
    }
}
