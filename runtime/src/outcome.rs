//! What a blocking method may return, told by trait and not by the name `Result`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI32, NonZeroI64, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::error::CallError;

/// What a blocking method returns: a [`Result`], or a [`Plain`] value that can't fail.
#[diagnostic::on_unimplemented(
    message = "the proxy does not know whether `{Self}` can be an error",
    label = "neither a `Result` nor a type known to be plain",
    note = "return a `Result`, or write `impl async_proxy::Plain for {Self} {{}}` beside the type",
    note = "a type that has `#[async_proxy]` on its `impl` block is returned by a `#[proxy(child)]` or `#[proxy(open)]` member"
)]
pub trait Outcome: Sized {
    /// The value of success.
    type Ok;
    /// The error; [`Infallible`] where there is none.
    type Error;

    /// The value as a `Result`.
    fn into_result(self) -> Result<Self::Ok, Self::Error>;
}

/// A type that is never an error: what a method returns when it can't fail.
///
/// Known for the types of the standard library that methods commonly return. For a type of your own write
/// `impl async_proxy::Plain for Settings {}`. Classes with `#[async_proxy]` are plain by themselves.
#[diagnostic::on_unimplemented(
    message = "the proxy does not know whether `{Self}` can be an error",
    label = "neither a `Result` nor a type known to be plain",
    note = "return a `Result`, or write `impl async_proxy::Plain for {Self} {{}}` beside the type"
)]
pub trait Plain {}

impl<T, E> Outcome for Result<T, E> {
    type Ok = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

impl<T: Plain> Outcome for T {
    type Ok = T;
    type Error = Infallible;

    fn into_result(self) -> Result<T, Infallible> {
        Ok(self)
    }
}

/// What a call gives in the end: the type of success of `R`, or `F`, which is [`CallError`] where the description names no
/// error type of its own.
pub type Answer<R, F = CallError<<R as Outcome>::Error>> = Result<<R as Outcome>::Ok, F>;

/// What the `check` function of a setter gives: nothing, or the value in the form in which it is to be set.
pub trait Checked<V, Form> {
    /// The value to set.
    fn value(self, given: V) -> V;
}

/// A check that leaves the value as it was given.
pub struct AsGiven(());

/// A check that gives the value in its normal form.
pub struct InNormalForm(());

impl<V> Checked<V, AsGiven> for () {
    fn value(self, given: V) -> V {
        given
    }
}

impl<V> Checked<V, InNormalForm> for V {
    fn value(self, _: V) -> V {
        self
    }
}

macro_rules! plain {
    ($($type:ty),* $(,)?) => { $(impl Plain for $type {})* };
}

macro_rules! plain_tuples {
    ($($first:ident $($rest:ident)*),* $(,)?) => {
        $(impl<$first $(, $rest)*> Plain for ($first, $($rest,)*) {})*
    };
}

plain!(
    (),
    bool,
    char,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    f32,
    f64,
    String,
    PathBuf,
    OsString,
    CString,
    Duration,
    Instant,
    SystemTime,
    IpAddr,
    Ipv4Addr,
    Ipv6Addr,
    SocketAddr,
    NonZeroI32,
    NonZeroI64,
    NonZeroU32,
    NonZeroU64,
    NonZeroUsize,
    std::cmp::Ordering,
    std::process::ExitStatus,
);
plain_tuples!(A, A B, A B C, A B C D, A B C D E, A B C D E F, A B C D E F G, A B C D E F G H);

impl Plain for &str {}
impl<T> Plain for Option<T> {}
impl<T> Plain for Vec<T> {}
impl<T> Plain for VecDeque<T> {}
impl<T> Plain for LinkedList<T> {}
impl<T> Plain for BinaryHeap<T> {}
impl<T> Plain for BTreeSet<T> {}
impl<T, S> Plain for HashSet<T, S> {}
impl<K, V> Plain for BTreeMap<K, V> {}
impl<K, V, S> Plain for HashMap<K, V, S> {}
impl<T, const N: usize> Plain for [T; N] {}
impl<T: ?Sized> Plain for Box<T> {}
impl<T: ?Sized> Plain for Arc<T> {}
impl<T: ?Sized> Plain for Rc<T> {}
impl<T: ?Sized + ToOwned> Plain for Cow<'_, T> {}
