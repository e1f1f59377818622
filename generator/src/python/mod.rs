//! From the model of an API to a Python package: first a Python model with every decision taken, then its text.

pub mod model;

use async_proxy_syntax::model::Api;

use crate::config::Config;
use crate::diagnose::Diagnostics;
use crate::output::File;

/// Renders the Python targets. It is called only for a config with a `[python]` table. Faults go into `diagnostics`; the
/// files are used only if there are none.
pub fn render(_api: &Api, _config: &Config, _diagnostics: &mut Diagnostics) -> Vec<File> {
    Vec::new()
}
