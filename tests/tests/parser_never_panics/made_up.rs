//! Items made up of the words of the grammar, most of them in places where they mean something.

use crate::random::Random;

/// A few items, most of them annotated.
pub(crate) fn item(random: &mut Random) -> String {
    let item = match random.below(9) {
        0 => function(random),
        1 => errors(random),
        2 => options(random),
        3 => format!("{} {}", alias(random), function(random)),
        _ => block(random),
    };
    format!("{} {item}", decoration(random))
}

/// What stands above an item or a method and is no description.
fn decoration(random: &mut Random) -> String {
    if !random.once_in(4) {
        return String::new();
    }
    match random.below(4) {
        0 => random
            .pick(&[
                "/// a\n",
                "/***/",
                "/**/",
                "/** \n */",
                "/** a\n * b\n */",
                "/**\n\n*/",
                "/** \n\t* */",
                "#[doc]",
                "#[doc = \"\"]",
                "#[doc = include_str!(\"x\")]",
                "#[doc(hidden)]",
            ])
            .to_owned(),
        1 => random
            .pick(&[
                "#[cfg_attr()]",
                "#[cfg_attr(,)]",
                "#[cfg_attr(a)]",
                "#[cfg_attr(a,)]",
                "#[cfg_attr = 1]",
                "#[cfg_attr(1, a)]",
                "#[cfg_attr(a, cfg_attr())]",
                "#[cfg_attr(a, doc = \"b\", inline)]",
                "#[cfg_attr(a, unsafe(no_mangle))]",
            ])
            .to_owned(),
        2 => format!("#[cfg_attr(a, proxy({}))]", entry(random)),
        _ => {
            let other = random.pick(&[
                "#[cfg(a)]",
                "#[cfg(not(a))]",
                "#[cfg]",
                "#[must_use]",
                "#[deprecated(since = 1)]",
            ]);
            format!("{other} #[doc = \"\\n\"]")
        }
    }
}

fn alias(random: &mut Random) -> String {
    let generics = random.pick(&["", "<T>", "<T, E = Error>", "<E, T>", "<'a, const N: usize, T>", "<>"]);
    let name = random.pick(&["Result", "DbResult", "Rows"]);
    let target = random.pick(&[
        "Result",
        "Result<T, E>",
        "Result<>",
        "io::Result<T>",
        "Result<Store>",
        "Result<'a, T>",
        "Vec<T>",
    ]);
    format!("type {name}{generics} = {target};")
}

fn block(random: &mut Random) -> String {
    let options = random.pick(&[
        "",
        "",
        "",
        "(extend)",
        "(extends = Base)",
        "(name = \"X\", python = \"Y\")",
        "(error = E<A, B>)",
    ]);
    let head = random.pick(&[
        "Store",
        "Store",
        "Store",
        "a::Store",
        "Store<u8>",
        "<'a, T> Store<'a, T>",
        "Clone for Store",
    ]);
    let methods: String = (0..random.below(6)).map(|index| method(index, random)).collect();
    format!("#[async_proxy{options}] impl {head} {{ {methods} }}")
}

fn method(index: usize, random: &mut Random) -> String {
    let names = ["size", "set_size", "put", "open", "r#match", "set_", "set_1"];
    let name = if random.once_in(3) {
        random.pick(&names).to_owned()
    } else {
        format!("m{index}")
    };
    let proxy = attribute(random);
    let above = decoration(random);
    let generics = random.pick(&[
        "",
        "",
        "",
        "<'a>",
        "<T: Into<String>>",
        "<T, const N: usize>",
        "<T: Send + 'static>",
    ]);
    let receiver = random.pick(&[
        "&self, ",
        "&self, ",
        "&self, ",
        "&mut self, ",
        "&mut self, ",
        "",
        "self, ",
        "self: Rc<Self>, ",
    ]);
    let arguments: String = (0..random.below(3)).map(|index| argument(index, random)).collect();
    let returns = if random.once_in(3) {
        String::new()
    } else {
        format!("-> {}", returned(random))
    };
    let clause = if random.once_in(10) {
        "where T: AsRef<Path>, Vec<T>: Clone"
    } else {
        ""
    };
    let public = if random.once_in(12) { "" } else { "pub" };
    format!("{above}{proxy} {public} fn {name}{generics}({receiver}{arguments}) {returns} {clause} {{ loop {{}} }}\n")
}

fn attribute(random: &mut Random) -> String {
    let kind = random.pick(&[
        "",
        "",
        "",
        "open",
        "child",
        "direct",
        "direct, awaitable",
        "property, live",
        "property, snapshot",
        "property",
        "setter",
        "setter = \"size\"",
        "parent",
        "rows",
        "interrupt",
        "close",
        "skip = \"why\"",
    ]);
    let extra = match random.below(8) {
        0 => format!("signature = ({})", signature(random)),
        1 => entry(random),
        _ => String::new(),
    };
    match (kind, extra.as_str()) {
        ("", "") => String::new(),
        (one, "") | ("", one) => format!("#[proxy({one})]"),
        (kind, extra) => format!("#[proxy({kind}, {extra})]"),
    }
}

/// A signature that is right now and then.
fn signature(random: &mut Random) -> String {
    if random.once_in(3) {
        return random
            .pick(&[
                "a0",
                "a0, a1",
                "a0, a1 = None",
                "a0 = 1, a1 = 2",
                "",
                "a0, /, a1, *, a2",
            ])
            .to_owned();
    }
    let part = |random: &mut Random| match random.below(8) {
        0 => random.pick(&["*", "/"]).to_owned(),
        3 => random
            .pick(&["*args", "**kwargs", "", "=", "a0 =", "= 1", "a b", "1", "(a0)"])
            .to_owned(),
        1 | 2 => format!("a{} = {}", random.below(3), literal(random)),
        _ => format!("a{}", random.below(3)),
    };
    (0..random.below(5))
        .map(|_| part(random))
        .collect::<Vec<_>>()
        .join(", ")
}

