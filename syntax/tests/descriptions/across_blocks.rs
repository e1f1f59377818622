//! Faults that no single item shows.

use crate::common::{api, faults};

/// Right by itself, so that a test adds what is wrong.
const STORE: &str = "#[async_proxy] impl Store { #[proxy(open)] pub fn open() -> Self { loop {} } }";

fn with_store(source: &str) -> Vec<String> {
    faults(&[STORE, source])
}

#[test]
fn a_type_is_annotated_twice() {
    assert_eq!(
        with_store("#[async_proxy] impl Store { pub fn f(&self) {} }"),
        ["`Store` is annotated twice"]
    );
}

#[test]
fn nothing_to_extend() {
    assert_eq!(
        with_store("#[async_proxy(extend)] impl Stor { pub fn f(&self) {} }"),
        ["there is no annotated block of `Stor` that this one could extend"]
    );
}

#[test]
fn a_method_stands_in_two_blocks() {
    assert_eq!(
        with_store("#[async_proxy(extend)] impl Store { pub fn open(&self) {} }"),
        ["`Store` has a method `open` in another block already"]
    );
}

#[test]
fn an_extension_takes_a_shared_object_for_itself() {
    let first = "#[async_proxy] impl Store {
        #[proxy(open)] pub fn open() -> Self { loop {} }
        #[proxy(direct)] pub fn size(&self) -> usize { 0 }
    }";
    assert_eq!(
        faults(&[first, "#[async_proxy(extend)] impl Store { pub fn put(&mut self) {} }"]),
        ["`put` takes `&mut self`, but `size` is direct, and runs in any thread while a call runs"]
    );
}

#[test]
fn an_extension_alone_makes_the_object_shared() {
    assert_eq!(
        with_store("#[async_proxy(extend)] impl Store { #[proxy(direct)] pub fn size(&self) -> usize { 0 } }"),
        ["`size` runs beside the worker, and nothing in the first block of `Store` says that the object is shared"]
    );
}

#[test]
fn a_base_does_not_exist() {
    assert_eq!(
        faults(&[
            "#[async_proxy(extends = Stor)] impl Big { #[proxy(open)] pub fn open() -> Self { loop {} } }",
            STORE
        ]),
        ["`Stor` is not a proxied class"]
    );
}

#[test]
fn bases_lead_in_a_circle() {
    let class = |name: &str, base: &str| {
        format!(
            "#[async_proxy(extends = {base})] impl {name} {{ #[proxy(open)] pub fn open() -> Self {{ loop {{}} }} }}"
        )
    };
    assert_eq!(
        faults(&[&class("A", "B"), &class("B", "C"), &class("C", "B")]),
        [
            "`B` extends itself, by way of `B`, `C`",
            "`C` extends itself, by way of `C`, `B`"
        ]
    );
    assert_eq!(faults(&[&class("A", "A")]), ["`A` extends itself, by way of `A`"]);
}

#[test]
fn an_override_is_of_another_kind() {
    let base = "#[async_proxy] impl Base {
        #[proxy(open)] pub fn open() -> Self { loop {} }
        #[proxy(property, live)] pub fn size(&self) -> usize { 0 }
        pub fn put(&self) {}
    }";
    let class = "#[async_proxy(extends = Base)] impl Store {
        #[proxy(open)] pub fn open() -> Self { loop {} }
        pub fn size(&self) -> usize { 0 }
        pub fn put(&self) {}
    }";
    assert_eq!(
        faults(&[base, class]),
        ["`size` is of another kind than `Base::size`, which it overrides"]
    );
}

#[test]
fn a_child_is_no_proxied_class() {
    assert_eq!(
        with_store(
            "#[async_proxy(extend)] impl Store { #[proxy(child)] pub fn cursor(&self) -> Result<Cursor> { loop {} } }"
        ),
        ["`Cursor` is not a proxied class, so `cursor` cannot hand one out"]
    );
}

#[test]
fn a_child_hides_behind_an_alias_that_nothing_shows() {
    assert_eq!(
        with_store(
            "#[async_proxy(extend)] impl Store { #[proxy(child)] pub fn cursor(&self) -> other::Result { loop {} } }"
        ),
        ["which class `cursor` hands out cannot be told from its return type"]
    );
}

