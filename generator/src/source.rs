//! Finds the source files of a crate as rustc does, from its root through its `mod` declarations, and parses them.
//!
//! What is not there under the config's features is left out on the way, so that the parser of the description sees what
//! the compiler sees.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use async_proxy_syntax::depth::{find_deeper_than, find_too_deep};
use async_proxy_syntax::expand::TOO_DEEP;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Item, ItemMod};

use crate::cfg::{self, Truth};
use crate::config::Config;
use crate::diagnose::{Diagnostics, FileId, Sources};
use crate::renamed;
use crate::select;

/// How deep a file may be nested where nothing is annotated. An annotated item has the macro's limit, which is lower.
const DEEPEST: usize = 1000;

/// A source file, parsed.
pub struct SourceFile {
    /// Which of the [`Sources`] it is.
    pub id: FileId,
    /// Its path relative to the config, with `/`.
    pub path: String,
    /// The modules that lead to it from the crate's root; empty for the root.
    pub modules: Vec<String>,
    /// What of it is there under the features of the config.
    pub syntax: syn::File,
}

/// Reads the crate of a config: every file that its root leads to, the root first, then its modules in the order of
/// their declarations, each with its own modules behind it.
pub fn read(config: &Config, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Vec<SourceFile> {
    let mut reader = Reader {
        folder: &config.folder,
        features: &config.source.features,
        sources,
        files: Vec::new(),
        open: BTreeSet::new(),
    };
    let place = Place {
        path: config.source.root.clone(),
        modules: Vec::new(),
        owns_folder: true,
    };
    reader.read_file(place, None, diagnostics);
    reader.files
}

struct Reader<'a> {
    folder: &'a Path,
    features: &'a [String],
    sources: &'a mut Sources,
    files: Vec<SourceFile>,
    /// The files that lead to the one being read, to notice a circle.
    open: BTreeSet<PathBuf>,
}

/// A file to be read.
struct Place {
    path: String,
    modules: Vec<String>,
    /// Whether its modules lie beside it: a crate's root, a `mod.rs` and a file named by `#[path]`. The modules of any
    /// other `x.rs` lie in `x/`.
    owns_folder: bool,
}

/// Where the modules that a list of items declares are looked for.
struct Surroundings {
    /// The file's own folder.
    file_folder: String,
    /// The folder of the modules that it declares.
    module_folder: String,
    /// Inside of an inline module `#[path]` counts from [`Self::module_folder`], elsewhere from the file's folder.
    inline: bool,
    modules: Vec<String>,
}

/// A `mod x;` whose file is still to be read, in the order of declaration.
struct Declared {
    place: Place,
    span: Span,
}

