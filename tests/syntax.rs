//! What the syntax stage promises: the tree of a good text, the message for a bad one.

use deltarule_compiler::diagnostic::Diagnostics;
use deltarule_compiler::span::Sources;
use deltarule_compiler::syntax::{self, Spec};

fn parse(text: &str) -> (Spec, Diagnostics) {
    let mut sources = Sources::default();
    let id = sources.add("net.spec", text);
    let (spec, messages) = syntax::parse(&sources, id);
    (spec, Diagnostics { sources, messages })
}

/// The tree of a text that must be sound.
fn sound(text: &str) -> Spec {
    let (spec, diagnostics) = parse(text);
    assert!(diagnostics.messages.is_empty(), "{}", diagnostics.render());
    spec
}

#[test]
fn the_prelude_is_a_sound_spec() {
    let spec = sound(syntax::PRELUDE);
    insta::assert_snapshot!("prelude", syntax::print(&spec));
}
