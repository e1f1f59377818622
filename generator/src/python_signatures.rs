//! The signatures in rendered Python files, for `inspect`: a reader of our own output, not of Python.

use std::collections::BTreeMap;

use crate::run::Rendered;

/// The signatures of the blocking and the asyncio side.
pub(crate) struct PythonSignatures {
    blocking: Side,
    asynchronous: Side,
}

/// By class (none for functions), name, and whether it is a setter.
type Side = BTreeMap<(String, String, bool), String>;

impl PythonSignatures {
    /// Reads them from the stub of the native module and from the modules of both sides.
    pub(crate) fn read(rendered: &Rendered) -> Self {
        let mut blocking = Side::new();
        let mut asynchronous = Side::new();
        for file in &rendered.files {
            let name = file.path.rsplit('/').next().unwrap_or_default();
            // The stub has the classes; a function may be defined in front of it.
            let is_lib = name.starts_with("lib") && name.ends_with(".py");
            if is_lib && name.ends_with("_aio.py") {
                scan(&file.text, &mut asynchronous);
            } else if is_lib || name.ends_with(".pyi") {
                scan(&file.text, &mut blocking);
            }
        }
        Self { blocking, asynchronous }
    }

    pub(crate) fn blocking(&self, class: &str, name: &str) -> Option<String> {
        self.of_member(false, class, name, false)
    }

    pub(crate) fn asynchronous(&self, class: &str, name: &str) -> Option<String> {
        self.of_member(true, class, name, false)
    }

    pub(crate) fn of_member(&self, asynchronous: bool, class: &str, name: &str, setter: bool) -> Option<String> {
        let side = if asynchronous {
            &self.asynchronous
        } else {
            &self.blocking
        };
        side.get(&(class.to_owned(), name.to_owned(), setter)).cloned()
    }
}

fn scan(text: &str, side: &mut Side) {
    let mut class = String::new();
    let mut setter = false;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let code = line.trim_start();
        let indented = code.len() < line.len();
        if !indented {
            if let Some(rest) = code.strip_prefix("class ") {
                class = name_in_front(rest);
            } else if !code.is_empty() && !code.starts_with(['#', '@', ')']) {
                class.clear();
            }
        }
        if code.starts_with('@') {
            setter = code.ends_with(".setter");
        }
        let Some(rest) = code.strip_prefix("async def ").or_else(|| code.strip_prefix("def ")) else {
            continue;
        };
        let mut signature = code.to_owned();
        while !is_whole(&signature) {
            let Some(next) = lines.next() else { break };
            let next = next.trim();
            if !signature.ends_with(['(', '[']) && !next.starts_with([')', ']']) {
                signature.push(' ');
            } else if signature.ends_with(',') {
                signature.pop();
            }
            signature.push_str(next);
        }
        let owner = if indented { class.clone() } else { String::new() };
        let key = (owner, name_in_front(rest), setter);
        // The first of several overloads stands for all; a later file does not hide an earlier one.
        side.entry(key).or_insert_with(|| end_of_signature(&signature));
        setter = false;
    }
}

fn name_in_front(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

/// Whether the brackets of a signature are closed and its colon has come.
fn is_whole(signature: &str) -> bool {
    let opened = signature.matches(['(', '[']).count();
    opened == signature.matches([')', ']']).count() && signature.contains(':') && signature.contains(')')
}

/// A signature without its colon and what stands behind it.
fn end_of_signature(signature: &str) -> String {
    let mut depth = 0_usize;
    for (position, character) in signature.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => return signature[..position].to_owned(),
            _ => {}
        }
    }
    signature.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_found_with_their_class_over_several_lines() {
        let text = "class Connection(Generic[RowT]):\n    \"\"\"Text.\"\"\"\n\n    @property\n    def x(self) -> int: ...\n    \
                    @x.setter\n    def x(self, value: int) -> None: ...\n    def execute(\n        self,\n        sql: \
                    str = \"a\",\n    ) -> Cursor[RowT]:\n        pass\n\ndef connect(path: str) -> Connection: ...\n";
        let mut side = Side::new();
        scan(text, &mut side);
        let get = |class: &str, name: &str, setter| side.get(&(class.to_owned(), name.to_owned(), setter)).cloned();
        assert_eq!(get("Connection", "x", false).as_deref(), Some("def x(self) -> int"));
        assert_eq!(
            get("Connection", "x", true).as_deref(),
            Some("def x(self, value: int) -> None")
        );
        let execute = get("Connection", "execute", false);
        assert_eq!(
            execute.as_deref(),
            Some("def execute(self, sql: str = \"a\") -> Cursor[RowT]")
        );
        assert_eq!(
            get("", "connect", false).as_deref(),
            Some("def connect(path: str) -> Connection")
        );
    }
}
