//! Lines of Python as `ruff format` leaves them: what does not fit into a line is broken where it would break it.

/// The longest line, in columns.
pub(super) const LINE_LENGTH: usize = 120;

/// What stands between brackets: on the same line if it fits, on one line of its own if it fits there, otherwise one item
/// a line with a comma behind each. `before` ends with the opening bracket and `after` begins with the closing one. There
/// is no newline at the end, and the first line is indented too.
pub(super) fn bracketed(indent: usize, before: &str, items: &[String], after: &str) -> String {
    let margin = " ".repeat(indent);
    let joined = items.join(", ");
    let line = format!("{margin}{before}{joined}{after}");
    if fits(&line) || items.is_empty() {
        return line;
    }
    let inner = format!("{margin}    {joined}");
    if fits(&inner) {
        return format!("{margin}{before}\n{inner}\n{margin}{after}");
    }
    one_a_line(indent, before, items, after)
}

/// As [`bracketed`], but never all items on a line of their own: the form of a broken import.
pub(super) fn import(module: &str, names: &[String]) -> String {
    let line = format!("from {module} import {}", names.join(", "));
    if fits(&line) {
        line
    } else {
        one_a_line(0, &format!("from {module} import ("), names, ")")
    }
}

fn one_a_line(indent: usize, before: &str, items: &[String], after: &str) -> String {
    let margin = " ".repeat(indent);
    let mut text = format!("{margin}{before}\n");
    for item in items {
        text.push_str(&format!("{margin}    {item}"));
        // A bare `*` or `/` takes a comma like any parameter.
        text.push_str(",\n");
    }
    text.push_str(&format!("{margin}{after}"));
    text
}

/// Whether a line is short enough.
pub(super) fn fits(line: &str) -> bool {
    line.chars().count() <= LINE_LENGTH
}

/// A tuple or list of texts, one a line if it does not fit: `__slots__ = ("_a", "_b")`.
pub(super) fn strings(indent: usize, before: &str, names: &[String], after: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let margin = " ".repeat(indent);
    let line = format!("{margin}{before}{}{after}", quoted.join(", "));
    match quoted.as_slice() {
        [only] if before.ends_with('(') => format!("{margin}{before}{only},{after}"),
        _ if fits(&line) => line,
        _ => one_a_line(indent, before, &quoted, after),
    }
}

/// A text as a literal, with the quotes that `ruff format` gives it: those that need fewer escapes.
pub(super) fn python_string(text: &str) -> String {
    let count = |quote| text.matches(quote).count();
    let quote = if count('"') > count('\'') { '\'' } else { '"' };
    let text = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
    format!("{quote}{}{quote}", text.replace(quote, &format!("\\{quote}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: usize) -> Vec<String> {
        (0..count).map(|number| format!("parameter_{number}: int")).collect()
    }

    #[test]
    fn what_fits_stays_on_one_line() {
        assert_eq!(
            bracketed(4, "def f(", &items(2), ") -> None:"),
            "    def f(parameter_0: int, parameter_1: int) -> None:"
        );
    }

    #[test]
    fn what_fits_on_a_line_of_its_own_goes_there_without_a_comma() {
        let text = bracketed(0, "def f(", &items(6), ") -> None:");
        assert_eq!(text.lines().count(), 3);
        assert!(!text.contains(",\n"), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_one_a_line_with_commas() {
        let text = bracketed(0, "def f(", &items(9), ") -> None:");
        assert_eq!(text.lines().count(), 11);
        assert!(text.ends_with("parameter_8: int,\n) -> None:"), "{text}");
    }

    #[test]
    fn a_literal_has_the_quotes_that_need_fewer_escapes() {
        assert_eq!(python_string("say \"walk\""), "'say \"walk\"'");
        assert_eq!(python_string("it's \"so\""), "'it\\'s \"so\"'");
        assert_eq!(python_string("it's \"so"), "\"it's \\\"so\"");
        assert_eq!(python_string("a\nb\\"), "\"a\\nb\\\\\"");
    }

    #[test]
    fn one_text_is_a_tuple_by_its_comma() {
        assert_eq!(
            strings(4, "__slots__ = (", &["_a".to_owned()], ")"),
            "    __slots__ = (\"_a\",)"
        );
    }
}
