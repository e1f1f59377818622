//! Documentation, from Rust to Python: what only a Rust reader can use is taken out.

use super::model::Docs;

/// Turns a name of Rust in code, such as `Error::Programming`, into what Python calls it; `None` where there is no other.
pub(super) type Rename<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Makes Python documentation of lines of Rust documentation.
///
/// Code blocks of Rust are taken out, others stay. A link to a Rust item becomes the item's name, one to a page keeps its
/// address. A heading with nothing left under it is taken out too.
pub(super) fn convert(lines: &[String], rename: &Rename<'_>) -> Docs {
    let mut kept: Vec<String> = Vec::new();
    let mut fence: Option<(String, bool)> = None;
    for line in lines {
        let trimmed = line.trim();
        if let Some((mark, keep)) = &fence {
            let ends = trimmed == mark;
            if *keep {
                kept.push(line.trim_end().to_owned());
            }
            if ends {
                fence = None;
            }
        } else if let Some(mark) = fence_mark(trimmed) {
            let keep = !is_rust(trimmed.trim_start_matches(['`', '~']));
            if keep {
                kept.push(line.trim_end().to_owned());
            }
            fence = Some((mark, keep));
        } else if !is_link_definition(trimmed) {
            kept.push(convert_line(line.trim_end(), rename));
        }
    }
    Docs { lines: tidy(kept) }
}

/// The fence that a line opens: at least three backticks or tildes.
fn fence_mark(line: &str) -> Option<String> {
    let first = line.chars().next().filter(|character| matches!(character, '`' | '~'))?;
    let mark: String = line.chars().take_while(|character| *character == first).collect();
    (mark.len() >= 3).then_some(mark)
}

/// Whether rustdoc takes a code block with that info string for Rust.
fn is_rust(info: &str) -> bool {
    info.split([',', ' '])
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .all(|word| {
            matches!(word, "rust" | "no_run" | "ignore" | "should_panic" | "compile_fail")
                || word.starts_with("edition")
                || word.starts_with("ignore-")
        })
}

/// `[name]: target`, a line of its own.
fn is_link_definition(line: &str) -> bool {
    line.starts_with('[')
        && line
            .split_once("]: ")
            .is_some_and(|(name, target)| !name.contains(' ') && !target.is_empty())
}

fn convert_line(line: &str, rename: &Rename<'_>) -> String {
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        return format!("{}:", convert_inline(heading.trim(), rename).trim_end_matches(':'));
    }
    convert_inline(line, rename)
}

/// Converts links and code within a line.
fn convert_inline(line: &str, rename: &Rename<'_>) -> String {
    let mut converted = String::new();
    let mut rest = line;
    while let Some(position) = rest.find(['[', '`']) {
        let (before, here) = rest.split_at(position);
        converted.push_str(before);
        let taken = if here.starts_with('`') {
            code(here, rename)
        } else {
            link(here, rename)
        };
        match taken {
            Some((text, length)) => {
                converted.push_str(&text);
                rest = &here[length..];
            }
            None => {
                converted.push_str(&here[..1]);
                rest = &here[1..];
            }
        }
    }
    converted.push_str(rest);
    converted
}

/// A piece of code at the beginning of the text, and how long it is there.
fn code(text: &str, rename: &Rename<'_>) -> Option<(String, usize)> {
    let end = text[1..].find('`')? + 1;
    if end == 1 {
        return None;
    }
    Some((format!("`{}`", python_name(&text[1..end], rename)), end + 1))
}

/// A link at the beginning of the text, and how long it is there.
fn link(text: &str, rename: &Rename<'_>) -> Option<(String, usize)> {
    let end = text.find(']')?;
    let label = convert_inline(&text[1..end], rename);
    let behind = &text[end + 1..];
    if let Some(target) = behind.strip_prefix('(') {
        let close = target.find(')')?;
        let length = end + 1 + close + 2;
        let address = target[..close].split(' ').next().unwrap_or_default();
        let shown = if address.contains("://") {
            format!("{label} ({address})")
        } else {
            label
        };
        return Some((shown, length));
    }
    if let Some(target) = behind.strip_prefix('[') {
        let close = target.find(']')?;
        return Some((label, end + 1 + close + 2));
    }
    // A shortcut link: only of code, so that other brackets stay.
    text[1..end].starts_with('`').then_some((label, end + 1))
}