#[test]
fn a_class_that_nothing_hands_out() {
    assert_eq!(
        faults(&["#[async_proxy] impl Lonely { pub fn f(&self) {} }"]),
        ["nothing hands out a `Lonely`"]
    );
}

#[test]
fn a_call_hands_out_the_blocking_object() {
    let cursor = "#[async_proxy] impl Cursor { pub fn f(&self) {} }";
    let store = "#[async_proxy] impl Store {
        #[proxy(open)] pub fn open() -> Self { loop {} }
        #[proxy(child)] pub fn cursor(&self) -> Cursor { loop {} }
        pub fn raw(&self) -> Result<Cursor, Error> { loop {} }
        pub fn all(&self) -> Vec<Cursor> { loop {} }
        #[proxy(direct)] pub fn clone_it(&self) -> Self { loop {} }
    }";
    assert_eq!(
        faults(&[cursor, store]),
        [
            "`raw` would hand out the blocking `Cursor` itself, away from its worker",
            "`all` would hand out the blocking `Cursor` inside of another type, away from its worker",
            "`clone_it` would hand out the blocking `Store` itself, away from its worker",
        ]
    );
}

#[test]
fn a_function_opens_several_at_once() {
    assert_eq!(
        with_store("#[async_proxy] pub fn pool() -> Vec<Store> { loop {} }"),
        ["an opening function gives one `Store`, and this gives it inside of another type"]
    );
}

#[test]
fn a_parent_that_hands_out_nothing_of_the_kind() {
    let cursor = |parent: &str| {
        format!(
            "#[async_proxy] impl Maker {{
                #[proxy(open)] pub fn open() -> Self {{ loop {{}} }}
                #[proxy(child)] pub fn cursor(&self) -> Cursor {{ loop {{}} }}
            }}
            #[async_proxy] impl Cursor {{
                #[proxy(parent)] pub fn parent(&self) -> &{parent} {{ loop {{}} }}
            }}"
        )
    };
    assert_eq!(
        with_store(&cursor("Store")),
        ["no `child` of `Store` hands out a `Cursor`, so it cannot be its parent"]
    );
    assert_eq!(with_store(&cursor("Other")), ["`Other` is not a proxied class"]);
    assert_eq!(
        with_store(&cursor("(u8, u8)")),
        ["`parent` gives an object of a proxied class"]
    );
}

#[test]
fn a_parent_of_an_object_that_was_opened_or_that_another_class_hands_out() {
    let source = "
        #[async_proxy(extend)] impl Store { #[proxy(child)] pub fn cursor(&self) -> Cursor { loop {} } }
        #[async_proxy] impl Shop {
            #[proxy(open)] pub fn open() -> Self { loop {} }
            #[proxy(child)] pub fn cursor(&self) -> Cursor { loop {} }
        }
        #[async_proxy] impl Cursor {
            #[proxy(open)] pub fn open() -> Self { loop {} }
            #[proxy(parent)] pub fn parent(&self) -> &Store { loop {} }
        }";
    assert_eq!(
        with_store(source),
        [
            "an object that `open` opens has no parent that `parent` could give",
            "`Shop` hands out a `Cursor` too, and `parent` gives a `Store`",
        ]
    );
}

#[test]
fn a_class_is_kept_otherwise_than_its_base() {
    let class = |name: &str, extends: &str, members: &str| {
        format!(
            "#[async_proxy{extends}] impl {name} {{ #[proxy(open)] pub fn open() -> Self {{ loop {{}} }} {members} }}"
        )
    };
    let shared = "#[proxy(direct)] pub fn size(&self) -> usize { 0 }";
    let exclusive = "pub fn put(&mut self) {}";
    assert_eq!(
        faults(&[
            &class("Base", "", shared),
            &class("Store", "(extends = Base)", exclusive)
        ]),
        ["`put` takes `&mut self`, but `size` is direct, and runs in any thread while a call runs"]
    );
    assert_eq!(
        faults(&[
            &class("Base", "", exclusive),
            &class("Store", "(extends = Base)", shared)
        ]),
        ["`size` runs beside the worker, but an object of the base `Base` belongs to its worker alone"]
    );
    let closing = "#[proxy(close)] pub fn close(self) {}";
    assert_eq!(
        faults(&[&class("Base", "", closing), &class("Store", "(extends = Base)", "")]),
        ["`Base::close` takes `self`, which cannot be had of an object that is more than a `Base`"]
    );
}

