//! What the profile `dbapi` adds to the Python model: the parameters of `sqlite3` that only mean something in Python.

use super::model::{Argument, Docs, Made, Parameter, ParameterPassing};

/// The parameter that an object of a derived class is made by.
pub(super) const FACTORY: &str = "factory";
/// The parameter that confines a connection to its thread.
pub(super) const CHECK_SAME_THREAD: &str = "check_same_thread";
/// The parameter that `sqlite3` converts values by.
pub(super) const DETECT_TYPES: &str = "detect_types";

/// The parameter by which a member that makes a cursor lets the program make it.
pub(super) fn cursor_factory() -> Parameter {
    let docs = "what makes the cursor, called with the connection: a class derived from that of cursors, say.";
    factory(docs)
}

/// `sqlite3.connect(database, timeout, detect_types, isolation_level, check_same_thread, factory, cached_statements, uri)`:
/// each stands behind the one that is before it there, or at the end and by keyword alone if the API has none such.
pub(super) fn complete(parameters: &mut Vec<Parameter>, arguments: &mut [Argument]) {
    insert(
        parameters,
        arguments,
        "timeout",
        plain(
            DETECT_TYPES,
            "i64",
            "int",
            "0",
            "must be 0: converting values by the declared types of columns is not supported.",
        ),
    );
    insert(
        parameters,
        arguments,
        "isolation_level",
        plain(
            CHECK_SAME_THREAD,
            "bool",
            "bool",
            "True",
            "whether a blocking connection refuses to be used in another thread than that which made it. One of the \
             asyncio side is used in a thread of its own, whatever is said here.",
        ),
    );
    let docs = "what makes the blocking connection, called with all the other arguments: a class derived from that of \
                connections, say.";
    insert(parameters, arguments, CHECK_SAME_THREAD, factory(docs));
}

fn plain(name: &str, rust_type: &str, annotation: &str, default: &str, docs: &str) -> Parameter {
    Parameter {
        span: proc_macro2::Span::call_site(),
        name: name.to_owned(),
        rust_type: rust_type.to_owned(),
        annotation: annotation.to_owned(),
        default: Some(default.to_owned()),
        passing: ParameterPassing::Standard,
        docs: Docs {
            lines: vec![docs.to_owned()],
        },
    }
}

fn factory(docs: &str) -> Parameter {
    plain(
        FACTORY,
        "Option<::pyo3::Py<::pyo3::PyAny>>",
        "Callable[..., Any] | None",
        "None",
        docs,
    )
}

/// Puts a parameter behind another one; the arguments go on to name the parameters that they are made of.
fn insert(parameters: &mut Vec<Parameter>, arguments: &mut [Argument], before: &str, mut parameter: Parameter) {
    if parameters.iter().any(|other| other.name == parameter.name) {
        // The API has it itself.
        return;
    }
    let found = parameters.iter().position(|other| other.name == before);
    let place = found.map_or(parameters.len(), |place| place + 1);
    parameter.passing = found.map_or(ParameterPassing::KeywordOnly, |place| parameters[place].passing);
    parameters.insert(place, parameter);
    let shift = |index: &mut usize| {
        if *index >= place {
            *index += 1;
        }
    };
    for argument in arguments {
        match &mut argument.made {
            Made::Parameter(index) => shift(index),
            Made::Options { fields, .. } => fields.iter_mut().for_each(|(_, index)| shift(index)),
        }
    }
}
