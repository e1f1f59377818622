//! The async side, as the macro made it: lanes and classes that extend others, with no executor but `block_on`.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::task::{Context, Waker};

use futures::executor::block_on;
use station::{AsyncLinkedStation, LinkOptions, connect_link_async};

type Outcome = Result<(), Box<dyn std::error::Error>>;

async fn linked(folder: &Path, name: &str) -> Result<AsyncLinkedStation, Box<dyn std::error::Error>> {
    let path = folder.join(format!("{name}.txt"));
    Ok(connect_link_async(path, folder.join("net"), LinkOptions::default()).await?)
}

#[test]
fn a_lane_that_waits_holds_up_nothing_else() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let station = linked(folder.path(), "a").await?;
        let mut fetching = pin!(station.fetch(30.0));
        assert!(
            fetching
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
        assert_eq!(station.measure(1.0).await?, 0);
        assert_eq!(station.send(0.0).await?, 1);
        let other = linked(folder.path(), "b").await?;
        other.measure(2.0).await?;
        assert_eq!(other.send(0.0).await?, 1);
        assert!(fetching.await?);
        assert_eq!(station.readings()?, 2);
        other.close().await?;
        station.close().await?;
        Ok(())
    })
}

#[test]
fn a_reader_that_extends_another_has_the_members_of_both() -> Outcome {
    let folder = tempfile::tempdir()?;
    block_on(async {
        let station = linked(folder.path(), "a").await?;
        for value in [1.0, 2.0, 3.0] {
            station.measure(value).await?;
        }
        let reader = station.read_marked().await?;
        assert_eq!(reader.mark(1).await?, 2);
        assert_eq!(reader.next_reading().await?, Some(1.0));
        assert_eq!(reader.go_back().await?.next_readings(5).await?, [2.0, 3.0]);
        station.close().await?;
        Ok(())
    })
}
