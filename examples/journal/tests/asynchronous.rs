//! The async side, as the macro made it: the same journal through its proxies, with no executor but `block_on`.

use std::path::PathBuf;

use async_proxy::CallError;
use futures::executor::block_on;
use futures::future::join_all;
use journal::{AsyncJournal, Entry, JournalError, OpenOptions, open_async};

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn path(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("test.journal")
}

async fn filled(folder: &tempfile::TempDir, count: usize) -> Result<AsyncJournal, CallError<JournalError>> {
    let journal = open_async(path(folder), OpenOptions::default()).await?;
    let texts: Vec<String> = (0..count).map(|number| format!("entry {number}")).collect();
    journal.append_all(&texts).await?;
    Ok(journal)
}

#[test]
fn what_was_appended_is_read() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let journal = open_async(path(&folder), OpenOptions::default()).await?;
        assert_eq!(journal.append("one").await?, 0);
        assert_eq!(journal.append_all(&["two".to_owned(), "three".to_owned()]).await?, 1);
        assert_eq!(journal.length(), 3);
        let reader = journal.read(1).await?;
        assert_eq!(
            reader.next_entry().await?.map(|entry| entry.text),
            Some("two".to_owned())
        );
        assert_eq!(reader.seek(0).await?.next_entries(2).await?.len(), 2);
        assert_eq!(
            reader.remaining().await?,
            [Entry {
                number: 2,
                text: "three".to_owned()
            }]
        );
        assert_eq!(reader.next_entry().await?, None);
        journal.close().await?;
        Ok(())
    })
}

#[test]
fn calls_run_in_the_order_in_which_they_are_made() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let journal = filled(&folder, 0).await?;
        let calls: Vec<_> = (0..50).map(|number| journal.append(&number.to_string())).collect();
        // Awaited from the last to the first.
        for (number, outcome) in join_all(calls.into_iter().rev()).await.into_iter().rev().enumerate() {
            assert_eq!(outcome?, number as u64);
        }
        Ok(())
    })
}

#[test]
fn a_stream_that_is_dropped_loses_no_entry() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let journal = filled(&folder, 300).await?;
        let reader = journal.read(0).await?;
        let mut seen = Vec::new();
        let mut stream = reader.entries();
        while seen.len() < 100 {
            seen.push(stream.next().await.expect("there are more")?.number);
        }
        drop(stream);
        seen.extend(reader.next_entries(50).await?.into_iter().map(|entry| entry.number));
        seen.extend(reader.remaining().await?.into_iter().map(|entry| entry.number));
        assert_eq!(seen, (0..300).collect::<Vec<u64>>());
        Ok(())
    })
}

#[test]
fn errors_arrive_as_they_were() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let missing = folder.path().join("nowhere").join("a.journal");
        let refused = open_async(missing, OpenOptions::default()).await;
        assert!(matches!(refused, Err(CallError::Call(JournalError::File { .. }))));
        let journal = filled(&folder, 1).await?;
        let refused = journal.read(2).await;
        assert!(matches!(
            refused,
            Err(CallError::Call(JournalError::NoSuchEntry { number: 2, length: 1 }))
        ));
        let refused = journal.set_largest_entry(0).await;
        assert!(matches!(refused, Err(CallError::Call(JournalError::BadSetting(_)))));
        journal.set_largest_entry(3).await?;
        assert_eq!(journal.largest_entry(), 3);
        assert!(matches!(
            journal.append("four").await,
            Err(CallError::Call(JournalError::TooLong { .. }))
        ));
        Ok(())
    })
}

#[test]
fn a_closed_journal_answers_and_its_file_is_free() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let journal = filled(&folder, 1).await?;
        let reader = journal.read(0).await?;
        journal.close().await?;
        journal.close().await?;
        let refused = journal.append("late").await;
        assert!(matches!(refused, Err(CallError::Closed)), "{refused:?}");
        let refused = reader.seek(0).await;
        assert!(matches!(refused, Err(CallError::Closed)), "{refused:?}");
        assert_eq!(filled(&folder, 1).await?.length(), 2);
        Ok(())
    })
}
