//! The Rust target: the proxies that the macro makes at compile time, as files to read and review.

use std::collections::BTreeMap;

use async_proxy_syntax::emit::{emit_block, emit_errors, emit_function, emit_options};
use proc_macro2::{Ident, TokenStream};

use crate::config::Config;
use crate::describe::DescribedFile;
use crate::diagnose::Diagnostics;
use crate::header;
use crate::output::File;

/// Renders one file for each source file that has annotated items.
pub fn render(files: &[DescribedFile], config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    let mut rendered: BTreeMap<String, File> = BTreeMap::new();
    for file in files {
        let text = match print(file) {
            // An error enum, say, has no proxy.
            Ok(text) if text.is_empty() => continue,
            Ok(text) => text,
            Err(error) => {
                diagnostics.error_without_place(format!(
                    "the proxies of {} cannot be printed: {error}\nnote: this is a fault of the generator, not of the \
                     description; please report it with the file",
                    file.path
                ));
                continue;
            }
        };
        let path = output_path(file, config);
        let header = header::comment(config, &file.path, "//");
        if rendered
            .insert(path.clone(), File::new(path, format!("{header}\n{text}")))
            .is_some()
        {
            diagnostics.error_without_place(format!(
                "two source files would be written to the same file of proxies, one of them {}\nhelp: rename one of the \
                 modules",
                file.path
            ));
        }
    }
    rendered.into_values().collect()
}

/// What the macro makes of the items of a file, in their order, pretty-printed.
pub fn print(file: &DescribedFile) -> syn::Result<String> {
    let tokens: TokenStream = emissions(file).into_iter().map(|(_, tokens)| tokens).collect();
    Ok(prettyplease::unparse(&syn::parse2(tokens)?))
}

/// What the macro makes of each annotated item, in source order.
pub fn emissions(file: &DescribedFile) -> Vec<(&Ident, TokenStream)> {
    let description = &file.description;
    let mut emitted: Vec<(&Ident, TokenStream)> = Vec::new();
    emitted.extend(description.blocks.iter().map(|block| (&block.ident, emit_block(block))));
    emitted.extend(
        description
            .functions
            .iter()
            .map(|function| (&function.ident, emit_function(function))),
    );
    emitted.extend(
        description
            .errors
            .iter()
            .map(|errors| (&errors.ident, emit_errors(errors))),
    );
    emitted.extend(
        description
            .options
            .iter()
            .map(|options| (&options.ident, emit_options(options))),
    );
    emitted.sort_by_key(|(ident, _)| ident.span().byte_range().start);
    emitted
}

/// The proxies lie as the modules do: `rust/lib.rs`, `rust/sync/connection.rs`.
fn output_path(file: &DescribedFile, config: &Config) -> String {
    if file.modules.is_empty() {
        let root = &config.source.root;
        let name = root.rsplit_once('/').map_or(root.as_str(), |(_, name)| name);
        return format!("rust/{name}");
    }
    format!("rust/{}.rs", file.modules.join("/"))
}
