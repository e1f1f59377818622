//! Faults that one item shows, beyond those that `tests/ui` shows through the macro.

use crate::common::faults;

/// What is wrong with the members of a block that is right otherwise.
fn in_block(members: &str) -> Vec<String> {
    faults(&[&format!(
        "#[async_proxy] impl Store {{ #[proxy(open)] pub fn open() -> Self {{ loop {{}} }} {members} }}"
    )])
}

fn one_in_block(members: &str, fault: &str) {
    assert_eq!(in_block(members), [fault], "{members}");
}

/// What is wrong with items beside a class that is right.
fn one_beside(items: &str, fault: &str) {
    let store = "#[async_proxy] impl Store { #[proxy(open)] pub fn open() -> Self { loop {} } }";
    assert_eq!(faults(&[store, items]), [fault], "{items}");
}

#[test]
fn keys_and_values_of_the_wrong_shape() {
    one_in_block("#[proxy(direct = 1)] pub fn f(&self) {}", "`direct` takes no value");
    one_in_block("#[proxy(\"direct\")] pub fn f(&self) {}", "a key is expected here");
    one_in_block("#[proxy(name =)] pub fn f(&self) {}", "`name =` has no value");
    one_in_block(
        "#[proxy(name(\"x\"))] pub fn f(&self) {}",
        "`=` is expected behind `name`",
    );
    one_in_block(
        "#[proxy(py = \"\")] pub fn f(&self) {}",
        "this is not an annotation in Python",
    );
    one_in_block(
        "#[proxy(property, live, snapshot)] pub fn f(&self) -> u8 { 0 }",
        "a property is live or a snapshot",
    );
    one_in_block(
        "#[proxy(setter, check = \"a b\")] pub fn set_f(&self, f: u8) {}",
        "`a b` is not a name in Rust",
    );
    one_in_block("#[proxy(open)] pub const N: u8 = 0;", "only a method has a kind");
}

#[test]
fn signatures_of_the_wrong_shape() {
    let signature = |signature: &str, fault: &str| {
        one_in_block(
            &format!("#[proxy(signature = {signature})] pub fn f(&self, a: u8) {{}}"),
            fault,
        );
    };
    signature("a", "a signature stands in parentheses");
    signature("[a]", "a signature stands in parentheses");
    signature("(a, *)", "no parameter stands behind the `*`");
    signature("(*, *, a)", "a second `*`");
    signature("(/, a)", "a `/` stands once, behind a parameter and before a `*`");
    signature("(a, /, /)", "a `/` stands once, behind a parameter and before a `*`");
    signature("(*, a, /)", "a `/` stands once, behind a parameter and before a `*`");
    signature("(a: u8)", "this is not a parameter");
}

#[test]
fn blocks_of_types_that_no_worker_can_own() {
    let block = |head: &str| {
        faults(&[&format!(
            "#[async_proxy] impl {head} {{ #[proxy(open)] pub fn f() -> Self {{ loop {{}} }} }}"
        )])
    };
    for head in ["[u8]", "&Store", "(Store, u8)", "dyn Store"] {
        assert_eq!(
            block(head),
            ["only a type that has a name of its own has an async side"],
            "{head}"
        );
    }
    assert_eq!(block("Store<'_>"), ["a type that borrows cannot live on its worker"]);
    assert_eq!(
        block("<const N: usize> Store<N>"),
        ["a type generic over a constant has no single other side"]
    );
}

#[test]
fn annotations_of_the_wrong_shape() {
    let impl_block = "impl Store { #[proxy(open)] pub fn open() -> Self { loop {} } }";
    assert_eq!(
        faults(&[&format!("#[async_proxy = 1] {impl_block}")]),
        ["`#[async_proxy]` takes no value"]
    );
    assert_eq!(
        faults(&[&format!("#[async_proxy(extends = a::Base)] {impl_block}")]),
        ["`extends` takes the name of a type"]
    );
    assert_eq!(
        faults(&[&format!("#[async_proxy] #[a::async_proxy] {impl_block}")]),
        ["the item is annotated twice"]
    );
}