impl Reader<'_> {
    fn read_file(&mut self, place: Place, declared_at: Option<Span>, diagnostics: &mut Diagnostics) {
        let full = self.folder.join(&place.path);
        let Some(text) = read_text(&full, &place.path, declared_at, self.sources, diagnostics) else {
            return;
        };
        if !self.open.insert(full.clone()) {
            let span = declared_at.unwrap_or_else(Span::call_site);
            diagnostics.error(span, format!("{} includes itself\nhelp: remove this `mod`", place.path));
            return;
        }
        let id = self.sources.add_text(&place.path, &text);
        if let Some(mut syntax) = parse(&text, id, self.sources, diagnostics) {
            renamed::follow(&mut syntax.items);
            let position = self.files.len();
            let mut declared = Vec::new();
            if matches!(cfg::evaluate(&syntax.attrs, self.features), Truth::False) {
                syntax.items.clear();
            }
            let surroundings = Surroundings::of_file(&place);
            self.select(&mut syntax.items, &surroundings, &mut declared, diagnostics);
            self.files.insert(
                position,
                SourceFile {
                    id,
                    path: place.path,
                    modules: place.modules,
                    syntax,
                },
            );
            for module in declared {
                self.read_file(module.place, Some(module.span), diagnostics);
            }
        }
        self.open.remove(&full);
    }

    /// Leaves in a list of items what is there, and notes the modules that lie in files of their own.
    fn select(
        &mut self,
        items: &mut Vec<Item>,
        surroundings: &Surroundings,
        declared: &mut Vec<Declared>,
        diagnostics: &mut Diagnostics,
    ) {
        items.retain_mut(|item| {
            let annotated = select::is_annotated(item);
            let module = matches!(item, Item::Mod(_));
            if let Some(attributes) = select::attributes_mut(item)
                && (annotated || module)
            {
                cfg::expand(attributes, self.features, diagnostics);
            }
            let truth =
                select::attributes(item).map_or(Truth::True, |attributes| cfg::evaluate(attributes, self.features));
            match truth {
                Truth::False => return false,
                Truth::Unknown(_) if annotated => cfg::refuse_unknown(truth, diagnostics),
                Truth::Unknown(_) if module => {
                    if self.leads_to_annotated(item, surroundings) {
                        cfg::refuse_unknown(truth, diagnostics);
                    }
                    return false;
                }
                _ => {}
            }
            if annotated && let Some(place) = find_too_deep(&item.to_token_stream()) {
                diagnostics.error(place, TOO_DEEP);
                return false;
            }
            if annotated {
                select::select_inside(item, self.features, diagnostics);
            } else if let Item::Mod(module) = item {
                self.select_module(module, surroundings, declared, diagnostics);
            }
            true
        });
    }

    fn select_module(
        &mut self,
        module: &mut ItemMod,
        surroundings: &Surroundings,
        declared: &mut Vec<Declared>,
        diagnostics: &mut Diagnostics,
    ) {
        if module.content.is_some() {
            let inner = surroundings.of_inline(module);
            if let Some((_, items)) = &mut module.content {
                self.select(items, &inner, declared, diagnostics);
            }
            return;
        }
        let span = module
            .mod_token
            .span()
            .join(module.ident.span())
            .unwrap_or_else(|| module.ident.span());
        match surroundings.file_of(module, self.folder) {
            Ok(place) => declared.push(Declared { place, span }),
            Err(message) => diagnostics.error(span, message),
        }
    }

    /// Whether there is something annotated behind a `mod` whose `cfg` has no answer. Faults in there are not ours to
    /// report: the compiler may never see them.
    fn leads_to_annotated(&mut self, item: &Item, surroundings: &Surroundings) -> bool {
        let mut scratch = Reader {
            folder: self.folder,
            features: self.features,
            sources: self.sources,
            files: Vec::new(),
            open: self.open.clone(),
        };
        let mut ignored = Diagnostics::default();
        let mut declared = Vec::new();
        let mut module = item.clone();
        let Item::Mod(content) = &mut module else { return false };
        scratch.select_module(content, surroundings, &mut declared, &mut ignored);
        for module in declared {
            scratch.read_file(module.place, Some(module.span), &mut ignored);
        }
        let inline = content.content.iter().any(|(_, items)| holds_annotated(items));
        inline || scratch.files.iter().any(|file| holds_annotated(&file.syntax.items))
    }
}

fn holds_annotated(items: &[Item]) -> bool {
    items.iter().any(|item| match item {
        Item::Mod(module) => module.content.iter().any(|(_, items)| holds_annotated(items)),
        other => select::is_annotated(other),
    })
}

impl Surroundings {
    fn of_file(place: &Place) -> Self {
        let (folder, name) = place.path.rsplit_once('/').unwrap_or(("", &place.path));
        let module_folder = if place.owns_folder {
            folder.to_owned()
        } else {
            join(folder, name.strip_suffix(".rs").unwrap_or(name))
        };
        Self {
            file_folder: folder.to_owned(),
            module_folder,
            inline: false,
            modules: place.modules.clone(),
        }
    }

    fn of_inline(&self, module: &ItemMod) -> Self {
        let module_folder = match cfg::path_attribute(&module.attrs) {
            Some((path, _)) => join(self.path_base(), &path),
            None => join(&self.module_folder, &file_name(module)),
        };
        Self {
            file_folder: self.file_folder.clone(),
            module_folder,
            inline: true,
            modules: self.modules_with(module),
        }
    }

    fn path_base(&self) -> &str {
        if self.inline {
            &self.module_folder
        } else {
            &self.file_folder
        }
    }

    fn modules_with(&self, module: &ItemMod) -> Vec<String> {
        self.modules.iter().cloned().chain([file_name(module)]).collect()
    }

