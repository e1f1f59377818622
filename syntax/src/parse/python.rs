//! What only the Python targets look at.

use proc_macro2::Ident;

use super::attribute::Entry;
use super::signature::{check_against, parse_signature};
use crate::model::PythonOptions;
use crate::report::Report;

/// The entries of `#[proxy(…)]` that speak of Python.
#[derive(Default)]
pub(super) struct PythonEntries {
    entries: Vec<Entry>,
}

impl PythonEntries {
    /// Keeps an entry that speaks of Python, and hands any other back.
    pub(super) fn take(&mut self, entry: Entry) -> Option<Entry> {
        if ["signature", "name", "py", "rust_only", "attempt", "by_hand"]
            .iter()
            .any(|key| entry.key == key)
        {
            self.entries.push(entry);
            return None;
        }
        Some(entry)
    }

    /// Reads them, against the names of the arguments.
    pub(super) fn read<'a>(self, arguments: impl Iterator<Item = &'a Ident>, report: &mut Report) -> PythonOptions {
        let mut options = PythonOptions::default();
        let (mut signature, mut by_hand) = (None, None);
        for entry in self.entries {
            match entry.key.to_string().as_str() {
                "signature" => {
                    options.signature = parse_signature(&entry, report);
                    signature = Some(entry);
                }
                "name" => options.name = entry.python_name(report),
                "py" => options.returns = entry.annotation(report),
                "attempt" => options.attempt = entry.member_name(report),
                "by_hand" => {
                    options.by_hand = entry.sentence(report);
                    by_hand = Some(entry);
                }
                _ => options.rust_only = entry.sentence(report),
            }
        }
        if let (Some(entry), Some(_)) = (&by_hand, &options.rust_only) {
            report.fault(
                entry,
                "what is not in Python is not written by hand there either",
                "remove `by_hand`, or remove `rust_only`",
            );
        }
        if let (Some(read), Some(entry)) = (&options.signature, &signature) {
            check_against(read, entry, arguments, report);
        }
        options
    }
}
