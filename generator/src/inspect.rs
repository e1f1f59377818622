//! `inspect`: the API as a table. Each member stands with its kind and lane, and with its signature on each side as it
//! was really generated: the signatures are read back from the rendered files.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_proxy_syntax::model::{
    Argument, Class, Colour, FreeFunction, Kind, Lane, Member, Receiver, Returns, RowsRole,
};
use async_proxy_syntax::names;
use syn::{ImplItem, Item};

use crate::lock::kind_in_words;
use crate::python_signatures::PythonSignatures;
use crate::run::Rendered;
use crate::text;

/// What stands where a side has no such member.
const ABSENT: &str = "-";

/// The table of an API.
pub fn table(rendered: &Rendered) -> String {
    let api = &rendered.described.api;
    let rust = rust_signatures(rendered);
    let python = PythonSignatures::read(rendered);
    let mut text = String::new();
    for class in &api.classes {
        add_class(&mut text, class, rendered, &rust, &python);
    }
    if !api.functions.is_empty() {
        text.push_str("functions\n");
        for function in &api.functions {
            let name = names::plain(&function.ident);
            let proxy = names::function_ident(function).to_string();
            let python_name = names::python_function_name(function);
            let other = rust.get(&(String::new(), proxy)).cloned();
            let signatures = match function.colour {
                Colour::Blocking => Signatures {
                    rust: Some(function_text(function)),
                    rust_async: other,
                    python: python.blocking("", &python_name),
                    python_async: python.asynchronous("", &python_name),
                },
                // The stub has both.
                Colour::Async => Signatures {
                    rust: other,
                    rust_async: Some(format!("async {}", function_text(function))),
                    python: python.blocking("", &names::twin_name(&python_name)),
                    python_async: python.blocking("", &python_name),
                },
            };
            let widths = Widths {
                name: name.len(),
                kind: 0,
            };
            let kind = format!("function{}", rendered.submodule_of(&python_name));
            add_row(&mut text, &name, &kind, "main", &widths, &signatures);
            add_reason(&mut text, "not in Python", function.python.rust_only.as_deref());
        }
        text.push('\n');
    }
    for errors in &api.errors {
        let _ = writeln!(text, "errors {}", names::plain(&errors.ident));
        for variant in &errors.variants {
            let _ = writeln!(text, "  {:<24}{}", names::plain(&variant.ident), variant.exception);
        }
        text.push('\n');
    }
    for options in &api.options {
        let what = if options.is_value { "value" } else { "options" };
        let _ = writeln!(text, "{what} {}", names::plain(&options.ident));
        for field in &options.fields {
            let default = field
                .default
                .as_deref()
                .map_or_else(|| "required".to_owned(), |value| format!("= {value}"));
            let _ = writeln!(
                text,
                "  {:<24}{:<32}{default}",
                names::plain(&field.ident),
                text::of_type(&field.ty)
            );
        }
        text.push('\n');
    }
    text
}

/// The four signatures of a member.
struct Signatures {
    rust: Option<String>,
    rust_async: Option<String>,
    python: Option<String>,
    python_async: Option<String>,
}

fn add_class(
    text: &mut String,
    class: &Class,
    rendered: &Rendered,
    rust: &BTreeMap<(String, String), String>,
    python: &PythonSignatures,
) {
    let name = names::plain(&class.ident);
    let proxy = names::proxy_ident(class.colour, &class.ident, &class.options).to_string();
    let python_class = names::python_class_name(&class.ident, &class.options);
    let sharing = match class.colour {
        Colour::Async => "awaited, with blocking twins",
        Colour::Blocking if class.is_shared() => "shared between threads",
        Colour::Blocking => "owned by its worker",
    };
    let in_python = if rendered.has_python() {
        let place = rendered.submodule_of(&python_class);
        format!("; {python_class} in Python{place}")
    } else {
        String::new()
    };
    let base = class
        .options
        .extends
        .as_ref()
        .map(|base| format!("; extends {base}"))
        .unwrap_or_default();
    let _ = writeln!(text, "class {name} (proxy {proxy}{in_python}{base}; {sharing})");
    let widths = Widths {
        name: class
            .members
            .iter()
            .map(|member| names::plain(&member.ident).len())
            .max()
            .unwrap_or_default(),
        kind: class
            .members
            .iter()
            .map(|member| kind_in_words(&member.kind).len())
            .max()
            .unwrap_or_default(),
    };
    for member in &class.members {
        let (blocking, asynchronous) = python_names(class, member);
        let is_setter = matches!(member.kind, Kind::Setter { .. });
        let own = method_text(
            &member.ident,
            &member.generics,
            member.receiver,
            &member.arguments,
            &member.returns,
        );
        let signatures = match class.colour {
            Colour::Blocking => Signatures {
                rust: Some(own),
                rust_async: rust.get(&(proxy.clone(), names::plain(&member.ident))).cloned(),
                python: python.of_member(false, &python_class, &blocking, is_setter),
                python_async: python.of_member(true, &python_class, &asynchronous, is_setter),
            },
            Colour::Async => twin_signatures(class, member, own, rust, python),
        };
        let lane = member.lane.as_ref().map_or("main", |Lane { name }| name.as_str());
        add_row(
            text,
            &names::plain(&member.ident),
            &kind_in_words(&member.kind),
            lane,
            &widths,
            &signatures,
        );
        if let Kind::Skip { reason } = &member.kind {
            let only = match class.colour {
                Colour::Blocking => "blocking only",
                Colour::Async => "async only",
            };
            add_reason(text, only, Some(reason));
        }
        add_reason(text, "no blocking twin", member.no_twin.as_deref());
        let is_skipped = matches!(member.kind, Kind::Skip { .. }) && class.colour == Colour::Async;
        let rust_only = member.python.rust_only.as_deref().filter(|_| !is_skipped);
        add_reason(text, "not in Python", rust_only);
        add_reason(text, "by hand in Python", member.python.by_hand.as_deref());
    }
    text.push('\n');
}

