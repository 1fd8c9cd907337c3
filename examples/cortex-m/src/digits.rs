//! The digits in the program: a part of `examples/digits/digits.csv.gz`, a byte for each pixel.

use crate::MINIBATCH;

/// Rows of 64 pixels from 0 to 16, and what the digit is.
const ROWS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/digits.bin"));
/// How much of the flash they take.
#[cfg(target_os = "none")]
pub(crate) const BYTES: usize = ROWS.len();
/// How many are trained on; the others test.
const TRAIN: usize = 320;
/// The greatest value of a pixel.
const WHITE: f32 = 16.0;

/// Puts the digits of a step in place: minibatches follow each other, and begin again after the last.
pub(crate) fn minibatch(step: usize, images: &mut [[f32; 64]; MINIBATCH], labels: &mut [usize; MINIBATCH]) {
    let start = step % (TRAIN / MINIBATCH) * MINIBATCH;
    for ((image, label), row) in images.iter_mut().zip(labels).zip(rows().iter().skip(start)) {
        (*image, *label) = example(row);
    }
}

/// The digits that are not trained on.
pub(crate) fn held_out() -> impl Iterator<Item = ([f32; 64], usize)> {
    rows().iter().skip(TRAIN).map(example)
}

fn rows() -> &'static [[u8; 65]] {
    ROWS.as_chunks().0
}

fn example(row: &[u8; 65]) -> ([f32; 64], usize) {
    let [pixels @ .., label] = row;
    (pixels.map(|pixel| f32::from(pixel) / WHITE), usize::from(*label))
}
