//! Changes sources, byte by byte and token by token.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::random::Random;
use crate::words::WORDS;

/// Bytes that mean something to a lexer.
const MARKS: &[u8] = b"()[]{}<>&'\"#,=*/;:-_ \0\n";

/// A source with a few bytes changed. What is no longer UTF-8 is replaced, as a text editor does.
pub(crate) fn bytes(source: &str, random: &mut Random) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
            1 if !bytes.is_empty() => {
                bytes.remove(at);
            }
            2 => bytes.insert(at, MARKS[random.below(MARKS.len())]),
            3 => {
                let end = (at + random.below(40)).min(bytes.len());
                let copy = bytes[at.min(end)..end].to_vec();
                let target = random.below(bytes.len());
                bytes.splice(target..target, copy);
            }
            4 => {
                let end = (at + random.below(20)).min(bytes.len());
                bytes.drain(at.min(end)..end);
            }
            _ => {
                let word = random.pick(WORDS).bytes();
                bytes.splice(at..at, word);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A source with a few tokens changed; its brackets stay balanced.
pub(crate) fn tokens(source: &str, random: &mut Random) -> String {
    let Ok(mut stream) = TokenStream::from_str(source) else {
        return source.to_owned();
    };
    for _ in 0..=random.below(3) {
        stream = change(stream, random);
    }
    stream.to_string()
}

fn change(stream: TokenStream, random: &mut Random) -> TokenStream {
    let mut trees: Vec<TokenTree> = stream.into_iter().collect();
    // Go down into a group rather than change something at the top: most of what matters stands inside.
    let groups: Vec<usize> = (0..trees.len())
        .filter(|index| matches!(trees[*index], TokenTree::Group(_)))
        .collect();
    if !groups.is_empty() && !random.once_in(4) {
        let index = groups[random.below(groups.len())];
        if let TokenTree::Group(group) = &trees[index] {
            trees[index] = Group::new(group.delimiter(), change(group.stream(), random)).into();
        }
        return trees.into_iter().collect();
    }
    let at = random.below(trees.len() + 1);
    let inside = at < trees.len();
    match random.below(6) {
        0 if inside => {
            trees.remove(at);
        }
        1 if inside => trees.insert(at, trees[at].clone()),
        2 if inside => {
            let other = random.below(trees.len());
            trees.swap(at, other);
        }
        3 if inside => {
            trees.splice(at..=at, word(random));
        }
        4 if inside => {
            let delimiter = [
                Delimiter::Parenthesis,
                Delimiter::Brace,
                Delimiter::Bracket,
                Delimiter::None,
            ][random.below(4)];
            let end = (at + 1 + random.below(4)).min(trees.len());
            let inner: TokenStream = trees.drain(at..end).collect();
            trees.insert(at, Group::new(delimiter, inner).into());
        }
        _ => {
            trees.splice(at..at, word(random));
        }
    }
    trees.into_iter().collect()
}

/// A source with a piece of it nested in itself, some of them deeper than anyone can parse.
pub(crate) fn nested(source: &str, random: &mut Random) -> String {
    const PAIRS: &[(&str, &str)] = &[
        ("(", ")"),
        ("[", "]"),
        ("{", "}"),
        ("Vec<", ">"),
        ("Option<&", ">"),
        ("&", ""),
        ("!", ""),
        ("-", ""),
        ("if true { ", " }"),
        ("impl Into<", ">"),
        ("mod m { ", " }"),
        ("#[cfg(all(", "))]"),
        ("fn(", ")"),
        ("<u8 as ", ">::X"),
    ];
    let words: Vec<&str> = source.split_inclusive([' ', '\n', ',', '(', ')']).collect();
    let at = random.below(words.len() + 1);
    let end = (at + random.below(4)).min(words.len());
    let (open, close) = PAIRS[random.below(PAIRS.len())];
    let depth = [3, 60, 127, 140, 4_000][random.below(5)];
    [
        &words[..at].concat(),
        &open.repeat(depth),
        &words[at..end].concat(),
        &close.repeat(depth),
        &words[end..].concat(),
    ]
    .map(String::as_str)
    .concat()
}

fn word(random: &mut Random) -> TokenStream {
    TokenStream::from_str(random.pick(WORDS)).unwrap_or_default()
}
