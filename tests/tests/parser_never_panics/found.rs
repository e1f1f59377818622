//! What was found, by random inputs and by hand, each by its name, so that it stays found.

use std::str::FromStr;
use std::thread;

use async_proxy_syntax::expand::expand;
use async_proxy_syntax::model::Colour;
use proc_macro2::{TokenStream, TokenTree};

use crate::exercise::{Reached, exercise};

#[test]
fn an_empty_file_is_rust() {
    assert_eq!(exercise(""), Reached::Rust);
}

/// What stands before something nested, what makes a level of it, what is in the middle, what ends a level, and what
/// stands behind.
const NESTED: &[[&str; 5]] = &[
    ["pub fn f(&self) { ", "(", "1", ")", " }"],
    ["pub fn f(&self) { ", "{", "", "}", " }"],
    ["pub fn f(&self) { ", "[", "1", "]", " }"],
    ["pub fn f(&self) { ", "!", "x", "", " }"],
    ["pub fn f(&self) { ", "- ", "1", "", " }"],
    ["pub fn f(&self) { ", "f::<", "u8", ">", "() }"],
    ["pub fn f(&self, a: ", "Vec<", "u8", ">", ") {}"],
    ["pub fn f(&self, a: ", "&", "u8", "", ") {}"],
    ["pub fn f(&self, a: ", "&'a mut ", "u8", "", ") {}"],
    ["pub fn f(&self, a: ", "(", "u8", ",)", ") {}"],
    [
        "#[proxy(signature = (a = ",
        "(",
        "",
        ",)",
        "))] pub fn f(&self, a: u8) {}",
    ],
];

/// `syn` runs out of stack on such, which ends the compiler without a word: at 300 levels of `Vec<…>` in a debug build.
#[test]
fn deep_nesting_is_refused_before_the_stack_is_over() {
    // A thread as rustc has them.
    let thread = thread::Builder::new().stack_size(8 << 20).spawn(|| {
        for [before, open, middle, close, after] in NESTED {
            for (depth, is_refused) in [(100, false), (300, true), (100_000, true)] {
                let nested = open.repeat(depth) + middle + &close.repeat(depth);
                let block = TokenStream::from_str(&format!("impl Store {{ {before}{nested}{after} }}"))
                    .expect("brackets are balanced");
                let expanded = expand(Colour::Blocking, TokenStream::new(), block);
                assert_eq!(says_too_deep(expanded), is_refused, "{depth} times `{open}`");
            }
        }
    });
    thread
        .expect("a thread can be made")
        .join()
        .expect("nothing panics on the way");
}

/// Whether the expansion begins with the fault. (It is not printed as a whole: that would be deep, too.)
fn says_too_deep(expanded: TokenStream) -> bool {
    expanded.into_iter().take(8).any(|token| match token {
        TokenTree::Group(group) => group.stream().into_iter().next().is_some_and(
            |first| matches!(first, TokenTree::Literal(literal) if literal.to_string().contains("nested too deep")),
        ),
        _ => false,
    })
}
