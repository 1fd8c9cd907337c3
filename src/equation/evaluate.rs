//! Evaluation of one expression at one point, in `f64`.
//!
//! Plain and slow: it is the reference against which rewrites, the generic engine and emitted code are checked.

use std::collections::HashMap;
use std::fmt;

use super::{Affine, Context, Elementary, ExprId, IndexId, Node, ReduceKind, Relation, TensorId};

/// Where the values of tensors come from.
pub trait Bindings {
    /// The element at `indices`, which lie inside the tensor's shape; of a label, `[last index = label]`.
    /// `None` where the tensor has no value.
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64>;
}

/// Tensors in row-major order; labels as one-hot rows.
impl Bindings for (&Context, &HashMap<TensorId, Vec<f64>>) {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let shape = &self.0.tensor(tensor).shape;
        let flat = indices.iter().zip(shape).fold(0, |flat, (&index, &extent)| flat * extent + index as usize);
        self.1.get(&tensor)?.get(flat).copied()
    }
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvaluationError {
    /// A tensor has no value.
    Unbound(TensorId),
    /// An index that no reduction and no caller binds.
    FreeIndex(IndexId),
    /// The record of a derivation names a partial derivative, which has no value of its own.
    Partial,
}

impl fmt::Display for EvaluationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EvaluationError::Unbound(tensor) => write!(f, "tensor {} has no value", tensor.index()),
            EvaluationError::FreeIndex(index) => write!(f, "index {} is not bound", index.index()),
            EvaluationError::Partial => write!(f, "a partial derivative that is only named has no value"),
        }
    }
}

impl std::error::Error for EvaluationError {}

/// The value of an expression where its free indices have the given values.
///
/// # Errors
/// Where a tensor or an index has no value.
pub fn evaluate(
    context: &Context,
    bindings: &dyn Bindings,
    indices: &[(IndexId, i64)],
    expr: ExprId,
) -> Result<f64, EvaluationError> {
    Evaluator { context, bindings, indices: indices.to_vec() }.value(expr)
}

/// What is done at each place of a reduction.
type Visit<'a, E> = dyn FnMut(&mut E, &[i64]) -> Result<(), EvaluationError> + 'a;

struct Evaluator<'a> {
    context: &'a Context,
    bindings: &'a dyn Bindings,
    indices: Vec<(IndexId, i64)>,
}

