//! Equations whose terms say where they belong: `y[p] = sum(r, c: [p = 4*r + c] * x[r, c])`.
//!
//! For each place of the right-hand side there is one on the left: `y` is cleared, then what is summed is added where it belongs.

use super::delta::Solution;
use super::nest::Nest;
use super::open::Opened;
use super::reduce::best_inner;
use super::statement::{Place, Statement, Value};
use crate::equation::{ExprId, IndexId, Node, ReduceKind};

/// A term that is 0 but for one value of some of the equation's indices.
#[derive(Debug)]
pub(super) struct Scattered {
    /// What runs: the other indices of the equation, and what the term sums over.
    order: Vec<IndexId>,
    /// The indices of the equation that are solved.
    solved: Vec<(IndexId, Solution)>,
    /// The rest of the term.
    body: ExprId,
}

impl Nest<'_> {
    /// The terms of a right-hand side that are to be scattered, and the rest.
    pub(super) fn split_scattered(&mut self, indices: &[IndexId], value: ExprId) -> (Vec<Scattered>, Option<ExprId>) {
        let terms = match self.context.node(value) {
            Node::Add(terms) => terms.clone(),
            _ => vec![value],
        };
        let is_single = terms.len() == 1;
        let (mut scattered, mut rest) = (Vec::new(), Vec::new());
        for term in terms {
            match self.scattered(indices, term, is_single) {
                Some(found) => scattered.push(found),
                None => rest.push(term),
            }
        }
        if scattered.is_empty() {
            return (scattered, Some(value));
        }
        let rest = if rest.is_empty() { None } else { Some(self.context.add(rest)) };
        (scattered, rest)
    }

    fn scattered(&mut self, indices: &[IndexId], term: ExprId, is_single: bool) -> Option<Scattered> {
        let sum = self.with_factor_inside(term);
        let (bound, body) = match self.context.node(sum).clone() {
            Node::Reduce { kind: ReduceKind::Sum, indices, body } => (indices, body),
            // A single loop with a condition is as good as any.
            _ if is_single && indices.len() > 1 => (Vec::new(), sum),
            _ => return None,
        };
        let mut factors = self.factors(body);
        let mut order = indices.to_vec();
        let mut solved: Vec<(IndexId, Solution)> = Vec::new();
        let mut at = 0;
        while at < factors.len() {
            let solution = order.iter().find_map(|&index| Some((index, self.solve(factors[at], index)?)));
            let solution = solution.filter(|(index, solution)| {
                let needed = self.indices_of(solution);
                !solved.iter().any(|(known, _)| needed.contains(known))
                    && !solved.clone().iter().any(|(_, known)| self.indices_of(known).contains(index))
            });
            match solution {
                Some((index, solution)) => {
                    order.retain(|&other| other != index);
                    solved.push((index, solution));
                    factors.remove(at);
                }
                None => at += 1,
            }
        }
        if solved.is_empty() {
            return None;
        }
        order.extend(bound);
        if let Some((inner, _)) = best_inner(self.context, body, &order) {
            order.retain(|&index| index != inner);
            order.push(inner);
        }
        let body = self.context.multiply(factors);
        Some(Scattered { order, solved, body })
    }

    /// `target = rest` or `target += rest`, then what is scattered.
    pub(super) fn scatter_equation(
        &mut self,
        target: Place,
        indices: &[IndexId],
        scattered: Vec<Scattered>,
        rest: Option<ExprId>,
        store: bool,
    ) {
        match rest {
            Some(rest) if store => self.store_equation(target.clone(), indices, rest),
            Some(rest) => self.add_equation(target.clone(), indices, rest),
            None if store => {
                indices.iter().for_each(|&index| self.open(index));
                self.push(Statement::Set(target.clone(), Value::Number(0.0)));
                indices.iter().for_each(|_| self.close());
            }
            None => {}
        }
        for Scattered { order, solved, body } in scattered {
            let levels = self.levels.len();
            let Opened { steps, body } = self.loops_with(&order, body, solved);
            self.open_steps(steps);
            let value = self.value(body);
            self.push(Statement::Add(target.clone(), value));
            self.close_to(levels);
        }
    }
}
