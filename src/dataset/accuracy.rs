//! How often a net is right.

use super::{Column, Dataset};

/// How a prediction is compared with what is desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// The greatest output is that of the label, or of the only 1 among zeros.
    Greatest,
    /// The output is on the target's side of this number of halves: 1 for targets 0 and 1, 0 for -1 and 1.
    Side(i8),
}

/// The share of right predictions; `None` where the target is a quantity and not a decision, or where there is more than one target.
///
/// `outputs` holds the values of the net's only output, example by example; `size` values each.
pub fn accuracy(targets: &[&Column], outputs: &[f64], size: usize) -> Option<f64> {
    let [target] = targets else { return None };
    let decision = decision(target, size)?;
    let count = outputs.len().checked_div(size)?;
    let right = (0..count).filter(|&example| {
        let output = &outputs[example * size..(example + 1) * size];
        match decision {
            Decision::Greatest => greatest(output) == label(target.example(example), target.label),
            Decision::Side(halves) => {
                let limit = f64::from(halves) / 2.0;
                (output[0] > limit) == (target.example(example)[0] > limit)
            }
        }
    });
    (count > 0).then(|| right.count() as f64 / count as f64)
}

fn decision(target: &Column, size: usize) -> Option<Decision> {
    let only = |allowed: [f64; 2]| target.values.iter().all(|value| allowed.contains(value));
    let one_hot = |values: &[f64]| values.iter().sum::<f64>() == 1.0;
    match target.size() {
        1 if target.label && size > 1 => Some(Decision::Greatest),
        1 if size == 1 && only([0.0, 1.0]) => Some(Decision::Side(1)),
        1 if size == 1 && only([-1.0, 1.0]) => Some(Decision::Side(0)),
        n if n > 1 && n == size && !target.label && only([0.0, 1.0]) => {
            target.values.chunks(n).all(one_hot).then_some(Decision::Greatest)
        }
        _ => None,
    }
}

fn label(target: &[f64], is_label: bool) -> usize {
    if is_label { target[0] as usize } else { greatest(target) }
}

/// The position of the greatest value, the first of several.
fn greatest(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, at| if values[at] > values[best] { at } else { best })
}

impl Dataset {
    /// The columns of these tensors, in this order.
    pub fn columns_of(&self, tensors: &[crate::equation::TensorId]) -> Vec<&Column> {
        tensors.iter().filter_map(|&tensor| self.column(tensor)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::equation::TensorId;

    fn column(size: usize, label: bool, values: &[f64]) -> Column {
        Column { tensor: TensorId(0), shape: if size == 1 { vec![] } else { vec![size] }, label, values: values.to_vec() }
    }

    #[test]
    fn the_kind_of_target_decides_what_a_right_answer_is() {
        let outputs = [0.2, 0.7, 0.1, 0.5, 0.3, 0.2];
        assert_eq!(accuracy(&[&column(1, true, &[1.0, 2.0])], &outputs, 3), Some(0.5));
        assert_eq!(accuracy(&[&column(3, false, &[0.0, 1.0, 0.0, 1.0, 0.0, 0.0])], &outputs, 3), Some(1.0));
        assert_eq!(accuracy(&[&column(1, false, &[0.0, 1.0, 1.0])], &[0.4, 0.6, 0.2], 1), Some(2.0 / 3.0));
        assert_eq!(accuracy(&[&column(1, false, &[-1.0, 1.0])], &[-0.4, 0.1], 1), Some(1.0));
        assert_eq!(accuracy(&[&column(1, false, &[2.5, 1.0])], &[2.5, 0.1], 1), None);
    }
}
