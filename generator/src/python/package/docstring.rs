//! Documentation as a docstring.

use super::super::model::Docs;
use super::super::parameters::PARAMETERS;

/// A docstring, indented, without a newline at the end; empty if there is nothing to say.
pub(super) fn docstring(docs: &Docs, indent: usize) -> String {
    if docs.is_empty() {
        return String::new();
    }
    let margin = " ".repeat(indent);
    let mut lines: Vec<String> = docs.lines.iter().map(|line| escape(line)).collect();
    if lines[0].starts_with('"') {
        // As `ruff format` has it: it could be taken for one of the quotes before it.
        lines[0].insert(0, ' ');
    }
    if let [only] = lines.as_mut_slice() {
        if only.ends_with('"') {
            only.push(' ');
        }
        let line = format!("{margin}\"\"\"{only}\"\"\"");
        return line;
    }
    let mut text = format!("{margin}\"\"\"{}", lines[0]);
    for line in &lines[1..] {
        text.push('\n');
        if !line.is_empty() {
            text.push_str(&margin);
            text.push_str(line);
        }
    }
    format!("{text}\n{margin}\"\"\"")
}

/// Documentation with that of parameters behind it that the profile adds.
pub(super) fn with_added(docs: &Docs, parameters: &[(&str, &[&str])]) -> Docs {
    let mut docs = docs.clone();
    if parameters.is_empty() {
        return docs;
    }
    if !docs.lines.iter().any(|line| line == PARAMETERS) {
        if !docs.is_empty() {
            docs.lines.push(String::new());
        }
        docs.lines.push(PARAMETERS.to_owned());
    }
    for (name, lines) in parameters {
        docs.lines.push(format!("`{name}`: {}", lines[0]));
        docs.lines.extend(lines[1..].iter().map(|line| format!("    {line}")));
    }
    docs
}

fn escape(line: &str) -> String {
    line.replace('\\', "\\\\")
        .replace("\"\"\"", "\\\"\\\"\\\"")
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lines: &[&str]) -> String {
        docstring(
            &Docs {
                lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            },
            4,
        )
    }

    #[test]
    fn what_would_end_or_change_the_text_is_escaped() {
        assert_eq!(of(&[r#"A \ and """ and "x""#]), r#"    """A \\ and \"\"\" and "x" """"#);
    }

    #[test]
    fn a_quote_stands_apart_from_the_quotes_around_the_text() {
        assert_eq!(of(&["\"One\" of them."]), "    \"\"\" \"One\" of them.\"\"\"");
        assert_eq!(of(&["\"One\"", "Two"]), "    \"\"\" \"One\"\n    Two\n    \"\"\"");
    }

    #[test]
    fn several_lines_end_with_quotes_of_their_own() {
        assert_eq!(of(&["One.", "", "  Two."]), "    \"\"\"One.\n\n      Two.\n    \"\"\"");
    }
}
