//! Reductions: where they are computed, in which order their loops run, and with how many accumulators.

use super::nest::Nest;
use super::statement::{Local, Place, Statement, Value};
use crate::equation::{Affine, Context, ExprId, IndexId, Node, ReduceKind};

/// How many accumulators a reduction over a contiguous row has: additions then wait for each other that much less, and
/// a compiler may put them into the lanes of a vector, which it must not do with a single one.
pub(super) const LANES: usize = 16;
/// A reduction over fewer values than this has one accumulator.
const LEAST_EXTENT_FOR_LANES: usize = 2 * LANES;

/// What a reduction starts with.
pub(super) fn neutral(kind: ReduceKind) -> f64 {
    match kind {
        ReduceKind::Sum => 0.0,
        ReduceKind::Product => 1.0,
        ReduceKind::Max => f64::NEG_INFINITY,
        ReduceKind::Min => f64::INFINITY,
    }
}

/// What a loop over an index costs as the innermost one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct InnerCost {
    /// Scalars of the tensors that are read with a stride.
    strided: usize,
    /// Scalars of the largest tensor that is read contiguously, counted downwards.
    contiguous: std::cmp::Reverse<usize>,
}

fn inner_cost(context: &Context, body: ExprId, index: IndexId) -> InnerCost {
    let mut cost = InnerCost { strided: 0, contiguous: std::cmp::Reverse(0) };
    context.visit(body, &mut |context, part| {
        let Node::Access { tensor, indices } = context.node(part) else { return };
        let Some((last, leading)) = indices.split_last() else { return };
        let mentions = |affine: &Affine| affine.terms.iter().any(|&(term, _)| term == index);
        let tensor = context.tensor(*tensor);
        if tensor.label {
            return;
        }
        if leading.iter().any(mentions) || last.terms.iter().any(|&(term, factor)| term == index && factor != 1) {
            cost.strided += tensor.size();
        } else if mentions(last) {
            cost.contiguous.0 = cost.contiguous.0.max(tensor.size());
        }
    });
    cost
}

/// Which of the indices should be innermost, and what that costs; the last one where it makes no difference.
fn best_inner(context: &Context, body: ExprId, indices: &[IndexId]) -> Option<(IndexId, InnerCost)> {
    indices.iter().rev().map(|&index| (index, inner_cost(context, body, index))).min_by_key(|(_, cost)| *cost)
}

impl Nest<'_> {
    /// Whether a sum is better accumulated into a whole row over one of its free indices than computed element by element:
    /// `sum(i: w[i, j] * x[i])` reads rows of `w` if `j` runs innermost.
    pub(super) fn row_index(&mut self, reduction: ExprId) -> Option<IndexId> {
        let Node::Reduce { kind: ReduceKind::Sum, indices, body } = self.context.node(reduction).clone() else { return None };
        let free = self.free_indices(reduction);
        let (_, bound_cost) = best_inner(self.context, body, &indices)?;
        let (row, row_cost) = best_inner(self.context, body, &free)?;
        (row_cost < bound_cost).then_some(row)
    }

    /// A reduction as a number, computed at the level `home` if nothing is repeated there, else in an array beforehand.
    pub(super) fn reduction(&mut self, expr: ExprId, home: usize) -> Value {
        let free = self.free_indices(expr);
        let repeated = self.levels[..=home]
            .iter()
            .filter_map(|level| level.index)
            .any(|index| !free.contains(&index) && self.context.index_of(index).extent() > 1);
        let row = self.row_index(expr);
        if !free.is_empty() && (repeated || row.is_some()) {
            return self.tabulate(expr, free, row);
        }
        self.at_level(home, |nest| match nest.context.node(expr).clone() {
            Node::Reduce { kind, indices, body } => {
                let local = nest.accumulate(kind, &indices, body);
                nest.bind(expr, local);
                Value::Local(local)
            }
            Node::ArgReduce { kind, indices, position, body } => {
                let local = nest.best_position(kind, &indices, position, body);
                nest.bind(expr, local);
                Value::Local(local)
            }
            _ => Value::Number(0.0),
        })
    }

    /// Fills an array with the values of a reduction, before all loops, and reads from it.
    fn tabulate(&mut self, expr: ExprId, mut free: Vec<IndexId>, row: Option<IndexId>) -> Value {
        if let Some(row) = row {
            free.retain(|&index| index != row);
            free.push(row);
        }
        let table = self.temporary(&free);
        let indices = self.element(table, &free);
        self.at_level(0, |nest| nest.store_equation(Place { tensor: table, indices: indices.clone() }, &free, expr));
        let access = self.context.access(table, indices);
        self.value(access)
    }

    /// One accumulator, or one for each lane, over all values of the indices.
    fn accumulate(&mut self, kind: ReduceKind, indices: &[IndexId], body: ExprId) -> Local {
        let mut order = indices.to_vec();
        if let Some((inner, _)) = best_inner(self.context, body, indices) {
            order.retain(|&index| index != inner);
            order.push(inner);
        }
        let name = match kind {
            ReduceKind::Sum => "sum",
            ReduceKind::Product => "product",
            ReduceKind::Max => "greatest",
            ReduceKind::Min => "least",
        };
        let inner_extent = order.last().map_or(0, |&index| self.context.index_of(index).extent());
        let in_lanes = inner_extent >= LEAST_EXTENT_FOR_LANES && kind != ReduceKind::Product && !self.calls_functions(body);
        let accumulator = self.local(if in_lanes { "lanes" } else { name });
        self.push(if in_lanes {
            Statement::StartLanes(accumulator, LANES, neutral(kind))
        } else {
            Statement::Start(accumulator, neutral(kind))
        });
        order.iter().for_each(|&index| self.open(index));
        let value = self.value(body);
        self.push(Statement::Combine { into: accumulator, in_lanes, kind, value });
        if in_lanes {
            self.close_as(|index, body| Statement::ForLanes { index, lanes: LANES, body });
            order.pop();
        }
        order.iter().for_each(|_| self.close());
        if !in_lanes {
            return accumulator;
        }
        let total = self.local(name);
        self.push(Statement::FinishLanes { into: total, from: accumulator, kind });
        total
    }

    fn calls_functions(&self, expr: ExprId) -> bool {
        let mut found = false;
        self.context.visit(expr, &mut |context, part| {
            found |= matches!(context.node(part), Node::Call(..) | Node::Reduce { .. } | Node::ArgReduce { .. });
        });
        found
    }

    fn best_position(&mut self, kind: ReduceKind, indices: &[IndexId], position: usize, body: ExprId) -> Local {
        let best = self.local("best");
        let at = self.local("position");
        let asked = indices.get(position).copied();
        let first = asked.map_or(0, |index| self.context.index_of(index).start);
        self.push(Statement::Start(best, neutral(kind)));
        self.push(Statement::Start(at, first as f64));
        indices.iter().for_each(|&index| self.open(index));
        let value = self.value(body);
        let here = asked.map_or_else(Affine::default, Affine::index);
        self.push(Statement::KeepBest { best, position: at, kind, value, at: here });
        indices.iter().for_each(|_| self.close());
        at
    }
}
