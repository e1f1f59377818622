//! What a companion has beside the calls on the members of its class: what the asyncio driver asks for itself.
//!
//! The driver hands a companion to a function in place of the object, which then calls a member of it by its name. So no member
//! of such a class may have the name of what is here.

use async_proxy_syntax::model::{Colour, Receiver};
use proc_macro2::TokenStream;
use quote::quote;

use super::calls::has_companion;
use super::rust_ident;
use crate::python::model::{Class, Kind, Member};

/// What the companion of a class with snapshot properties has.
const OF_SNAPSHOTS: &[&str] = &["latest"];
/// What one of a class has whose objects others hand out.
const OF_CHILD: &[&str] = &["abandon", "error", "is_made", "object"];
/// What one of a class has whose objects read rows.
const OF_READER: &[&str] = &[
    "answer",
    "ask",
    "begin",
    "chunk_size",
    "drop",
    "end_over",
    "give_back",
    "give_back_one",
    "hand_out",
    "is_over",
    "next_ahead",
    "take",
    "take_ahead",
    "wait",
];

/// Whether the member's name is one of those that the companion of its class has itself, and would be asked for in its place.
pub(in crate::python) fn is_hidden(class: &Class, member: &Member) -> bool {
    let is_called = matches!(
        member.kind,
        Kind::Call | Kind::SelfReturn | Kind::Child { .. } | Kind::Close
    );
    let parts = [
        (class.snapshots().next().is_some(), OF_SNAPSHOTS),
        (!class.parents.is_empty(), OF_CHILD),
        (class.has_rows(), OF_READER),
    ];
    let is_own = |name: &str| parts.iter().any(|(is_there, names)| *is_there && names.contains(&name));
    let is_blocking = class.source.colour != Colour::Async;
    is_blocking && is_called && has_companion(class) && is_own(&member.name)
}

/// The members that a companion has beside the calls.
pub(super) fn own_members(class: &Class) -> TokenStream {
    let latest = class.snapshots().next().map(|_| of_snapshots());
    let (is_child, is_reader) = (!class.parents.is_empty(), class.has_rows());
    let child = is_child.then(|| of_child(is_reader));
    let reader = is_reader.then(of_reader);
    let ending = if is_child && is_reader { ending(class) } else { None };
    quote!(#latest #child #reader #ending)
}

fn of_snapshots() -> TokenStream {
    quote! {
        #[doc = " The snapshot properties, as the latest call left them; `None` before there is an object."]
        fn latest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, ::pyo3::types::PyTuple>> {
            self.target.get()._snapshot(py).ok()
        }
    }
}

/// What the asyncio driver asks of an object that is yet to be made.
fn of_child(is_reader: bool) -> TokenStream {
    let abandon = if is_reader {
        quote! {
            #[doc = " A call that drops the object; `None` if there is nothing to drop, or not yet, or if it was dropped at once."]
            fn abandon(&self, py: Python<'_>) -> Option<python::NativeCall> {
                let object = self.target.get().object.abandon()?;
                if self.ahead.is_whole(py) {
                    python::discard_here(object);
                    return None;
                }
                Some(python::NativeCall::new(move || python::discard(object), |_, ()| Ok(None)))
            }
        }
    } else {
        quote! {
            #[doc = " A call that drops the object; `None` if there is nothing to drop, or not yet."]
            fn abandon(&self) -> Option<python::NativeCall> {
                let object = self.target.get().object.abandon()?;
                Some(python::NativeCall::new(move || python::discard(object), |_, ()| Ok(None)))
            }
        }
    };
    quote! {
        #[doc = " The object itself, which may be yet to be made."]
        #[getter]
        fn object<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
            self.target.bind(py).clone().into_any()
        }

        #[doc = " The error of the call that should have made the object."]
        #[getter]
        fn error<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
            self.making.error(py)
        }

        #[doc = " Whether the object was made."]
        #[getter]
        fn is_made(&self) -> bool {
            self.target.get().object.is_opened()
        }

        #abandon
    }
}

