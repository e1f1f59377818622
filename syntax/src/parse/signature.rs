//! Signatures in PyO3's notation: `(sql, parameters = None, *, timeout = 5.0)`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;

use super::attribute::{Entry, split_at_commas};
use super::literal::python_literal;
use crate::model::{Signature, SignatureParameter};
use crate::report::Report;

/// Reads the value of `signature = (…)`.
pub(crate) fn parse_signature(entry: &Entry, report: &mut Report) -> Option<Signature> {
    let group = match entry.value.clone().into_iter().flatten().collect::<Vec<_>>().as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => group.clone(),
        _ => {
            report.fault(
                entry,
                "a signature stands in parentheses",
                "write `signature = (first, second = None, *, third = 5.0)`",
            );
            return None;
        }
    };
    let faults_before = report.len();
    let mut reader = Reader {
        signature: Signature::default(),
        behind_star: false,
        behind_default: false,
    };
    for part in split_at_commas(group.stream()) {
        reader.read(part, report);
    }
    let ends_with_star = split_at_commas(group.stream())
        .last()
        .is_some_and(|part| is_punct(part, '*'));
    if ends_with_star {
        report.fault(
            group.stream(),
            "no parameter stands behind the `*`",
            "remove it, or put one there",
        );
    }
    (report.len() == faults_before).then_some(reader.signature)
}

struct Reader {
    signature: Signature,
    behind_star: bool,
    behind_default: bool,
}

impl Reader {
    fn read(&mut self, part: Vec<TokenTree>, report: &mut Report) {
        let all: TokenStream = part.iter().cloned().collect();
        if is_punct(&part, '*') {
            if self.behind_star {
                report.fault(all, "a second `*`", "remove it");
            }
            self.behind_star = true;
        } else if is_punct(&part, '/') {
            self.read_slash(all, report);
        } else if matches!(part.first(), Some(TokenTree::Punct(punct)) if punct.as_char() == '*') {
            report.fault(
                all,
                "a variable number of arguments has no counterpart in Rust",
                "take `Vec<T>` or a map as one argument",
            );
        } else {
            self.read_parameter(part, all, report);
        }
    }

    fn read_slash(&mut self, slash: TokenStream, report: &mut Report) {
        let parameters = &mut self.signature.parameters;
        if self.behind_star || parameters.is_empty() || parameters.iter().any(|parameter| parameter.positional_only) {
            report.fault(
                slash,
                "a `/` stands once, behind a parameter and before a `*`",
                "write `(first, /, second, *, third)`",
            );
        }
        parameters
            .iter_mut()
            .for_each(|parameter| parameter.positional_only = true);
    }

    fn read_parameter(&mut self, part: Vec<TokenTree>, all: TokenStream, report: &mut Report) {
        let (name, default) = match part.as_slice() {
            [TokenTree::Ident(name)] => (name, None),
            [TokenTree::Ident(name), TokenTree::Punct(equals), rest @ ..] if equals.as_char() == '=' => {
                match python_literal(rest.iter().cloned().collect()) {
                    Ok(default) => (name, Some(default)),
                    Err(fault) => return report.add(fault.or_at(all)),
                }
            }
            _ => {
                return report.fault(all, "this is not a parameter", "write `name` or `name = default`");
            }
        };
        let parameters = &self.signature.parameters;
        let plain = name.unraw().to_string();
        if parameters.iter().any(|earlier| earlier.name == plain) {
            return report.fault(
                name,
                format!("`{name}` stands twice in the signature"),
                "remove one of the two",
            );
        }
        if default.is_none() && self.behind_default && !self.behind_star {
            report.fault(
                name,
                format!("`{name}` has no default, and stands behind a parameter that has one"),
                format!("give it one: `{name} = …`, or put a `*` before it"),
            );
        }
        self.behind_default |= default.is_some();
        self.signature.parameters.push(SignatureParameter {
            name: plain,
            default,
            keyword_only: self.behind_star,
            positional_only: false,
        });
    }
}

fn is_punct(part: &[TokenTree], wanted: char) -> bool {
    matches!(part, [TokenTree::Punct(punct)] if punct.as_char() == wanted)
}

/// Compares a signature with the arguments: each stands in it, in the order of the arguments, and nothing else does.
pub(crate) fn check_against<'a>(
    signature: &Signature,
    place: &Entry,
    arguments: impl Iterator<Item = &'a proc_macro2::Ident>,
    report: &mut Report,
) {
    let arguments: Vec<String> = arguments.map(|ident| ident.unraw().to_string()).collect();
    let names: Vec<&str> = signature
        .parameters
        .iter()
        .map(|parameter| parameter.name.as_str())
        .collect();
    let mut complete = true;
    for name in &names {
        if !arguments.iter().any(|argument| argument == name) {
            complete = false;
            let known: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let cure = match crate::names::nearest(name, &known) {
                Some(nearest) => format!("write `{nearest}`"),
                None => "remove it, or add the argument".to_owned(),
            };
            report.fault(name_in(place, name), format!("no argument is called `{name}`"), cure);
        }
    }
    for argument in &arguments {
        if !names.contains(&argument.as_str()) {
            complete = false;
            report.fault(
                place.value.to_token_stream(),
                format!("the argument `{argument}` does not stand in the signature"),
                format!("add `{argument}`, with a default or without"),
            );
        }
    }
    if complete && names != arguments {
        report.fault(
            place.value.to_token_stream(),
            "the signature has another order than the arguments",
            format!(
                "write them as the function has them: {}",
                super::attribute::listed(&arguments.iter().map(String::as_str).collect::<Vec<_>>(),)
            ),
        );
    }
}

/// Where a name stands in the signature.
fn name_in(place: &Entry, name: &str) -> TokenStream {
    fn find(tokens: TokenStream, name: &str) -> Option<TokenTree> {
        tokens.into_iter().find_map(|token| match &token {
            TokenTree::Ident(ident) if ident.unraw() == name => Some(token),
            TokenTree::Group(group) => find(group.stream(), name),
            _ => None,
        })
    }
    let value = place.value.to_token_stream();
    find(value.clone(), name).map_or(value, TokenStream::from)
}
