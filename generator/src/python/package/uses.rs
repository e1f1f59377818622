//! Which names a rendered file of Python uses: its imports are made of that.

/// The code of a file, without its documentation and its comments.
pub(super) struct Code {
    text: String,
}

impl Code {
    /// Of a file as it is rendered, with or without its imports.
    pub(super) fn of(file: &str) -> Self {
        let mut text = String::new();
        let mut in_docstring = false;
        for line in file.lines() {
            let quotes = line.matches("\"\"\"").count();
            let is_text = in_docstring || quotes > 0;
            in_docstring ^= quotes % 2 == 1;
            if !is_text && !line.trim_start().starts_with('#') {
                text.push_str(line);
                text.push('\n');
            }
        }
        Self { text }
    }

    /// Whether a name is used, as such or in a quoted annotation. What is assigned, or passed by its name, is another.
    pub(super) fn uses(&self, name: &str) -> bool {
        let is_target = |before: &str, behind: &str| {
            let begins_line = before.trim_end_matches(' ').ends_with('\n');
            behind.starts_with('=') || (begins_line && behind.starts_with(" = "))
        };
        self.found(name).any(|(before, behind)| !is_target(before, behind))
    }

    /// Whether something of a module is used.
    pub(super) fn uses_module(&self, name: &str) -> bool {
        self.found(name).any(|(_, behind)| behind.starts_with('.'))
    }

    /// What stands before and behind each place where the name stands as a whole word.
    fn found(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let of_name = |character: char| character.is_alphanumeric() || character == '_';
        self.text.match_indices(name).filter_map(move |(at, found)| {
            let (before, behind) = (&self.text[..at], &self.text[at + found.len()..]);
            let begins = !before.ends_with(|character| of_name(character) || character == '.');
            (begins && !behind.starts_with(of_name)).then_some((before, behind))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_uses_names() {
        let code = Code::of(
            "class C:\n    Final = lib.Final\n# Of Mapping.\n\"\"\"Of Sequence.\"\"\"\ndef f(a: \"Call[int]\", time: float, mode: Mode = 1) -> datetime.date:\n    \"\"\"Of\n    \
             Iterable.\n    \"\"\"\n    return g(Any=a, b=x.Rows, _lib=MyRows)\n",
        );
        for used in ["Call", "int", "datetime", "float", "Mode"] {
            assert!(code.uses(used), "{used}");
        }
        for unused in ["Mapping", "Sequence", "Iterable", "Any", "Rows", "Final"] {
            assert!(!code.uses(unused), "{unused}");
        }
        assert!(code.uses_module("datetime"));
        assert!(!code.uses_module("time"));
    }
}
