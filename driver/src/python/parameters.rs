//! From Python objects to the parameters of statements.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_proxy::python::{Refusal, carry, leave_to_worker};
use pyo3::exceptions::PyLookupError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyMapping, PyString, PyTuple};

use super::{Unbindable, value_of};
use crate::params::{Source, take_ready};
use crate::{Error, Lookup, Params, ParamsSequence, Result, Unfit, Value};

/// By position from a sequence, by name from a mapping. `None` is none, as in aiosqlite (`sqlite3` refuses it).
impl FromPyObject<'_, '_> for Params {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Refusal<Error>> {
        if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            return Ok(positional(tuple.len(), tuple.iter().map(Ok)));
        }
        if let Ok(list) = object.cast_exact::<PyList>() {
            return Ok(positional(list.len(), list.iter().map(Ok)));
        }
        if let Ok(dictionary) = object.cast_exact::<PyDict>() {
            return Ok(named(&dictionary).unwrap_or_else(|| looked_up(&object)));
        }
        if object.is_none() {
            return Ok(Self::None);
        }
        // What follows runs code of the object.
        if leave_to_worker() {
            return Ok(Self::None);
        }
        if object.cast::<PyMapping>().is_ok() {
            return Ok(looked_up(&object));
        }
        if object.hasattr(pyo3::intern!(object.py(), "__getitem__"))? {
            return Ok(match object.len() {
                Ok(length) => positional(length, (0..length).map(|position| object.get_item(position))),
                Err(exception) => unfit(None, Refusal::Python(exception)),
            });
        }
        Ok(unfit(
            None,
            Refusal::Api(Error::programming("parameters are of unsupported type")),
        ))
    }
}

/// What is refused when it is to be bound.
fn unfit(count: Option<usize>, refusal: Refusal<Error>) -> Params {
    Params::Unfit(Unfit::new(count, move || {
        let refused = attached(|py| {
            carried(match &refusal {
                Refusal::Api(error) => Refusal::Api(error.clone()),
                Refusal::Python(exception) => Refusal::Python(exception.clone_ref(py)),
            })
        });
        refused.unwrap_or_else(|error| error)
    }))
}

fn positional<'py>(length: usize, objects: impl Iterator<Item = PyResult<Bound<'py, PyAny>>>) -> Params {
    let mut values = Vec::with_capacity(length);
    for (position, object) in (1..).zip(objects) {
        let value = object
            .map_err(Refusal::Python)
            .and_then(|object| value_of(&object).map_err(|unfit| unfit.of_parameter(position, &object)));
        match value {
            Ok(value) => values.push(value),
            Err(refusal) => return unfit(Some(length), refusal),
        }
    }
    Params::Positional(values)
}

/// All values of a dictionary; `None` if one of them can't be bound, which is an error only if the statement asks for it.
fn named(dictionary: &Bound<'_, PyDict>) -> Option<Params> {
    let mut values = Vec::with_capacity(dictionary.len());
    for (key, object) in dictionary {
        // A key that is no text is the name of no parameter.
        let Ok(name) = key.cast::<PyString>() else { continue };
        values.push((name.to_str().ok()?.to_owned(), value_of(&object).ok()?));
    }
    Some(Params::Named(values))
}

/// Values that are asked for by name when the statement's parameters are known: what `__missing__` gives is found too.
fn looked_up(mapping: &Bound<'_, PyAny>) -> Params {
    let mapping = mapping.clone().unbind();
    Params::Lookup(Lookup::new(move |name, position| {
        attached(|py| look_up(mapping.bind(py), name, position).map_err(carried)).and_then(|found| found)
    }))
}

fn look_up(mapping: &Bound<'_, PyAny>, name: &str, position: usize) -> Result<Option<Value>, Refusal<Error>> {
    match mapping.get_item(name) {
        Ok(object) => {
            let value = value_of(&object).map_err(|unfit: Unbindable| unfit.of_parameter(position, &object))?;
            Ok(Some(value))
        }
        Err(exception) if exception.is_instance_of::<PyLookupError>(mapping.py()) => Ok(None),
        Err(exception) => Err(Refusal::Python(exception)),
    }
}

/// An error of the driver for a refusal; an exception of Python is raised in its place when the call has failed with it.
fn carried(refusal: Refusal<Error>) -> Error {
    match refusal {
        Refusal::Api(error) => error,
        Refusal::Python(exception) => {
            let error = Error::interface(format!("the source of the parameters raised {exception}"));
            carry(exception);
            error
        }
    }
}

fn attached<T>(task: impl FnOnce(Python<'_>) -> T) -> Result<T> {
    Python::try_attach(task)
        .ok_or_else(|| Error::interface("the interpreter is about to end: no parameters can be read"))
}

/// From anything that can be iterated over, a generator too.
impl FromPyObject<'_, '_> for ParamsSequence {
    type Error = Refusal<Error>;

    fn extract(object: Borrowed<'_, '_, PyAny>) -> Result<Self, Refusal<Error>> {
        let is_known = object.is_exact_instance_of::<PyList>() || object.is_exact_instance_of::<PyTuple>();
        // What iterates over itself gives itself; anything else runs its own code to say what does.
        if !is_known && object.cast::<PyIterator>().is_err() && leave_to_worker() {
            return Ok(Self::from_results(std::iter::empty()));
        }
        let iterator = object.try_iter()?.unbind();
        Ok(Self::of(Feed {
            iterator: Some(iterator),
            ready: VecDeque::new(),
        }))
    }
}

/// Takes parameters from an iterator of Python in slices, because each hand-over of the GIL may cost milliseconds.
struct Feed {
    /// `None` behind its end or an exception.
    iterator: Option<Py<PyIterator>>,
    ready: VecDeque<Result<Params, Refusal<Error>>>,
}

impl Feed {
    /// The most items of a slice: eight times what the engine inserts at once, the one before and the one behind.
    const SLICE: usize = 258;
    /// The time behind which no further item is taken: a slow generator is not run far ahead of the statement.
    const TIME: Duration = Duration::from_millis(2);

    fn fill(&mut self, py: Python<'_>) {
        let begin = Instant::now();
        while let Some(iterator) = &self.iterator
            && self.ready.len() < Self::SLICE
            && begin.elapsed() < Self::TIME
        {
            let item = iterator.bind(py).clone().next();
            let parameters = item.map(|item| item.map_err(Refusal::Python).and_then(|item| item.extract::<Params>()));
            if matches!(parameters, None | Some(Err(_) | Ok(Params::Unfit(_)))) {
                self.iterator = None;
            }
            self.ready.extend(parameters);
        }
    }
}

impl Iterator for Feed {
    type Item = Result<Params>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && self.iterator.is_some()
            && let Err(error) = attached(|py| self.fill(py))
        {
            self.iterator = None;
            return Some(Err(error));
        }
        Some(self.ready.pop_front()?.map_err(carried))
    }
}

impl Source for Feed {
    fn ready(&self) -> usize {
        self.ready.len()
    }

    fn take_ready(&mut self, count: usize, fits: &dyn Fn(&Params) -> bool) -> Option<Vec<Params>> {
        take_ready(&mut self.ready, count, fits)
    }
}
