//! The blocking side: what a journal promises whatever the colour.

use std::fs;
use std::path::PathBuf;

use journal::{Entry, Journal, JournalError, OpenOptions, open};

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("test.journal")
    }

    fn open(&self) -> Journal {
        open(self.path(), OpenOptions::default()).unwrap()
    }

    fn with(&self, texts: &[&str]) -> Journal {
        let mut journal = self.open();
        for text in texts {
            journal.append(text).unwrap();
        }
        journal
    }
}

fn texts(entries: Vec<Entry>) -> Vec<String> {
    entries.into_iter().map(|entry| entry.text).collect()
}

#[test]
fn entries_are_there_after_the_file_was_closed() {
    let folder = Folder::new();
    folder.with(&["one", "", "drei — ☂"]).close().unwrap();
    let journal = folder.open();
    assert_eq!(journal.length(), 3);
    assert_eq!(
        texts(journal.read(0).unwrap().remaining().unwrap()),
        ["one", "", "drei — ☂"]
    );
}

#[test]
fn numbers_go_on_where_the_file_ended() {
    let folder = Folder::new();
    folder.with(&["one"]).close().unwrap();
    let mut journal = folder.open();
    assert_eq!(journal.append("two").unwrap(), 1);
    assert_eq!(journal.append_all(&["three".into(), "four".into()]).unwrap(), 2);
    assert_eq!(journal.append_all(&[]).unwrap(), 4);
    assert_eq!(journal.length(), 4);
}

#[test]
fn of_several_texts_one_that_is_too_long_keeps_all_out() {
    let folder = Folder::new();
    let mut journal = folder.with(&["one"]);
    journal.set_largest_entry(4).unwrap();
    let refused = journal.append_all(&["two".into(), "three".into()]);
    assert!(
        matches!(refused, Err(JournalError::TooLong { length: 5, largest: 4 })),
        "{refused:?}"
    );
    assert_eq!(journal.length(), 1);
    drop(journal);
    assert_eq!(folder.open().length(), 1);
}

#[test]
fn a_reader_does_not_see_what_comes_after_it() {
    let folder = Folder::new();
    let mut journal = folder.with(&["one"]);
    let mut reader = journal.read(0).unwrap();
    journal.append("two").unwrap();
    assert_eq!(texts(reader.remaining().unwrap()), ["one"]);
}

#[test]
fn the_readers_of_one_set_of_entries_go_on_where_the_other_stopped() {
    let folder = Folder::new();
    let journal = folder.with(&["0", "1", "2", "3", "4", "5"]);
    let mut reader = journal.read(1).unwrap();
    assert_eq!(reader.next_entry().unwrap().unwrap().number, 1);
    assert_eq!(texts(reader.next_entries(2).unwrap()), ["2", "3"]);
    assert_eq!(reader.entries().next().unwrap().unwrap().text, "4");
    assert_eq!(texts(reader.remaining().unwrap()), ["5"]);
    assert_eq!(reader.next_entry().unwrap(), None);
    assert_eq!(reader.seek(5).unwrap().next_entry().unwrap().unwrap().text, "5");
}

#[test]
fn an_entry_behind_the_last_is_refused_by_its_number() {
    let folder = Folder::new();
    let journal = folder.with(&["one"]);
    assert!(journal.read(1).unwrap().remaining().unwrap().is_empty());
    assert!(matches!(
        journal.read(2),
        Err(JournalError::NoSuchEntry { number: 2, length: 1 })
    ));
}

