//! The files of proxies hold what the macro makes, to the letter.

use std::fs;
use std::path::{Path, PathBuf};

use async_proxy_syntax::expand::expand;
use async_proxy_syntax::model::Colour;
use generator::config::load;
use generator::render;
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

use crate::project::{Project, TOY};

/// What the macro adds to the annotated items of a source file, pretty-printed.
fn expanded(source: &str) -> String {
    let file = syn::parse_file(source).unwrap();
    let mut proxies = TokenStream::new();
    for mut item in file.items {
        let Some((colour, attribute)) = take_annotation(&mut item) else {
            continue;
        };
        let whole: syn::File = syn::parse2(expand(colour, attribute, item.into_token_stream())).unwrap();
        // The first item is the original one.
        proxies.extend(whole.items.iter().skip(1).map(ToTokens::to_token_stream));
    }
    prettyplease::unparse(&syn::parse2(proxies).unwrap())
}

fn take_annotation(item: &mut Item) -> Option<(Colour, TokenStream)> {
    let attributes: &mut Vec<Attribute> = match item {
        Item::Impl(item) => &mut item.attrs,
        Item::Fn(item) => &mut item.attrs,
        Item::Enum(item) => &mut item.attrs,
        Item::Struct(item) => &mut item.attrs,
        _ => return None,
    };
    let colour_of = |one: &Attribute| {
        let last = one.path().segments.last()?;
        [Colour::Blocking, Colour::Async]
            .into_iter()
            .find(|colour| last.ident == colour.attribute_name())
    };
    let (position, colour) = attributes
        .iter()
        .enumerate()
        .find_map(|(position, one)| Some((position, colour_of(one)?)))?;
    match attributes.remove(position).meta {
        Meta::List(list) => Some((colour, list.tokens)),
        _ => Some((colour, TokenStream::new())),
    }
}

/// The body of a generated file, and the source file that its header names.
fn split(text: &str) -> (&str, &str) {
    let (header, body) = text.split_once("\n\n").unwrap();
    let source = header.split_once(" from ").unwrap().1.split_once(';').unwrap().0;
    (source, body)
}

/// Compares each file of proxies of a config with the expansion of its source; the number of files.
fn compare(config: &Path) -> usize {
    let config = load(config).unwrap();
    let rendered = render(&config).unwrap_or_else(|faults| panic!("{}", faults.render(false)));
    let files: Vec<_> = rendered
        .files
        .iter()
        .filter(|file| file.path.starts_with("rust/"))
        .collect();
    for file in &files {
        let (source, body) = split(&file.text);
        let source: PathBuf = config.folder.join(source);
        assert_eq!(body, expanded(&fs::read_to_string(source).unwrap()), "{}", file.path);
    }
    files.len()
}

#[test]
fn the_files_of_proxies_equal_the_expansion_of_a_toy() {
    let project = Project::with_root(TOY);
    assert_eq!(compare(&project.path("async-proxy.toml")), 1);
}

#[test]
fn the_files_of_proxies_equal_the_expansion_of_the_driver_and_of_the_examples() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert!(compare(&root.join("async-proxy.toml")) >= 2);
    assert!(compare(&root.join("examples/journal/async-proxy.toml")) >= 2);
}
