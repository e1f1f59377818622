//! What is bound to the parameters of a statement.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::{Error, Result, Value};

/// The values for the parameters of one statement: by position or by name.
///
/// Made from `()`, a tuple, an array, a slice or a `Vec` of values for `?` and `?3`; and from an array or a `Vec` of
/// pairs of a name and a value for `:name`, `@name` and `$name`. A name is written without the sign before it, as in
/// `sqlite3`.
///
/// ```
/// use turso_driver::{Params, Value};
///
/// assert_eq!(Params::from((1, "one")), Params::Positional(vec![Value::Integer(1), Value::from("one")]));
/// assert_eq!(Params::from([("id", 1)]), Params::Named(vec![("id".to_owned(), Value::Integer(1))]));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Params {
    /// None: for a statement without parameters.
    #[default]
    None,
    /// One value for each parameter, the first for `?1`.
    Positional(Vec<Value>),
    /// Values by the parameters' names; names that the statement does not use are ignored, as `sqlite3` does.
    Named(Vec<(String, Value)>),
    /// Values that are asked for by name, once for each parameter of the statement.
    Lookup(Lookup),
    /// Values of which one can't be bound. They are refused where they are to be bound.
    Unfit(Unfit),
}

/// A source of values by name: what answers when a statement asks for a parameter.
#[derive(Clone)]
pub struct Lookup {
    find: Arc<Find>,
}

/// Finds the value for a name, without its sign; the position is that of the name in the statement, counted from 1.
type Find = dyn Fn(&str, usize) -> Result<Option<Value>> + Send + Sync;

impl Lookup {
    /// A source that answers with what a function finds for a name (without its sign) and its position in the statement,
    /// counted from 1. It is asked where the statement is run, while the connection is free.
    pub fn new(find: impl Fn(&str, usize) -> Result<Option<Value>> + Send + Sync + 'static) -> Self {
        Self { find: Arc::new(find) }
    }

    /// The value for a name; `None` if there is none.
    pub(crate) fn find(&self, name: &str, position: usize) -> Result<Option<Value>> {
        (self.find)(name, position)
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lookup").finish_non_exhaustive()
    }
}

/// Two are equal if one is a copy of the other.
impl PartialEq for Lookup {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.find, &other.find)
    }
}

/// What was given for parameters and can't be bound. As in `sqlite3` that is no error before the statement is prepared and
/// its transaction has begun.
#[derive(Clone)]
pub struct Unfit {
    count: Option<usize>,
    refuse: Arc<Refuse>,
}

/// Makes the error.
type Refuse = dyn Fn() -> Error + Send + Sync;

impl Unfit {
    /// What gives that error where it is to be bound. If it has a number of values, a wrong one is the error instead.
    pub fn new(count: Option<usize>, refuse: impl Fn() -> Error + Send + Sync + 'static) -> Self {
        Self {
            count,
            refuse: Arc::new(refuse),
        }
    }

    /// The error for a statement with so many parameters.
    pub(crate) fn refusal(&self, needed: usize) -> Error {
        match self.count {
            Some(count) if count != needed => Error::wrong_number_of_values(needed, count),
            _ => (self.refuse)(),
        }
    }
}

impl fmt::Debug for Unfit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Unfit")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

/// Two are equal if one is a copy of the other.
impl PartialEq for Unfit {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.refuse, &other.refuse)
    }
}

impl Params {
    /// Values by position.
    pub fn positional<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::Positional(values.into_iter().map(Into::into).collect())
    }

    /// Values by name.
    pub fn named<Name: Into<String>, T: Into<Value>>(values: impl IntoIterator<Item = (Name, T)>) -> Self {
        Self::Named(
            values
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// Whether the values are known only when the statement is.
    pub(crate) fn wait_for_statement(&self) -> bool {
        matches!(self, Self::Lookup(_) | Self::Unfit(_))
    }
}

impl From<()> for Params {
    fn from(_: ()) -> Self {
        Self::None
    }
}

impl<T: Into<Value>> From<Vec<T>> for Params {
    fn from(values: Vec<T>) -> Self {
        Self::positional(values)
    }
}

impl<T: Into<Value> + Clone> From<&[T]> for Params {
    fn from(values: &[T]) -> Self {
        Self::positional(values.iter().cloned())
    }
}

impl<T: Into<Value>, const COUNT: usize> From<[T; COUNT]> for Params {
    fn from(values: [T; COUNT]) -> Self {
        Self::positional(values)
    }
}

/// Implements `From` for containers of pairs whose first item is a name.
macro_rules! params_from_pairs {
    ($($name:ty),+) => {$(
        impl<T: Into<Value>> From<Vec<($name, T)>> for Params {
            fn from(values: Vec<($name, T)>) -> Self {
                Self::named(values)
            }
        }

        impl<T: Into<Value>, const COUNT: usize> From<[($name, T); COUNT]> for Params {
            fn from(values: [($name, T); COUNT]) -> Self {
                Self::named(values)
            }
        }
    )+};
}

params_from_pairs!(&str, String);

/// Implements `From` for tuples of values.
macro_rules! params_from_tuples {
    ($(($($item:ident $position:tt),+)),+ $(,)?) => {$(
        impl<$($item: Into<Value>),+> From<($($item,)+)> for Params {
            fn from(values: ($($item,)+)) -> Self {
                Self::Positional(vec![$(values.$position.into()),+])
            }
        }
    )+};
}

params_from_tuples! {
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11),
}

