//! The grammar of the attributes: `key`, `key = value`, comma separated.
//!
//! The list is split at its commas before anything else is looked at, so that a fault in one entry hides none in another.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Attribute, LitStr, Meta};

use crate::names;
use crate::report::Report;
use crate::strip;

/// One `key` or `key = value`.
pub(crate) struct Entry {
    pub(crate) key: Ident,
    /// What stands behind the `=`; `None` without one.
    pub(crate) value: Option<TokenStream>,
}

/// Who carries an attribute: what it is called in messages, and which keys it knows.
pub(crate) struct Owner {
    pub(crate) what: &'static str,
    pub(crate) keys: &'static [&'static str],
    /// Keys that the Rust side does not look at, so that they may hide in a `cfg_attr` that the macro cannot evaluate.
    pub(crate) python_only: &'static [&'static str],
}

impl Entry {
    /// The value as a string.
    pub(crate) fn string(&self, report: &mut Report) -> Option<LitStr> {
        let literal = self.value.clone().and_then(|value| syn::parse2::<LitStr>(value).ok());
        if literal.is_none() {
            report.fault(
                self,
                format!("`{}` takes a string", self.key),
                format!("write `{} = \"…\"`", self.key),
            );
        }
        literal
    }

    /// The value as a string that says something.
    pub(crate) fn sentence(&self, report: &mut Report) -> Option<String> {
        let text = self.string(report)?;
        if text.value().trim().is_empty() {
            report.fault(
                self,
                format!("`{}` is empty", self.key),
                format!("say why: `{} = \"…\"`", self.key),
            );
            return None;
        }
        Some(text.value())
    }

    /// The value as a string that holds a name of Rust.
    pub(crate) fn rust_name(&self, report: &mut Report) -> Option<Ident> {
        let literal = self.string(report)?;
        let ident = literal.parse::<Ident>().ok();
        if ident.is_none() {
            report.fault(
                &literal,
                format!("`{}` is not a name in Rust", literal.value()),
                "write an identifier that is no keyword, as in `name = \"AsyncConnection\"`",
            );
        }
        ident
    }

    /// The value as a string that names a member of the block: one that is called `r#type` is named `type` or `r#type`.
    pub(crate) fn member_name(&self, report: &mut Report) -> Option<Ident> {
        let literal = self.string(report)?;
        match names::raw_ident(&literal.value()) {
            Some(raw) if literal.parse::<Ident>().is_err() => Some(Ident::new_raw(&names::plain(&raw), literal.span())),
            _ => self.rust_name(report),
        }
    }

    /// The value as a string that holds a name of Python.
    pub(crate) fn python_name(&self, report: &mut Report) -> Option<String> {
        let literal = self.string(report)?;
        let name = literal.value();
        if names::is_python_name(&name) {
            return Some(name);
        }
        let (wrong, cure) = if names::is_python_keyword(&name) {
            (
                format!("`{name}` is a keyword in Python"),
                format!("write another name: `{} = \"{name}_\"`", self.key),
            )
        } else {
            (
                format!("`{name}` is not a name in Python"),
                "write letters, digits and `_`, no digit first".to_owned(),
            )
        };
        report.fault(&literal, wrong, cure);
        None
    }

    /// The value as a string that holds an annotation of Python.
    pub(crate) fn annotation(&self, report: &mut Report) -> Option<String> {
        let literal = self.string(report)?;
        let annotation = literal.value();
        let one_line = !annotation.contains(['\n', '\r']);
        if annotation.trim().is_empty() || !one_line || !names::is_balanced(&annotation) {
            report.fault(
                &literal,
                "this is not an annotation in Python",
                "write a type as a stub has it, on one line, as in `py = \"Sequence[int] | None\"`",
            );
            return None;
        }
        Some(annotation.trim().to_owned())
    }

    /// Refuses a value: the key says all.
    pub(crate) fn flag(&self, report: &mut Report) {
        if let Some(value) = &self.value {
            report.fault(
                value,
                format!("`{}` takes no value", self.key),
                format!("write `{}` alone", self.key),
            );
        }
    }
}

impl ToTokens for Entry {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.key.to_tokens(tokens);
        self.value.to_tokens(tokens);
    }
}

/// The entries of all `#[proxy(…)]` among the attributes of one owner.
pub(crate) fn parse_helper(attributes: &[Attribute], owner: &Owner, report: &mut Report) -> Vec<Entry> {
    let mut entries = Vec::new();
    for attribute in attributes {
        if strip::is_proxy(&attribute.meta) {
            parse_helper_meta(&attribute.meta, owner, &mut entries, report);
        } else if let Some((_, metas)) = strip::split_cfg_attr(attribute) {
            check_conditional(&metas, owner, report);
        }
    }
    entries
}

