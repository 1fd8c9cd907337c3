//! Reductions: where they are computed, in which order their loops run, and with how many accumulators.

use super::nest::{Level, Nest};
use super::open::{Opened, Step};
use super::statement::{Local, Place, Range, Statement, Value};
use crate::equation::{Affine, Context, ExprId, IndexId, Node, ReduceKind};

/// How many accumulators a reduction over a contiguous row has: additions then wait for each other that much less, and
/// a compiler may put them into the lanes of a vector, which it must not do with a single one.
pub(super) const LANES: usize = 16;
/// A single loop over fewer values than this has one accumulator.
const LEAST_EXTENT_FOR_LANES: usize = 2 * LANES;
/// So has the innermost of several loops over fewer values than this. The accumulators of several loops are combined but once.
const LEAST_INNER_EXTENT_FOR_LANES: usize = 4;

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
pub(super) struct InnerCost {
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
pub(super) fn best_inner(context: &Context, body: ExprId, indices: &[IndexId]) -> Option<(IndexId, InnerCost)> {
    indices.iter().rev().map(|&index| (index, inner_cost(context, body, index))).min_by_key(|(_, cost)| *cost)
}

impl Nest<'_> {
    /// Whether a sum is better accumulated into a whole row over one of its free indices than computed element by element:
    /// `sum(i: w[i, j] * x[i])` reads rows of `w` if `j` runs innermost.
    pub(super) fn row_index(&mut self, reduction: ExprId) -> Option<IndexId> {
        if self.is_abreast {
            return None;
        }
        let Node::Reduce { kind: ReduceKind::Sum, indices, body } = self.context.node(reduction).clone() else { return None };
        let (free, _) = self.tabulated(reduction);
        let (_, bound_cost) = best_inner(self.context, body, &indices)?;
        let (row, row_cost) = best_inner(self.context, body, &free)?;
        (row_cost < bound_cost).then_some(row)
    }

    /// What is summed, where that is one term.
    pub(super) fn only_term(&mut self, sum: ExprId) -> Option<ExprId> {
        let term = self.context.only_term(sum)?;
        self.count_uses(term);
        Some(term)
    }

    /// A reduction as a number, computed at the level `home` if nothing is repeated there, else in an array beforehand.
    pub(super) fn reduction(&mut self, expr: ExprId, home: usize) -> Value {
        let free = self.free_indices(expr);
        let repeated = self.levels[..=home]
            .iter()
            .filter_map(Level::loop_index)
            .any(|index| !free.contains(&index) && self.context.index_of(index).extent() > 1);
        let row = self.row_index(expr);
        let (free, level) = self.tabulated(expr);
        if !free.is_empty() && (repeated || row.is_some()) {
            return self.tabulate(expr, level, free, row);
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

    /// Over which indices an array of an expression's values runs, and the level at which it can be filled: before all loops, or inside
    /// of those that fill what the expression reads.
    fn tabulated(&mut self, expr: ExprId) -> (Vec<IndexId>, usize) {
        let mut free = self.free_indices(expr);
        let level = self.filling_level(expr);
        let fixed: Vec<_> = self.levels[..=level].iter().filter_map(|level| level.index).collect();
        free.retain(|index| !fixed.contains(index));
        (free, level)
    }

    /// Fills an array with the values of a reduction at a level, and reads from it.
    fn tabulate(&mut self, expr: ExprId, level: usize, mut free: Vec<IndexId>, row: Option<IndexId>) -> Value {
        if let Some(row) = row {
            free.retain(|&index| index != row);
            free.push(row);
        }
        let table = self.at_level(level, |nest| nest.refilled_temporary(&free));
        let indices = self.element(table, &free);
        self.at_level(level, |nest| nest.store_equation(Place { tensor: table, indices: indices.clone() }, &free, expr));
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
        let Opened { steps, body } = match kind {
            ReduceKind::Sum => self.loops_of(&order, body),
            _ => Opened { steps: order.iter().map(|&index| Step::Loop(index, Range::default())).collect(), body },
        };
        // Lanes have constant bounds.
        let inner_extent = match steps.last() {
            Some(Step::Loop(index, range)) if range.bounds.is_empty() => self.context.index_of(*index).extent(),
            _ => 0,
        };
        let is_nested = steps.len() > 1;
        let least_extent = if is_nested { LEAST_INNER_EXTENT_FOR_LANES } else { LEAST_EXTENT_FOR_LANES };
        let in_lanes =
            !self.is_abreast && inner_extent >= least_extent && kind != ReduceKind::Product && !self.calls_functions(body);
        let lanes = inner_extent.min(LANES);
        let accumulator = self.local(if in_lanes { "lanes" } else { name });
        self.push(if in_lanes {
            Statement::StartLanes(accumulator, lanes, neutral(kind))
        } else {
            Statement::Start(accumulator, neutral(kind))
        });
        let levels = self.levels.len();
        self.open_steps(steps);
        let value = self.value(body);
        self.push(Statement::Combine { into: accumulator, in_lanes, kind, value });
        if in_lanes {
            self.close_as(|index, body| Statement::ForLanes { index, lanes, body });
        }
        self.close_to(levels);
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
        self.push(Statement::Start(best, neutral(kind)));
        let asked = self.local("position");
        let mut positions = Vec::new();
        // The other indices of the same place are found on the way, where something wants them.
        for (axis, &index) in indices.iter().enumerate() {
            let expr = self.context.arg_reduce(kind, indices, axis, body);
            let local = if axis == position {
                asked
            } else if self.is_used(expr) {
                self.local("position")
            } else {
                continue;
            };
            self.push(Statement::Start(local, self.context.index_of(index).start as f64));
            self.bind(expr, local);
            positions.push((local, Affine::index(index)));
        }
        indices.iter().for_each(|&index| self.open(index));
        let value = self.value(body);
        self.push(Statement::KeepBest { best, kind, value, positions });
        indices.iter().for_each(|_| self.close());
        asked
    }
}
