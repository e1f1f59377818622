//! The overloads of a function of `lib.py` that opens a connection, which take what makes it.

use super::super::dbapi::FACTORY;
use super::super::model::{Parameter, ParameterPassing};
use super::{layout, signature};

/// The parameter that `lib.py` adds to a function that opens a connection.
pub(super) const ANY_ROW_FACTORY: &str = "row_factory: RowFactory[Any] | None = None";

/// An overload of a function: what is in front of its parameters, these, and the type that it returns.
pub(super) fn overload(before: &str, parameters: &[String], returns: &str) -> String {
    format!(
        "@overload\n{}",
        layout::bracketed(0, before, parameters, &format!(") -> {returns}: ..."))
    )
}

/// The overloads of a function for a factory that is given, by its keyword and by position: they hand out what it makes.
pub(super) fn made_by_factory(before: &str, parameters: &[Parameter]) -> Vec<String> {
    let Some(place) = parameters.iter().position(|parameter| parameter.name == FACTORY) else {
        return Vec::new();
    };
    let mut given = parameters.to_vec();
    given[place].annotation = "Callable[..., MadeT]".to_owned();
    given[place].default = None;
    let mut by_position = given.clone();
    for parameter in &mut given[place..] {
        parameter.passing = ParameterPassing::KeywordOnly;
    }
    for parameter in &mut by_position[..place] {
        parameter.default = None;
    }
    let is_by_position = by_position[place].passing == ParameterPassing::Standard;
    let mut overloads = vec![given];
    overloads.extend(is_by_position.then_some(by_position));
    overloads
        .iter()
        .map(|parameters| {
            let row_factory = [ANY_ROW_FACTORY.to_owned()];
            let written = signature::with_keywords(signature::parameters(parameters), &row_factory);
            overload(before, &written, "MadeT")
        })
        .collect()
}