/// The parameters for many runs of one statement, taken one by one while it runs.
///
/// Made from a `Vec` or an array of anything that is [`Params`], or from an iterator. An iterator that gives an error
/// ends `executemany` with that error; what ran before it is done, as in `sqlite3`.
pub struct ParamsSequence {
    runs: Box<dyn Source>,
}

/// Where the parameters for many runs come from.
pub(crate) trait Source: Iterator<Item = Result<Params>> + Send {
    /// How many it has taken from wherever it takes them.
    fn ready(&self) -> usize {
        0
    }

    /// Gives the next ones of these, so many at once. `None` if there are not more than that, or one of them or the one behind
    /// them does not fit.
    fn take_ready(&mut self, _count: usize, _fits: &dyn Fn(&Params) -> bool) -> Option<Vec<Params>> {
        None
    }
}

/// [`Source::take_ready`] for one that keeps them in a queue.
pub(crate) fn take_ready<E>(
    ready: &mut VecDeque<Result<Params, E>>,
    count: usize,
    fits: &dyn Fn(&Params) -> bool,
) -> Option<Vec<Params>> {
    let mut first = ready.iter().take(count + 1);
    let all_fit = first.all(|parameters| parameters.as_ref().is_ok_and(fits));
    (ready.len() > count && all_fit).then(|| ready.drain(..count).flatten().collect())
}

/// One that asks an iterator each time.
struct Asked<I>(I);

impl<I: Iterator> Iterator for Asked<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

impl<I: Iterator<Item = Result<Params>> + Send> Source for Asked<I> {}

/// One that has them all.
struct Known(VecDeque<Result<Params>>);

impl Iterator for Known {
    type Item = Result<Params>;

    fn next(&mut self) -> Option<Result<Params>> {
        self.0.pop_front()
    }
}

impl Source for Known {
    fn ready(&self) -> usize {
        self.0.len()
    }

    fn take_ready(&mut self, count: usize, fits: &dyn Fn(&Params) -> bool) -> Option<Vec<Params>> {
        take_ready(&mut self.0, count, fits)
    }
}

impl ParamsSequence {
    /// The parameters that an iterator gives; the iterator is run where the statement is.
    pub fn new<Item: Into<Params>>(runs: impl IntoIterator<Item = Item, IntoIter: Send + 'static>) -> Self {
        Self::from_results(runs.into_iter().map(|parameters| Ok(parameters.into())))
    }

    /// The parameters that an iterator gives which can fail.
    pub fn from_results(runs: impl IntoIterator<Item = Result<Params>, IntoIter: Send + 'static>) -> Self {
        Self::of(Asked(runs.into_iter()))
    }

    /// Those that a source gives.
    pub(crate) fn of(source: impl Source + 'static) -> Self {
        Self { runs: Box::new(source) }
    }

    fn known<P: Into<Params>>(runs: impl IntoIterator<Item = P>) -> Self {
        Self::of(Known(
            runs.into_iter().map(|parameters| Ok(parameters.into())).collect(),
        ))
    }

    /// See [`Source::ready`].
    pub(crate) fn ready(&self) -> usize {
        self.runs.ready()
    }

    /// See [`Source::take_ready`].
    pub(crate) fn take_ready(&mut self, count: usize, fits: &dyn Fn(&Params) -> bool) -> Option<Vec<Params>> {
        self.runs.take_ready(count, fits)
    }
}

impl Iterator for ParamsSequence {
    type Item = Result<Params>;

    fn next(&mut self) -> Option<Self::Item> {
        self.runs.next()
    }
}

impl<P: Into<Params>> From<Vec<P>> for ParamsSequence {
    fn from(runs: Vec<P>) -> Self {
        Self::known(runs)
    }
}

impl<P: Into<Params>, const COUNT: usize> From<[P; COUNT]> for ParamsSequence {
    fn from(runs: [P; COUNT]) -> Self {
        Self::known(runs)
    }
}

impl fmt::Debug for ParamsSequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ParamsSequence").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_of_values_are_positional_and_containers_of_named_pairs_are_named() {
        let two = Params::Positional(vec![Value::Integer(1), Value::Integer(2)]);
        assert_eq!(Params::from([1, 2]), two);
        assert_eq!(Params::from(vec![1, 2]), two);
        assert_eq!(Params::from([1, 2].as_slice()), two);
        assert_eq!(Params::from((1, 2)), two);
        assert_eq!(Params::from(()), Params::None);
        assert_eq!(
            Params::from(vec![("a".to_owned(), 1.5)]),
            Params::Named(vec![("a".to_owned(), Value::Real(1.5))])
        );
    }

    #[test]
    fn a_sequence_keeps_the_errors_of_its_source_in_their_place() {
        let runs = vec![Ok(Params::from((1,))), Err(Error::interface("the source is dry"))];
        let mut sequence = ParamsSequence::from_results(runs);
        assert!(sequence.next().unwrap().is_ok());
        assert_eq!(sequence.next().unwrap().unwrap_err().to_string(), "the source is dry");
    }
}
