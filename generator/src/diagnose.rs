//! Faults, collected and shown as rustc shows them: file, line, the place underlined, and what to write instead.
//!
//! A message may have further lines: one that begins with `help: ` or `note: ` is shown apart from the title.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use proc_macro2::Span;
use quote::ToTokens;

/// The files that faults can point into.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// One of the [`Sources`], by its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(usize);

#[derive(Debug)]
struct SourceFile {
    shown: String,
    text: String,
    /// What [`Span::file`] answers for the file's spans.
    key: Option<String>,
}

impl Sources {
    /// Adds a file that has no spans of Rust. `shown` is the path that a reader of the fault sees.
    pub fn add_text(&mut self, shown: &str, text: &str) -> FileId {
        self.files.push(SourceFile {
            shown: shown.to_owned(),
            text: text.to_owned(),
            key: None,
        });
        FileId(self.files.len() - 1)
    }

    /// Says which spans belong to a file: those for which [`Span::file`] answers as for this one.
    pub fn claim_spans(&mut self, file: FileId, span: Span) {
        self.files[file.0].key = Some(span.file());
    }

    /// The path of a file as it is shown.
    pub fn shown(&self, file: FileId) -> &str {
        &self.files[file.0].shown
    }

    /// The file that a span lies in.
    pub fn file_of(&self, span: Span) -> Option<FileId> {
        let key = span.file();
        self.files
            .iter()
            .position(|file| file.key.as_deref() == Some(&key))
            .map(FileId)
    }
}

#[derive(Clone, Debug)]
struct Diagnostic {
    message: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Span(Span),
    Range(FileId, Range<usize>),
    Nowhere,
}

/// Collects faults, all of them before any is shown.
#[derive(Clone, Debug, Default)]
#[must_use = "faults that nobody looks at are lost"]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// A fault at a span of a source file.
    pub fn error(&mut self, span: Span, message: impl Into<String>) {
        self.list.push(Diagnostic {
            message: message.into(),
            place: Place::Span(span),
        });
    }

    /// A fault at everything that a piece of syntax spans.
    pub fn error_at(&mut self, tokens: &impl ToTokens, message: impl Into<String>) {
        self.absorb(syn::Error::new_spanned(tokens, message.into()));
    }

    /// A fault at bytes of a file.
    pub fn error_in(&mut self, file: FileId, range: Range<usize>, message: impl Into<String>) {
        self.list.push(Diagnostic {
            message: message.into(),
            place: Place::Range(file, range),
        });
    }

    /// A fault that no place in a file belongs to.
    pub fn error_without_place(&mut self, message: impl Into<String>) {
        self.list.push(Diagnostic {
            message: message.into(),
            place: Place::Nowhere,
        });
    }

    /// Takes over what a parser or a check reported, each fault of a combined error by itself.
    pub fn absorb(&mut self, error: syn::Error) {
        for one in error {
            self.error(one.span(), one.to_string());
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many faults there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// All faults as text, in the order of files and lines, with a line that counts them at the end.
    pub fn render(&self, sources: &Sources, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let mut placed: Vec<_> = self
            .list
            .iter()
            .map(|diagnostic| (resolve(&diagnostic.place, sources), &diagnostic.message))
            .collect();
        placed.sort_by_key(|(place, _)| match place {
            Some((file, range)) => (file.0, range.start, range.end),
            None => (usize::MAX, 0, 0),
        });
        placed.dedup();
        let mut text = String::new();
        for (place, message) in &placed {
            text.push_str(&renderer.render(&[group(place.as_ref(), message, sources)]));
            text.push_str("\n\n");
        }
        let count = placed.len();
        let faults = if count == 1 {
            "1 fault".to_owned()
        } else {
            format!("{count} faults")
        };
        text.push_str(&renderer.render(&[Group::with_title(
            Level::ERROR.primary_title(format!("{faults} found; nothing was written")),
        )]));
        text.push('\n');
        text
    }
}

/// Where a place is in the files, if it is in one of them.
fn resolve(place: &Place, sources: &Sources) -> Option<(FileId, Range<usize>)> {
    match place {
        Place::Span(span) => sources.file_of(*span).map(|file| (file, span.byte_range())),
        Place::Range(file, range) => Some((*file, range.clone())),
        Place::Nowhere => None,
    }
}

fn group<'a>(place: Option<&(FileId, Range<usize>)>, message: &'a str, sources: &'a Sources) -> Group<'a> {
    let (title, remarks) = split(message);
    let title = Level::ERROR.primary_title(title);
    let mut group = match place {
        None => Group::with_title(title),
        Some((file, range)) => {
            let file = &sources.files[file.0];
            let end = range.end.min(file.text.len());
            let start = range.start.min(end);
            title.element(
                Snippet::source(file.text.as_str())
                    .path(file.shown.as_str())
                    .annotation(AnnotationKind::Primary.span(start..end)),
            )
        }
    };
    for (level, remark) in remarks {
        group = group.element(level.message(remark));
    }
    group
}

/// A message's title, and its remarks: what stands behind `help: ` or `note: ` at the beginning of a line.
fn split(message: &str) -> (&str, Vec<(Level<'static>, &str)>) {
    let mut remarks = Vec::new();
    let mut rest = message;
    while let Some((level, position, skipped)) = last_remark(rest) {
        remarks.push((level, rest[position + skipped..].trim_end()));
        rest = &rest[..position];
    }
    remarks.reverse();
    (rest, remarks)
}

fn last_remark(text: &str) -> Option<(Level<'static>, usize, usize)> {
    [(Level::HELP, "\nhelp: "), (Level::NOTE, "\nnote: ")]
        .into_iter()
        .filter_map(|(level, sign)| text.rfind(sign).map(|position| (level, position, sign.len())))
        .max_by_key(|(_, position, _)| *position)
}