#[test]
fn a_file_that_was_cut_anywhere_is_noticed_and_can_be_repaired() {
    let folder = Folder::new();
    let mut journal = folder.with(&["one"]);
    let whole_entries = fs::metadata(folder.path()).unwrap().len();
    journal.append("two").unwrap();
    drop(journal);
    let bytes = fs::read(folder.path()).unwrap();
    for length in whole_entries + 1..bytes.len() as u64 {
        fs::write(folder.path(), &bytes[..length as usize]).unwrap();
        let refused = open(folder.path(), OpenOptions::default()).err();
        assert!(
            matches!(refused, Some(JournalError::Truncated { number: 1 })),
            "{length} bytes: {refused:?}"
        );
        let mut repaired = open(
            folder.path(),
            OpenOptions {
                repair: true,
                ..OpenOptions::default()
            },
        )
        .unwrap();
        assert_eq!(repaired.append("deux").unwrap(), 1);
        assert_eq!(texts(repaired.read(0).unwrap().remaining().unwrap()), ["one", "deux"]);
    }
}

#[test]
fn a_damaged_length_is_not_repaired_by_cutting_the_entries_behind_it() {
    let folder = Folder::new();
    folder.with(&["one", "two", "three"]).close().unwrap();
    let mut bytes = fs::read(folder.path()).unwrap();
    let second_head = 8 + 12 + 3;
    bytes[second_head + 1] = 0xff;
    fs::write(folder.path(), &bytes).unwrap();
    let refused = open(
        folder.path(),
        OpenOptions {
            repair: true,
            ..OpenOptions::default()
        },
    )
    .err();
    assert!(
        matches!(refused, Some(JournalError::Corrupt { number: 1 })),
        "{refused:?}"
    );
    assert_eq!(fs::read(folder.path()).unwrap(), bytes);
}

#[test]
fn a_damaged_text_is_an_error_at_its_entry_and_the_next_one_is_read() {
    let folder = Folder::new();
    folder.with(&["one", "two", "three"]).close().unwrap();
    let mut bytes = fs::read(folder.path()).unwrap();
    let second_text = 8 + 12 + 3 + 12;
    bytes[second_text] = b'T';
    fs::write(folder.path(), bytes).unwrap();
    let mut reader = folder.open().read(0).unwrap();
    assert_eq!(reader.next_entry().unwrap().unwrap().text, "one");
    assert!(matches!(reader.next_entry(), Err(JournalError::Corrupt { number: 1 })));
    assert_eq!(reader.next_entry().unwrap().unwrap().text, "three");
}

#[test]
fn another_writer_is_noticed_before_the_file_is_spoiled() {
    let folder = Folder::new();
    let mut first = folder.with(&["one"]);
    folder.open().append("from elsewhere").unwrap();
    assert!(matches!(first.append("two"), Err(JournalError::ChangedElsewhere)));
    assert_eq!(
        texts(folder.open().read(0).unwrap().remaining().unwrap()),
        ["one", "from elsewhere"]
    );
}

#[test]
fn another_file_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    for content in ["#!/bin/sh\necho", "x"] {
        fs::write(folder.path(), content).unwrap();
        for repair in [false, true] {
            let refused = open(
                folder.path(),
                OpenOptions {
                    repair,
                    ..OpenOptions::default()
                },
            )
            .err();
            assert!(matches!(refused, Some(JournalError::NotAJournal(_))), "{refused:?}");
        }
        assert_eq!(fs::read_to_string(folder.path()).unwrap(), content);
    }
}

#[test]
fn a_file_that_is_not_to_be_made_is_not() {
    let folder = Folder::new();
    let refused = open(
        folder.path(),
        OpenOptions {
            create: false,
            ..OpenOptions::default()
        },
    )
    .err();
    assert!(matches!(refused, Some(JournalError::File { .. })), "{refused:?}");
    assert!(!folder.path().exists());
}

#[test]
fn a_journal_that_takes_no_text_is_refused() {
    let folder = Folder::new();
    assert!(matches!(
        folder.open().set_largest_entry(0),
        Err(JournalError::BadSetting(_))
    ));
    let options = OpenOptions {
        largest_entry: 0,
        ..OpenOptions::default()
    };
    assert!(matches!(open(folder.path(), options), Err(JournalError::BadSetting(_))));
}