#[test]
fn receivers_that_do_not_go_with_the_kind() {
    one_in_block("#[proxy(direct)] pub fn f() {}", "`f` takes no `self`, but is `direct`");
    one_in_block(
        "#[proxy(close)] pub fn close() {}",
        "`close` takes no `self`, but is `close`",
    );
    one_in_block(
        "#[proxy(child)] pub fn f(self) -> Store { loop {} }",
        "`f` takes the object away from its worker, but is `child`",
    );
    one_in_block(
        "pub fn f(self: &'static Self) {}",
        "the worker owns the object and lends it to the call: it cannot give `self: &'static Self`",
    );
}

#[test]
fn kinds_whose_members_lack_something() {
    one_in_block(
        "#[proxy(property, live)] pub fn f(&self) -> u8 { 0 }
         #[proxy(setter, signature = (f))] pub fn set_f(&self, f: u8) {}",
        "a setter is an assignment in Python, and has no signature",
    );
    one_in_block(
        "#[proxy(parent)] pub fn f(&self) {}",
        "`parent` gives the object that handed this one out, and this method returns nothing",
    );
    one_in_block(
        "#[proxy(property, live)] pub fn f<T: Send + 'static>(&self) -> T { loop {} }",
        "`f` is `property, live` and has one type",
    );
    one_in_block(
        "#[proxy(interrupt)] pub fn f(&self, hard: bool) {}",
        "`f` is `interrupt` and takes no arguments: cancellation calls it, and has none to give",
    );
    one_in_block(
        "pub fn f(&self) -> ! { loop {} }",
        "a method that never returns has no other side",
    );
    one_in_block("pub fn f(&self) {} pub fn f(&self) {}", "`Store` has two methods `f`");
}

#[test]
fn methods_that_are_none() {
    one_in_block(
        "pub fn f(&self);",
        "this is not understood in an annotated `impl` block",
    );
    assert_eq!(
        in_block("pub unsafe extern \"C\" fn f(&self, a: u8, ...) {}"),
        [
            "an unsafe method has conditions that the other side cannot keep",
            "a foreign calling convention has no other side",
            "a variable number of arguments has no other side",
        ]
    );
}

#[test]
fn arguments_that_cannot_be_owned() {
    let argument = |ty: &str, fault: &str| one_in_block(&format!("pub fn f<T>(&self, a: {ty}) {{}}"), fault);
    let lent = "an argument lent as `&mut` cannot be given back: the call runs later, on the worker's thread";
    argument("Option<&mut u8>", lent);
    argument("&T", "a borrowed `T` cannot be owned: nothing says how it is cloned");
    argument(
        "&impl AsRef<str>",
        "a borrowed `impl Trait` cannot be owned at the boundary",
    );
    argument("impl AsRef<Config>", "nothing says what owns `Config`");
    argument(
        "impl AsRef<[&str]>",
        "`&str` borrows inside of its type, and cannot be owned at the boundary",
    );
    argument(
        "impl Into<Cow<'a, str>>",
        "`Cow<'a, str>` borrows inside of its type, and cannot be owned at the boundary",
    );
    argument(
        "impl IntoIterator<Item = &'a str>",
        "`&'a str` borrows inside of its type, and cannot be owned at the boundary",
    );
    argument(
        "impl IntoIterator<Item = impl Into<u8>>",
        "an `impl Trait` inside of another type is not understood",
    );
    argument("impl Default", "this `impl Trait` cannot be owned at the boundary");
    argument(
        "impl Into<String> + Default",
        "this `impl Trait` cannot be owned at the boundary",
    );
    argument(
        "impl FnOnce() + Send",
        "the closure crosses to the worker's thread, and its bounds do not say that it can",
    );
    argument("Arc<dyn Fn() + Send>", "nothing says that the trait object is Sync");
    argument("Arc<dyn Fn()>", "nothing says that the trait object is Send and Sync");
    argument(
        "Option<Cow<'_, str>>",
        "`Option<Cow<'_, str>>` borrows inside of its type, and cannot be owned at the boundary",
    );
    argument(
        "Box<dyn Fn() + Send + 'a>",
        "`Box<dyn Fn() + Send + 'a>` borrows inside of its type, and cannot be owned at the boundary",
    );
    argument("types!(u8)", "a macro hides what the type is");
    argument(
        "&&str",
        "`&str` borrows inside of its type, and cannot be owned at the boundary",
    );
    argument(
        "Vec<Self>",
        "`Self` in an argument would be the proxy on the async side",
    );
    argument(
        "T",
        "`T` crosses to the worker's thread, and its bounds do not say that it can",
    );
}

