//! Which parameters are weights, which tensors are outputs, and what the loss depends on.

use std::collections::BTreeSet;

use super::builder::Builder;
use super::recurrence::read_by_others;
use super::{Model, Parameter};
use crate::diagnostic::Diagnostic;
use crate::equation::{Context, Equation, ExprId, Node, ReduceKind, Role, TensorId};

/// Finds the parameters that are a factor of a product with a value that depends on an input.
pub(super) fn find(context: &Context, equations: &[Equation], parameters: &mut [(Vec<u32>, Parameter)]) {
    let on_inputs = dependents(context, equations, |role| role == Role::Input);
    let mut weights = BTreeSet::new();
    for equation in equations {
        context.visit(equation.value, &mut |context, part| {
            if matches!(context.node(part), Node::Multiply(_)) {
                collect_weights(context, part, &on_inputs, &mut weights);
            }
        });
    }
    for (_, parameter) in parameters {
        parameter.is_weight = weights.contains(&parameter.tensor);
    }
}

/// The tensors that no other equation reads, but as an earlier step of one recurrence; a recurrence of which a part is read elsewhere has no
/// outputs. What depends on a target, and what was made for the loss or the objective, belongs to the cost: it is no output, nor does its
/// reading count. `own` are the tensors of the user's equations, `losses` those of the `loss` lines.
pub(super) fn outputs(model: &Model, losses: &[TensorId], own: &BTreeSet<TensorId>) -> Vec<TensorId> {
    let on_targets = dependents(&model.context, &model.equations, |role| role == Role::Target);
    let is_goal = |tensor: TensorId| model.loss == Some(tensor) || losses.contains(&tensor);
    let is_cost = |tensor: TensorId| !own.contains(&tensor) || is_goal(tensor) || on_targets.contains(&tensor);
    let listed: Vec<&Equation> = model.equations.iter().filter(|equation| !is_cost(equation.target)).collect();
    let read = read_by_others(&model.context, &listed);
    let defined = model.equations.iter().map(|equation| equation.target);
    defined.filter(|&tensor| !is_cost(tensor) && !read.contains(&tensor)).collect()
}

/// The tensors that depend on one whose role is such, themselves included.
fn dependents(context: &Context, equations: &[Equation], is_source: impl Fn(Role) -> bool) -> BTreeSet<TensorId> {
    let mut found: BTreeSet<TensorId> =
        context.tensors().filter(|(_, tensor)| is_source(tensor.role)).map(|(id, _)| id).collect();
    // A recurrence reads what comes after it in the list, too.
    let reads: Vec<Vec<TensorId>> = equations.iter().map(|equation| context.tensors_in(equation.value)).collect();
    loop {
        let before = found.len();
        for (equation, read) in equations.iter().zip(&reads) {
            if read.iter().any(|tensor| found.contains(tensor)) {
                found.insert(equation.target);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}

/// Notes the parameters that are factors of a product, where another of its factors depends on an input.
fn collect_weights(context: &Context, product: ExprId, on_inputs: &BTreeSet<TensorId>, weights: &mut BTreeSet<TensorId>) {
    let mut factors = Vec::new();
    collect_factors(context, product, &mut factors);
    let depends = |factor: ExprId| context.tensors_in(factor).iter().any(|tensor| on_inputs.contains(tensor));
    if !factors.iter().any(|&factor| depends(factor)) {
        return;
    }
    for factor in factors {
        if let Node::Access { tensor, .. } = context.node(factor)
            && context.tensor(*tensor).role == Role::Parameter
        {
            weights.insert(*tensor);
        }
    }
}

/// The factors of a product, also those inside of sums over an index and of powers: `a Σ b c` is `Σ a b c`.
fn collect_factors(context: &Context, expr: ExprId, factors: &mut Vec<ExprId>) {
    match context.node(expr) {
        Node::Multiply(operands) => operands.iter().for_each(|&operand| collect_factors(context, operand, factors)),
        Node::Reduce { kind: ReduceKind::Sum, body, .. } => collect_factors(context, *body, factors),
        Node::Power(base, _) => collect_factors(context, *base, factors),
        _ => factors.push(expr),
    }
}

impl Builder<'_> {
    /// Warns about data and parameters that nothing depends on.
    pub(super) fn warn(&mut self, model: &Model) {
        let goal = model.loss.or(model.objective.as_ref().map(|objective| objective.value));
        let mut needed: BTreeSet<TensorId> = goal.into_iter().collect();
        let reads: Vec<Vec<TensorId>> = model.equations.iter().map(|equation| model.context.tensors_in(equation.value)).collect();
        let mut before = 0;
        while before < needed.len() {
            before = needed.len();
            for (equation, read) in model.equations.iter().zip(&reads).rev() {
                if needed.contains(&equation.target) {
                    needed.extend(read);
                }
            }
        }
        let read: BTreeSet<TensorId> = reads.into_iter().flatten().collect();
        let goal_name = if model.loss.is_some() { "loss" } else { "objective" };
        let parameters = model.parameters.iter().map(|parameter| (parameter.tensor, "parameter"));
        let targets = model.targets.iter().map(|&target| (target, "target"));
        let inputs = model.inputs.iter().map(|&input| (input, "input"));
        let noises = model.noises.iter().map(|noise| (noise.tensor, "noise"));
        for (tensor, kind) in inputs.chain(targets).chain(parameters).chain(noises) {
            let (name, origin) = (&model.context.tensor(tensor).name, model.context.tensor(tensor).origin);
            let Some(origin) = origin else { continue };
            if !read.contains(&tensor) {
                self.complain(Diagnostic::warning(origin, format!("the {kind} `{name}` is never used")));
            } else if kind == "parameter" && !needed.contains(&tensor) {
                let message = format!("the {goal_name} does not depend on the parameter `{name}`, so it learns nothing");
                self.complain(Diagnostic::warning(origin, message));
            }
        }
        if let Some(loss) = model.loss
            && !model.parameters.iter().any(|parameter| needed.contains(&parameter.tensor))
        {
            let origin = model.context.tensor(loss).origin;
            if let Some(origin) = origin {
                self.complain(Diagnostic::warning(origin, "the loss depends on no parameter, so there is nothing to learn"));
            }
        }
    }
}