    /// The file of a `mod x;`, or what is wrong with it.
    fn file_of(&self, module: &ItemMod, folder: &Path) -> Result<Place, String> {
        let modules = self.modules_with(module);
        if let Some((path, _)) = cfg::path_attribute(&module.attrs) {
            let path = join(self.path_base(), &path);
            return if folder.join(&path).is_file() {
                Ok(Place {
                    path,
                    modules,
                    owns_folder: true,
                })
            } else {
                Err(format!(
                    "there is no file {path}\nhelp: create it, or name the right one in `#[path = \"…\"]`"
                ))
            };
        }
        let name = file_name(module);
        let beside = join(&self.module_folder, &format!("{name}.rs"));
        let inside = join(&self.module_folder, &format!("{name}/mod.rs"));
        match (folder.join(&beside).is_file(), folder.join(&inside).is_file()) {
            (true, false) => Ok(Place {
                path: beside,
                modules,
                owns_folder: false,
            }),
            (false, true) => Ok(Place {
                path: inside,
                modules,
                owns_folder: true,
            }),
            (true, true) => Err(format!(
                "both {beside} and {inside} are there for module `{name}`\nhelp: remove one of them"
            )),
            (false, false) => Err(format!(
                "there is no file for module `{name}`\nhelp: create {beside} or {inside}"
            )),
        }
    }
}

/// A module's name without `r#`, as its file has it.
fn file_name(module: &ItemMod) -> String {
    module.ident.unraw().to_string()
}

/// Joins two paths that are written with `/`, and takes out `.` and `..` where that is possible.
pub(crate) fn join(folder: &str, tail: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(tail.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// Reads a file. What stands before the first token and is no Rust (a byte order mark, a `#!` line) is blanked out, so
/// that every byte keeps its place.
fn read_text(
    full: &Path,
    shown: &str,
    declared_at: Option<Span>,
    sources: &mut Sources,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let bytes = match fs::read(full) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("cannot read {shown}: {error}\nhelp: create the file, or make it readable");
            match declared_at {
                Some(span) => diagnostics.error(span, message),
                None => diagnostics.error_without_place(message),
            }
            return None;
        }
    };
    match String::from_utf8(bytes) {
        Ok(text) => Some(blank_first_line(text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            // Up to there the two texts are the same, and there the sign for a broken character stands.
            let file = sources.add_text(shown, &String::from_utf8_lossy(error.as_bytes()));
            let place = good..good + char::REPLACEMENT_CHARACTER.len_utf8();
            diagnostics.error_in(file, place, "this is not UTF-8\nhelp: save the file as UTF-8");
            None
        }
    }
}

fn blank_first_line(text: String) -> String {
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let is_script = text
        .strip_prefix("#!")
        .is_some_and(|rest| !rest.trim_start().starts_with('['));
    if !is_script {
        return text;
    }
    let end = text.find('\n').unwrap_or(text.len());
    " ".repeat(end) + &text[end..]
}

fn parse(text: &str, id: FileId, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Option<syn::File> {
    let tokens = match TokenStream::from_str(text) {
        Ok(tokens) => tokens,
        Err(error) => {
            sources.claim_spans(id, error.span());
            diagnostics.error(
                error.span(),
                "this is not Rust\nhelp: close every bracket, string and comment; `cargo check` says more",
            );
            return None;
        }
    };
    if let Some(first) = tokens.clone().into_iter().next() {
        sources.claim_spans(id, TokenTree::span(&first));
    }
    if let Some(place) = find_deeper_than(&tokens, DEEPEST) {
        diagnostics.error(place, TOO_DEEP);
        return None;
    }
    match syn::parse2(tokens) {
        Ok(file) => Some(file),
        Err(error) => {
            for one in error {
                let message = format!("{one}\nhelp: this is not Rust yet; `cargo check` says more");
                match sources.file_of(one.span()) {
                    Some(_) => diagnostics.error(one.span(), message),
                    // The end of the text has no token, and so no span.
                    None => diagnostics.error_in(id, text.trim_end().len()..text.trim_end().len(), message),
                }
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_without_dots() {
        assert_eq!(join("driver/src", "../other/./lib.rs"), "driver/other/lib.rs");
        assert_eq!(join("", "../lib.rs"), "../lib.rs");
        assert_eq!(join("../a", "../../b"), "../../b");
    }

    #[test]
    fn a_script_line_is_blanked_and_an_attribute_is_not() {
        assert_eq!(
            blank_first_line("#!/bin/x\nfn a() {}".to_owned()),
            "        \nfn a() {}"
        );
        assert_eq!(blank_first_line("#![allow(x)]\n".to_owned()), "#![allow(x)]\n");
        assert_eq!(blank_first_line("\u{feff}fn a() {}".to_owned()), "fn a() {}");
    }
}