#[test]
fn error_enums_without_sense() {
    one_beside(
        "#[async_proxy] pub enum Error {}
        #[async_proxy] pub fn f() -> Result<Store, Error> { loop {} }",
        "`Error` has no variants, so nothing could be raised",
    );
    one_beside(
        "#[async_proxy] pub enum Error {
            #[proxy(exception = \"A\", base = \"OSError\")] One,
            #[proxy(exception = \"A\", base = \"ValueError\")] Two,
        }
        #[async_proxy] pub fn f() -> Result<Store, Error> { loop {} }",
        "`A` derives from `OSError` at `One`, and from `ValueError` here",
    );
    one_beside(
        "#[async_proxy] pub enum Error<T> { #[proxy(exception = \"A\")] One(T) }
        #[async_proxy] pub fn f() -> Result<Store, Error<u8>> { loop {} }",
        "a generic error has no single exception for each variant",
    );
}

#[test]
fn options_without_sense() {
    let options = |field: &str, fault: &str| {
        let source = format!(
            "#[async_proxy] pub struct Options {{ {field} }}
             #[async_proxy] pub fn f(#[proxy(spread)] options: Options) -> Store {{ loop {{}} }}"
        );
        one_beside(&source, fault);
    };
    one_beside(
        "#[async_proxy] pub struct Options { #[proxy(default = 1)] pub a: u8 }
         #[async_proxy] #[proxy(signature = (o = None))] pub fn f(#[proxy(spread)] o: Options) -> Store { loop {} }",
        "`o` is spread over parameters, each with a default of its own",
    );
    options("pub a: Vec<impl Clone>", "a field has a type with a name");
    options("pub a: Rc<u8>", "an `Rc` cannot cross to the worker's thread");
    options(
        "#[proxy(default = [])] pub a: Vec<u8>",
        "a list as a default would be shared between calls",
    );
    options("#[proxy(default)] pub a: u8", "this is not a literal in Python");
    options(
        "#[proxy(keyword_only = true)] pub a: u8",
        "`keyword_only` takes no value",
    );
}

#[test]
fn what_is_in_no_python_is_written_by_hand_nowhere() {
    one_in_block(
        "#[proxy(by_hand = \"it calls back\", rust_only = \"a closure\")] pub fn f(&self) {}",
        "what is not in Python is not written by hand there either",
    );
    one_in_block("#[proxy(by_hand = \"\")] pub fn f(&self) {}", "`by_hand` is empty");
    assert_eq!(
        in_block("#[proxy(by_hand = \"it calls back\")] pub fn f(&self) {}"),
        Vec::<String>::new()
    );
}

#[test]
fn values_are_no_options() {
    one_beside(
        "#[async_proxy(value = 1)] pub struct V { pub a: u8 }",
        "`value` takes no value",
    );
    one_beside(
        "#[async_proxy(value)] pub struct V { #[proxy(default = 1, keyword_only)] pub a: u8 }",
        "the fields of a value are given by their places too",
    );
    one_beside(
        "#[async_proxy(value)] pub struct V { pub a: u8 }
         #[async_proxy] pub fn connect(#[proxy(spread)] v: V) -> Store { loop {} }",
        "`V` is a value, which is not spread over parameters",
    );
    one_beside(
        "#[async_proxy(value)] pub struct Store2 { pub a: u8 } #[async_proxy] pub enum E { #[proxy(exception = \"Store2\")] A }
         #[async_proxy(extend)] impl Store { pub fn f(&self) -> Result<(), E> { Ok(()) } }",
        "`Store2` and `A` are both called `Store2` in Python",
    );
}
