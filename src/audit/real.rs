//! Values in `f64` for all tensors of a derivation.

use std::cell::RefCell;
use std::collections::HashMap;

use super::mix;
use super::subject::Subject;
use crate::equation::{Bindings, ExprId, IndexId, Role, TensorId, evaluate};

/// Inputs, parameters and targets have values that look random, forward values and adjoints those that their equations give them.
pub(super) struct Real<'a> {
    subject: &'a Subject<'a>,
    seed: u64,
    /// Whether targets that are not labels sum to 1 over their last axis.
    normalized: bool,
    /// An element that is greater than its equation, or its value that looks random, makes it.
    shift: Option<(TensorId, Vec<i64>, f64)>,
    known: RefCell<HashMap<(TensorId, Vec<i64>), f64>>,
}

impl<'a> Real<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, seed: u64, normalized: bool) -> Self {
        let point = Real { subject, seed, normalized, shift: None, known: RefCell::default() };
        for (tensor, place) in subject.order() {
            point.element(tensor, &place);
        }
        point
    }

    /// The same point with one element changed, and all that depends on it.
    pub(super) fn shifted(&self, tensor: TensorId, place: &[i64], by: f64) -> Real<'a> {
        let shift = Some((tensor, place.to_vec(), by));
        let Real { subject, seed, normalized, .. } = *self;
        let point = Real { subject, seed, normalized, shift, known: RefCell::default() };
        let is_forward = |tensor: TensorId| !matches!(subject.context.tensor(tensor).role, Role::Adjoint { .. });
        for (tensor, place) in subject.order().into_iter().filter(|(tensor, _)| is_forward(*tensor)) {
            point.element(tensor, &place);
        }
        point
    }

    pub(super) fn value(&self, expr: ExprId, at: &[(IndexId, i64)]) -> Option<f64> {
        evaluate(&self.subject.context, self, at, expr).ok()
    }

    /// A value that looks random: labels one-hot, noise and targets in 0..1, all else in -1..1.
    fn leaf(&self, tensor: TensorId, indices: &[i64]) -> f64 {
        let context = &self.subject.context;
        let description = context.tensor(tensor);
        let hash = |indices: &[i64]| {
            indices.iter().fold(mix(self.seed ^ (tensor.index() as u64) << 32), |hash, &index| mix(hash ^ index as u64))
        };
        let unit = |indices: &[i64]| (hash(indices) >> 11) as f64 / (1u64 << 53) as f64;
        if description.label {
            let (class, lead) = indices.split_last().map_or((0, indices), |(class, lead)| (*class, lead));
            let classes = description.shape.last().copied().unwrap_or(1) as u64;
            return f64::from(u8::from(class as u64 == hash(lead) % classes));
        }
        match description.role {
            Role::BatchSize => 5.0,
            Role::UpdateNumber => 3.0,
            Role::Target if self.normalized && !indices.is_empty() => {
                let mut place = indices.to_vec();
                let last = place.len() - 1;
                let total: f64 = (0..description.shape[last] as i64)
                    .map(|index| {
                        place[last] = index;
                        unit(&place)
                    })
                    .sum();
                unit(indices) / total
            }
            Role::Target | Role::Noise => unit(indices),
            _ => 2.0 * unit(indices) - 1.0,
        }
    }
}

impl Bindings for Real<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let key = (tensor, indices.to_vec());
        if let Some(&value) = self.known.borrow().get(&key) {
            return Some(value);
        }
        let mut value = match self.subject.equations.get(&tensor) {
            None => self.leaf(tensor, indices),
            Some(equation) => {
                let at: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(indices.iter().copied()).collect();
                self.value(equation.value, &at)?
            }
        };
        if let Some((shifted, place, by)) = &self.shift
            && *shifted == tensor
            && place == indices
        {
            value += by;
        }
        self.known.borrow_mut().insert(key, value);
        Some(value)
    }
}