impl Evaluator<'_> {
    fn affine(&self, affine: &Affine) -> Result<i64, EvaluationError> {
        affine.terms.iter().try_fold(affine.constant, |sum, &(index, coefficient)| {
            let value = self.indices.iter().rev().find(|(bound, _)| *bound == index);
            Ok(sum + coefficient * value.ok_or(EvaluationError::FreeIndex(index))?.1)
        })
    }

    fn value(&mut self, expr: ExprId) -> Result<f64, EvaluationError> {
        let context = self.context;
        Ok(match context.node(expr) {
            Node::Number(number) => number.value(),
            Node::Index(affine) => self.affine(affine)? as f64,
            Node::Access { tensor, indices } => {
                let at: Vec<i64> = indices.iter().map(|affine| self.affine(affine)).collect::<Result<_, _>>()?;
                let shape = &context.tensor(*tensor).shape;
                if at.iter().zip(shape).any(|(&index, &extent)| index < 0 || index >= extent as i64) {
                    return Ok(0.0);
                }
                self.bindings.element(*tensor, &at).ok_or(EvaluationError::Unbound(*tensor))?
            }
            Node::Add(terms) => terms.iter().try_fold(0.0, |sum, &term| Ok(sum + self.value(term)?))?,
            Node::Multiply(factors) => factors.iter().try_fold(1.0, |product, &factor| Ok(product * self.value(factor)?))?,
            Node::Power(base, exponent) => {
                let base = self.value(*base)?;
                let exponent = self.value(*exponent)?;
                if exponent == exponent.trunc() && exponent.abs() <= 64.0 {
                    base.powi(exponent as i32)
                } else {
                    base.powf(exponent)
                }
            }
            Node::Call(function, argument) => call(*function, self.value(*argument)?),
            Node::Compare(relation, left, right) => {
                let (left, right) = (self.value(*left)?, self.value(*right)?);
                f64::from(u8::from(match relation {
                    Relation::Less => left < right,
                    Relation::LessEqual => left <= right,
                    Relation::Equal => left == right,
                    Relation::NotEqual => left != right,
                    Relation::GreaterEqual => left >= right,
                    Relation::Greater => left > right,
                }))
            }
            Node::And(conditions) => {
                for &condition in conditions {
                    if self.value(condition)? == 0.0 {
                        return Ok(0.0);
                    }
                }
                1.0
            }
            Node::Or(conditions) => {
                for &condition in conditions {
                    if self.value(condition)? != 0.0 {
                        return Ok(1.0);
                    }
                }
                0.0
            }
            Node::Not(condition) => f64::from(u8::from(self.value(*condition)? == 0.0)),
            Node::If { condition, then, otherwise } => {
                let branch = if self.value(*condition)? != 0.0 { *then } else { *otherwise };
                self.value(branch)?
            }
            Node::Reduce { kind, indices, body } => {
                let mut result = match kind {
                    ReduceKind::Sum => 0.0,
                    ReduceKind::Product => 1.0,
                    ReduceKind::Max => f64::NEG_INFINITY,
                    ReduceKind::Min => f64::INFINITY,
                };
                self.for_each_place(indices, &mut |evaluator, _| {
                    let value = evaluator.value(*body)?;
                    match kind {
                        ReduceKind::Sum => result += value,
                        ReduceKind::Product => result *= value,
                        ReduceKind::Max => result = if value > result { value } else { result },
                        ReduceKind::Min => result = if value < result { value } else { result },
                    }
                    Ok(())
                })?;
                result
            }
            Node::ArgReduce { kind, indices, position, body } => {
                // A NaN is never better, as in the reduction itself; where nothing is, the first place counts.
                let (mut best, mut index) = match kind {
                    ReduceKind::Max => (f64::NEG_INFINITY, None),
                    _ => (f64::INFINITY, None),
                };
                self.for_each_place(indices, &mut |evaluator, place| {
                    let value = evaluator.value(*body)?;
                    if if *kind == ReduceKind::Max { value > best } else { value < best } {
                        (best, index) = (value, Some(place[*position]));
                    }
                    Ok(())
                })?;
                index.unwrap_or(context.index_of(indices[*position]).start) as f64
            }
            Node::Partial { .. } => return Err(EvaluationError::Partial),
        })
    }

    /// Calls `visit` with every combination of values of the indices, in row-major order.
    fn for_each_place(&mut self, indices: &[IndexId], visit: &mut Visit<'_, Self>) -> Result<(), EvaluationError> {
        let ranges: Vec<(i64, i64)> =
            indices.iter().map(|&index| (self.context.index_of(index).start, self.context.index_of(index).end)).collect();
        if ranges.iter().any(|(start, end)| start >= end) {
            return Ok(());
        }
        let mut place: Vec<i64> = ranges.iter().map(|range| range.0).collect();
        let outer = self.indices.len();
        loop {
            self.indices.truncate(outer);
            self.indices.extend(indices.iter().copied().zip(place.iter().copied()));
            visit(self, &place)?;
            let Some(axis) = (0..place.len()).rev().find(|&axis| place[axis] + 1 < ranges[axis].1) else {
                self.indices.truncate(outer);
                return Ok(());
            };
            place[axis] += 1;
            for later in axis + 1..place.len() {
                place[later] = ranges[later].0;
            }
        }
    }
}

fn call(function: Elementary, x: f64) -> f64 {
    match function {
        Elementary::Exp => x.exp(),
        Elementary::Ln => x.ln(),
        Elementary::Log1p => x.ln_1p(),
        Elementary::Expm1 => x.exp_m1(),
        Elementary::Sqrt => x.sqrt(),
        Elementary::Sin => x.sin(),
        Elementary::Cos => x.cos(),
        Elementary::Tan => x.tan(),
        Elementary::Tanh => x.tanh(),
        Elementary::Atan => x.atan(),
        Elementary::Erf => libm::erf(x),
        Elementary::Floor => x.floor(),
        Elementary::Abs => x.abs(),
    }
}