/// The end of an object of which nothing is left to be read. `None` if it takes arguments.
fn ending(class: &Class) -> Option<TokenStream> {
    let close = class.members.iter().find(|member| matches!(member.kind, Kind::Close))?;
    if !close.parameters.is_empty() {
        return None;
    }
    let method = rust_ident(&close.ident);
    let mutable = (close.source.receiver == Receiver::Exclusive).then(|| quote!(mut));
    Some(quote! {
        #[doc = " Ends the object if nothing of its result set is left to be read, and no call is queued. The answer is whether it"]
        #[doc = " did."]
        fn end_over(slf: &Bound<'_, Self>, queue: &python::NativeQueue) -> bool {
            python::end_over(slf, queue, || {
                let #mutable object = slf.get().target.get().object.end()?;
                Some(Box::new(move || python::discard(object.#method())))
            })
        }
    })
}

/// What `rows.py` asks of rows that are read ahead.
fn of_reader() -> TokenStream {
    quote! {
        #[doc = " How many rows are read ahead."]
        #[getter]
        fn chunk_size(&self, py: Python<'_>) -> usize {
            self.ahead.chunk_size(py)
        }

        #[setter]
        fn set_chunk_size(&self, py: Python<'_>, size: usize) {
            self.ahead.set_chunk_size(py, size);
        }

        #[doc = " Notes that a call is about to be queued."]
        fn ask(&self, py: Python<'_>) -> u64 {
            self.ahead.ask(py)
        }

        #[doc = " Notes that the call of that number has run."]
        fn answer(&self, py: Python<'_>, number: u64) {
            py.detach(|| self.ahead.answer(number));
        }

        #[doc = " Drops the result set, for a call that Python runs."]
        fn drop(&self, py: Python<'_>) {
            let dropped = py.detach(|| self.ahead.drop_result_set());
            drop(dropped);
        }

        #[doc = " Reads the first rows of a new result set, for a call that Python runs."]
        fn begin(&self, py: Python<'_>, _read_rows: &Bound<'_, PyAny>) {
            py.detach(|| self.ahead.begin(&self.target));
        }

        #[doc = " Notes that the call of that number waits for a transaction to end."]
        fn wait(&self, py: Python<'_>, number: u64, future: Py<PyAny>) {
            self.ahead.wait(py, number, future);
        }

        #[doc = " Takes the next row, if it is there and no call that is queued before comes to take it; gives `missing` otherwise."]
        fn next_ahead<'py>(&self, py: Python<'py>, missing: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
            let row = self.ahead.next_ahead(self.target.bind(py))?;
            Ok(row.unwrap_or(missing))
        }

        #[doc = " Takes the next row, as something to be awaited; `None` if it is not there, or another call comes to take it."]
        fn hand_out(slf: &Bound<'_, Self>) -> Option<python::Handed> {
            let own = slf.get();
            own.ahead.hand_out(own.target.bind(slf.py()), slf.as_any())
        }

        #[doc = " Undoes that."]
        fn give_back_one(&self, py: Python<'_>, row: Py<PyAny>, result_set: u64) {
            self.ahead.give_back_one(py, row, result_set);
        }

        #[doc = " Whether nothing of the result set is left to be read, and no call is queued."]
        #[getter]
        fn is_over(&self, py: Python<'_>) -> bool {
            self.target.get().object.is_opened() && self.ahead.is_over(py)
        }

        #[doc = " Takes so many rows, or all, if nothing has to be read for that."]
        fn take_ahead(&self, py: Python<'_>, size: Option<usize>) -> PyResult<Option<python::Taken>> {
            let reader = self.target.bind(py);
            let taking = self.ahead.take_ahead(reader, size);
            taking.map_or(Ok(None), |mut taking| taking.convert(reader, None))
        }

        #[doc = " Undoes a take."]
        fn give_back(&self, py: Python<'_>, taken: &Bound<'_, python::Taken>) {
            self.ahead.give_back(py, taken.get());
        }

        #[doc = " A call that takes so many rows, or all, and passes them to `receive`."]
        fn take(slf: &Bound<'_, Self>, size: Option<usize>, receive: Py<PyAny>) -> python::NativeCall {
            python::TakeRows::call(slf, size, receive)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{OF_CHILD, OF_READER, OF_SNAPSHOTS, of_child, of_reader, of_snapshots};

    /// Bug: a member that is called like a new one of these is compiled into a class that has two of them.
    #[test]
    fn every_name_is_told() {
        for (names, tokens, more) in [
            (OF_SNAPSHOTS, of_snapshots(), &[][..]),
            (OF_CHILD, of_child(true), &[]),
            (OF_READER, of_reader(), &["end_over"]),
        ] {
            let block: syn::ItemImpl = syn::parse_quote!(impl Companion { #tokens });
            let functions = block.items.iter().filter_map(|item| match item {
                syn::ImplItem::Fn(function) => Some(function.sig.ident.to_string()),
                _ => None,
            });
            let setter = |name: &String| name.starts_with("set_");
            let mut found: Vec<String> = functions.filter(|name| !setter(name)).collect();
            found.extend(more.iter().map(|&name| name.to_owned()));
            found.sort();
            assert_eq!(found, names);
        }
    }
}
