//! What the tests of the parser share.

use async_proxy_syntax::model::{Api, Description};
use async_proxy_syntax::report::Report;
use async_proxy_syntax::{check, parse, resolve};

/// Runs the phases over sources, as the generator does.
pub(crate) fn read(sources: &[&str]) -> (Api, Vec<String>) {
    let mut report = Report::new();
    let descriptions: Vec<Description> = sources
        .iter()
        .map(|source| {
            let file = syn::parse_file(source).unwrap_or_else(|fault| panic!("{fault} in\n{source}"));
            let description = parse::parse_file(&file, &mut report);
            description
                .blocks
                .iter()
                .for_each(|block| check::check_block(block, &mut report));
            description
                .functions
                .iter()
                .for_each(|function| check::check_function(function, &mut report));
            description
                .errors
                .iter()
                .for_each(|errors| check::check_errors(errors, &mut report));
            description
                .options
                .iter()
                .for_each(|options| check::check_options(options, &mut report));
            description
        })
        .collect();
    let api = resolve::resolve(descriptions, &mut report);
    let faults = report.into_result().err().unwrap_or_default();
    (api, faults.iter().map(ToString::to_string).collect())
}

/// The API of right sources.
pub(crate) fn api(source: &str) -> Api {
    let (api, faults) = read(&[source]);
    assert_eq!(faults, [] as [String; 0]);
    api
}

/// What is wrong with sources: the first line of each fault.
pub(crate) fn faults(sources: &[&str]) -> Vec<String> {
    let (_, faults) = read(sources);
    for fault in &faults {
        assert!(fault.contains("\nhelp: "), "a fault without a cure: {fault}");
    }
    faults
        .iter()
        .map(|fault| fault.lines().next().unwrap_or_default().to_owned())
        .collect()
}