fn literal(random: &mut Random) -> String {
    match random.below(6) {
        0 => format!(
            "({})",
            (0..random.below(3)).map(|_| literal(random) + ",").collect::<String>()
        ),
        1 => format!("-{}", literal(random)),
        _ => random
            .pick(&[
                "None",
                "True",
                "true",
                "1",
                "1u8",
                "1.",
                "1e400",
                "0b1",
                "\"a\\\"\"",
                "b\"\\xff\"",
                "c\"a\"",
                "'a'",
                "[]",
                "{}",
                "a.b",
                "(1)",
                "r#\"a\"#",
                "1_000",
                "18446744073709551616",
                "\"\\u{1f600}\"",
            ])
            .to_owned(),
    }
}

/// A key with a value, seldom the right one.
fn entry(random: &mut Random) -> String {
    let key = random.pick(&[
        "signature",
        "lane",
        "py",
        "name",
        "rust_only",
        "check",
        "live",
        "nonsense",
        "setter",
        "skip",
        "default",
        "spread",
        "awaitable",
        "when_closed",
        "r#py",
        "",
    ]);
    let value = match random.below(4) {
        0 => random
            .pick(&[
                "",
                " = ",
                "()",
                "=> x",
                " = = 1",
                " = a::b",
                " = A<B, C>",
                " = \"\"",
                " = \" \"",
            ])
            .to_owned(),
        1 => format!(" = {}", literal(random)),
        _ => format!(
            " = \"{}\"",
            random.pick(&["size", "net", "int", "import", "a b", "list[", "é", "_", "r#type", "1"])
        ),
    };
    format!("{key}{value}")
}

fn argument(index: usize, random: &mut Random) -> String {
    let proxy = if random.once_in(8) {
        "#[proxy(py = \"int\")]"
    } else {
        ""
    };
    let ty = random.pick(&[
        "&str",
        "&'a str",
        "Option<&str>",
        "u8",
        "impl Into<String>",
        "impl AsRef<Path>",
        "T",
        "Vec<T>",
        "[u8; N]",
        "&[u8]",
        "impl IntoIterator<Item = u8>",
        "Box<dyn Fn(&str) + Send>",
        "Cow<'_, str>",
        "&mut u8",
        "Rc<u8>",
        "&[&str]",
        "Self",
        "impl Fn() + Send + 'static",
        "(u8, String)",
        "&'static str",
        "Option<Option<&u8>>",
        "impl Read",
        "*const u8",
    ]);
    let name = if random.once_in(20) {
        "(a, b)".to_owned()
    } else {
        format!("a{index}")
    };
    format!("{proxy} {name}: {ty}, ")
}

fn returned(random: &mut Random) -> &'static str {
    random.pick(&[
        "Self",
        "Result<Self>",
        "Result<Self, E>",
        "Result<()>",
        "&mut Self",
        "Result<&mut Self, E>",
        "Option<Row>",
        "Result<Option<Row>>",
        "Vec<Row>",
        "Rows<'_>",
        "impl Iterator<Item = Row>",
        "usize",
        "String",
        "&str",
        "T",
        "Cursor",
        "Result",
        "DbResult<Vec<u8>>",
        "!",
        "&Store",
        "Store",
        "Result<u8, Rc<E>>",
    ])
}

fn function(random: &mut Random) -> String {
    let options = random.pick(&["", "", "(name = \"dial\")", "(error = E)", "(extend)"]);
    let arguments: String = (0..random.below(4)).map(|index| argument(index, random)).collect();
    let attribute = if random.once_in(3) {
        "#[proxy(signature = (a0, a1 = 1))]"
    } else {
        ""
    };
    let returns = returned(random);
    format!("#[async_proxy{options}] {attribute} pub fn connect({arguments}) -> {returns} {{ loop {{}} }}")
}

fn errors(random: &mut Random) -> String {
    let variants: String = (0..random.below(4))
        .map(|index| {
            let base = random.pick(&[
                "",
                "",
                ", base = \"E0\"",
                ", base = \"E1\"",
                ", base = \"ValueError\"",
                ", base = \"\"",
            ]);
            let shape = random.pick(&["", "(u8)", "{ a: u8 }", "= 1"]);
            let exception = random.pick(&["E0", "E1", "E2", "ValueError", "Warning"]);
            format!("#[proxy(exception = \"{exception}\"{base})] V{index}{shape},")
        })
        .collect();
    format!("#[async_proxy] pub enum Error {{ {variants} }}")
}

fn options(random: &mut Random) -> String {
    let fields: String = (0..random.below(4))
        .map(|index| {
            let attribute = random.pick(&[
                "",
                "#[proxy(default = None)]",
                "#[proxy(default = 1)]",
                "#[proxy(default = 1, keyword_only)]",
                "#[proxy(default)]",
                "#[proxy(default = \"a\\0\")]",
            ]);
            let ty = random.pick(&["u8", "Option<u8>", "String", "&'static str", "&str", "f64", "Rc<u8>"]);
            format!("{attribute} pub f{index}: {ty},")
        })
        .collect();
    format!("#[async_proxy] pub struct Options {{ {fields} }}")
}
