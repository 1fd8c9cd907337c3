//! What is audited: the equations of a derivation, with forms of its expressions that have values.

use std::collections::HashMap;

use crate::calculus::Record;
use crate::derivation::Derivation;
use crate::equation::{Affine, Context, Equation, ExprId, IndexId, Node, Role, TensorId};

/// The equations of a derivation, for evaluators.
pub(crate) struct Subject<'a> {
    pub(super) derivation: &'a Derivation,
    /// That of the derivation and what is built to compare with.
    pub(super) context: Context,
    pub(super) equations: HashMap<TensorId, &'a Equation>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(derivation: &'a Derivation) -> Subject<'a> {
        let equations = (derivation.forward.iter())
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(&derivation.model.constants)
            .map(|equation| (equation.target, equation))
            .collect();
        Subject { derivation, context: derivation.model.context.clone(), equations }
    }

    /// Equations with names and expressions of others: what rules are compared by.
    pub(crate) fn of(derivation: &'a Derivation, context: Context, equations: HashMap<TensorId, &'a Equation>) -> Subject<'a> {
        Subject { derivation, context, equations }
    }

    /// A chain rule with the last form of each factor in place of the partial derivative that names it.
    pub(super) fn with_factors(&mut self, record: &Record, expr: ExprId) -> ExprId {
        with_factors(&mut self.context, record, expr)
    }

    /// The last form but one of a parameter's gradient with the mean over the minibatch added.
    pub(super) fn with_mean(&mut self, parameter: TensorId, record: &Record, indices: &[IndexId]) -> ExprId {
        let mean = self.context.tensors().find(|(_, tensor)| match tensor.role {
            Role::BatchMean { of } => self.context.tensor(of).role == Role::Adjoint { of: parameter },
            _ => false,
        });
        let mut terms: Vec<ExprId> = record.steps.iter().rev().nth(1).map(|step| step.value).into_iter().collect();
        if let Some(mean) = mean.map(|(id, _)| id) {
            terms.push(self.context.access_at(mean, indices));
        }
        self.context.add(terms)
    }

    /// The elements to evaluate first, so that no evaluation goes through many equations at once: the values in the order of
    /// their equations, along the first axis from the first step to the last, and the adjoints the other way round.
    pub(super) fn order(&self) -> Vec<(TensorId, Vec<i64>)> {
        let steps = |equation: &Equation, descending: bool| {
            let shape = &self.context.tensor(equation.target).shape;
            let extent = shape.first().map_or(1, |&extent| extent as i64);
            let rank = shape.len();
            let place = move |step: i64| match rank {
                0 => Vec::new(),
                _ => std::iter::once(if descending { extent - 1 - step } else { step }).chain(vec![0; rank - 1]).collect(),
            };
            let target = equation.target;
            let reads_itself = self.reads_other_steps(equation);
            (0..if reads_itself { extent } else { extent.min(1) }).map(move |step| (target, place(step)))
        };
        let forward = self.derivation.forward.iter().flat_map(|equation| steps(equation, false));
        let backward = self.derivation.backward.iter().flat_map(|adjoint| steps(&adjoint.equation, true));
        forward.chain(backward).filter(|(tensor, _)| self.context.tensor(*tensor).size() > 0).collect()
    }

    /// Whether an equation reads a tensor that has an equation at another place than its own along its first axis.
    fn reads_other_steps(&self, equation: &Equation) -> bool {
        let Some(&step) = equation.indices.first() else { return false };
        let mut found = false;
        self.context.visit(equation.value, &mut |_, part| {
            if let Node::Access { tensor, indices } = self.context.node(part)
                && self.equations.contains_key(tensor)
            {
                let moves = |place: &Affine| place.constant != 0 && place.terms.iter().any(|(index, _)| *index == step);
                found |= indices.first().is_some_and(moves);
            }
        });
        found
    }
}

fn with_factors(context: &mut Context, record: &Record, expr: ExprId) -> ExprId {
    let Node::Partial { of, by } = *context.node(expr) else {
        return context.rebuild(expr, |context, part, _| with_factors(context, record, part));
    };
    for factor in &record.factors {
        let (Node::Partial { of: known_of, by: known_by }, Some(last)) = (context.node(factor.partial), factor.steps.last())
        else {
            continue;
        };
        let mut renaming = Vec::new();
        let same = rename(context, *known_of, of, &mut renaming) && rename(context, *known_by, by, &mut renaming);
        if same {
            return context.substitute_indices(last.value, &renaming);
        }
    }
    expr
}

/// What makes one access of another of the same tensor, where the first has plain indices.
fn rename(context: &Context, from: ExprId, to: ExprId, renaming: &mut Vec<(IndexId, Affine)>) -> bool {
    match (context.node(from), context.node(to)) {
        (Node::Access { tensor: a, indices: from }, Node::Access { tensor: b, indices: to }) if a == b => {
            let plain = from.iter().zip(to).filter_map(|(from, to)| Some((from.as_index()?, to.clone())));
            renaming.extend(plain);
            true
        }
        _ => false,
    }
}
