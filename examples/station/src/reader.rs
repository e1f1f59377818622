//! Readers of a station's readings.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_proxy::async_proxy;

use crate::station::Station;

/// Reads the readings of a station one after the other. Clones share their place.
#[derive(Clone)]
pub struct Reader {
    station: Station,
    position: Arc<AtomicUsize>,
}

/// Reads the readings of a station one after the other.
#[async_proxy]
impl Reader {
    /// The next reading.
    #[proxy(rows)]
    pub fn next_reading(&mut self) -> Option<f64> {
        let reading = self.station.reading(self.position())?;
        self.position.fetch_add(1, Ordering::Relaxed);
        Some(reading)
    }

    /// The next readings, that many at the most.
    #[proxy(rows)]
    pub fn next_readings(&mut self, count: usize) -> Vec<f64> {
        std::iter::from_fn(|| self.next_reading()).take(count).collect()
    }

    /// Goes back to the first reading.
    pub fn rewind(&mut self) -> &mut Self {
        self.position.store(0, Ordering::Relaxed);
        self
    }

    /// How many readings were taken out of the file, also those that are read ahead.
    #[proxy(property, snapshot)]
    pub fn position(&self) -> usize {
        self.position.load(Ordering::Relaxed)
    }

    /// The station.
    #[proxy(parent)]
    pub fn station(&self) -> &Station {
        &self.station
    }
}

impl Reader {
    /// Goes to the reading of that number.
    fn seek(&self, number: usize) {
        self.position.store(number, Ordering::Relaxed);
    }

    pub(crate) fn of(station: &Station) -> Self {
        Self {
            station: station.clone(),
            position: Arc::default(),
        }
    }
}

/// A reader with a mark to which it goes back.
pub struct MarkedReader {
    reader: Reader,
    mark: usize,
}

impl Deref for MarkedReader {
    type Target = Reader;

    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl DerefMut for MarkedReader {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

/// A reader with a mark to which it goes back.
#[async_proxy(extends = Reader)]
impl MarkedReader {
    /// Puts the mark at the reading of that number; how many readings there are from there on.
    pub fn mark(&mut self, number: usize) -> usize {
        self.mark = number;
        self.reader.station().readings().saturating_sub(number)
    }

    /// Goes back to the mark, which is at the first reading to begin with.
    pub fn go_back(&mut self) -> &mut Self {
        self.reader.seek(self.mark);
        self
    }
}

impl MarkedReader {
    pub(crate) fn of(station: &Station) -> Self {
        Self {
            reader: Reader::of(station),
            mark: 0,
        }
    }
}
