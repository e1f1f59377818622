//! A station by itself.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_proxy::async_proxy;

use crate::error::{Result, StationError};
use crate::reader::{MarkedReader, Reader};
use crate::wait::Bell;

/// A weather station that keeps its readings in a file. Clones are handles of one station.
#[derive(Clone)]
pub struct Station {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    bell: Bell,
    closed: AtomicBool,
}

struct State {
    /// `None` once the station is closed.
    file: Option<File>,
    readings: Vec<f64>,
    unit: String,
}

/// A weather station that keeps its readings in a file.
#[async_proxy]
impl Station {
    /// Writes a reading down; its number, from 0.
    ///
    /// # Errors
    /// [`StationError::BadReading`] for what is no number.
    pub fn measure(&self, value: f64) -> Result<usize> {
        if value.is_nan() {
            return Err(StationError::BadReading("nan is no reading: give a number".to_owned()));
        }
        let mut state = self.state();
        if let Some(file) = &mut state.file {
            writeln!(file, "{value}").map_err(StationError::file("writing a reading"))?;
        }
        state.readings.push(value);
        Ok(state.readings.len() - 1)
    }

    /// Waits until there are that many readings, for that many seconds at the most; whether there are.
    ///
    /// # Errors
    /// [`StationError::Interrupted`] if it is interrupted.
    pub fn wait_for(&self, readings: usize, seconds: f64) -> Result<bool> {
        let found = self.shared.bell.wait(duration(seconds), || {
            Ok((self.state().readings.len() >= readings).then_some(()))
        })?;
        Ok(found.is_some())
    }

    /// Calls a function with each reading, until it answers `false`; how many readings it was called with.
    ///
    /// # Errors
    /// What the function fails with.
    #[proxy(by_hand = "only the caller knows what its function raises")]
    pub fn visit(
        &self,
        #[proxy(py = "Callable[[float], object]")] mut visitor: impl FnMut(f64) -> Result<bool> + Send + 'static,
    ) -> Result<usize> {
        let readings = self.state().readings.clone();
        for (number, reading) in readings.iter().enumerate() {
            if !visitor(*reading)? {
                return Ok(number + 1);
            }
        }
        Ok(readings.len())
    }

    /// How many readings there are.
    #[proxy(property, live)]
    pub fn readings(&self) -> usize {
        self.state().readings.len()
    }

    /// What is measured.
    #[proxy(property, live)]
    pub fn unit(&self) -> String {
        self.state().unit.clone()
    }

    /// Says what is measured from now on.
    #[proxy(setter)]
    pub fn set_unit(&self, unit: &str) {
        unit.clone_into(&mut self.state().unit);
    }

    /// A reader of the readings, from the first on.
    #[proxy(child)]
    pub fn read(&self) -> Reader {
        Reader::of(self)
    }

    /// A reader with a mark to which it goes back.
    #[proxy(child)]
    pub fn read_marked(&self) -> MarkedReader {
        MarkedReader::of(self)
    }

    /// Interrupts the call that waits now; does nothing if none does.
    #[proxy(interrupt)]
    pub fn interrupt(&self) {
        self.shared.bell.ring();
    }

    /// Whether the station is closed.
    #[proxy(direct, when_closed)]
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// Closes the file. Closing again does nothing.
    #[proxy(close)]
    pub fn close(&self) -> Result<()> {
        self.shared.closed.store(true, Ordering::Relaxed);
        match self.state().file.take() {
            Some(file) => file.sync_all().map_err(StationError::file("closing a station")),
            None => Ok(()),
        }
    }
}

impl Station {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The reading of that number.
    pub(crate) fn reading(&self, number: usize) -> Option<f64> {
        self.state().readings.get(number).copied()
    }
}

/// Opens the station whose readings are in that file, or makes it.
#[async_proxy]
pub fn open(path: impl AsRef<Path>) -> Result<Station> {
    let path = path.as_ref();
    let refused = || StationError::file(format!("opening {}", path.display()));
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(refused())?;
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(refused())?;
    let readings: std::result::Result<Vec<f64>, _> = text.lines().map(str::parse).collect();
    let bad = |error| StationError::BadReading(format!("{} is no file of readings: {error}", path.display()));
    let state = State {
        file: Some(file),
        readings: readings.map_err(bad)?,
        unit: "°C".to_owned(),
    };
    Ok(Station {
        shared: Arc::new(Shared {
            state: Mutex::new(state),
            bell: Bell::default(),
            closed: AtomicBool::new(false),
        }),
    })
}

/// A time in seconds; nothing below 0, and nothing that is no number.
pub(crate) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
