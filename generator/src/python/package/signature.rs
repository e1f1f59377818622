//! Parameters as Python writes them, and as arguments that are passed on.

use super::super::dbapi::FACTORY;
use super::super::model::{Parameter, ParameterPassing};

/// The parameters with annotations and defaults, with the signs `/` and `*` where they belong.
pub(super) fn parameters(parameters: &[Parameter]) -> Vec<String> {
    let mut written = Vec::new();
    let mut positional_only = false;
    let mut keyword_only = false;
    for parameter in parameters {
        if positional_only && parameter.passing != ParameterPassing::PositionalOnly {
            written.push("/".to_owned());
            positional_only = false;
        }
        if !keyword_only && parameter.passing == ParameterPassing::KeywordOnly {
            written.push("*".to_owned());
            keyword_only = true;
        }
        positional_only |= parameter.passing == ParameterPassing::PositionalOnly;
        written.push(match &parameter.default {
            Some(default) => format!("{}: {} = {default}", parameter.name, parameter.annotation),
            None => format!("{}: {}", parameter.name, parameter.annotation),
        });
    }
    if positional_only {
        written.push("/".to_owned());
    }
    written
}

/// The parameters as arguments of a call that passes them on.
pub(super) fn arguments(parameters: &[Parameter]) -> Vec<String> {
    let argument = |parameter: &Parameter| match parameter.passing {
        ParameterPassing::KeywordOnly => format!("{0}={0}", parameter.name),
        _ => parameter.name.clone(),
    };
    parameters.iter().map(argument).collect()
}

/// The parameters as arguments of a factory, which gets them as `sqlite3` hands them on: what has a default by its name, so
/// that the factory may set it too, and without the factory itself.
pub(super) fn keyword_arguments(parameters: &[Parameter]) -> Vec<String> {
    let passed = parameters.iter().filter(|parameter| parameter.name != FACTORY);
    passed
        .map(|parameter| match &parameter.default {
            Some(_) => format!("{0}={0}", parameter.name),
            None => parameter.name.clone(),
        })
        .collect()
}

/// Adds keyword-only parameters of our own behind those of the API.
pub(super) fn with_keywords(mut written: Vec<String>, keywords: &[String]) -> Vec<String> {
    if !keywords.is_empty() && !written.iter().any(|parameter| parameter == "*") {
        written.push("*".to_owned());
    }
    written.extend(keywords.iter().cloned());
    written
}
