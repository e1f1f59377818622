//! The method that is added: its name, its types, its default and its words are chosen at random.

use crate::random::Random;

/// A method of `Connection` with a `&str` argument and one that has a default.
#[derive(Clone)]
pub(crate) struct Method {
    pub(crate) name: String,
    /// The `&str` argument.
    pub(crate) text: String,
    /// The argument with a default; `None` once it is taken away.
    pub(crate) option: Option<Defaulted>,
    /// What it gives.
    result: Shape,
    /// The first line of its documentation.
    pub(crate) summary: String,
    /// What the programs call it with.
    pub(crate) word: String,
}

/// An argument with a default.
#[derive(Clone)]
pub(crate) struct Defaulted {
    pub(crate) name: String,
    rust_type: &'static str,
    /// The default as Python has it.
    pub(crate) python_default: &'static str,
    /// The default as Rust has it.
    rust_default: &'static str,
    /// Another value, as Python and Rust have it, and as `{:?}` prints it.
    other: [&'static str; 3],
    /// How `{:?}` prints the default.
    printed_default: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Number,
    Pair,
    List,
    Maybe,
}

const OPTIONS: [Defaulted; 6] = [
    Defaulted::new("i64", "42", "42", "42", ["-7", "-7", "-7"]),
    Defaulted::new("f64", "2.5", "2.5", "2.5", ["0.25", "0.25", "0.25"]),
    Defaulted::new("bool", "True", "true", "true", ["False", "false", "false"]),
    Defaulted::new("Option<i64>", "None", "None", "None", ["3", "Some(3)", "Some(3)"]),
    Defaulted::new(
        "&str",
        "\"plain\"",
        "\"plain\"",
        "\"plain\"",
        ["\"fancy\"", "\"fancy\"", "\"fancy\""],
    ),
    Defaulted::new(
        "Option<&str>",
        "None",
        "None",
        "None",
        ["\"x\"", "Some(\"x\")", "Some(\"x\")"],
    ),
];

const SHAPES: [Shape; 5] = [Shape::Text, Shape::Number, Shape::Pair, Shape::List, Shape::Maybe];

impl Defaulted {
    const fn new(
        rust_type: &'static str,
        python_default: &'static str,
        rust_default: &'static str,
        printed_default: &'static str,
        other: [&'static str; 3],
    ) -> Self {
        Self {
            name: String::new(),
            rust_type,
            python_default,
            rust_default,
            other,
            printed_default,
        }
    }
}

impl Method {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut option = random.choose(&OPTIONS).clone();
        option.name = format!("{}_option", random.word());
        let name = format!("{}_{}", random.word(), random.word());
        let summary = format!("Tells the {} from the {}.", random.word(), random.word());
        let text = format!("{}_text", random.word());
        Self {
            name,
            text,
            option: Some(option),
            result: *random.choose(&SHAPES),
            summary,
            word: random.word(),
        }
    }

    /// The same method with the parameter that has a default taken away.
    pub(crate) fn without_its_default(&self) -> Self {
        Self {
            option: None,
            ..self.clone()
        }
    }

    /// The method as it is written into the `impl` block.
    pub(crate) fn source(&self) -> String {
        let Self {
            name, text, summary, ..
        } = self;
        let (signature, argument, printed) = match &self.option {
            Some(option) => (
                format!("({text}, {} = {})", option.name, option.python_default),
                format!(", {}: {}", option.name, option.rust_type),
                format!("format!(\"{{{text}}}/{{:?}}\", {})", option.name),
            ),
            None => (format!("({text})"), String::new(), format!("{text}.to_owned()")),
        };
        let (result, expression) = match self.result {
            Shape::Text => ("String", "printed"),
            Shape::Number => ("i64", "printed.len() as i64"),
            Shape::Pair => ("(String, bool)", "(printed, true)"),
            Shape::List => ("Vec<String>", "printed.split('/').map(str::to_owned).collect()"),
            Shape::Maybe => (
                "Option<String>",
                "Some(printed).filter(|printed| !printed.starts_with('/'))",
            ),
        };
        format!(
            "    /// {summary}\n    ///\n    /// The second paragraph of `{name}`.\n    \
             #[proxy(signature = {signature})]\n    \
             pub fn {name}(&self, {text}: &str{argument}) -> Result<{result}> {{\n        \
             let printed = {printed};\n        Ok({expression})\n    }}\n\n"
        )
    }

