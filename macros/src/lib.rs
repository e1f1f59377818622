//! The attribute macros `#[async_proxy]` and `#[sync_proxy]`.

#![forbid(unsafe_code)]

use async_proxy_syntax::expand::expand;
use async_proxy_syntax::model::Colour;
use proc_macro::TokenStream;

/// Declares what of a blocking API has async proxies, and emits them.
///
/// It stands on an inherent `impl` block of a blocking type, on a free function that opens an object of such a type, on the
/// API's error enum and on its structs of options. The item stays as it is; the proxies are added beside it.
///
/// ```text
/// #[async_proxy]                       // or: extend, extends = Base, name = "…", python = "…", error = Type
/// impl Connection {
///     #[proxy(open)]
///     pub fn open(path: &Path) -> Result<Self, Error> { … }
///     pub fn commit(&self) -> Result<(), Error> { … }
/// }
/// ```
#[proc_macro_attribute]
pub fn async_proxy(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(Colour::Blocking, attribute.into(), item.into()).into()
}

/// Declares what of an API of `async fn`s has blocking twins, and emits them.
///
/// It stands on an inherent `impl` block of a type with `async fn` methods, on an `async fn` that opens an object of such a
/// type, on the API's error enum and on its structs of options. The item stays as it is; the twins are added beside it: a
/// class `BlockingClient` for `Client`, or with `twins` a method `name_sync` beside each `name`.
///
/// ```text
/// #[sync_proxy]                        // or: extend, twins, name = "…", python = "…", error = Type
/// impl Client {
///     #[proxy(open)]
///     pub async fn open(path: &Path) -> Result<Self, Error> { … }
///     pub async fn insert(&self, kind: &str) -> Result<u64, Error> { … }
///     #[proxy(child)]
///     pub async fn transaction(&self) -> Result<Transaction, Error> { … }
/// }
/// ```
#[proc_macro_attribute]
pub fn sync_proxy(attribute: TokenStream, item: TokenStream) -> TokenStream {
    expand(Colour::Async, attribute.into(), item.into()).into()
}
