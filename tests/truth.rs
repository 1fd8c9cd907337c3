//! Every line of every derivation of the specs that are around, and of a thousand random ones, is an equality.
//!
//! Each is evaluated in `f64` and modulo large primes, where there is no tolerance; derivatives and adjoints are compared with
//! central differences (`src/audit/`).
#![cfg(feature = "generic")]
#![allow(missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::derivation;
use common::random::{network, runner, spec};
use common::specs::{activations_with_losses, regularizers, shapes_of_nets};
use deltarule_compiler::audit::{Report, audit};
use deltarule_compiler::derivation::Derivation;
use deltarule_compiler::pipeline::compile;
use proptest::prelude::prop_assert;
use proptest::test_runner::TestCaseError;

/// The least part of all equalities that is decided modulo a prime, in thousandths.
const DECIDED: usize = 998;

/// Sums of what the audits of several derivations found.
#[derive(Default)]
struct Total {
    checked: usize,
    decided: usize,
    differences: usize,
    undecided: BTreeMap<&'static str, usize>,
    complaints: String,
}

impl Total {
    fn add(&mut self, name: &str, report: Report) {
        self.checked += report.checked;
        self.decided += report.decided;
        self.differences += report.differences;
        for (rule, count) in report.undecided {
            *self.undecided.entry(rule).or_default() += count;
        }
        for wrong in report.discrepancies {
            self.complaints += &format!("{name}: {wrong}\n");
        }
    }

    fn assert(&self) {
        let Total { checked, decided, differences, undecided, complaints } = self;
        println!("{checked} equalities, {decided} decided modulo a prime, {differences} differences; undecided: {undecided:?}");
        assert!(complaints.is_empty(), "{complaints}");
        assert!(*checked > 0 && *differences > 0, "nothing was looked at");
        assert!(decided * 1000 >= checked * DECIDED, "only {decided} of {checked} are decided modulo a prime: {undecided:?}");
    }
}

fn specs_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry of a folder").path();
        if path.is_dir() {
            specs_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "spec") {
            found.push(path);
        }
    }
    found.sort();
}

fn assert_every_line_holds_below(folder: &str) {
    let mut paths = Vec::new();
    specs_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut paths);
    assert!(!paths.is_empty(), "no specs below {folder}");
    let mut total = Total::default();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a spec that can be read");
        // A few hold no network: all the syntax there is, with names that nothing defines.
        let Ok(compiled) = compile(&path.display().to_string(), &text) else { continue };
        for seed in 1..4 {
            total.add(&path.display().to_string(), audit(&compiled.derivation, seed));
        }
    }
    total.assert();
}

#[test]
fn every_line_holds_in_the_specs_of_the_tests() {
    assert_every_line_holds_below("tests/specs");
}

#[test]
fn every_line_holds_in_the_examples() {
    // Not those of images, whose sums take minutes; windows and pools are among the specs of the tests.
    assert_every_line_holds_below("examples/lectures");
    assert_every_line_holds_below("examples/digits");
}

#[test]
fn every_line_holds_for_every_activation_loss_and_regularizer() {
    let mut total = Total::default();
    for net in activations_with_losses().into_iter().chain(regularizers()).chain(shapes_of_nets()) {
        total.add(&net.name, audit(&derivation(&net.name, &net.text), 1));
    }
    total.assert();
}

#[test]
fn every_line_holds_in_a_thousand_random_networks() {
    let total = std::cell::RefCell::new(Total::default());
    let audited = runner(1000).run(&network(), |network| {
        let text = spec(&network);
        let compiled = compile("random.spec", &text).map_err(|messages| TestCaseError::fail(messages.render()))?;
        let derivation: &Derivation = &compiled.derivation;
        let report = audit(derivation, 1);
        if let Some(wrong) = report.discrepancies.first() {
            prop_assert!(false, "{wrong}\n{text}");
        }
        total.borrow_mut().add("random", report);
        Ok(())
    });
    if let Err(error) = audited {
        panic!("{error}");
    }
    total.into_inner().assert();
}
