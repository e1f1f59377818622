//! `use async_proxy::async_proxy as described;`: an attribute under another name, within one file.
//!
//! An attribute is known by the last segment of its path. One that a `use` of the same file renames is given its own name
//! back before anything looks for it, its place kept.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::{Attribute, Item, Meta, UseTree};

use crate::select;

/// The attributes' own names.
const NAMES: [&str; 2] = ["async_proxy", "sync_proxy"];

/// A name that a `use` gives one of them.
struct Renamed {
    ident: Ident,
    own: &'static str,
}

/// Gives annotations back their own name.
pub fn follow(items: &mut [Item]) {
    let mut names = Vec::new();
    collect(items, &mut names);
    if !names.is_empty() {
        rename(items, &names);
    }
}

fn collect(items: &[Item], names: &mut Vec<Renamed>) {
    for item in items {
        match item {
            Item::Use(item) => collect_tree(&item.tree, names),
            Item::Mod(module) => {
                if let Some((_, items)) = &module.content {
                    collect(items, names);
                }
            }
            _ => {}
        }
    }
}

fn collect_tree(tree: &UseTree, names: &mut Vec<Renamed>) {
    match tree {
        UseTree::Path(path) => collect_tree(&path.tree, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| collect_tree(tree, names)),
        UseTree::Rename(rename) if rename.rename != "_" => {
            let own = NAMES.into_iter().find(|name| rename.ident == name);
            names.extend(own.map(|own| Renamed {
                ident: rename.rename.clone(),
                own,
            }));
        }
        _ => {}
    }
}

fn rename(items: &mut [Item], names: &[Renamed]) {
    for item in items {
        if let Some(attributes) = select::attributes_mut(item) {
            attributes
                .iter_mut()
                .for_each(|attribute| rename_attribute(attribute, names));
        }
        if let Item::Mod(module) = item
            && let Some((_, items)) = &mut module.content
        {
            rename(items, names);
        }
    }
}

fn rename_attribute(attribute: &mut Attribute, names: &[Renamed]) {
    let conditional = attribute.path().is_ident("cfg_attr");
    match &mut attribute.meta {
        Meta::List(list) if conditional => {
            list.tokens = std::mem::take(&mut list.tokens)
                .into_iter()
                .map(|token| own_name(token, names))
                .collect::<TokenStream>();
        }
        Meta::Path(path) => rename_path(path, names),
        Meta::List(list) => rename_path(&mut list.path, names),
        Meta::NameValue(value) => rename_path(&mut value.path, names),
    }
}

/// A path of one segment: a crate under another name still has the attribute as its last.
fn rename_path(path: &mut syn::Path, names: &[Renamed]) {
    if let Some(ident) = path.get_ident().and_then(|ident| own_ident(ident, names)) {
        *path = ident.into();
    }
}

fn own_name(token: TokenTree, names: &[Renamed]) -> TokenTree {
    match token {
        TokenTree::Ident(ident) => own_ident(&ident, names).unwrap_or(ident).into(),
        other => other,
    }
}

fn own_ident(ident: &Ident, names: &[Renamed]) -> Option<Ident> {
    let renamed = names.iter().find(|renamed| renamed.ident == *ident)?;
    Some(Ident::new(renamed.own, ident.span()))
}