/// A piece of code as Python writes it, if it is a path of Rust; other code stays as it is.
fn python_name(code: &str, rename: &Rename<'_>) -> String {
    if let Some(name) = rename(code) {
        return name;
    }
    let path = code
        .strip_prefix("crate::")
        .or_else(|| code.strip_prefix("Self::"))
        .unwrap_or(code);
    let is_path = path.split("::").all(|part| {
        !part.is_empty()
            && part
                .trim_end_matches("()")
                .chars()
                .all(|character| character.is_alphanumeric() || character == '_')
    });
    if is_path {
        path.replace("::", ".")
    } else {
        code.to_owned()
    }
}

/// Takes out headings with nothing under them, and blank lines at either end and beside others.
fn tidy(lines: Vec<String>) -> Vec<String> {
    const EMPTY_SECTIONS: [&str; 4] = ["Example:", "Examples:", "Panics:", "Safety:"];
    let mut tidied: Vec<String> = Vec::new();
    for line in lines {
        if line.is_empty() && tidied.last().is_none_or(String::is_empty) {
            continue;
        }
        tidied.push(line);
    }
    let mut index = 0;
    while index < tidied.len() {
        let next = tidied[index + 1..].iter().find(|line| !line.is_empty());
        let nothing_under = next.is_none_or(|line| line.ends_with(':') && !line.contains(' '));
        if EMPTY_SECTIONS.contains(&tidied[index].as_str()) && nothing_under {
            tidied.remove(index);
        } else {
            index += 1;
        }
    }
    while tidied.last().is_some_and(String::is_empty) {
        tidied.pop();
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert_text(text: &str) -> String {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let rename = |name: &str| (name == "Error::Programming").then(|| "ProgrammingError".to_owned());
        convert(&lines, &rename).lines.join("\n")
    }

    #[test]
    fn rust_code_blocks_are_taken_out_and_others_stay() {
        let text = "Runs it.\n\n# Examples\n```\nlet x = 1;\n```\n\n```rust,no_run\nlet y = 2;\n```";
        assert_eq!(convert_text(text), "Runs it.");
        let text = "Runs it.\n```sql\nSELECT 1\n```\nDone.";
        assert_eq!(convert_text(text), text);
    }

    #[test]
    fn links_to_items_become_their_names_and_those_to_pages_stay() {
        let text = "As [`Cursor::execute`] or [the other](Self::executemany) of [`Row`](crate::Row).";
        assert_eq!(convert_text(text), "As `Cursor.execute` or the other of `Row`.");
        assert_eq!(
            convert_text("See [PEP 249](https://peps.python.org/pep-0249/)."),
            "See PEP 249 (https://peps.python.org/pep-0249/)."
        );
        assert_eq!(
            convert_text("A list [1, 2] and an [unlinked] word."),
            "A list [1, 2] and an [unlinked] word."
        );
        assert_eq!(convert_text("See [`Row`].\n\n[`Row`]: crate::Row"), "See `Row`.");
    }

    #[test]
    fn a_variant_is_called_as_the_exception_that_it_becomes() {
        assert_eq!(
            convert_text("# Errors\n[`Error::Programming`] if it is closed."),
            "Errors:\n`ProgrammingError` if it is closed."
        );
    }

    #[test]
    fn code_that_is_no_path_stays_as_it_is() {
        assert_eq!(
            convert_text("`SELECT a::b, 1` and `?3` and ``"),
            "`SELECT a::b, 1` and `?3` and ``"
        );
    }
}
