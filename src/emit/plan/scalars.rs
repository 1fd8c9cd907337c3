//! Scalars that are computed once for a minibatch.
//!
//! A rate, a bias correction `1 - 0.999^k`, the factor `1/m`: what an update rule says of every element but is the same
//! for all of them. They are computed in `f64` and rounded once.

use rustc_hash::FxHashMap;

use crate::equation::{Context, ExprId, Node, Role, Tensor, TensorId};

/// The scalars that were found so far.
#[derive(Debug)]
pub(super) struct Scalars {
    found: Vec<(TensorId, ExprId)>,
    known: FxHashMap<ExprId, ExprId>,
    inverse_batch_size: TensorId,
}

impl Scalars {
    pub(super) fn new(context: &mut Context, batch_size: TensorId) -> Self {
        let batch_size = context.access(batch_size, Vec::new());
        let value = context.reciprocal(batch_size);
        let inverse_batch_size = context.add_tensor(scalar("inverse_batch_size".to_owned()));
        let access = context.access(inverse_batch_size, Vec::new());
        Self { found: vec![(inverse_batch_size, value)], known: FxHashMap::from_iter([(value, access)]), inverse_batch_size }
    }

    /// `1/m`.
    pub(super) fn inverse_batch_size(&self, context: &mut Context) -> ExprId {
        context.access(self.inverse_batch_size, Vec::new())
    }

    /// The scalars with their values, in order of computation.
    pub(super) fn take(&mut self) -> Vec<(TensorId, ExprId)> {
        std::mem::take(&mut self.found)
    }

    /// The expression with its parts in scalars alone replaced by one scalar each.
    pub(super) fn extract(&mut self, context: &mut Context, expr: ExprId) -> ExprId {
        if let Some(&known) = self.known.get(&expr) {
            return known;
        }
        if is_scalar(context, expr) {
            return self.named(context, expr);
        }
        let gather = |context: &Context, operands: &[ExprId]| -> (Vec<ExprId>, Vec<ExprId>) {
            operands.iter().partition(|&&operand| context.as_number(operand).is_some() || is_scalar(context, operand))
        };
        match context.node(expr).clone() {
            Node::Add(operands) => {
                let (scalars, rest) = gather(context, &operands);
                let scalars = context.add(scalars);
                self.extract_beside(context, scalars, rest, Context::add)
            }
            Node::Multiply(operands) => {
                let (scalars, rest) = gather(context, &operands);
                let scalars = context.multiply(scalars);
                self.extract_beside(context, scalars, rest, Context::multiply)
            }
            _ => context.rebuild(expr, |context, child, _| self.extract(context, child)),
        }
    }

    fn extract_beside(
        &mut self,
        context: &mut Context,
        scalars: ExprId,
        rest: Vec<ExprId>,
        combine: fn(&mut Context, Vec<ExprId>) -> ExprId,
    ) -> ExprId {
        let mut operands = vec![if is_scalar(context, scalars) { self.named(context, scalars) } else { scalars }];
        operands.extend(rest.into_iter().map(|operand| self.extract(context, operand)));
        combine(context, operands)
    }

    /// A scalar by a name; what is as short as a name stays as it is.
    fn named(&mut self, context: &mut Context, expr: ExprId) -> ExprId {
        if let Some(&known) = self.known.get(&expr) {
            return known;
        }
        let is_short = match context.node(expr) {
            Node::Access { .. } => true,
            // A sign is not worth a name.
            Node::Multiply(factors) => {
                matches!(factors[..], [sign, factor] if context.is_integer(sign, -1) && matches!(context.node(factor), Node::Access { .. }))
            }
            _ => false,
        };
        if is_short {
            return expr;
        }
        let tensor = context.add_tensor(scalar(format!("scalar_{}", self.found.len())));
        let access = context.access(tensor, Vec::new());
        self.found.push((tensor, expr));
        self.known.insert(expr, access);
        access
    }
}

fn scalar(name: String) -> Tensor {
    Tensor { name, shape: Vec::new(), axes: Vec::new(), role: Role::Constant, label: false, origin: None }
}

/// Whether an expression is made of numbers and at least one scalar that is the same for a whole minibatch.
fn is_scalar(context: &Context, expr: ExprId) -> bool {
    let is_one = |tensor: TensorId| {
        let tensor = context.tensor(tensor);
        matches!(tensor.role, Role::Constant | Role::BatchSize | Role::UpdateNumber) && tensor.shape.is_empty()
    };
    match context.node(expr) {
        Node::Number(_) => return false,
        Node::Access { tensor, .. } => return is_one(*tensor),
        _ => {}
    }
    let tensors = context.tensors_in(expr);
    let in_scalars = tensors.iter().all(|&tensor| is_one(tensor));
    !tensors.is_empty() && in_scalars && context.free_indices(expr).is_empty()
}
