//! All programs of a derivation, and which of them a goal needs.

use super::EngineError;
use super::plan::Planner;
use super::program::Program;
use crate::derivation::Derivation;
use crate::equation::{Context, Equation, Role, TensorId};

/// The programs of a derivation, each after those whose results it reads.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    pub(super) all: Vec<Program>,
    /// Which one computes a tensor, by tensor.
    by_target: Vec<Option<usize>>,
}

/// What is run to compute some tensors.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Positions in [`Programs::all`], in order.
    pub(super) programs: Vec<usize>,
    /// The tensors that are read and given, not computed.
    pub(super) given: Vec<TensorId>,
}

impl Programs {
    /// Plans all equations that are computed. Those that no goal needs cost nothing later.
    pub(super) fn new(derivation: &Derivation) -> Result<Self, EngineError> {
        let model = &derivation.model;
        let mut context = model.context.clone();
        let count = context.tensors().count();
        let given = |role: Role| matches!(role, Role::Input | Role::Target | Role::Noise);
        let mut batched: Vec<bool> = context.tensors().map(|(_, tensor)| given(tensor.role)).collect();
        let mut programs = Programs { all: Vec::new(), by_target: vec![None; count] };

        let computed = derivation.backward.iter().filter(|adjoint| adjoint.is_computed).map(|adjoint| &adjoint.equation);
        for equation in model.constants.iter().chain(&derivation.forward).chain(computed) {
            let program = Planner::equation(&mut context, &batched, equation)?;
            batched[equation.target.index()] = program.is_batched();
            programs.add(program);
        }
        let means: Vec<(TensorId, TensorId)> = context
            .tensors()
            .filter_map(|(mean, tensor)| match tensor.role {
                Role::BatchMean { of } => Some((mean, of)),
                _ => None,
            })
            .collect();
        for (mean, of) in means {
            let program = plan_mean(derivation, &mut context, &batched, mean, of)?;
            programs.add(program);
        }
        let gradients = derivation.gradient.iter().map(|gradient| &gradient.equation);
        let updates = model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        for equation in derivation.objective.iter().chain(gradients).chain(updates) {
            let program = Planner::equation(&mut context, &batched, equation)?;
            programs.add(program);
        }
        Ok(programs)
    }

    fn add(&mut self, program: Program) {
        self.by_target[program.target.index()] = Some(self.all.len());
        self.all.push(program);
    }

    /// What computes these tensors; those of them that nothing computes are given.
    pub(super) fn schedule(&self, context: &Context, goals: &[TensorId]) -> Result<Schedule, EngineError> {
        let mut needed = vec![false; self.all.len()];
        let mut given = Vec::new();
        let mut open = goals.to_vec();
        while let Some(tensor) = open.pop() {
            match self.by_target[tensor.index()] {
                Some(at) if !needed[at] => {
                    needed[at] = true;
                    open.extend(&self.all[at].reads);
                }
                Some(_) => {}
                None if !given.contains(&tensor) => given.push(tensor),
                None => {}
            }
        }
        given.sort_unstable();
        let is_given = |role: Role| {
            matches!(
                role,
                Role::Input
                    | Role::Target
                    | Role::Noise
                    | Role::Parameter
                    | Role::State { .. }
                    | Role::BatchSize
                    | Role::UpdateNumber
            )
        };
        if let Some(&missing) = given.iter().find(|&&tensor| !is_given(context.tensor(tensor).role)) {
            return Err(EngineError::NotComputed { tensor: context.tensor(missing).name.clone() });
        }
        Ok(Schedule { programs: (0..self.all.len()).filter(|&at| needed[at]).collect(), given })
    }
}

/// The mean of a tensor. A parameter's adjoint is summed over the examples as it is computed; any other tensor is
/// needed for each example anyway.
fn plan_mean(
    derivation: &Derivation,
    context: &mut Context,
    batched: &[bool],
    mean: TensorId,
    of: TensorId,
) -> Result<Program, EngineError> {
    let by_parameter = match context.tensor(of).role {
        Role::Adjoint { of } => context.tensor(of).role == Role::Parameter,
        _ => false,
    };
    let defined = derivation.backward.iter().map(|adjoint| &adjoint.equation).find(|equation| equation.target == of);
    match defined {
        Some(Equation { indices, computed, .. }) if by_parameter => Planner::mean(context, batched, mean, indices, *computed),
        _ => {
            let indices = context.fresh_axes(of);
            let value = context.access_at(of, &indices);
            Planner::mean(context, batched, mean, &indices, value)
        }
    }
}