/// The signatures of a member of an async API: its author's, and those of its twins. The stub has both faces of Python.
fn twin_signatures(
    class: &Class,
    member: &Member,
    own: String,
    rust: &BTreeMap<(String, String), String>,
    python: &PythonSignatures,
) -> Signatures {
    let proxy = names::proxy_ident(class.colour, &class.ident, &class.options).to_string();
    let python_class = names::python_class_name(&class.ident, &class.options);
    let (name, python_name) = (names::plain(&member.ident), names::python_member_name(member));
    let twin = if class.options.twins {
        names::twin_name(&name)
    } else {
        name
    };
    let awaited = python.blocking(&python_class, &python_name);
    let blocking = if !member.asynchronous && member.kind != Kind::Stream {
        awaited.clone()
    } else if class.opened_by.is_some() {
        python.blocking(&python_class, &names::twin_name(&python_name))
    } else {
        python.blocking(&names::blocking_form(&python_class), &python_name)
    };
    Signatures {
        rust: rust.get(&(proxy, twin)).cloned(),
        rust_async: Some(if member.asynchronous {
            format!("async {own}")
        } else {
            own
        }),
        python: blocking,
        python_async: awaited,
    }
}

/// How wide the columns of a class's table are.
struct Widths {
    name: usize,
    kind: usize,
}

/// What a member is called on each side of Python.
fn python_names(class: &Class, member: &Member) -> (String, String) {
    let (blocking, asynchronous) = match &member.kind {
        Kind::Rows(RowsRole::Iterate) => ("__iter__".to_owned(), "__aiter__".to_owned()),
        // A setter is the other half of its property.
        Kind::Setter { property, .. } => {
            let property = class.members.iter().find(|candidate| candidate.ident == *property);
            let name = names::python_member_name(property.unwrap_or(member));
            (name.clone(), name)
        }
        _ => (names::python_member_name(member), names::python_member_name(member)),
    };
    (blocking, asynchronous)
}

fn add_row(text: &mut String, name: &str, kind: &str, lane: &str, widths: &Widths, signatures: &Signatures) {
    let _ = writeln!(text, "  {name:<0$}  {kind:<1$}  lane {lane}", widths.name, widths.kind);
    let absent = || ABSENT.to_owned();
    for (side, signature) in [
        ("Rust", signatures.rust.clone().unwrap_or_else(absent)),
        ("Rust async", signatures.rust_async.clone().unwrap_or_else(absent)),
        ("Python", signatures.python.clone().unwrap_or_else(absent)),
        ("Python async", signatures.python_async.clone().unwrap_or_else(absent)),
    ] {
        let _ = writeln!(text, "      {side:<14}{signature}");
    }
}

fn add_reason(text: &mut String, what: &str, reason: Option<&str>) {
    if let Some(reason) = reason {
        let _ = writeln!(text, "      {what}: {reason}");
    }
}

fn function_text(function: &FreeFunction) -> String {
    method_text(
        &function.ident,
        &function.generics,
        Receiver::None,
        &function.arguments,
        &function.returns,
    )
}

fn method_text(
    ident: &syn::Ident,
    generics: &syn::Generics,
    receiver: Receiver,
    arguments: &[Argument],
    returns: &Returns,
) -> String {
    let receiver = match receiver {
        Receiver::None => None,
        Receiver::Shared => Some("&self".to_owned()),
        Receiver::Exclusive => Some("&mut self".to_owned()),
        Receiver::Owned => Some("self".to_owned()),
    };
    let arguments = arguments
        .iter()
        .map(|argument| format!("{}: {}", argument.ident, text::of_type(&argument.ty)));
    let list: Vec<String> = receiver.into_iter().chain(arguments).collect();
    let returns = returns
        .ty
        .as_ref()
        .map(|ty| format!(" -> {}", text::of_type(ty)))
        .unwrap_or_default();
    let generics = text::of_generics(generics);
    let (parameters, clause) = match generics.split_once(" where ") {
        Some((parameters, clause)) => (parameters, format!(" where {}", clause.trim_end_matches(','))),
        None => (generics.as_str(), String::new()),
    };
    format!("fn {ident}{parameters}({}){returns}{clause}", list.join(", "))
}

/// The signatures of the proxies, by class (none for functions) and name.
fn rust_signatures(rendered: &Rendered) -> BTreeMap<(String, String), String> {
    let mut signatures = BTreeMap::new();
    for file in &rendered.described.files {
        for (_, tokens) in crate::rust::emissions(file) {
            if let Ok(file) = syn::parse2::<syn::File>(tokens) {
                collect(&file.items, &mut signatures);
            }
        }
    }
    signatures
}

/// A proxy's signature without the path that emitted code gives its types: they are all of one crate.
fn proxy_signature(signature: &syn::Signature) -> String {
    text::of_signature(signature).replace("::async_proxy::", "")
}

fn collect(items: &[Item], signatures: &mut BTreeMap<(String, String), String>) {
    for item in items {
        match item {
            Item::Fn(function) => {
                let key = (String::new(), names::plain(&function.sig.ident));
                signatures.insert(key, proxy_signature(&function.sig));
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let class = text::of_type(&block.self_ty);
                let class = class.split('<').next().unwrap_or_default().to_owned();
                for member in &block.items {
                    if let ImplItem::Fn(method) = member {
                        let key = (class.clone(), names::plain(&method.sig.ident));
                        signatures.insert(key, proxy_signature(&method.sig));
                    }
                }
            }
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, signatures);
                }
            }
            _ => {}
        }
    }
}
