//! The collector of faults: a description is read to its end, and all that is wrong with it comes out together.

use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::spanned::Spanned;

/// A fault on its way to a [`Report`].
#[derive(Debug)]
pub struct Fault {
    place: TokenStream,
    wrong: String,
    cure: String,
}

impl Fault {
    /// What is wrong at these tokens, and what to write instead.
    pub fn new(tokens: impl ToTokens, wrong: impl Into<String>, cure: impl Into<String>) -> Self {
        Fault {
            place: tokens.into_token_stream(),
            wrong: wrong.into(),
            cure: cure.into(),
        }
    }

    /// The same fault, at these tokens if it has none of its own.
    pub(crate) fn or_at(mut self, tokens: impl ToTokens) -> Self {
        if self.place.is_empty() {
            self.place = tokens.into_token_stream();
        }
        self
    }
}

/// Faults found so far.
///
/// Whoever makes a report must look at it: one that is dropped with [`Report::into_result`] not called panics, so that a
/// forgotten check can't ship.
#[derive(Debug)]
pub struct Report {
    faults: Vec<syn::Error>,
    looked_at: bool,
}

impl Report {
    /// An empty report.
    #[expect(
        clippy::new_without_default,
        reason = "a report that nobody asked for would panic where it is dropped"
    )]
    pub fn new() -> Self {
        Report {
            faults: Vec::new(),
            looked_at: false,
        }
    }

    /// Notes a fault at a place. The message ends with the cure: what to write instead.
    pub fn error(&mut self, place: impl Spanned, message: impl Display) {
        self.faults.push(syn::Error::new(place.span(), message));
    }

    /// Notes a fault of the description: what is wrong, and what to write instead. It spans all of the tokens, from the
    /// first to the last. (Within a macro a [`proc_macro2::Span`] covers one token only; an error keeps the first and the
    /// last.)
    pub fn fault(&mut self, tokens: impl ToTokens, wrong: impl Display, cure: impl Display) {
        self.faults
            .push(syn::Error::new_spanned(tokens, format_args!("{wrong}\nhelp: {cure}")));
    }

    /// Notes a fault that was found where there was no report at hand.
    pub fn add(&mut self, fault: Fault) {
        self.fault(fault.place, fault.wrong, fault.cure);
    }

    /// Takes over a fault, or several combined ones, that `syn` found.
    pub fn push(&mut self, fault: syn::Error) {
        self.faults.extend(fault);
    }

    /// Whether nothing was found so far.
    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// How many faults were found so far.
    pub fn len(&self) -> usize {
        self.faults.len()
    }

    /// All faults, in the order in which they were found.
    ///
    /// # Errors
    /// The faults, if there is one.
    pub fn into_result(mut self) -> Result<(), Vec<syn::Error>> {
        self.looked_at = true;
        if self.faults.is_empty() {
            Ok(())
        } else {
            Err(std::mem::take(&mut self.faults))
        }
    }

    /// All faults as `compile_error!` invocations; empty if there is none.
    pub fn into_compile_errors(self) -> TokenStream {
        match self.into_result() {
            Ok(()) => TokenStream::new(),
            Err(faults) => faults.iter().map(syn::Error::to_compile_error).collect(),
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.looked_at && !thread::panicking() {
            panic!("a report was dropped with its faults not looked at: call `into_result`");
        }
    }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;
    use quote::quote;

    use super::Report;

    #[test]
    fn all_faults_come_out_in_order() {
        let mut report = Report::new();
        assert!(report.is_empty());
        report.error(Span::call_site(), "first");
        report.fault(quote!(some tokens), "second", "what to write");
        let mut combined = syn::Error::new(Span::call_site(), "third");
        combined.combine(syn::Error::new(Span::call_site(), "fourth"));
        report.push(combined);
        let faults = report.into_result().unwrap_err();
        let messages: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(messages, ["first", "second\nhelp: what to write", "third", "fourth"]);
    }

    #[test]
    #[should_panic(expected = "not looked at")]
    fn a_report_that_nobody_looks_at_panics() {
        drop(Report::new());
    }
}
