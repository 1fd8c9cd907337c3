//! The digits: 1,797 images of 8 by 8 pixels, a part to train on and a part to test with.

use deltarule_compiler::dataset::{Columns, Dataset, from_table, split};
use deltarule_compiler::files::table::Table;
use deltarule_compiler::model::Model;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::error::Error;

/// The greatest value of a pixel.
const WHITE: f64 = 16.0;

/// Examples of a digit each.
pub(crate) struct Data {
    pub(crate) train: Dataset,
    pub(crate) test: Dataset,
}

impl Data {
    /// Reads the images, scales their pixels to 0..1, and splits them.
    pub(crate) fn read(model: &Model, test_share: f64, random: &mut Xoshiro256PlusPlus) -> Result<Data, Box<dyn Error>> {
        let table = Table::from_bytes("digits.csv.gz", include_bytes!("digits.csv.gz").to_vec())?;
        let mut all = from_table(model, &table, &Columns { targets: vec!["last".into()], ..Columns::default() })?;
        all.columns[0].values.iter_mut().for_each(|pixel| *pixel /= WHITE);
        let (train, test) = split(all.count, test_share, random);
        Ok(Data { train: all.select(&train), test: all.select(&test) })
    }
}

/// The images of a part, for generated code.
pub(crate) fn images(digits: &Dataset) -> Vec<[f32; 64]> {
    let (images, _) = digits.columns[0].values.as_chunks::<64>();
    images.iter().map(|image| image.map(|pixel| pixel as f32)).collect()
}

/// The labels of a part, for generated code.
pub(crate) fn labels(digits: &Dataset) -> Vec<usize> {
    digits.columns[1].values.iter().map(|&label| label as usize).collect()
}
