//! From the source files to the API that they declare, and to what each file declares by itself.

use async_proxy_syntax::check::{check_block, check_errors, check_function, check_options};
use async_proxy_syntax::model::{Api, Description};
use async_proxy_syntax::parse::parse_file;
use async_proxy_syntax::report::Report;
use async_proxy_syntax::resolve::resolve;

use crate::config::Config;
use crate::diagnose::{Diagnostics, Sources};
use crate::source;

/// A description, read: what everything is rendered from.
pub struct Described {
    /// The API.
    pub api: Api,
    /// What each file with annotated items declares, in source order.
    pub files: Vec<DescribedFile>,
}

/// What one source file declares.
pub struct DescribedFile {
    /// The file's path relative to the config, with `/`.
    pub path: String,
    /// The modules that lead to it from the crate's root; empty for the root.
    pub modules: Vec<String>,
    /// Its annotated items.
    pub description: Description,
}

/// Reads the sources of a config. What is wrong with them is in `diagnostics` then, all of it, and the result is to be
/// used only if nothing is.
pub fn describe(config: &Config, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Described {
    let files = source::read(config, sources, diagnostics);
    let mut report = Report::new();
    let mut described = Vec::new();
    let mut descriptions = Vec::new();
    for file in files {
        let description = parse_file(&file.syntax, &mut report);
        check(&description, &mut report);
        descriptions.push(description.clone());
        if holds_items(&description) {
            described.push(DescribedFile {
                path: file.path,
                modules: file.modules,
                description,
            });
        }
    }
    let api = resolve(descriptions, &mut report);
    if let Err(faults) = report.into_result() {
        for fault in faults {
            diagnostics.absorb(fault);
        }
    }
    if described.is_empty() && diagnostics.is_empty() {
        diagnostics.error_without_place(format!(
            "nothing is annotated in {} and the modules that it declares\nhelp: write `#[async_proxy]` on an `impl` block \
             of a blocking type, or on a free function that opens one",
            config.source.root
        ));
    }
    Described { api, files: described }
}

/// Applies the rules that one item shows, as the macro does.
fn check(description: &Description, report: &mut Report) {
    description.blocks.iter().for_each(|block| check_block(block, report));
    description
        .functions
        .iter()
        .for_each(|function| check_function(function, report));
    description
        .errors
        .iter()
        .for_each(|errors| check_errors(errors, report));
    description
        .options
        .iter()
        .for_each(|options| check_options(options, report));
}

/// Whether anything comes of a file: an alias alone gives nothing.
fn holds_items(description: &Description) -> bool {
    !(description.blocks.is_empty()
        && description.functions.is_empty()
        && description.errors.is_empty()
        && description.options.is_empty())
}
