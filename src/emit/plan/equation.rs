//! The loop nest of one equation.
//!
//! Sums at the root of a right-hand side accumulate straight into the target, a row at a time where rows are what
//! the operands offer. What a row shares, such as the exponentials of a softmax, is computed into a row first.

use super::nest::Nest;
use super::open::{Opened, Step};
use super::statement::{Place, Range, Statement, Value};
use crate::equation::{Affine, Equation, ExprId, IndexId, Node, Recurrence, ReduceKind};

/// A row of at most as many values is summed up in local variables, which a compiler keeps in registers, before it is written.
const MOST_LANES_OF_A_ROW: usize = 32;

impl Nest<'_> {
    /// `target = value` for all values of the indices.
    pub(super) fn store_equation(&mut self, target: Place, indices: &[IndexId], value: ExprId) {
        self.equation(target, indices, value, true);
    }

    /// `target += value` for all values of the indices.
    pub(super) fn add_equation(&mut self, target: Place, indices: &[IndexId], value: ExprId) {
        self.equation(target, indices, value, false);
    }

    /// All steps of equations that need each other. Each is computed at a step for all values of its other indices.
    pub(super) fn steps(&mut self, equations: &[&Equation], recurrence: &Recurrence) {
        self.recurrent = equations.iter().map(|equation| equation.target).collect();
        let Some(step) = equations.first().zip(recurrence.axes.first()).map(|(first, &axis)| first.indices[axis]) else { return };
        let step = self.context.fresh(step);
        self.open_range(step, Range { descending: recurrence.descending, bounds: Vec::new() });
        for (equation, &axis) in equations.iter().zip(&recurrence.axes) {
            let mut indices = equation.indices.clone();
            let own = indices[axis];
            indices[axis] = step;
            let value = self.context.substitute_indices(equation.computed, &[(own, Affine::index(step))]);
            let target = Place { tensor: equation.target, indices: self.element(equation.target, &indices) };
            indices.remove(axis);
            self.store_equation(target, &indices, value);
        }
        self.close();
    }

    fn equation(&mut self, target: Place, indices: &[IndexId], value: ExprId, store: bool) {
        self.count_uses(value);
        let (scattered, value) = self.split_scattered(indices, value);
        if !scattered.is_empty() {
            self.scatter_equation(target, indices, scattered, value, store);
            return;
        }
        let Some(value) = value else { return };
        let Some((&inner, outer)) = indices.split_last() else {
            let value = self.value(value);
            self.push(if store { Statement::Set(target, value) } else { Statement::Add(target, value) });
            return;
        };
        let (rows, mut rest) = self.split_row_sums(indices, value);
        outer.iter().for_each(|&index| self.open(index));
        // The target's own row may hold what the equation needs before it holds the result, unless equations that follow might take what was
        // reduced of the one for a reduction of the other.
        let mut lent = store && rows.is_empty() && !self.is_abreast;
        while let Some(part) = rest.and_then(|rest| self.find_row_part(indices, rest)) {
            let row = if lent {
                target.clone()
            } else {
                let tensor = self.row_temporary(inner);
                Place { tensor, indices: self.element(tensor, &[inner]) }
            };
            lent = false;
            self.row(&row, inner, part.value);
            let before = rest;
            rest = rest.map(|rest| self.read_from_row(rest, &part, &row, inner));
            rest.into_iter().for_each(|rest| self.count_uses(rest));
            if rest == before {
                break;
            }
        }
        if store || rest.is_some() {
            self.open(inner);
            let value = rest.map_or(Value::Number(0.0), |rest| self.value(rest));
            self.push(if store { Statement::Set(target.clone(), value) } else { Statement::Add(target.clone(), value) });
            self.close();
        }
        for sum in rows {
            self.add_to_row(&target, inner, sum);
        }
        outer.iter().for_each(|_| self.close());
    }

    /// The terms of a right-hand side that are sums to be accumulated by rows, and the rest.
    fn split_row_sums(&mut self, indices: &[IndexId], value: ExprId) -> (Vec<ExprId>, Option<ExprId>) {
        let terms = match self.context.node(value) {
            Node::Add(terms) => terms.clone(),
            _ => vec![value],
        };
        let mut rows = Vec::new();
        let mut rest = Vec::new();
        for term in terms {
            let sum = self.with_factor_inside(term);
            if self.is_row_sum(indices, sum) { rows.push(sum) } else { rest.push(term) }
        }
        let rest = if rest.is_empty() { None } else { Some(self.context.add(rest)) };
        (rows, rest)
    }

    /// `-sum(i: a[i])` as `sum(i: -a[i])`: a factor that is a number costs nothing inside.
    pub(super) fn with_factor_inside(&mut self, term: ExprId) -> ExprId {
        if let Node::Multiply(factors) = self.context.node(term)
            && let [number, sum] = factors[..]
            && self.context.as_number(number).is_some()
            && let Node::Reduce { kind: ReduceKind::Sum, indices, body } = self.context.node(sum).clone()
        {
            let body = self.context.multiply([number, body]);
            return self.context.sum(&indices, body);
        }
        term
    }

    fn is_row_sum(&mut self, indices: &[IndexId], sum: ExprId) -> bool {
        let free = self.free_indices(sum);
        indices.iter().all(|index| free.contains(index)) && self.row_index(sum).is_some_and(|row| Some(&row) == indices.last())
    }

    /// Fills a row with an expression, for the open outer indices.
    fn row(&mut self, row: &Place, inner: IndexId, value: ExprId) {
        let is_sum = matches!(self.context.node(value), Node::Reduce { .. });
        self.open(inner);
        let first = if is_sum { Value::Number(0.0) } else { self.value(value) };
        self.push(Statement::Set(row.clone(), first));
        self.close();
        if is_sum {
            self.add_to_row(row, inner, value);
        }
    }

    /// Adds a sum to a row, the row's index innermost.
    fn add_to_row(&mut self, row: &Place, inner: IndexId, sum: ExprId) {
        let Node::Reduce { indices, body, .. } = self.context.node(sum).clone() else { return };
        let order: Vec<IndexId> = indices.into_iter().chain([inner]).collect();
        let levels = self.levels.len();
        let Opened { steps, body } = self.loops_of(&order, body);
        let lanes = self.context.index_of(inner).extent();
        let is_whole = matches!(steps.last(), Some(Step::Loop(index, range)) if *index == inner && range.bounds.is_empty());
        if !is_whole || steps.len() < 2 || lanes > MOST_LANES_OF_A_ROW {
            self.open_steps(steps);
            let value = self.value(body);
            self.push(Statement::Add(row.clone(), value));
            self.close_to(levels);
            return;
        }
        let sums = self.local("row");
        self.push(Statement::StartRow(sums, inner, row.clone()));
        self.open_steps(steps);
        let value = self.value(body);
        self.push(Statement::Combine { into: sums, in_lanes: true, kind: ReduceKind::Sum, value });
        self.close_as(|index, body| Statement::ForLanes { index, lanes, body });
        self.close_to(levels);
        self.open(inner);
        self.push(Statement::Set(row.clone(), Value::OfRow(sums, inner)));
        self.close();
    }

    /// A part of an expression that is better computed for a whole row first.
    fn find_row_part(&mut self, indices: &[IndexId], value: ExprId) -> Option<RowPart> {
        let mut reductions = Vec::new();
        self.outermost_reductions(value, &mut reductions);
        if let Some(&sum) = reductions.iter().find(|&&sum| self.is_row_sum(indices, sum)) {
            return Some(RowPart { value: sum, shared: None });
        }
        let &inner = indices.last()?;
        let outer = &indices[..indices.len() - 1];
        reductions.into_iter().find_map(|reduction| self.find_shared(value, reduction, inner, outer))
    }

    /// A function call that a reduction and the expression around it have in common, but for the name of the index.
    fn find_shared(&mut self, value: ExprId, reduction: ExprId, inner: IndexId, outer: &[IndexId]) -> Option<RowPart> {
        let Node::Reduce { indices, body, .. } = self.context.node(reduction).clone() else { return None };
        let [bound] = indices[..] else { return None };
        let (range, inner_range) = (self.context.index_of(bound).clone(), self.context.index_of(inner).clone());
        let free = self.free_indices(reduction);
        let same_range = (range.start, range.end) == (inner_range.start, inner_range.end);
        if !same_range || free.contains(&inner) || !outer.iter().all(|index| free.contains(index)) {
            return None;
        }
        let mut calls = Vec::new();
        self.context.visit(body, &mut |context, part| {
            if matches!(context.node(part), Node::Call(..)) && context.contains_index(part, bound) {
                calls.push(part);
            }
        });
        for call in calls {
            let outside = self.context.substitute_indices(call, &[(bound, Affine::index(inner))]);
            if self.context.contains(value, outside) {
                return Some(RowPart { value: outside, shared: Some(Shared { reduction, bound, call }) });
            }
        }
        None
    }

    /// The expression with a part read from its row.
    fn read_from_row(&mut self, value: ExprId, part: &RowPart, row: &Place, inner: IndexId) -> ExprId {
        let access = self.context.access(row.tensor, row.indices.clone());
        let value = match part.shared {
            Some(Shared { reduction, bound, call }) => {
                let inside = self.context.substitute_indices(access, &[(inner, Affine::index(bound))]);
                match self.context.node(reduction).clone() {
                    Node::Reduce { kind, indices, body } => {
                        let body = self.context.replace(body, call, inside);
                        let changed = self.context.reduce(kind, &indices, body);
                        self.context.replace(value, reduction, changed)
                    }
                    _ => value,
                }
            }
            None => value,
        };
        self.context.replace(value, part.value, access)
    }

    fn outermost_reductions(&self, expr: ExprId, found: &mut Vec<ExprId>) {
        if matches!(self.context.node(expr), Node::Reduce { .. } | Node::ArgReduce { .. }) {
            if !found.contains(&expr) {
                found.push(expr);
            }
            return;
        }
        let mut children = Vec::new();
        crate::equation::for_each_child(self.context.node(expr), |child| children.push(child));
        children.into_iter().for_each(|child| self.outermost_reductions(child, found));
    }
}

/// Something to compute for a whole row before the equation that reads it.
struct RowPart {
    /// The expression, in terms of the equation's indices.
    value: ExprId,
    /// Where a reduction reads the same row.
    shared: Option<Shared>,
}

/// A call inside a reduction that equals one outside of it.
struct Shared {
    reduction: ExprId,
    bound: IndexId,
    call: ExprId,
}
