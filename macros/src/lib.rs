//! The attribute macro `#[async_proxy]`.

#![forbid(unsafe_code)]

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
    async_proxy_syntax::expand::expand(attribute.into(), item.into()).into()
}
