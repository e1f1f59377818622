//! The functions of `lib_aio.py`.

use askama::Template;

use super::super::dbapi::CHECK_SAME_THREAD;
use super::super::model::{Function, Package, ParameterPassing, Role};
use super::docstring::{docstring, with_added};
use super::layout::bracketed;
use super::locals;
use super::modules::Place;
use super::signature::{arguments, parameters, with_keywords};

/// What the profile says of the parameters that it adds.
const CHUNK_SIZE_DOCS: &[&str] =
    &["How many rows a cursor reads ahead at first, up to 4 times as many where it is read on; at least 1."];
pub(super) const ROW_FACTORY_DOCS: &[&str] = &[
    "What makes the object that is handed out for a row: `None` for a tuple, or something that is called with the",
    "cursor and that tuple, such as `Row`.",
];

/// A function of the asyncio side.
#[derive(Template)]
#[template(path = "python/function.py")]
struct AsyncFunction<'a> {
    head: String,
    docs: String,
    /// What the function is called that opens the blocking object.
    connector: &'a str,
    /// What that one returns, without the `Blocking` in front.
    annotation: String,
    /// The call that opens it.
    opened: String,
    /// What the blocking object is called, if its row factory is set.
    connection: Option<String>,
    class: &'a str,
    /// What the asyncio object is made of.
    made: String,
}

/// A function that opens an object, or one without an object.
pub(super) fn function(package: &Package, function: &Function) -> askama::Result<Vec<String>> {
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
        return Ok(Vec::new());
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
    let connection = factory.then(|| locals::free("connection", &function.parameters));
    let before = match &connection {
        // What a factory makes has whatever type.
        Some(connection) if package.is_constructor(function) => {
            format!("{connection}: Blocking{} = {blocking}.{name}(", typed("Any"))
        }
        Some(connection) => format!("{connection} = {blocking}.{name}("),
        None => format!("return {blocking}.{name}("),
    };
    let opened = bracketed(8, &before, &passed, ")");
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
    let mut added = Vec::new();
    if chunks {
        added.push(("iter_chunk_size", CHUNK_SIZE_DOCS));
    }
    if factory {
        added.push(("row_factory", ROW_FACTORY_DOCS));
    }
    let text = AsyncFunction {
        head,
        docs: docstring(&with_added(&function.docs, &added), 4),
        connector: &connector,
        annotation: typed("Any"),
        opened,
        connection,
        class: &class.name,
        made,
    };
    texts.push(text.render()?);
    Ok(texts)
}

/// Whether the profile adds `row_factory` to a function that opens a connection.
pub(super) fn has_row_factory(function: &Function) -> bool {
    function
        .parameters
        .iter()
        .all(|parameter| parameter.name != "row_factory")
}
