//! From the model of an API to a Python package: first a Python model with every decision taken, then its text.

mod annotation;
mod dbapi;
mod docs;
mod exceptions;
mod extends;
pub mod lower;
mod members;
pub mod model;
mod names;
pub mod native;
pub mod package;
mod parameters;
mod reserved;
mod submodules;
#[cfg(test)]
mod tests;
pub mod values;

use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::output::File;

use model::Package;

/// Renders the Python targets: the source of the native module and the package in front of it. Faults go into
/// `diagnostics`; the files are used only if there are none.
pub fn render(package: &Package, config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    let mut files = native::render(package, config, diagnostics);
    files.extend(package::render(package, config, diagnostics));
    files
}
