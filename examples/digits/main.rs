//! Trains a net on handwritten digits, twice: with the code that `derive_backprop` generated from `digits.spec`, and with the generic
//! engine on ndarray arrays. Both start from the same weights and see the same minibatches; a table compares them at the end.
//!
//! Run it with `cargo run --release --example digits`.

mod data;
mod generated;
mod generic;
mod report;

use data::Data;
use deltarule::derive_backprop;
use deltarule_compiler::allocations::CountingAllocator;
use deltarule_compiler::dataset::minibatches;
use deltarule_compiler::files::{read_spec, write_whole};
use deltarule_compiler::pipeline::{Compiled, compile};
use deltarule_compiler::sheet::{Sheet, SheetOptions};
use indicatif::{ProgressBar, ProgressStyle};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::SeedableRng;
use std::error::Error;
use std::path::Path;

/// Recognizes handwritten digits.
#[derive_backprop("digits.spec")]
pub struct Digits;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Everything random follows from it: the split, the initial weights, the order of the examples.
const SEED: u64 = 1;
const EPOCHS: usize = 60;
const MINIBATCH: usize = 32;
const TEST_SHARE: f64 = 0.2;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let spec = folder.join("examples/digits/digits.spec");
    let compiled = compile("digits.spec", &read_spec(&spec)?).map_err(|messages| messages.render())?;
    let sheets = folder.join("target/digits");
    write_sheets(&compiled, &sheets)?;

    let mut random = Xoshiro256PlusPlus::seed_from_u64(SEED);
    let digits = Data::read(&compiled.derivation.model, TEST_SHARE, &mut random)?;
    println!("{} digits to train on, {} to test with", digits.train.count, digits.test.count);

    let mut generated = generated::Trainer::new(SEED, &digits);
    let mut generic = generic::Trainer::new(&compiled.derivation, generated.parameters(), &digits)?;
    let mut first_step = None;
    let progress =
        ProgressBar::new(EPOCHS as u64).with_style(ProgressStyle::with_template("{bar:20} epoch {pos}/{len}  {wide_msg}")?);
    let examples: Vec<usize> = (0..digits.train.count).collect();
    for _ in 0..EPOCHS {
        for minibatch in minibatches(&examples, MINIBATCH, &mut random) {
            generated.step(&minibatch);
            generic.step(&minibatch)?;
            if first_step.is_none() {
                first_step = Some(report::largest_difference(generated.parameters(), &generic.parameters()));
            }
        }
        let (loss, accuracy) = generated.test();
        progress.set_message(format!("test loss {loss:.4}  accuracy {accuracy:.4}"));
        progress.inc(1);
    }
    progress.finish();

    let table = report::Table {
        generated: generated.results(),
        generic: generic.results()?,
        first_step: first_step.unwrap_or(0.0),
        end: report::largest_difference(generated.parameters(), &generic.parameters()),
    };
    print!("{table}");
    println!("the sheet of update rules: target/digits/sheet.tex and sheet.html");
    Ok(())
}

fn write_sheets(compiled: &Compiled, folder: &Path) -> Result<(), Box<dyn Error>> {
    let sheet = Sheet::new(&compiled.derivation, &SheetOptions::default());
    write_whole(&folder.join("sheet.tex"), sheet.to_latex().as_bytes())?;
    write_whole(&folder.join("sheet.html"), sheet.to_html().as_bytes())?;
    Ok(())
}
