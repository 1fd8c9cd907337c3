//! Named tensors in safetensors files: parameters, data, and what `eval` gives.

use super::{FileError, read_bytes, write_whole};
use crate::diagnostic::nearest;
use crate::limits;
use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// The one entry of the file's metadata that deltarule writes: a JSON object of strings. One entry, because the order in which
/// several would be written is not defined.
const METADATA_KEY: &str = "deltarule";

/// The elements of a tensor in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// `F32`.
    F32(Vec<f32>),
    /// `F64`.
    F64(Vec<f64>),
    /// Any integer type; written as `I64`.
    Integers(Vec<i64>),
}

impl Values {
    /// Floating-point numbers, rounded to `f32` where `single`.
    pub fn floats(values: Vec<f64>, single: bool) -> Values {
        if single { Values::F32(values.into_iter().map(|value| value as f32).collect()) } else { Values::F64(values) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
            Values::Integers(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, as the widest type; integers past 2^53 are rounded.
    pub fn to_f64(&self) -> Vec<f64> {
        match self {
            Values::F32(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Values::F64(values) => values.clone(),
            Values::Integers(values) => values.iter().map(|&value| value as f64).collect(),
        }
    }

    fn dtype(&self) -> Dtype {
        match self {
            Values::F32(_) => Dtype::F32,
            Values::F64(_) => Dtype::F64,
            Values::Integers(_) => Dtype::I64,
        }
    }

    fn to_bytes(&self) -> Vec<u8> {
        match self {
            Values::F32(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::F64(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            Values::Integers(values) => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Its name, such as `dense1.w`.
    pub name: String,
    /// Its extents; empty for a scalar.
    pub shape: Vec<usize>,
    /// Its elements.
    pub values: Values,
}

/// The tensors of one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TensorFile {
    /// What messages call the file.
    pub place: String,
    /// The tensors, sorted by name when read.
    pub tensors: Vec<NamedTensor>,
    /// What deltarule says about the file: the net it belongs to, how its data was scaled.
    pub metadata: BTreeMap<String, String>,
}

impl TensorFile {
    /// Reads a file.
    ///
    /// # Errors
    /// Where the file cannot be read, is no safetensors file, ends too early, or has a tensor of a type that no net uses.
    pub fn read(path: &Path) -> Result<TensorFile, FileError> {
        let place = path.display().to_string();
        let bytes = read_bytes(path, limits::DATA_BYTES)?;
        let file = SafeTensors::deserialize(&bytes).map_err(|error| broken(&place, &bytes, &error.to_string()))?;
        let mut tensors = file
            .tensors()
            .into_iter()
            .map(|(name, view)| {
                let values = decode(&view).ok_or_else(|| {
                    FileError::new(format!("{place}: {name}"), format!("the elements of this tensor have type {}", view.dtype()))
                        .hint("a net reads F32 and F64, and integers for labels")
                })?;
                Ok(NamedTensor { name, shape: view.shape().to_vec(), values })
            })
            .collect::<Result<Vec<_>, FileError>>()?;
        tensors.sort_by(|left, right| left.name.cmp(&right.name));
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(&place, &bytes, &error.to_string()))?;
        let entry = header.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY));
        let metadata = entry.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Ok(TensorFile { place, tensors, metadata })
    }

    /// Writes all tensors, whole or not at all. The same tensors and metadata give the same bytes.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), FileError> {
        let cannot = |error: String| FileError::new(path.display().to_string(), format!("cannot write these tensors: {error}"));
        let bytes: Vec<_> = self.tensors.iter().map(|tensor| tensor.values.to_bytes()).collect();
        let views = self.tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
            Ok((tensor.name.as_str(), TensorView::new(tensor.values.dtype(), tensor.shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>().map_err(|error| cannot(error.to_string()))?;
        let metadata = if self.metadata.is_empty() {
            None
        } else {
            let text = serde_json::to_string(&self.metadata).map_err(|error| cannot(error.to_string()))?;
            Some(HashMap::from([(METADATA_KEY.to_owned(), text)]))
        };
        let file = serialize(views, metadata).map_err(|error| cannot(error.to_string()))?;
        write_whole(path, &file)
    }

    /// The tensor of that name.
    pub fn get(&self, name: &str) -> Option<&NamedTensor> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }

    /// The tensor of that name.
    ///
    /// # Errors
    /// Where there is none; `what` says what it should have been, such as "parameter".
    pub fn expect(&self, what: &str, name: &str) -> Result<&NamedTensor, FileError> {
        self.get(name).ok_or_else(|| {
            let error = FileError::new(&self.place, format!("there is no tensor `{name}` for the {what} of that name"));
            match nearest(name, self.tensors.iter().map(|tensor| tensor.name.as_str())) {
                Some(near) => error.hint(format!("the file has a tensor `{near}`")),
                None => error,
            }
        })
    }

    /// That the file holds no tensor besides those of these names.
    ///
    /// # Errors
    /// Names a tensor too many, and the known name it resembles.
    pub fn only<'a>(&self, known: impl IntoIterator<Item = &'a str> + Clone) -> Result<(), FileError> {
        let unknown = self.tensors.iter().find(|tensor| known.clone().into_iter().all(|name| name != tensor.name));
        let Some(tensor) = unknown else { return Ok(()) };
        let error = FileError::new(format!("{}: {}", self.place, tensor.name), "the spec has no tensor of this name");
        Err(match nearest(&tensor.name, known) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error,
        })
    }

    /// The place of a tensor's element in messages, `at` counting in row-major order.
    pub fn element(&self, tensor: &NamedTensor, at: usize) -> String {
        format!("{}: {}", self.place, element_name(&tensor.name, &tensor.shape, at))
    }

    /// The elements of a tensor of floating-point numbers, all of them finite.
    ///
    /// # Errors
    /// Names the first element that is infinite or not a number.
    pub fn finite(&self, tensor: &NamedTensor) -> Result<Vec<f64>, FileError> {
        let values = tensor.values.to_f64();
        match values.iter().position(|value| !value.is_finite()) {
            Some(at) => {
                Err(FileError::new(self.element(tensor, at), format!("{} where a finite number is expected", values[at])))
            }
            None => Ok(values),
        }
    }

    /// The elements of a tensor of labels in `0..classes`.
    ///
    /// # Errors
    /// Names the first element that is no such label.
    pub fn labels(&self, tensor: &NamedTensor, classes: usize) -> Result<Vec<usize>, FileError> {
        let label = |value: f64| (value.fract() == 0.0 && value >= 0.0 && value < classes as f64).then_some(value as usize);
        let values = tensor.values.to_f64();
        values
            .iter()
            .enumerate()
            .map(|(at, &value)| {
                label(value).ok_or_else(|| {
                    let message = format!("label {value} where an integer in 0..{classes} is expected");
                    FileError::new(self.element(tensor, at), message)
                })
            })
            .collect()
    }
}

/// `dense1.w[3, 4]`: the element at a position in row-major order.
pub fn element_name(name: &str, shape: &[usize], at: usize) -> String {
    let mut rest = at;
    let mut indices: Vec<String> = shape
        .iter()
        .rev()
        .map(|&extent| {
            let index = rest % extent.max(1);
            rest /= extent.max(1);
            index.to_string()
        })
        .collect();
    indices.reverse();
    if indices.is_empty() { name.to_owned() } else { format!("{name}[{}]", indices.join(", ")) }
}

/// A shape as messages print it: `[64, 32]`.
pub fn shape_text(shape: &[usize]) -> String {
    format!("{shape:?}")
}

macro_rules! decode_as {
    ($view:expr, $bytes:expr, $type:ty) => {
        $view.data().chunks_exact($bytes).map(|chunk| <$type>::from_le_bytes(std::array::from_fn(|at| chunk[at]))).collect()
    };
}

/// The elements of a tensor in a file; `None` where a net reads no such type.
fn decode(view: &TensorView<'_>) -> Option<Values> {
    /// Integers of one width. A `u64` past the range of `i64` is no label of any net; it becomes the greatest `i64`.
    macro_rules! integers {
        ($bytes:expr, $type:ty) => {{
            let values: Vec<$type> = decode_as!(view, $bytes, $type);
            Values::Integers(values.into_iter().map(|value| i64::try_from(value).unwrap_or(i64::MAX)).collect())
        }};
    }
    Some(match view.dtype() {
        Dtype::F32 => Values::F32(decode_as!(view, 4, f32)),
        Dtype::F64 => Values::F64(decode_as!(view, 8, f64)),
        Dtype::BOOL | Dtype::U8 => integers!(1, u8),
        Dtype::I8 => integers!(1, i8),
        Dtype::I16 => integers!(2, i16),
        Dtype::U16 => integers!(2, u16),
        Dtype::I32 => integers!(4, i32),
        Dtype::U32 => integers!(4, u32),
        Dtype::I64 => integers!(8, i64),
        Dtype::U64 => integers!(8, u64),
        _ => return None,
    })
}

/// Says why a file cannot be read, and names the tensor at which it ends too early where that is the reason.
fn broken(place: &str, bytes: &[u8], reason: &str) -> FileError {
    let header = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length));
    let header = header.and_then(|length| usize::try_from(length).ok());
    let Some(end) = header.and_then(|length| length.checked_add(8)) else {
        return FileError::new(place, "this is no safetensors file: it is shorter than the length of a header");
    };
    let Some(entries) = bytes.get(8..end).and_then(|text| serde_json::from_slice::<serde_json::Value>(text).ok()) else {
        let truncated = end > bytes.len() && bytes.get(8) == Some(&b'{');
        return FileError::new(
            place,
            match truncated {
                true => format!("this file is truncated: it has {} bytes and its header alone ends at {end}", bytes.len()),
                false => format!("this is no safetensors file: {reason}"),
            },
        );
    };
    let ends = entries.as_object().into_iter().flatten().filter_map(|(name, entry)| {
        let stop = entry.get("data_offsets")?.get(1)?.as_u64()?;
        Some((stop, name))
    });
    let available = (bytes.len() - end) as u64;
    match ends.filter(|(stop, _)| *stop > available).min() {
        Some((stop, name)) => FileError::new(
            format!("{place}: {name}"),
            format!(
                "this file is truncated: the data of this tensor ends at byte {stop} after the header, the file has {available}"
            ),
        ),
        None => FileError::new(place, format!("this is no safetensors file: {reason}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> TensorFile {
        TensorFile {
            place: "net.safetensors".into(),
            tensors: vec![
                NamedTensor { name: "b".into(), shape: vec![], values: Values::F64(vec![0.5]) },
                NamedTensor { name: "t".into(), shape: vec![3], values: Values::Integers(vec![0, 2, 1]) },
                NamedTensor { name: "weights".into(), shape: vec![2, 2], values: Values::F32(vec![1.0, 2.0, f32::NAN, 4.0]) },
            ],
            metadata: BTreeMap::from([("network".into(), "N".into()), ("spec".into(), "0".into())]),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_twice_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        let mut file = sample();
        file.tensors[2].values = Values::F32(vec![1.0, 2.0, 3.0, 4.0]);
        file.write(&first).unwrap();
        file.write(&second).unwrap();
        assert_eq!(std::fs::read(&first).unwrap(), std::fs::read(&second).unwrap());
        file.place = first.display().to_string();
        assert_eq!(TensorFile::read(&first).unwrap(), file);
    }

    #[test]
    fn a_file_cut_anywhere_is_an_error_and_names_the_tensor_once_the_header_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        sample().write(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let data = 8 + 4 * 4 + 3 * 8;
        for length in 0..bytes.len() {
            std::fs::write(&path, &bytes[..length]).unwrap();
            let message = TensorFile::read(&path).unwrap_err().to_string();
            let expected = if length + data >= bytes.len() { "the data of this tensor ends" } else { "" };
            assert!(message.contains(expected), "{length} bytes: {message}");
            assert!(message.contains("truncated") || length < 9, "{length} bytes: {message}");
        }
    }

    #[test]
    fn values_that_are_not_finite_and_labels_out_of_range_are_named_with_their_index() {
        let file = sample();
        let error = file.finite(file.get("weights").unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "error: NaN where a finite number is expected\n  --> net.safetensors: weights[1, 0]");
        let error = file.labels(file.get("t").unwrap(), 2).unwrap_err();
        assert_eq!(error.to_string(), "error: label 2 where an integer in 0..2 is expected\n  --> net.safetensors: t[1]");
        assert_eq!(file.labels(file.get("t").unwrap(), 3).unwrap(), [0, 2, 1]);
    }

    #[test]
    fn a_missing_tensor_and_one_too_many_are_named() {
        let file = sample();
        assert!(file.expect("parameter", "dense1.w").unwrap_err().message.contains("`dense1.w`"));
        assert!(file.only(["b", "t", "weights"]).is_ok());
        let error = file.only(["b", "t", "weight"]).unwrap_err().to_string();
        assert!(error.contains("net.safetensors: weights") && error.contains("did you mean `weight`?"), "{error}");
    }
}
