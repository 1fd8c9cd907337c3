//! All programs of a derivation, and which of them a goal needs.

use super::EngineError;
use super::plan::Planner;
use super::program::Program;
use crate::derivation::Derivation;
use crate::equation::{self, Block, Context, Equation, Recurrence, Role, TensorId};

/// The programs of a derivation.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    /// Each after those whose results it reads.
    pub(super) all: Vec<Task>,
    /// Which one computes a tensor, by tensor.
    by_target: Vec<Option<usize>>,
}

/// What is run at once.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// A program.
    Whole(Program),
    /// Programs that are run one after the other at each step.
    Steps(Steps),
}

/// A recurrence.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    pub(super) programs: Vec<Program>,
    /// The number of steps.
    pub(super) extent: usize,
    /// Whether the last comes first.
    pub(super) descending: bool,
}

impl Task {
    /// The programs that it runs.
    pub(super) fn programs(&self) -> &[Program] {
        match self {
            Task::Whole(program) => std::slice::from_ref(program),
            Task::Steps(steps) => &steps.programs,
        }
    }
}

/// What is run to compute some tensors.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Positions in [`Programs::all`], in order.
    pub(super) tasks: Vec<usize>,
    /// The tensors that are read and given, not computed.
    pub(super) given: Vec<TensorId>,
}

/// Plans one equation after the other.
struct Planning {
    context: Context,
    /// Which tensors have a value for each example, by tensor.
    batched: Vec<bool>,
    programs: Programs,
}

impl Planning {
    fn add(&mut self, task: Task) {
        for program in task.programs() {
            self.programs.by_target[program.target.index()] = Some(self.programs.all.len());
        }
        self.programs.all.push(task);
    }

    fn equation(&mut self, equation: &Equation) -> Result<(), EngineError> {
        let program = Planner::equation(&mut self.context, &self.batched, equation)?;
        self.batched[equation.target.index()] = program.is_batched();
        self.add(Task::Whole(program));
        Ok(())
    }

    /// Equations with recurrences among them.
    fn equations(&mut self, equations: &[&Equation]) -> Result<(), EngineError> {
        let blocks = equation::schedule(&self.context, equations, |equation| equation.computed).map_err(|cycle| {
            let first = cycle.equations.first().map(|&at| equations[at].target);
            EngineError::NotComputed { tensor: first.map_or_else(String::new, |tensor| self.context.tensor(tensor).name.clone()) }
        })?;
        for block in blocks {
            match block {
                Block::Whole(at) => self.equation(equations[at])?,
                Block::Steps(recurrence) => self.recurrence(equations, &recurrence)?,
            }
        }
        Ok(())
    }

    fn recurrence(&mut self, equations: &[&Equation], recurrence: &Recurrence) -> Result<(), EngineError> {
        let members: Vec<&Equation> = recurrence.equations.iter().map(|&at| equations[at]).collect();
        // Each of them depends on what any of them reads.
        let batched =
            members.iter().flat_map(|member| self.context.tensors_in(member.computed)).any(|tensor| self.batched[tensor.index()]);
        for member in &members {
            self.batched[member.target.index()] = batched;
        }
        let programs = members
            .iter()
            .zip(&recurrence.axes)
            .map(|(member, &axis)| Planner::step(&mut self.context, &self.batched, member, axis))
            .collect::<Result<_, _>>()?;
        self.add(Task::Steps(Steps { programs, extent: recurrence.extent, descending: recurrence.descending }));
        Ok(())
    }
}

impl Programs {
    /// Plans all equations that are computed. Those that no goal needs cost nothing later.
    pub(super) fn new(derivation: &Derivation) -> Result<Self, EngineError> {
        let model = &derivation.model;
        let context = model.context.clone();
        let count = context.tensors().count();
        let given = |role: Role| matches!(role, Role::Input | Role::Target | Role::Noise);
        let batched: Vec<bool> = context.tensors().map(|(_, tensor)| given(tensor.role)).collect();
        let programs = Programs { all: Vec::new(), by_target: vec![None; count] };
        let mut planning = Planning { context, batched, programs };

        let (late, early) = late_constants(&planning.context, &model.constants);
        for equation in early {
            planning.equation(equation)?;
        }
        planning.equations(&derivation.forward.iter().collect::<Vec<_>>())?;
        let computed = derivation.backward.iter().filter(|adjoint| adjoint.is_computed).map(|adjoint| &adjoint.equation);
        planning.equations(&computed.collect::<Vec<_>>())?;
        let means: Vec<(TensorId, TensorId)> = (planning.context)
            .tensors()
            .filter_map(|(mean, tensor)| match tensor.role {
                Role::BatchMean { of } => Some((mean, of)),
                _ => None,
            })
            .collect();
        for (mean, of) in means {
            let program = plan_mean(derivation, &mut planning.context, &planning.batched, mean, of)?;
            planning.add(Task::Whole(program));
        }
        let gradients = derivation.gradient.iter().map(|gradient| &gradient.equation);
        let updates = model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        for equation in derivation.objective.iter().chain(gradients).chain(late).chain(updates) {
            planning.equation(equation)?;
        }
        Ok(planning.programs)
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
                    open.extend(self.all[at].programs().iter().flat_map(|program| &program.reads));
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
        Ok(Schedule { tasks: (0..self.all.len()).filter(|&at| needed[at]).collect(), given })
    }
}

/// Those constants that depend on a gradient, as the factor that clips it does, and the others.
fn late_constants<'a>(context: &Context, constants: &'a [Equation]) -> (Vec<&'a Equation>, Vec<&'a Equation>) {
    let mut late: Vec<TensorId> = Vec::new();
    constants.iter().partition(|equation| {
        let is_late = |tensor: TensorId| matches!(context.tensor(tensor).role, Role::Gradient { .. }) || late.contains(&tensor);
        let depends = context.tensors_in(equation.computed).into_iter().any(is_late);
        late.extend(depends.then_some(equation.target));
        depends
    })
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