    /// The argument with its default.
    pub(crate) fn option(&self) -> &Defaulted {
        self.option.as_ref().expect("the whole method has one")
    }

    /// A statement in Rust for each call, on `connection`; `suffix` is `.await` or nothing.
    pub(crate) fn rust_assertions(&self, suffix: &str) -> String {
        let option = self.option();
        let [_, other, printed_other] = option.other;
        let mut lines = String::new();
        let cases = [
            (&*self.word, option.rust_default, option.printed_default),
            ("", option.rust_default, option.printed_default),
            (&*self.word, other, printed_other),
        ];
        for (word, value, printed) in cases {
            let expected = self.expected(word, printed, Language::Rust);
            lines.push_str(&format!(
                "    assert_eq!(connection.{}({word:?}, {value}){suffix}?, {expected});\n",
                self.name
            ));
        }
        lines
    }

    /// A statement in Python for each call, on `connection`; `prefix` is `await ` or nothing.
    pub(crate) fn python_assertions(&self, prefix: &str) -> String {
        let Self { name, text, word, .. } = self;
        let option = self.option();
        let [other, _, printed_other] = option.other;
        let by_default = self.expected(word, option.printed_default, Language::Python);
        let empty = self.expected("", option.printed_default, Language::Python);
        let with_other = self.expected(word, printed_other, Language::Python);
        let mut lines = String::new();
        for (arguments, expected) in [
            (format!("{word:?}"), &by_default),
            (format!("{text}={word:?}"), &by_default),
            (
                format!("{word:?}, {}={}", option.name, option.python_default),
                &by_default,
            ),
            ("\"\"".to_owned(), &empty),
            (format!("{word:?}, {other}"), &with_other),
            (format!("{word:?}, {}={other}", option.name), &with_other),
        ] {
            lines.push_str(&format!("    given = {prefix}connection.{name}({arguments})\n"));
            lines.push_str(&format!("    assert given == {expected}, given\n"));
        }
        lines
    }

    fn expected(&self, word: &str, printed: &str, language: Language) -> String {
        let text = format!("{word}/{printed}");
        // A text of these words is written alike in both languages.
        let quoted = |text: &str| match language {
            Language::Rust => format!("{text:?}.to_owned()"),
            Language::Python => format!("{text:?}"),
        };
        let list = text.split('/').map(quoted).collect::<Vec<_>>().join(", ");
        match (self.result, language) {
            (Shape::Text, _) => quoted(&text),
            (Shape::Number, _) => text.len().to_string(),
            (Shape::Pair, Language::Rust) => format!("({}, true)", quoted(&text)),
            (Shape::Pair, Language::Python) => format!("({}, True)", quoted(&text)),
            (Shape::List, Language::Rust) => format!("vec![{list}]"),
            (Shape::List, Language::Python) => format!("[{list}]"),
            (Shape::Maybe, _) if word.is_empty() => "None".to_owned(),
            (Shape::Maybe, Language::Rust) => format!("Some({})", quoted(&text)),
            (Shape::Maybe, Language::Python) => quoted(&text),
        }
    }

    /// What the type checkers call the result.
    pub(crate) fn python_result(&self) -> &'static str {
        match self.result {
            Shape::Text => "str",
            Shape::Number => "int",
            Shape::Pair => "tuple[str, bool]",
            Shape::List => "list[str]",
            Shape::Maybe => "str | None",
        }
    }

    /// What the type checkers call the argument with the default.
    pub(crate) fn python_option(&self) -> &'static str {
        match self.option().rust_type {
            "i64" => "int",
            "f64" => "float",
            "bool" => "bool",
            "Option<i64>" => "int | None",
            "&str" => "str",
            _ => "str | None",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Python,
}
