//! Scaling of inputs, learned from the examples that are trained on and applied to all.

use super::Dataset;
use crate::equation::TensorId;

/// What is done to each input value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalingKind {
    /// Mean 0 and standard deviation 1 over the training examples.
    Standardize,
    /// From 0 to 1 over the training examples.
    Unit,
}

/// `(value - offset) / divisor`, for each value of the inputs of one example.
#[derive(Clone, Debug, PartialEq)]
pub struct Scaling {
    /// For each input that is no label: what is subtracted and what divides, value by value.
    pub inputs: Vec<(TensorId, Vec<(f64, f64)>)>,
}

impl Scaling {
    /// Learns the scaling of all inputs from some examples. A value that never varies is shifted and not divided.
    pub fn fit(kind: ScalingKind, inputs: &[TensorId], examples: &Dataset) -> Scaling {
        let fit_column = |tensor: TensorId| {
            let column = examples.column(tensor).filter(|column| !column.label)?;
            let size = column.size();
            let values = |at: usize| column.values.iter().skip(at).step_by(size.max(1)).copied();
            Some((tensor, (0..size).map(|at| fit_values(kind, values(at), examples.count)).collect()))
        };
        Scaling { inputs: inputs.iter().filter_map(|&tensor| fit_column(tensor)).collect() }
    }

    /// Scales the inputs of all examples.
    pub fn apply(&self, examples: &mut Dataset) {
        for (tensor, scales) in &self.inputs {
            for column in examples.columns.iter_mut().filter(|column| column.tensor == *tensor) {
                for (value, (offset, divisor)) in column.values.iter_mut().zip(scales.iter().cycle()) {
                    *value = (*value - offset) / divisor;
                }
            }
        }
    }
}

fn fit_values(kind: ScalingKind, values: impl Iterator<Item = f64> + Clone, count: usize) -> (f64, f64) {
    let (offset, divisor) = match kind {
        ScalingKind::Standardize => {
            let mean = values.clone().sum::<f64>() / count as f64;
            let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / count as f64;
            (mean, variance.sqrt())
        }
        ScalingKind::Unit => {
            let least = values.clone().fold(f64::INFINITY, f64::min);
            (least, values.fold(f64::NEG_INFINITY, f64::max) - least)
        }
    };
    (offset, if divisor > 0.0 { divisor } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Column;

    fn dataset(values: &[f64]) -> Dataset {
        let column = Column { tensor: TensorId(0), shape: vec![2], label: false, values: values.to_vec() };
        Dataset { count: values.len() / 2, columns: vec![column] }
    }

    #[test]
    fn each_column_is_scaled_by_the_examples_it_was_learned_from() {
        let train = dataset(&[1.0, 5.0, 3.0, 5.0]);
        let mut other = dataset(&[5.0, 6.0]);
        Scaling::fit(ScalingKind::Standardize, &[TensorId(0)], &train).apply(&mut other);
        assert_eq!(other.columns[0].values, [3.0, 1.0]);
        let mut other = dataset(&[5.0, 6.0]);
        Scaling::fit(ScalingKind::Unit, &[TensorId(0)], &train).apply(&mut other);
        assert_eq!(other.columns[0].values, [2.0, 1.0]);
    }
}
