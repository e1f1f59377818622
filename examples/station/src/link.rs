//! A station that exchanges readings with others.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_proxy::async_proxy;

use crate::error::{Result, StationError};
use crate::station::{Station, duration, open};
use crate::wait::Bell;

/// A station that exchanges readings with others through a folder.
///
/// Fetching and sending have lanes of their own: while one waits, the other goes on, and so does all else.
#[derive(Clone)]
pub struct LinkedStation {
    station: Station,
    link: Arc<Link>,
}

struct Link {
    folder: PathBuf,
    name: String,
    /// The number of the next reading to send.
    sent: AtomicUsize,
    fetched: Mutex<Vec<PathBuf>>,
    sources: Mutex<Vec<Source>>,
    fetch_bell: Bell,
    send_bell: Bell,
}

impl Deref for LinkedStation {
    type Target = Station;

    fn deref(&self) -> &Station {
        &self.station
    }
}

/// How a station is linked.
#[async_proxy]
#[derive(Clone, Debug, Default)]
pub struct LinkOptions {
    /// What the others call this station; by default what its file is called.
    #[proxy(default = None, keyword_only)]
    pub name: Option<String>,
}

/// What came from another station.
#[async_proxy(value)]
#[cfg_attr(feature = "python", derive(pyo3::FromPyObject))]
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Source {
    /// What that station is called.
    pub name: String,
    /// How many readings came from it.
    pub readings: usize,
    /// What is remembered of it.
    #[proxy(default = None)]
    pub note: Option<String>,
}

/// What was exchanged so far.
#[async_proxy(value)]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exchange {
    /// How many readings were sent.
    pub sent: usize,
    /// The stations of which readings came, by their names.
    pub sources: Vec<Source>,
    /// The source of the most readings.
    pub richest: Option<Source>,
}

/// A station that exchanges readings with others through a folder.
///
/// Fetching and sending have lanes of their own: while one waits, the other goes on, and so does all else.
#[async_proxy(extends = Station)]
impl LinkedStation {
    /// Fetches what others sent, and waits for it that many seconds at the most; whether there was anything.
    ///
    /// # Errors
    /// [`StationError::Interrupted`] if it is interrupted.
    #[proxy(lane = "fetch", signature = (seconds = 0.0))]
    pub fn fetch(&self, seconds: f64) -> Result<bool> {
        let found = self.link.fetch_bell.wait(duration(seconds), || self.fetch_now())?;
        for value in found.iter().flatten() {
            self.station.measure(*value)?;
        }
        Ok(found.is_some())
    }

    /// Sends the readings that were not sent yet, and takes that many seconds for it; how many there were.
    ///
    /// # Errors
    /// [`StationError::Interrupted`] if it is interrupted; nothing is sent then.
    #[proxy(lane = "send", signature = (seconds = 0.0))]
    pub fn send(&self, seconds: f64) -> Result<usize> {
        self.link
            .send_bell
            .wait(duration(seconds), || Ok::<Option<()>, StationError>(None))?;
        let first = self.link.sent.load(Ordering::Relaxed);
        let values: Vec<f64> = (first..).map_while(|number| self.station.reading(number)).collect();
        if !values.is_empty() {
            let lines: String = values.iter().map(|value| format!("{value}\n")).collect();
            let path = self.link.folder.join(format!("{}.{first}.readings", self.link.name));
            fs::write(&path, lines).map_err(StationError::file("sending readings"))?;
            self.link.sent.store(first + values.len(), Ordering::Relaxed);
        }
        Ok(values.len())
    }

    /// Remembers something of a source; whether anything came from it.
    #[proxy(lane = "fetch")]
    pub fn remember(&self, source: &Source) -> bool {
        let mut sources = self.link.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sources.iter_mut().find(|known| known.name == source.name);
        let is_known = known.is_some();
        if let Some(known) = known {
            known.note.clone_from(&source.note);
        }
        is_known
    }

    /// What was exchanged so far.
    pub fn exchange(&self) -> Exchange {
        let mut sources = self.link.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        sources.sort_by(|one, other| one.name.cmp(&other.name));
        Exchange {
            sent: self.sent(),
            richest: sources.iter().max_by_key(|source| source.readings).cloned(),
            sources,
        }
    }

    /// Interrupts fetching; does nothing if nothing is fetched.
    #[proxy(interrupt, lane = "fetch")]
    pub fn interrupt_fetch(&self) {
        self.link.fetch_bell.ring();
    }

    /// Interrupts sending; does nothing if nothing is sent.
    #[proxy(interrupt, lane = "send")]
    pub fn interrupt_send(&self) {
        self.link.send_bell.ring();
    }

    /// How many readings were sent.
    #[proxy(direct)]
    pub fn sent(&self) -> usize {
        self.link.sent.load(Ordering::Relaxed)
    }
}

impl LinkedStation {
    /// Counts what came from a source.
    fn count(&self, name: &str, readings: usize) {
        let mut sources = self.link.sources.lock().unwrap_or_else(PoisonError::into_inner);
        match sources.iter_mut().find(|source| source.name == name) {
            Some(source) => source.readings += readings,
            None => sources.push(Source {
                name: name.to_owned(),
                readings,
                note: None,
            }),
        }
    }

    /// What others sent and was not fetched yet.
    fn fetch_now(&self) -> Result<Option<Vec<f64>>> {
        let refused = || StationError::file("fetching readings");
        let mut fetched = self.link.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        let mut values = Vec::new();
        for entry in fs::read_dir(&self.link.folder).map_err(refused())? {
            let path = entry.map_err(refused())?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let is_own = name.starts_with(&format!("{}.", self.link.name));
            if is_own || !name.ends_with(".readings") || fetched.contains(&path) {
                continue;
            }
            let text = fs::read_to_string(&path).map_err(refused())?;
            let before = values.len();
            values.extend(text.lines().filter_map(|line| line.parse::<f64>().ok()));
            let name = name.split('.').next().unwrap_or_default();
            self.count(name, values.len() - before);
            fetched.push(path);
        }
        Ok((!values.is_empty()).then_some(values))
    }
}

/// Opens the station whose readings are in that file, and links it to others through a folder.
#[async_proxy]
pub fn connect_link(
    path: impl AsRef<Path>,
    folder: impl AsRef<Path>,
    #[proxy(spread)] options: LinkOptions,
) -> Result<LinkedStation> {
    let (path, folder) = (path.as_ref(), folder.as_ref());
    fs::create_dir_all(folder).map_err(StationError::file(format!("making {}", folder.display())))?;
    let of_file = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let station = open(path)?;
    Ok(LinkedStation {
        link: Arc::new(Link {
            folder: folder.to_owned(),
            name: options.name.unwrap_or_else(of_file),
            sent: AtomicUsize::new(station.readings()),
            fetched: Mutex::default(),
            sources: Mutex::default(),
            fetch_bell: Bell::default(),
            send_bell: Bell::default(),
        }),
        station,
    })
}