fn parse_helper_meta(meta: &Meta, owner: &Owner, entries: &mut Vec<Entry>, report: &mut Report) {
    match meta {
        Meta::List(list) if !list.tokens.is_empty() => {
            parse_entries(list.tokens.clone(), owner, entries, report);
        }
        _ => report.fault(
            meta,
            "`#[proxy]` says nothing",
            format!("write `#[proxy(…)]` with one of {}, or remove it", listed(owner.keys)),
        ),
    }
}

/// A condition that the caller has not evaluated: nothing may hang on it that the Rust side looks at. (The generator
/// evaluates it before it parses; the macro can't.)
fn check_conditional(metas: &[Meta], owner: &Owner, report: &mut Report) {
    for meta in metas.iter().filter(|meta| strip::is_proxy(meta)) {
        let mut entries = Vec::new();
        parse_helper_meta(meta, owner, &mut entries, report);
        for entry in &entries {
            if !owner.python_only.iter().any(|key| entry.key == key) {
                report.fault(
                    entry,
                    format!(
                        "whether `{}` holds depends on a condition that the macro cannot evaluate",
                        entry.key
                    ),
                    "write the method twice, one behind `#[cfg(…)]` and one behind `#[cfg(not(…))]`",
                );
            }
        }
    }
}

/// Splits what stands in the parentheses of an attribute.
pub(crate) fn parse_entries(tokens: TokenStream, owner: &Owner, entries: &mut Vec<Entry>, report: &mut Report) {
    for part in split_at_commas(tokens) {
        let Some(entry) = parse_entry(part, report) else {
            continue;
        };
        if !owner.keys.iter().any(|key| entry.key == key) {
            report.fault(
                &entry.key,
                format!("{} knows no `{}`", owner.what, entry.key),
                advise(&entry.key, owner),
            );
        } else if entries.iter().any(|earlier| earlier.key == entry.key) {
            report.fault(
                &entry,
                format!("`{}` is said twice", entry.key),
                "remove one of the two",
            );
        } else {
            entries.push(entry);
        }
    }
}

fn parse_entry(part: Vec<TokenTree>, report: &mut Report) -> Option<Entry> {
    let all: TokenStream = part.iter().cloned().collect();
    let mut rest = part.into_iter();
    let key = match rest.next()? {
        TokenTree::Ident(key) => key,
        _ => {
            report.fault(all, "a key is expected here", "write `key` or `key = value`");
            return None;
        }
    };
    let value = match rest.next() {
        None => None,
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => {
            let value: TokenStream = rest.collect();
            if value.is_empty() {
                report.fault(
                    &key,
                    format!("`{key} =` has no value"),
                    format!("write `{key} = …`, or `{key}` alone"),
                );
                return None;
            }
            Some(value)
        }
        Some(_) => {
            report.fault(
                all,
                format!("`=` is expected behind `{key}`"),
                format!("write `{key} = …`"),
            );
            return None;
        }
    };
    Some(Entry { key, value })
}

/// Splits at commas outside of parentheses (a token tree keeps those together) and of `<…>`.
pub(crate) fn split_at_commas(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    let mut open_angles = 0_usize;
    let mut behind_minus = false;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                '<' => open_angles += 1,
                '>' if !behind_minus => open_angles = open_angles.saturating_sub(1),
                ',' if open_angles == 0 => {
                    parts.push(Vec::new());
                    continue;
                }
                _ => {}
            }
            behind_minus = punct.as_char() == '-';
        } else {
            behind_minus = false;
        }
        if let Some(part) = parts.last_mut() {
            part.push(token);
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn advise(key: &Ident, owner: &Owner) -> String {
    let key = key.to_string();
    match key.as_str() {
        "call" if owner.keys.contains(&"child") => {
            return "remove it: a call is what a method with a receiver and no kind becomes".to_owned();
        }
        "self" | "self_return" if owner.keys.contains(&"child") => {
            return "remove it: a method that returns `&mut Self`, or a `Result` of it, is recognised".to_owned();
        }
        "live" | "snapshot" if owner.keys.contains(&"property") => {
            return format!("write `property, {key}`");
        }
        _ => {}
    }
    match names::nearest(&key, owner.keys) {
        Some(nearest) => format!("write `{nearest}`, or another of {}", listed(owner.keys)),
        None if owner.keys.is_empty() => "remove it: nothing can be said here".to_owned(),
        None => format!("write one of {}", listed(owner.keys)),
    }
}

/// `a`, `b`, `c`.
pub(crate) fn listed(keys: &[&str]) -> String {
    keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
}

/// The identifier at a place that has none of its own.
pub(crate) fn placeholder() -> Ident {
    Ident::new("unnamed", Span::call_site())
}
