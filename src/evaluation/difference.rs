//! How far two evaluations lie apart.

use super::{Computed, Evaluation};

/// The largest difference between two engines in one kind of result.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The largest difference of two elements, relative to the largest magnitude in their tensor; infinite where a value is not a number.
    pub relative: f64,
    /// The tensor it is in.
    pub tensor: String,
}

/// The largest differences between two evaluations of the same net, parameters and data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// In what no equation reads.
    pub outputs: Option<Difference>,
    /// In the losses of the examples and the objective.
    pub loss: Option<Difference>,
    /// In the gradients.
    pub gradients: Option<Difference>,
    /// In the parameters after the updates.
    pub updated: Option<Difference>,
}

impl Differences {
    /// Compares two evaluations.
    pub fn between(left: &Evaluation, right: &Evaluation) -> Differences {
        let losses = |evaluation: &Evaluation| {
            let tensor = |name: &str, values: Vec<f64>| Computed { name: name.to_owned(), shape: vec![values.len()], values };
            let losses = evaluation.losses.iter().map(|losses| tensor("loss", losses.clone()));
            losses.chain([tensor("objective", vec![evaluation.objective])]).collect::<Vec<_>>()
        };
        Differences {
            outputs: largest(&left.outputs, &right.outputs),
            loss: largest(&losses(left), &losses(right)),
            gradients: largest(&left.gradients, &right.gradients),
            updated: largest(&left.updated, &right.updated),
        }
    }

    /// Of each kind the larger one of two comparisons.
    #[must_use]
    pub fn or_larger(self, other: Differences) -> Differences {
        let larger = |a: Option<Difference>, b: Option<Difference>| {
            a.into_iter().chain(b).max_by(|a, b| a.relative.total_cmp(&b.relative))
        };
        Differences {
            outputs: larger(self.outputs, other.outputs),
            loss: larger(self.loss, other.loss),
            gradients: larger(self.gradients, other.gradients),
            updated: larger(self.updated, other.updated),
        }
    }

    /// Each kind of result by its name.
    pub fn named(&self) -> [(&'static str, Option<&Difference>); 4] {
        [
            ("outputs", self.outputs.as_ref()),
            ("loss", self.loss.as_ref()),
            ("gradients", self.gradients.as_ref()),
            ("updated parameters", self.updated.as_ref()),
        ]
    }
}

fn largest(left: &[Computed], right: &[Computed]) -> Option<Difference> {
    let differences = left.iter().map(|left| {
        let right = right.iter().find(|right| right.name == left.name).map_or(&[][..], |right| &right.values);
        Difference { relative: relative(&left.values, right), tensor: left.name.clone() }
    });
    differences.max_by(|a, b| a.relative.total_cmp(&b.relative))
}

/// The largest difference of two elements over the largest magnitude of all.
fn relative(left: &[f64], right: &[f64]) -> f64 {
    if left.len() != right.len() || left.iter().chain(right).any(|value| value.is_nan()) {
        return f64::INFINITY;
    }
    let largest = left.iter().chain(right).fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let difference = left.iter().zip(right).filter(|(a, b)| a != b).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()));
    if difference == 0.0 { 0.0 } else { difference / largest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_relative_to_the_tensor_and_names_it() {
        let tensor =
            |name: &str, values: &[f64]| Computed { name: name.into(), shape: vec![values.len()], values: values.to_vec() };
        let left = [tensor("a", &[1.0, 0.0]), tensor("b", &[10.0, 1e-9])];
        let right = [tensor("a", &[1.0, 0.0]), tensor("b", &[10.0, 2e-9])];
        let difference = largest(&left, &right).unwrap();
        assert_eq!(difference.tensor, "b");
        assert!((difference.relative - 1e-10).abs() < 1e-20);
    }

    #[test]
    fn of_two_comparisons_the_larger_difference_counts() {
        let loss = |relative: f64| Differences {
            loss: Some(Difference { relative, tensor: relative.to_string() }),
            ..Differences::default()
        };
        assert_eq!(loss(1e-3).or_larger(loss(2e-3)), loss(2e-3));
        assert_eq!(loss(f64::INFINITY).or_larger(loss(2e-3)), loss(f64::INFINITY));
        assert_eq!(Differences::default().or_larger(loss(0.0)), loss(0.0));
    }

    #[test]
    fn a_value_that_is_not_a_number_never_passes_for_agreement() {
        assert_eq!(relative(&[f64::NAN], &[f64::NAN]), f64::INFINITY);
        assert_eq!(relative(&[1.0], &[]), f64::INFINITY);
        assert_eq!(relative(&[0.0], &[0.0]), 0.0);
    }
}
