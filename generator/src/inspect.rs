//! `inspect`: the API as a table. Each member stands with its kind and lane, and with its signature on each side as it
//! was really generated: the signatures are read back from the rendered files.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_proxy_syntax::model::{Argument, Class, FreeFunction, Kind, Lane, Receiver, Returns};
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
            let signatures = Signatures {
                rust: function_text(function),
                rust_async: rust.get(&(String::new(), proxy)).cloned(),
                python: python.blocking("", &python_name),
                python_async: python.asynchronous("", &python_name),
            };
            add_row(&mut text, &name, "function", "main", &signatures);
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
        let _ = writeln!(text, "options {}", names::plain(&options.ident));
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
    rust: String,
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
    let proxy = names::proxy_ident(&class.ident, &class.options).to_string();
    let python_class = names::python_class_name(&class.ident, &class.options);
    let sharing = if class.is_shared() {
        "shared between threads"
    } else {
        "owned by its worker"
    };
    let in_python = if rendered.has_python() {
        format!("; {python_class} in Python")
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
    for member in &class.members {
        let python_name = match &member.kind {
            // In Python a setter is the other half of its property.
            Kind::Setter { property, .. } => names::plain(property),
            _ => names::python_member_name(member),
        };
        let is_setter = matches!(member.kind, Kind::Setter { .. });
        let signatures = Signatures {
            rust: method_text(
                &member.ident,
                &member.generics,
                member.receiver,
                &member.arguments,
                &member.returns,
            ),
            rust_async: rust.get(&(proxy.clone(), names::plain(&member.ident))).cloned(),
            python: python.of_member(false, &python_class, &python_name, is_setter),
            python_async: python.of_member(true, &python_class, &python_name, is_setter),
        };
        let lane = member.lane.as_ref().map_or("main", |Lane { name }| name.as_str());
        add_row(
            text,
            &names::plain(&member.ident),
            &kind_in_words(&member.kind),
            lane,
            &signatures,
        );
        if let Kind::Skip { reason } = &member.kind {
            add_reason(text, "blocking only", Some(reason));
        }
        add_reason(text, "not in Python", member.python.rust_only.as_deref());
    }
    text.push('\n');
}

fn add_row(text: &mut String, name: &str, kind: &str, lane: &str, signatures: &Signatures) {
    let _ = writeln!(text, "  {name:<24}{kind:<24}lane {lane}");
    let absent = || ABSENT.to_owned();
    for (side, signature) in [
        ("Rust", signatures.rust.clone()),
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

fn collect(items: &[Item], signatures: &mut BTreeMap<(String, String), String>) {
    for item in items {
        match item {
            Item::Fn(function) => {
                let key = (String::new(), names::plain(&function.sig.ident));
                signatures.insert(key, text::of_signature(&function.sig));
            }
            Item::Impl(block) if block.trait_.is_none() => {
                let class = text::of_type(&block.self_ty);
                let class = class.split('<').next().unwrap_or_default().to_owned();
                for member in &block.items {
                    if let ImplItem::Fn(method) = member {
                        let key = (class.clone(), names::plain(&method.sig.ident));
                        signatures.insert(key, text::of_signature(&method.sig));
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
