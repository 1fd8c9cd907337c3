//! Jacobians: the derivative of each element of one tensor by each element of another.

use std::collections::HashMap;

use super::differentiate::differentiate;
use super::output::in_terms_of_output;
use super::simplify::simplify;
use super::{Step, simplified};
use crate::equation::{Affine, Context, Equation, ExprId, IndexId, TensorId};

/// The derivative of what one equation defines by one tensor that the equation reads, all else held fixed.
#[derive(Clone, Debug)]
pub struct LocalJacobian {
    /// What the equation defines.
    pub of: TensorId,
    /// The tensor that it reads.
    pub by: TensorId,
    /// The indices of an element of [`Self::of`]: a row.
    pub rows: Vec<IndexId>,
    /// The indices of an element of [`Self::by`]: a column.
    pub columns: Vec<IndexId>,
    /// Forms of the derivative, each equal to the one before.
    pub steps: Vec<Step>,
    /// The last form.
    pub value: ExprId,
}

/// The derivative of what one equation defines by one tensor, element by element.
pub fn local_jacobian(context: &mut Context, equation: &Equation, by: TensorId) -> LocalJacobian {
    let rows: Vec<IndexId> = equation.indices.iter().map(|&index| context.fresh(index)).collect();
    let columns = context.fresh_axes(by);
    let right_hand_side = renamed(context, equation.value, &equation.indices, &rows);
    let raw = differentiate(context, right_hand_side, by, &columns);
    let mut steps = vec![Step { rule: "derivative", value: raw, condition: None, uses: vec![equation.target] }];
    let simple = simplify(context, raw, &mut steps);
    let here = Equation { indices: rows.clone(), value: right_hand_side, ..equation.clone() };
    let places: Vec<Affine> = rows.iter().map(|&index| Affine::index(index)).collect();
    let value = in_terms_of_output(context, simple, &here, &places, &mut steps);
    LocalJacobian { of: equation.target, by, rows, columns, steps, value }
}

/// A Jacobian through several equations as one expression.
#[derive(Clone, Debug)]
pub struct ComposedJacobian {
    /// The indices of a row.
    pub rows: Vec<IndexId>,
    /// The indices of a column.
    pub columns: Vec<IndexId>,
    /// The derivative.
    pub value: ExprId,
}

/// The Jacobian of `of` by `by` from those of the equations between, which stand in the order of the equations: the products of those along a
/// path, with sums over the elements between, added over all paths. `None` where an expression on the way has more than `most`
/// parts, or where an equation needs itself at another step.
pub fn composed_jacobian(
    context: &mut Context,
    locals: &[&LocalJacobian],
    of: TensorId,
    by: TensorId,
    most: usize,
) -> Option<ComposedJacobian> {
    let columns = context.fresh_axes(by);
    let mut known: HashMap<TensorId, (Vec<IndexId>, ExprId)> = HashMap::new();
    let mut rest = locals;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|local| local.of == first.of).count();
        let (here, later) = rest.split_at(count);
        let mut terms = Vec::new();
        for local in here {
            let value = renamed(context, local.value, &local.rows, &first.rows);
            terms.push(if local.by == by {
                renamed(context, value, &local.columns, &columns)
            } else {
                let (inner_rows, inner) = known.get(&local.by)?.clone();
                let inner = renamed(context, inner, &inner_rows, &local.columns);
                let product = context.multiply([value, inner]);
                context.sum(&local.columns, product)
            });
        }
        let total = context.add(terms);
        if size(context, total) > most {
            return None;
        }
        let total = simplified(context, total);
        known.insert(first.of, (first.rows.clone(), total));
        rest = later;
    }
    let (rows, value) = known.remove(&of)?;
    Some(ComposedJacobian { rows, columns, value })
}

fn renamed(context: &mut Context, expr: ExprId, from: &[IndexId], to: &[IndexId]) -> ExprId {
    let renaming: Vec<_> = from.iter().copied().zip(to.iter().map(|&index| Affine::index(index))).collect();
    context.substitute_indices(expr, &renaming)
}

/// The number of parts of an expression, each counted once.
fn size(context: &Context, expr: ExprId) -> usize {
    let mut parts = 0;
    context.visit(expr, &mut |_, _| parts += 1);
    parts
}
