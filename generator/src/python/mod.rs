//! From the model of an API to a Python package: first a Python model with every decision taken, then its text.

mod annotation;
mod docs;
mod exceptions;
pub mod lower;
pub mod model;
mod names;
pub mod native;
mod parameters;

use async_proxy_syntax::model::Api;

use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::output::File;

/// Renders the Python targets: the source of the native module and the package in front of it. It is called only for a
/// config with a `[python]` table. Faults go into `diagnostics`; the files are used only if there are none.
pub fn render(api: &Api, config: &Config, diagnostics: &mut Diagnostics) -> Vec<File> {
    let Some(python) = &config.python else {
        return Vec::new();
    };
    let faults_before = diagnostics.len();
    let package = lower::lower(api, config, python, diagnostics);
    if diagnostics.len() > faults_before {
        return Vec::new();
    }
    native::render(&package, config, diagnostics)
}
