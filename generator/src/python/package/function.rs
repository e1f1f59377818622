//! The functions of `lib_aio.py`.

use super::super::dbapi::CHECK_SAME_THREAD;
use super::super::model::{Function, Package, ParameterPassing, Role};
use super::docstring::docstring;
use super::layout::bracketed;
use super::locals;
use super::modules::Place;
use super::signature::{arguments, parameters, with_keywords};

/// A function that opens an object, or one without an object.
pub(super) fn function(package: &Package, function: &Function) -> Vec<String> {
    let docs = if function.docs.is_empty() {
        String::new()
    } else {
        format!("{}\n", docstring(&function.docs, 4))
    };
    let name = &function.name;
    let mut passed = arguments(&function.parameters);
    for (argument, parameter) in passed.iter_mut().zip(&function.parameters) {
        if package.is_constructor(function) && parameter.name == CHECK_SAME_THREAD {
            // The worker uses the connection, and the loop's thread reads some of it in place.
            *argument = match parameter.passing {
                ParameterPassing::KeywordOnly => format!("{CHECK_SAME_THREAD}=False"),
                _ => "False".to_owned(),
            };
        }
    }
    // A function that opens nothing is refused when the description is resolved.
    let Some(class) = function.opens.as_ref().and_then(|class| package.class(class)) else {
        return Vec::new();
    };
    let typed = |row: &str| {
        if class.generic {
            format!("{}[{row}]", class.name)
        } else {
            class.name.clone()
        }
    };
    let chunks = class.role == Role::Connection;
    let factory = chunks && has_row_factory(function);
    let keywords = |factory_type: Option<&str>| {
        let mut keywords = Vec::new();
        if chunks {
            keywords.push("iter_chunk_size: int = CHUNK_SIZE".to_owned());
        }
        keywords.extend(
            factory_type
                .filter(|_| factory)
                .map(|factory| format!("row_factory: {factory}")),
        );
        with_keywords(parameters(&function.parameters), &keywords)
    };
    let before = format!("def {name}(");
    let mut texts = Vec::new();
    if factory {
        for (factory_type, row) in [("None = None", None), ("RowFactory[RowT]", Some("RowT"))] {
            let returns = row.map_or_else(|| class.name.clone(), &typed);
            let head = bracketed(
                0,
                &before,
                &keywords(Some(factory_type)),
                &format!(") -> {returns}: ..."),
            );
            texts.push(format!("@overload\n{head}"));
        }
    }
    let head = bracketed(
        0,
        &before,
        &keywords(Some("RowFactory[Any] | None = None")),
        &format!(") -> {}:", typed("Any")),
    );
    let lib = Place::of(&function.module).lib();
    let blocking = if locals::is_taken(&lib, &function.parameters) {
        format!("_{lib}")
    } else {
        lib
    };
    let connector = locals::free("connector", &function.parameters);
    let call = if factory {
        let connection = locals::free("connection", &function.parameters);
        let opened = bracketed(8, &format!("{connection} = {blocking}.{name}("), &passed, ")");
        format!(
            "{opened}\n        if row_factory is not None:\n            {connection}.row_factory = row_factory\n        return {connection}"
        )
    } else {
        bracketed(8, &format!("return {blocking}.{name}("), &passed, ")")
    };
    let mut made = vec![connector.as_str()];
    if chunks {
        made.push("iter_chunk_size");
        // The path is what the thread is named after.
        let path = function.parameters.first();
        made.extend(
            path.filter(|path| path.annotation.starts_with("str"))
                .map(|path| path.name.as_str()),
        );
    }
    let made = made.join(", ");
    let text = format!(
        "{head}\n{docs}\n    def {connector}() -> Blocking{}:\n{call}\n\n    return {}({made})",
        typed("Any"),
        class.name
    );
    texts.push(text);
    texts
}

/// Whether the profile adds `row_factory` to a function that opens a connection.
pub(super) fn has_row_factory(function: &Function) -> bool {
    function
        .parameters
        .iter()
        .all(|parameter| parameter.name != "row_factory")
}
