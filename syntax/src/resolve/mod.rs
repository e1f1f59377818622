//! The rules between items, and the API that all sources together declare.
//!
//! The macro sees one item at a time and goes by traits; the generator sees all of them, and needs to know: which class a
//! `child` hands out, who opens it, what an alias of `Result` hides, whether names are unique.

mod classes;
mod errors;
mod links;
mod spread;
mod success;
mod unique;

use crate::model::{Api, Description};
use crate::report::Report;

/// Merges what the files declare and checks what no single item shows.
///
/// With faults in the report, the result is what could be understood, and nothing may be generated from it.
pub fn resolve(mut descriptions: Vec<Description>, report: &mut Report) -> Api {
    success::resolve_success_types(&mut descriptions);
    let returned = errors::ReturnedErrors::of(&descriptions);
    let (mut blocks, mut functions, mut errors, mut options) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for description in descriptions {
        blocks.extend(description.blocks);
        functions.extend(description.functions);
        errors.extend(description.errors);
        options.extend(description.options);
    }
    let classes = classes::merge_blocks(blocks, report);
    let mut api = Api {
        classes,
        functions,
        errors,
        options,
    };
    classes::check_bases(&api, report);
    classes::check_lanes(&api, report);
    links::link(&mut api, report);
    spread::check_spreads(&api, report);
    unique::check_unique(&api, report);
    errors::check_reached(&api, &returned, report);
    api
}
