//! The names of builtins inside of classes that have members of the same names.
//!
//! The annotations of a method are read in the scope of its class: behind `def list(self)`, `list[str]` is no longer the
//! builtin. There it is written `builtins.list[str]`. Bodies of functions see nothing of the class's scope.

use super::super::annotation::BUILTIN_NAMES;
use super::super::model::{Class, Package};

/// What stands in front of a `def`.
const DECORATORS: [&str; 3] = ["classmethod", "property", "staticmethod"];

/// Whether a member of any class is called like a builtin that is used in classes.
pub(super) fn hides_builtins(package: &Package) -> bool {
    package.classes.iter().any(|class| !hidden(package, class).is_empty())
}

/// The builtins that members of a class, or of those that it extends, are called like.
fn hidden<'a>(package: &'a Package, class: &'a Class) -> Vec<&'a str> {
    let mut names = Vec::new();
    let mut next = Some(class);
    while let Some(class) = next {
        let members = class.members.iter().map(|member| member.name.as_str());
        names.extend(members.filter(|name| BUILTIN_NAMES.contains(name) || DECORATORS.contains(name)));
        let base = class.base.as_deref().filter(|base| *base != class.name);
        next = base.and_then(|base| package.class(base));
    }
    names
}

/// Writes builtins in full where a member stands in their way, and takes their import out again if that is nowhere.
pub(super) fn qualify(text: &str, package: &Package) -> String {
    if !hides_builtins(package) {
        return text.to_owned();
    }
    let mut lines: Vec<String> = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    let mut in_docstring = false;
    let mut head: Option<usize> = None;
    for line in text.lines() {
        let begins = line.strip_prefix("class ");
        if let Some(rest) = begins {
            let end = rest.find(|character: char| !(character.is_alphanumeric() || character == '_'));
            let class = package.class(&rest[..end.unwrap_or(rest.len())]);
            names = class.map(|class| hidden(package, class)).unwrap_or_default();
        } else if !line.is_empty() && !line.starts_with([' ', ')', ']']) {
            names.clear();
        }
        let quotes = line.matches("\"\"\"").count();
        let is_text = in_docstring || quotes > 0;
        in_docstring ^= quotes % 2 == 1;
        let inner = line.strip_prefix("    ").filter(|inner| !inner.starts_with(' '));
        let decorator = inner.and_then(|inner| inner.strip_prefix('@'));
        let begins_head = inner.is_some_and(|inner| inner.starts_with("def ") || inner.starts_with("async def "));
        if names.is_empty() || is_text {
            lines.push(line.to_owned());
        } else if head.is_some() || begins_head {
            let (written, depth) = in_head(line, head.unwrap_or(0), &names);
            head = (depth > 0).then_some(depth);
            lines.push(written);
        } else if decorator.is_some_and(|decorator| names.contains(&decorator)) {
            lines.push(line.replacen('@', "@builtins.", 1));
        } else if names.contains(&"type") && inner.is_some_and(|inner| inner.contains(": type[_")) {
            lines.push(line.replacen(": type[_", ": builtins.type[_", 1));
        } else {
            lines.push(line.to_owned());
        }
    }
    if !lines.iter().any(|line| line.contains("builtins.")) {
        lines.retain(|line| line != "import builtins");
    }
    lines.join("\n") + "\n"
}

/// A line of the head of a method, and how many brackets are open behind it.
fn in_head(line: &str, mut depth: usize, names: &[&str]) -> (String, usize) {
    let mut written = String::new();
    let mut rest = line;
    let mut quote = None;
    while let Some(first) = rest.chars().next() {
        let is_word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.');
        let end = rest.find(|character| !is_word(character)).unwrap_or(rest.len());
        if quote.is_none() && end > 0 {
            let (word, behind) = rest.split_at(end);
            let is_parameter = depth == 1 && behind.starts_with(':');
            let is_method = written.ends_with("def ");
            if names.contains(&word) && !is_parameter && !is_method {
                written.push_str("builtins.");
            }
            written.push_str(word);
            rest = behind;
            continue;
        }
        match (quote, first) {
            (Some(open), _) if open == first => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(first),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        written.push(first);
        rest = &rest[first.len_utf8()..];
    }
    (written, depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(line: &str, depth: usize) -> String {
        in_head(line, depth, &["list", "int"]).0
    }

    #[test]
    fn only_what_is_an_annotation_is_written_in_full() {
        assert_eq!(
            head(
                r#"    def list(self, list: list[int], what: Literal["int"] = "list") -> "Call[x]": ..."#,
                0
            ),
            r#"    def list(self, list: builtins.list[builtins.int], what: Literal["int"] = "list") -> "Call[x]": ..."#
        );
        assert_eq!(
            head("        int: dict[str, int] = (1, 2),", 1),
            "        int: dict[str, builtins.int] = (1, 2),"
        );
        assert_eq!(head("    ) -> list:", 1), "    ) -> builtins.list:");
    }
}