#[test]
fn an_interrupt_in_a_lane_without_calls() {
    let store = "#[async_proxy] impl Store {
        #[proxy(open)] pub fn open() -> Self { loop {} }
        #[proxy(lane = \"network\")] pub fn push(&self) {}
        #[proxy(interrupt, lane = \"netwrok\")] pub fn stop(&self) {}
    }";
    assert_eq!(faults(&[store]), ["no call of `Store` is in the lane `netwrok`"]);
}

/// Bug: the property of a class that has lanes keeps the value that it had before the call in the lane.
#[test]
fn a_snapshot_in_a_class_that_has_lanes() {
    let block = |head: &str, members: &str| format!("{head} {{ {members} }}");
    let open = "#[proxy(open)] pub fn open() -> Self { loop {} }";
    let lane = "#[proxy(lane = \"network\")] pub fn push(&self) {}";
    let snapshot = "#[proxy(property, snapshot)] pub fn count(&self) -> i64 { 0 }";
    let direct = "#[proxy(direct)] pub fn size(&self) -> usize { 0 }";
    let fault = "`count` would come back with each call, but `push` runs in a lane beside those that bring it";
    let store = |members: &str| block("#[async_proxy] impl Store", members);
    let more = |members: &str| block("#[async_proxy(extend)] impl Store", members);
    let derived = |members: &str| block("#[async_proxy(extends = Store)] impl Replica", members);
    assert_eq!(faults(&[&store(&format!("{open} {lane} {snapshot}"))]), [fault]);
    assert_eq!(
        faults(&[&store(&format!("{open} {direct} {snapshot}")), &more(lane)]),
        [fault]
    );
    assert_eq!(
        faults(&[
            &store(&format!("{open} {direct} {snapshot}")),
            &derived(&format!("{open} {lane}"))
        ]),
        [fault]
    );
    // Where a lane is for an interrupt alone, or the value is read in place, there is nothing to bring back.
    let live = "#[proxy(property, live)] pub fn count(&self) -> i64 { 0 }";
    assert_eq!(faults(&[&store(&format!("{open} {lane} {live}"))]), [] as [String; 0]);
}

#[test]
fn options_that_are_not_annotated_and_options_that_nothing_takes() {
    let source = "#[async_proxy] pub fn connect(#[proxy(spread)] options: Option1) -> Store { loop {} }
        #[async_proxy] pub struct Options1 { #[proxy(default = 1)] pub a: i64 }";
    assert_eq!(
        with_store(source),
        [
            "there is no annotated struct `Option1` to spread",
            "no function takes `Options1` with its fields spread over parameters"
        ]
    );
}

