//! Faults of descriptions whose methods are `async fn`s, and what is read from right ones.

use async_proxy_syntax::model::{Colour, Kind, Property};

use crate::common::{api, faults};

/// What is wrong with the members of a block that is right otherwise.
fn one_in_block(members: &str, fault: &str) {
    let source =
        format!("#[sync_proxy] impl Store {{ #[proxy(open)] pub async fn open() -> Self {{ loop {{}} }} {members} }}");
    assert_eq!(faults(&[&source]), [fault], "{members}");
}

#[test]
fn the_colour_kinds_and_items_of_streams_are_read() {
    let api = api("pub type Result<T, E = Error> = std::result::Result<T, E>;
         #[sync_proxy]
         pub async fn connect(path: &str) -> Result<Client> { loop {} }
         #[sync_proxy]
         impl Client {
             pub async fn insert(&self, kind: &str) -> Result<u64> { loop {} }
             #[proxy(child)]
             pub async fn transaction(&self) -> Result<Transaction> { loop {} }
             pub fn watch(&self) -> impl Stream<Item = Result<u64>> + '_ { loop {} }
             #[proxy(property)]
             pub fn name(&self) -> String { loop {} }
             #[proxy(skip = \"it runs for ever\")]
             pub async fn work(&self) -> &str { loop {} }
         }
         #[sync_proxy]
         impl Transaction {
             #[proxy(close)]
             pub async fn commit(self) -> Result<()> { loop {} }
             #[proxy(abandon)]
             pub async fn rollback(self) -> Result<()> { loop {} }
         }");
    assert!(api.classes.iter().all(|class| class.colour == Colour::Async));
    assert_eq!(api.functions[0].colour, Colour::Async);
    let kinds: Vec<Kind> = api.classes[0]
        .members
        .iter()
        .map(|member| member.kind.clone())
        .collect();
    let reason = "it runs for ever".to_owned();
    assert_eq!(
        kinds,
        [
            Kind::Call,
            Kind::Child,
            Kind::Stream,
            Kind::Property(Property::Live),
            Kind::Skip { reason }
        ]
    );
    let watch = &api.classes[0].members[2].returns;
    assert!(watch.fallible, "the alias is looked through inside of the stream");
    assert_eq!(watch.ok, Some(syn::parse_quote!(u64)));
    assert_eq!(api.classes[1].parents, ["Client"]);
}

#[test]
fn plain_functions_have_to_say_that_they_never_block() {
    one_in_block(
        "pub fn len(&self) -> usize { 0 }",
        "nothing says whether `len`, which is no `async fn`, blocks",
    );
    one_in_block(
        "#[proxy(direct)] pub async fn len(&self) -> usize { 0 }",
        "`len` is `direct`, but is awaited, and so cannot be read in place",
    );
    one_in_block(
        "#[proxy(close)] pub fn close(&self) {}",
        "`close` is `close`, but is no `async fn`, so there is nothing that its twin could wait for",
    );
    one_in_block(
        "pub async fn items(&self) -> impl Stream<Item = u8> { loop {} }",
        "`items` has to be awaited before its stream can be read",
    );
}

#[test]
fn what_only_workers_do_is_not_known() {
    one_in_block(
        "#[proxy(rows)] pub async fn next(&mut self) -> Option<u8> { None }",
        "a method of `#[sync_proxy]` knows no `rows`",
    );
    one_in_block(
        "#[proxy(lane = \"x\")] pub async fn next(&self) {}",
        "a method of `#[sync_proxy]` knows no `lane`",
    );
}

#[test]
fn twins_and_ends_fit_together() {
    one_in_block(
        "pub async fn put(&self) {} pub async fn put_sync(&self) {}",
        "`put_sync` is what the blocking twin of `put` is called",
    );
    one_in_block(
        "#[proxy(abandon)] pub async fn rollback(self) {}",
        "`rollback` is what a scope calls that ends by an exception, and nothing says what another one calls",
    );
    one_in_block(
        "#[proxy(direct, no_twin = \"why\")] pub fn len(&self) -> usize { 0 }",
        "`len` is no `async fn`, and has no twin that could be left out",
    );
    one_in_block(
        "pub async fn take(self) {}",
        "`take` takes the object away from those who hold it",
    );
}

#[test]
fn what_outlives_the_call_borrows_nothing() {
    one_in_block(
        "pub async fn name(&self) -> &str { \"\" }",
        "`&str` borrows from the object, and what an awaitable gives outlives the call",
    );
    one_in_block(
        "pub fn names(&self) -> impl Stream<Item = &str> { loop {} }",
        "`&str` borrows from the object, and what an awaitable gives outlives the call",
    );
    assert_eq!(
        faults(&["#[sync_proxy] impl Transaction<'_> { #[proxy(open)] pub async fn open() -> Self { loop {} } }"]),
        ["a type that borrows cannot be mirrored: its twin and its awaitables outlive the borrow"]
    );
}

#[test]
fn the_two_colours_are_not_mixed_in_one_object() {
    assert_eq!(
        faults(&[
            "#[async_proxy] impl Store { #[proxy(open)] pub fn open() -> Self { loop {} } }
                  #[sync_proxy(extend)] impl Store { pub async fn put(&self) {} }"
        ]),
        ["the first block of `Store` carries `#[async_proxy]`, and this one `#[sync_proxy]`"]
    );
    assert_eq!(
        faults(&[
            "#[async_proxy] impl Store { #[proxy(open)] pub fn open() -> Self { loop {} }
                      #[proxy(child)] pub fn cursor(&self) -> Cursor { loop {} } }
                  #[sync_proxy] impl Cursor { pub async fn next(&self) -> u8 { 0 } }"
        ]),
        ["`Cursor` is described with `#[sync_proxy]`, and this hands it out under `#[async_proxy]`"]
    );
    assert_eq!(
        faults(&[
            "#[sync_proxy] pub fn open() -> Store { loop {} } #[sync_proxy] impl Store { pub async fn put(&self) {} }"
        ]),
        ["`open` is no `async fn`, and needs no blocking twin"]
    );
}
