//! Handwritten digits of 28 by 28 pixels (MNIST), from files in IDX format under gzip.

use flate2::read::GzDecoder;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Rows, columns, and one channel, from 0 to 1.
pub(crate) type Image = [[[f32; 1]; SIDE]; SIDE];

const SIDE: usize = 28;

/// The greatest value of a pixel.
const WHITE: f32 = 255.0;

/// More examples than any file of digits has; a longer one is refused before it fills the memory.
const MOST: usize = 1_000_000;

/// Images with the digit that each shows.
pub(crate) struct Digits {
    pub(crate) images: Vec<Image>,
    pub(crate) labels: Vec<usize>,
}

/// Why there are no digits.
#[derive(Debug)]
pub(crate) struct MnistError {
    file: PathBuf,
    what: String,
}

impl fmt::Display for MnistError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.what)?;
        writeln!(f, "  --> {}", self.file.display())?;
        writeln!(
            f,
            "  = hint: the example needs the four files of MNIST: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,"
        )?;
        writeln!(f, "          t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz, unchanged, in one folder")?;
        write!(f, "  = hint: name the folder with --data FOLDER or in the environment variable MNIST_DIR")
    }
}

impl std::error::Error for MnistError {}

impl Digits {
    /// Reads a part, `train` or `t10k`, of at most so many digits.
    pub(crate) fn read(folder: &Path, part: &str, most: usize) -> Result<Digits, MnistError> {
        let images = read_idx(&folder.join(format!("{part}-images-idx3-ubyte.gz")), &[SIDE, SIDE], most)?;
        let file = folder.join(format!("{part}-labels-idx1-ubyte.gz"));
        let labels = read_idx(&file, &[], most)?;
        if images.len() != labels.len() * SIDE * SIDE {
            let what = format!("there are {} labels for {} images", labels.len(), images.len() / (SIDE * SIDE));
            return Err(MnistError { file, what });
        }
        if let Some(label) = labels.iter().find(|label| **label > 9) {
            return Err(MnistError { file, what: format!("{label} is no digit") });
        }
        let (pixels, _) = images.as_chunks::<SIDE>();
        let (images, _) = pixels.as_chunks::<SIDE>();
        let image = |rows: &[[u8; SIDE]; SIDE]| rows.map(|row| row.map(|pixel| [f32::from(pixel) / WHITE]));
        Ok(Digits { images: images.iter().map(image).collect(), labels: labels.into_iter().map(usize::from).collect() })
    }
}

/// The bytes of at most so many items of a file in IDX format. An item has this shape.
fn read_idx(file: &Path, shape: &[usize], most: usize) -> Result<Vec<u8>, MnistError> {
    let error = |what: String| MnistError { file: file.to_owned(), what };
    let unreadable = |reason: io::Error| match reason.kind() {
        io::ErrorKind::NotFound => error("there is no such file".to_owned()),
        io::ErrorKind::UnexpectedEof => error("the file ends too early".to_owned()),
        _ => error(format!("this file cannot be read: {reason}")),
    };
    let mut content = GzDecoder::new(File::open(file).map_err(unreadable)?);
    let mut number = || -> Result<usize, MnistError> {
        let mut bytes = [0; 4];
        content.read_exact(&mut bytes).map_err(unreadable)?;
        Ok(u32::from_be_bytes(bytes) as usize)
    };
    // Two zeros, 8 for unsigned bytes, and the number of axes.
    if number()? != 0x0800 + 1 + shape.len() {
        return Err(error(format!("this is no file in IDX format of bytes with {} axes", 1 + shape.len())));
    }
    let count = number()?;
    for &expected in shape {
        let found = number()?;
        if found != expected {
            return Err(error(format!("an axis has {found} places where {expected} are expected")));
        }
    }
    if count > MOST {
        return Err(error(format!("{count} examples are more than {MOST}")));
    }
    let mut bytes = vec![0; count.min(most) * shape.iter().product::<usize>()];
    content.read_exact(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::Write;

    /// A folder with the two files of a part called `train`, with this content before compression.
    fn folder(images: &[u8], labels: &[u8]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder can be made");
        for (name, content) in [("images-idx3", images), ("labels-idx1", labels)] {
            let file = File::create(folder.path().join(format!("train-{name}-ubyte.gz"))).expect("a file can be made");
            let mut encoder = GzEncoder::new(file, Compression::fast());
            encoder.write_all(content).expect("the file can be written");
            encoder.finish().expect("the file can be written");
        }
        folder
    }

    /// Three images, the pixels of the second white and all others black.
    fn images() -> Vec<u8> {
        let pixels = [0, 255, 0].into_iter().flat_map(|value| [value; SIDE * SIDE]);
        [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 28, 0, 0, 0, 28].into_iter().chain(pixels).collect()
    }

    const LABELS: [u8; 11] = [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 9];

    fn message(images: &[u8], labels: &[u8]) -> String {
        match Digits::read(folder(images, labels).path(), "train", usize::MAX) {
            Ok(_) => "no message".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn images_come_with_their_labels_and_pixels_from_0_to_1() {
        let folder = folder(&images(), &LABELS);
        let digits = Digits::read(folder.path(), "train", 2).expect("the files are right");
        assert_eq!(digits.labels, [5, 0]);
        assert_eq!(digits.images, [[[[0.0]; SIDE]; SIDE], [[[1.0]; SIDE]; SIDE]]);
    }

    #[test]
    fn a_missing_file_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let error = Digits::read(folder.path(), "train", 1).err().expect("there is nothing to read").to_string();
        for part in ["there is no such file", "train-images-idx3-ubyte.gz", "--data FOLDER", "MNIST_DIR"] {
            assert!(error.contains(part), "{part} is not in\n{error}");
        }
    }

    #[test]
    fn a_file_that_is_no_mnist_has_a_message_that_says_why() {
        let whole = images();
        let mut wide = whole.clone();
        wide[15] = 32;
        let mut endless = whole.clone();
        endless[4] = 255;
        let cases: [(&str, &[u8], &[u8]); 6] = [
            ("the file ends too early", &whole[..whole.len() - 1], &LABELS),
            ("no file in IDX format", &LABELS, &LABELS),
            ("an axis has 32 places where 28 are expected", &wide, &LABELS),
            ("are more than 1000000", &endless, &LABELS),
            ("there are 2 labels for 3 images", &whole, &[0, 0, 8, 1, 0, 0, 0, 2, 5, 0]),
            ("11 is no digit", &whole, &[0, 0, 8, 1, 0, 0, 0, 3, 5, 11, 9]),
        ];
        for (expected, images, labels) in cases {
            let message = message(images, labels);
            assert!(message.contains(expected), "{expected:?} is not in\n{message}");
        }
    }
}
