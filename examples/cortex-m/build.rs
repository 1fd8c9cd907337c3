//! Makes the digits that the program carries along, and places its parts in the microcontroller's memory.

use std::env;
use std::error::Error;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use flate2::read::GzDecoder;

/// The digits of the repository: 64 pixels from 0 to 16, and what the digit is.
const DIGITS: &str = "../digits/digits.csv.gz";
/// How many of them the program carries.
const COUNT: usize = 384;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-changed={DIGITS}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut text = String::new();
    GzDecoder::new(fs::File::open(DIGITS)?).read_to_string(&mut text)?;
    let rows = text.lines().take(COUNT).flat_map(|row| row.split(','));
    let bytes: Vec<u8> = rows.map(str::parse).collect::<Result<_, _>>()?;
    fs::write(out.join("digits.bin"), bytes)?;
    if env::var("CARGO_CFG_TARGET_OS")? == "none" {
        fs::copy("memory.x", out.join("memory.x"))?;
        println!("cargo::rustc-link-search={}", out.display());
        println!("cargo::rustc-link-arg=-Tlink.x");
    }
    Ok(())
}
