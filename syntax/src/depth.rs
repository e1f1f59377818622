//! How deep tokens are nested. `syn` descends into what it parses, and at some depth the stack is over: that ends the
//! compiler without a word. rustc has a limit for the same reason.

use proc_macro2::{Spacing, Span, TokenStream, TokenTree};

/// As deep as rustc goes in types and macros (its `recursion_limit`), and well within the stack of its threads.
const LIMIT: usize = 128;

/// Where tokens are nested deeper than can be parsed; `None` if they are not.
///
/// Brackets count, and so do `<` and the operators that stand before a type or an expression. It is a bound and no parser:
/// what stands behind a statement's end or an assignment begins anew.
pub fn find_too_deep(tokens: &TokenStream) -> Option<Span> {
    find_deeper_than(tokens, LIMIT)
}

/// The same with another limit: for whoever parses on a stack of a known size.
pub fn find_deeper_than(tokens: &TokenStream, limit: usize) -> Option<Span> {
    // A list of what is still to be looked at: recursion is what this guards against.
    let mut open = vec![(tokens.clone(), 0)];
    while let Some((stream, depth)) = open.pop() {
        let mut level = Level {
            outer: depth,
            angles: 0,
            prefixes: 0,
            behind_minus: false,
            behind_quote: false,
        };
        for token in stream {
            level.step(&token);
            if level.depth() > limit {
                return Some(token.span());
            }
            if let TokenTree::Group(group) = token {
                open.push((group.stream(), level.depth() + 1));
                level.prefixes = 0;
            }
        }
    }
    None
}

/// What is nested in one pair of brackets so far.
struct Level {
    outer: usize,
    angles: usize,
    prefixes: usize,
    behind_minus: bool,
    behind_quote: bool,
}

impl Level {
    fn depth(&self) -> usize {
        self.outer + self.angles + self.prefixes
    }

    fn step(&mut self, token: &TokenTree) {
        let behind_minus = std::mem::take(&mut self.behind_minus);
        let behind_quote = std::mem::take(&mut self.behind_quote);
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                '<' => self.angles += 1,
                '>' if !behind_minus => self.angles = self.angles.saturating_sub(1),
                ';' | '=' => (self.angles, self.prefixes) = (0, 0),
                '\'' => self.behind_quote = true,
                '-' => {
                    self.behind_minus = punct.spacing() == Spacing::Joint;
                    self.prefixes += 1;
                }
                '&' | '*' | '!' | '|' => self.prefixes += 1,
                _ => {}
            },
            // `&'a &'a T` is nested as `& &T` is, and so is `&mut &mut T`.
            TokenTree::Ident(ident) if behind_quote || *ident == "mut" || *ident == "dyn" => {}
            TokenTree::Ident(_) | TokenTree::Literal(_) => self.prefixes = 0,
            TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace => self.angles = 0,
            TokenTree::Group(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    fn is_too_deep(text: &str) -> bool {
        find_too_deep(&TokenStream::from_str(text).unwrap()).is_some()
    }

    #[test]
    fn nesting_is_counted_whatever_makes_it() {
        for (open, inner, close) in [
            ("(", "", ")"),
            ("Vec<", "u8", ">"),
            ("&", "u8", ""),
            ("&'a mut ", "u8", ""),
            ("{ x ", "", "}"),
            ("!", "x", ""),
            ("- ", "x", ""),
        ] {
            let nested = |depth: usize| open.repeat(depth) + inner + &close.repeat(depth);
            assert!(!is_too_deep(&nested(100)), "{open}");
            assert!(is_too_deep(&nested(140)), "{open}");
        }
    }

    #[test]
    fn a_long_function_is_not_a_deep_one() {
        assert!(!is_too_deep(
            &"if a < b { x = -1; } let c: Vec<u8> = &d; f(-> u8) ".repeat(300)
        ));
        assert!(!is_too_deep(&"match_arm if x < 3 => a - 1, ".repeat(300)));
    }
}
