//! The parser in `src/syntax/parser.rs` is the one that pest makes of `grammar/network.pest`.
//!
//! It is made ahead, so that whoever uses the macro builds neither pest's compiler of grammars nor what that depends on.

use quote::quote;
use std::fs;
use std::path::Path;

/// What the file begins with.
const HEADER: &str = "\
//! The parser that pest makes of `grammar/network.pest`. Written by `tests/parser.rs`, not to be edited.

#![allow(clippy::all, dead_code, unreachable_pub, missing_docs, reason = \"pest_generator writes these items\")]

";

/// The file as it should be.
fn parser() -> String {
    let declaration = quote!(
        pub(super) struct NetworkParser;
    );
    let derived = pest_generator::derive_parser(quote!(#[grammar = "grammar/network.pest"] #declaration), false);
    let file = syn::parse2(quote!(#declaration #derived)).expect("pest writes Rust");
    format!("{HEADER}{}", prettyplease::unparse(&file))
}

#[test]
fn the_parser_is_that_of_the_grammar() {
    let (path, parser) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/parser.rs"), parser());
    if std::env::var_os("UPDATE_PARSER").is_some() {
        fs::write(&path, &parser).expect("src/syntax/parser.rs can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == parser, "src/syntax/parser.rs is stale: run this test with UPDATE_PARSER=1");
}