#[test]
fn spread_options_clash_with_the_other_parameters() {
    let source = "
        #[async_proxy] pub fn one(timeout: f64, #[proxy(spread)] options: Options) -> Store { loop {} }
        #[async_proxy] pub fn two(#[proxy(spread)] options: Options, path: &str) -> Store { loop {} }
        #[async_proxy] pub fn three(#[proxy(spread)] options: Keywords, path: &str) -> Store { loop {} }
        #[async_proxy]
        #[proxy(signature = (options, *, path))]
        pub fn four(#[proxy(spread)] options: Keywords, path: &str) -> Store { loop {} }
        #[async_proxy] pub struct Options { #[proxy(default = 1.0)] pub timeout: f64 }
        #[async_proxy] pub struct Keywords { #[proxy(default = 1.0, keyword_only)] pub wait: f64 }";
    assert_eq!(
        with_store(source),
        [
            "two parameters are called `timeout` once the options are spread",
            "`path` has no default, and stands behind `timeout`, which has one",
            "`path` stands behind `wait`, which is keyword-only",
        ]
    );
}

#[test]
fn names_clash_on_the_async_side() {
    let source = "
        #[async_proxy(name = \"AsyncStore\")] impl Shop { #[proxy(open)] pub fn open() -> Self { loop {} } }
        #[async_proxy(name = \"dial\")] pub fn connect() -> Store { loop {} }
        #[async_proxy(name = \"dial\")] pub fn connect_again() -> Store { loop {} }";
    assert_eq!(
        with_store(source),
        [
            "`Store` and `Shop` are both called `AsyncStore` on the generated side of Rust",
            "`connect` and `connect_again` are both called `dial` on the generated side of Rust",
        ]
    );
}

#[test]
fn names_clash_in_python() {
    let source = "
        #[async_proxy(python = \"Store\")] impl Shop {
            #[proxy(open)] pub fn open() -> Self { loop {} }
            pub fn first(&self) {}
            #[proxy(name = \"first\")] pub fn second(&self) {}
            #[proxy(name = \"first\", rust_only = \"generic\")] pub fn third(&self) {}
        }
        #[async_proxy] pub enum Error {
            #[proxy(exception = \"Store\")] A,
            #[proxy(exception = \"Failed\")] B,
            #[proxy(exception = \"Failed\")] C,
        }
        #[async_proxy] pub fn f() -> Result<Shop, Error> { loop {} }";
    assert_eq!(
        with_store(source),
        [
            "`Store` and `Shop` are both called `Store` in Python",
            "`Store` and `A` are both called `Store` in Python",
            "`first` and `second` are both called `first` of `Shop` in Python",
        ]
    );
}

#[test]
fn an_error_enum_that_nothing_returns() {
    let errors = "#[async_proxy] pub enum Lost { #[proxy(exception = \"LostError\")] Lost }";
    let returning = |result: &str| format!("#[async_proxy] pub fn f() -> {result} {{ loop {{}} }}");
    let with_errors = |sources: &[&str]| faults(&[&[STORE], sources].concat());
    assert_eq!(
        with_errors(&[errors, &returning("Result<Store, Other>")]),
        ["no annotated function returns `Lost`, so none of its exceptions is ever raised"]
    );
    assert_eq!(
        with_errors(&[errors, &returning("Result<Store, crate::Lost>")]),
        [] as [&str; 0]
    );
    let alias = "type Fallible<T, E = Lost> = Result<T, E>;";
    assert_eq!(
        with_errors(&[errors, alias, &returning("Fallible<Store>")]),
        [] as [&str; 0]
    );
    // An alias from elsewhere may hide it.
    assert_eq!(
        with_errors(&[errors, &returning("elsewhere::Result<Store>")]),
        [] as [&str; 0]
    );
}

#[test]
fn a_free_function_that_opens_nothing() {
    assert_eq!(
        with_store("#[async_proxy] pub fn version() -> String { loop {} }"),
        ["`version` opens no object of a proxied class"]
    );
}

#[test]
fn a_fixed_alias_of_another_file_is_looked_through() {
    let alias = "pub type Opened = Result<Store, Error>;";
    let resolved = crate::common::read(&[
        alias,
        "#[async_proxy] pub fn dial() -> Opened { loop {} }",
        "#[async_proxy] impl Store { pub fn f(&self) -> std::io::Result<u8> { loop {} } }",
    ]);
    assert_eq!(resolved.1, [] as [&str; 0]);
    assert!(resolved.0.classes[0].opened_by.is_some());
}

#[test]
fn faults_of_all_phases_come_out_together() {
    let source = "
        #[async_proxy] impl Store {
            #[proxy(open, nonsense)] pub fn open() -> Self { loop {} }
            pub fn lend(&self) -> &str { \"\" }
            #[proxy(property, live)] pub fn size(&self, unit: u8) -> usize { 0 }
            #[proxy(child)] pub fn cursor(&self) -> Cursor { loop {} }
        }";
    assert_eq!(
        faults(&[source]),
        [
            "a method knows no `nonsense`",
            "`&str` borrows from the object, which stays on its worker",
            "`size` is `property, live` and takes no arguments: a property is read without any",
            "`Cursor` is not a proxied class, so `cursor` cannot hand one out",
        ]
    );
}

#[test]
fn what_is_right_has_no_faults() {
    let api = api(STORE);
    assert_eq!(api.classes.len(), 1);
}
