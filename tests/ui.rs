//! What rustc shows for a misuse of the macro. `TRYBUILD=overwrite cargo test --test ui` writes the expected messages anew.

#[test]
fn mistakes_have_messages_that_help() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
