//! The digits of `examples/digits`.

use std::error::Error;
use std::io::Read;

use flate2::read::GzDecoder;

/// Images of 8 by 8 pixels with the digits they show.
pub(crate) struct Digits {
    pub(crate) images: Vec<[f32; 64]>,
    pub(crate) labels: Vec<usize>,
}

/// The greatest value of a pixel.
const WHITE: f32 = 16.0;

impl Digits {
    /// Reads all of them.
    pub(crate) fn read() -> Result<Digits, Box<dyn Error>> {
        let mut text = String::new();
        GzDecoder::new(&include_bytes!("../../digits/digits.csv.gz")[..]).read_to_string(&mut text)?;
        let mut digits = Digits { images: Vec::new(), labels: Vec::new() };
        for (row, number) in text.lines().zip(1..) {
            let values = row.split(',').map(str::parse).collect::<Result<Vec<u8>, _>>()?;
            let Ok([pixels @ .., label]) = <[u8; 65]>::try_from(values) else {
                return Err(format!("line {number} of the digits has no 65 values").into());
            };
            digits.images.push(pixels.map(|pixel| f32::from(pixel) / WHITE));
            digits.labels.push(usize::from(label));
        }
        Ok(digits)
    }
}
