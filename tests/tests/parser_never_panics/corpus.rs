//! Real sources, cut into small pieces: a change that matters is hit sooner when there is little else to hit.

use std::fs;
use std::path::Path;

use syn::spanned::Spanned;
use syn::{ImplItem, Item, ItemImpl};

use crate::random::Random;

/// Items as text.
pub(crate) struct Corpus(Vec<String>);

impl Corpus {
    pub(crate) fn pick(&self, random: &mut Random) -> &str {
        &self.0[random.below(self.0.len())]
    }
}

/// Reads the annotated sources of the workspace, wrong ones among them.
pub(crate) fn read() -> Corpus {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut pieces = Vec::new();
    for folder in ["driver/src", "examples", "generator/tests/faults", "tests/ui"] {
        read_folder(&root.join(folder), &mut pieces);
    }
    assert!(
        pieces.len() > 100,
        "the corpus is nearly empty: do the sources still stand where this looks for them?"
    );
    Corpus(pieces)
}

fn read_folder(folder: &Path, pieces: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    // The order of a folder differs between machines; the inputs must not.
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read_folder(&path, pieces);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && let Ok(text) = fs::read_to_string(&path)
            && let Ok(file) = syn::parse_file(&text)
        {
            file.items.iter().for_each(|item| cut(item, pieces));
        }
    }
}

fn cut(item: &Item, pieces: &mut Vec<String>) {
    match item {
        Item::Mod(module) => {
            module
                .content
                .iter()
                .flat_map(|(_, items)| items)
                .for_each(|item| cut(item, pieces));
        }
        Item::Impl(block) if block.trait_.is_none() => cut_block(block, pieces),
        Item::Fn(_) | Item::Enum(_) | Item::Struct(_) | Item::Type(_) => {
            // Bodies and long lists are the lexer's affair.
            pieces.extend(item.span().source_text().filter(|text| text.len() < 1500));
        }
        _ => {}
    }
}

/// One piece for each method, under the block's own head.
fn cut_block(block: &ItemImpl, pieces: &mut Vec<String>) {
    let Some(text) = block.span().source_text() else { return };
    let Some(head) = text.split_once('{').map(|(head, _)| head) else {
        return;
    };
    for member in &block.items {
        if let (ImplItem::Fn(method), Some(whole)) = (member, member.span().source_text()) {
            let body = method.block.span().source_text().unwrap_or_default();
            let signature = whole.strip_suffix(&body).unwrap_or(&whole);
            pieces.push(format!("{head}{{ {signature}{{ loop {{}} }} }}"));
        }
    }
}
