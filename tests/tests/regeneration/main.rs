//! Regeneration, tried as a user would: a method is added to the blocking API of the driver, one run of the generator follows,
//! and the method works in blocking Rust, async Rust, blocking Python and async Python, and editors know it.
//!
//! What is added is chosen at random in each run, so that no template can know it. The seed is printed;
//! `REGENERATION_SEED=… cargo xtask test regeneration` runs the same again. It works in a copy of the repository under
//! `target/regeneration/`, and compiles there with the repository's own target folder, where the engine is compiled already.

mod edit;
mod method;
mod mirror;
mod process;
mod programs;
mod random;
mod scratch;

use std::sync::{Mutex, PoisonError};

use crate::method::Method;
use crate::random::Random;
use crate::scratch::Scratch;

/// There is one copy to work in.
static COPY: Mutex<()> = Mutex::new(());

#[test]
#[ignore = "compiles a native module and needs Python with mypy: run `cargo xtask test regeneration`"]
fn an_async_fn_added_to_an_async_api_arrives_on_both_faces() {
    let _alone = COPY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut random = Random::from_environment();
    mirror::try_it(&Scratch::prepare(), &mut random);
}

#[test]
#[ignore = "compiles the native module and needs Python with maturin and jedi: run `cargo xtask test regeneration`"]
fn a_method_added_to_the_blocking_api_arrives_on_every_side() {
    let _alone = COPY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut random = Random::from_environment();
    let method = Method::random(&mut random);
    println!("the method:\n{}", method.source());
    let scratch = Scratch::prepare();

    let fresh = scratch.generator(&["--check"]);
    fresh.expect_code(0, "the copy is as its sources say");

    let edited = edit::add_method(&scratch, &method);
    println!("edited: {edited}");
    let stale = scratch.generator(&["--check"]);
    stale.expect_code(1, "somebody forgot to regenerate");
    for file in [
        "generated/native/",
        "generated/python/aioturso/lib_aio.py",
        "generated/python/aioturso/_native.pyi",
    ] {
        stale.expect_text(&format!("stale: {file}"));
    }
    for file in ["generated/rust/", "generated/api.json"] {
        stale.expect_text(&format!("stale: {file}"));
    }
    stale.expect_text("compatible");
    stale.expect_no_text("breaking");

    let before = scratch.files();
    scratch.generator(&[]).expect_code(0, "one run of the generator");
    for changed in scratch.files_changed_since(&before) {
        assert!(changed.starts_with("generated/"), "the generator wrote to {changed}");
    }
    scratch
        .generator(&["--check"])
        .expect_code(0, "nothing is stale after the run");

    programs::run_in_rust(&scratch, &method);
    let python = programs::install(&scratch);
    programs::run_in_python(&scratch, &python, &method);
    programs::ask_editors(&scratch, &python, &method);

    // The lock knows the method now: to take something away from it, or from the errors, breaks callers.
    let edited = edit::replace_method(&scratch, &method, &method.without_its_default());
    println!("edited: {edited}");
    let broken = scratch.generator(&["--check"]);
    broken.expect_code(1, "a parameter was removed");
    broken.expect_text(&format!("Connection.{}", method.name));
    broken.expect_text("breaking");
    edit::replace_method(&scratch, &method.without_its_default(), &method);
    scratch.generator(&["--check"]).expect_code(0, "the parameter is back");

    let variant = edit::remove_an_error(&scratch, &mut random);
    println!("removed the variant {variant} of the error enum");
    let broken = scratch.generator(&["--check"]);
    broken.expect_code(1, "a variant of the error enum was removed");
    broken.expect_text(&variant);
    broken.expect_text("breaking");
}
