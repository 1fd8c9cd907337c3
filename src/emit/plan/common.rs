//! What several equations compute alike: a reduction that they have in common, such as the denominator of a softmax which the logarithm in a
//! loss needs as well, is an equation of its own, computed once and kept.

use std::collections::BTreeMap;

use super::Planner;
use crate::equation::{Affine, Equation, ExprId, IndexId, Node, ReduceKind, TensorId};

/// What is common may have more in common inside; so often it is looked for again.
const ROUNDS: usize = 4;

impl Planner<'_> {
    /// The equations with what several of them have in common read from equations before them. What `others` have in common with them, those
    /// read as well.
    pub(super) fn with_common(&mut self, equations: &mut Vec<Equation>, others: &mut [Equation]) {
        for _ in 0..ROUNDS {
            let common = self.common_reductions(equations);
            if common.is_empty() {
                return;
            }
            for reduction in common {
                self.compute_once(reduction, equations, others);
            }
        }
    }

    /// The reductions without free indices that occur in more than one equation, none inside another.
    fn common_reductions(&self, equations: &[Equation]) -> Vec<ExprId> {
        let mut found: BTreeMap<ExprId, usize> = BTreeMap::new();
        for equation in equations {
            self.context.visit(equation.computed, &mut |context, part| {
                if matches!(context.node(part), Node::Reduce { .. }) && context.free_indices(part).is_empty() {
                    *found.entry(part).or_insert(0) += 1;
                }
            });
        }
        found.retain(|_, equations| *equations > 1);
        let has_other_inside = |reduction: ExprId| {
            let mut inside = false;
            self.context.visit(reduction, &mut |_, part| inside |= part != reduction && found.contains_key(&part));
            inside
        };
        found.keys().copied().filter(|&reduction| !has_other_inside(reduction)).collect()
    }

    /// Makes a reduction an equation of its own, and the elements that it reduces too where an equation reads them by themselves.
    fn compute_once(&mut self, reduction: ExprId, equations: &mut Vec<Equation>, others: &mut [Equation]) {
        let users: Vec<usize> =
            (0..equations.len()).filter(|&at| self.context.contains(equations[at].computed, reduction)).collect();
        let Some(&first) = users.first() else { return };
        let Node::Reduce { kind, indices: bound, body } = self.context.node(reduction).clone() else { return };
        let (indices, body) = self.context.open(&bound, body);
        let like = equations[first].clone();
        let mut made = Vec::new();
        let mut value = reduction;
        if let [index] = indices[..]
            && let Some(call) = self.shared_call(body, index, users.iter().map(|&at| &equations[at]))
        {
            let row = self.common_tensor("elements", &[index]);
            let element = self.context.access_at(row, &[index]);
            let body = self.context.replace(body, call, element);
            value = self.context.reduce(kind, &indices, body);
            made.push(Equation { target: row, indices: vec![index], value: call, computed: call, ..like.clone() });
            for &at in &users {
                self.read_elements(&mut equations[at], call, index, row);
            }
        }
        let target = self.common_tensor(if kind == ReduceKind::Sum { "total" } else { kind.name() }, &[]);
        let access = self.context.access_at(target, &[]);
        for equation in equations.iter_mut().chain(others) {
            if self.context.contains(equation.computed, reduction) {
                equation.computed = self.context.replace(equation.computed, reduction, access);
            }
        }
        made.push(Equation { target, indices: Vec::new(), value, computed: value, ..like });
        equations.splice(first..first, made);
    }

    /// A call in the body of a reduction that an equation also computes for its own elements.
    fn shared_call<'e>(&mut self, body: ExprId, bound: IndexId, users: impl Iterator<Item = &'e Equation>) -> Option<ExprId> {
        let range = (self.context.index_of(bound).start, self.context.index_of(bound).end);
        let own: Vec<(ExprId, IndexId)> =
            users.filter_map(|equation| Some((equation.computed, *equation.indices.last()?))).collect();
        let mut calls = Vec::new();
        self.context.visit(body, &mut |context, part| {
            if matches!(context.node(part), Node::Call(..)) && context.free_indices(part) == [bound] {
                calls.push(part);
            }
        });
        calls.into_iter().find(|&call| {
            range.0 == 0
                && own.iter().any(|&(computed, index)| {
                    let other = self.context.index_of(index);
                    let is_same_range = (other.start, other.end) == range;
                    let here = self.context.substitute_indices(call, &[(bound, Affine::index(index))]);
                    is_same_range && self.context.contains(computed, here)
                })
        })
    }

    /// Lets an equation read elements that it would compute.
    fn read_elements(&mut self, equation: &mut Equation, call: ExprId, bound: IndexId, row: TensorId) {
        let Some(&index) = equation.indices.last() else { return };
        let here = self.context.substitute_indices(call, &[(bound, Affine::index(index))]);
        let (own, other) = (self.context.index_of(index), self.context.index_of(bound));
        if (own.start, own.end) == (other.start, other.end) && self.context.contains(equation.computed, here) {
            let element = self.context.access_at(row, &[index]);
            equation.computed = self.context.replace(equation.computed, here, element);
        }
    }

    fn common_tensor(&mut self, name: &str, indices: &[IndexId]) -> TensorId {
        let tensor = self.context.add_intermediate(format!("common_{name}"), indices);
        self.common.push(tensor);
        tensor
    }
}
