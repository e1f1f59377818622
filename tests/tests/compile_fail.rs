//! Wrong descriptions: what the macro says of each, where, and what to write instead.
//!
//! `TRYBUILD=overwrite` writes the expected output anew; read the difference before it is committed.

#[test]
fn wrong_descriptions_are_refused_with_a_cure() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("ui/*.rs");
}
