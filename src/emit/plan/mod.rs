//! From equations to kernels: functions of loop nests over named buffers, and the passes that call them.
//!
//! A kernel computes one equation, or all that updates one parameter. Its size depends on the equation, never on the
//! extents of the tensors. Kernels know tensors by id; where those live is decided here, once ([`Plan::storage`]).

mod abreast;
mod alike;
mod batch;
mod common;
mod contraction;
mod delta;
mod equation;
mod memory;
mod nest;
mod open;
mod reduce;
mod rows;
mod scalars;
mod scatter;
mod single;
mod statement;
mod update;

use std::collections::{HashMap, HashSet};

pub(crate) use abreast::Abreast;
pub(crate) use batch::{Batch, BatchStep, EXAMPLES_FOR_COPY};
pub(crate) use contraction::coefficients;
pub(crate) use memory::{Buffer, Memory};
pub(crate) use single::Single;
pub(crate) use statement::{Branch, Condition, Local, Place, Position, Range, Statement, Tile, Value};

use self::nest::Nest;
use self::scalars::Scalars;
use crate::derivation::Derivation;
use crate::equation::{Block, Context, Equation, ExprId, IndexId, Recurrence, Role, TensorId, schedule};
use crate::model::Model;
use crate::sheet::EquationTexts;

/// Everything that is emitted, as loop nests.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The derivation's context, extended by temporaries and scalars.
    pub(crate) context: Context,
    /// All functions.
    pub(crate) kernels: Vec<Kernel>,
    /// The forward equations on which the outputs depend.
    pub(crate) predict: Vec<usize>,
    /// The other forward equations.
    pub(crate) loss: Vec<usize>,
    /// The adjoints; those of trained parameters are added up over the examples.
    pub(crate) backward: Vec<usize>,
    /// From the sum over the examples to the gradient of the objective, in place.
    pub(crate) gradient: Vec<usize>,
    /// Scalars that are computed once for a minibatch, each with its kernel, in `f64`.
    pub(crate) constants: Vec<(TensorId, usize)>,
    /// The updates of parameters and optimizer states, in place.
    pub(crate) update: Vec<usize>,
    /// Whether [`Self::update`] reads the sums over the examples; else it wants [`Self::gradient`] to run before.
    pub(crate) update_is_fused: bool,
    /// The mean loss with the regularizers.
    pub(crate) objective: Option<usize>,
    /// What `predict` stores besides its result.
    pub(crate) values: Vec<TensorId>,
    /// What training stores for one example besides that.
    pub(crate) scratch: Vec<TensorId>,
    /// The gradients of trained parameters, as pairs of parameter and gradient.
    pub(crate) gradients: Vec<(TensorId, TensorId)>,
    /// The mean loss of a minibatch, where the objective reads it.
    pub(crate) mean_loss: Option<TensorId>,
    /// Whether kernels are compiled for several sets of instructions.
    pub(crate) is_vectorized: bool,
    /// Training with one example, if it has a step of its own.
    pub(crate) single: Option<Single>,
    /// How many examples are computed at once, where that is quicker.
    pub(crate) batch: Option<Batch>,
    /// Tensors whose elements stand in one row, any part of which a kernel may be given, and what they are the elements of.
    pub(crate) rows: Vec<(TensorId, TensorId)>,
    /// The indices of such rows.
    pub(crate) elements: Vec<IndexId>,
    /// How the equations of the documentation write a tensor's elements.
    pub(crate) symbols: HashMap<TensorId, String>,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Its name, unique in the plan.
    pub(crate) name: String,
    /// The equations that it computes, with their numbers, for its documentation.
    pub(crate) equations: Vec<String>,
    /// What it does.
    pub(crate) body: Vec<Statement>,
    /// The names of its local variables, not unique.
    pub(crate) locals: Vec<String>,
    /// What it returns, if anything.
    pub(crate) result: Option<Value>,
    /// Whether it computes in `f64` whatever the scalar type: a scalar such as `1 - 0.999^k` loses half of the digits of an `f32`.
    pub(crate) in_double: bool,
    /// Whether it computes several examples at once, with vectors in place of numbers.
    pub(crate) is_abreast: bool,
    /// The tensors that it only reads.
    pub(crate) reads: Vec<TensorId>,
    /// The tensors that it writes.
    pub(crate) writes: Vec<TensorId>,
    /// The kernel whose function computes it: the first of those that do the same to other tensors.
    pub(crate) function: usize,
    /// How many kernels have that function.
    pub(crate) alike: usize,
}

/// Where a tensor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// In the network.
    Parameter,
    /// In the example.
    Input,
    /// In the example.
    Target,
    /// In what `predict` stores.
    Values,
    /// In what training stores for one example.
    Scratch,
    /// In the gradient, at the place of this parameter.
    Gradient(TensorId),
    /// In the optimizer's state.
    State,
    /// In what is drawn for one example.
    Noise,
    /// In a local variable of a pass, as `f64`.
    Scalar,
}

impl Plan {
    /// Lowers a derivation.
    pub(crate) fn new(derivation: &Derivation, examples: usize) -> Plan {
        Planner::new(derivation, examples).plan()
    }

    /// Where a tensor lives.
    pub(crate) fn storage(&self, tensor: TensorId) -> Storage {
        if let Some(&(parameter, _)) = self.gradients.iter().find(|(_, gradient)| *gradient == tensor) {
            return Storage::Gradient(parameter);
        }
        if self.values.contains(&tensor) {
            return Storage::Values;
        }
        match self.context.tensor(tensor).role {
            Role::Parameter => Storage::Parameter,
            Role::Input => Storage::Input,
            Role::Noise => Storage::Noise,
            Role::Target => Storage::Target,
            Role::State { .. } => Storage::State,
            Role::Constant | Role::BatchSize | Role::UpdateNumber => Storage::Scalar,
            _ if Some(tensor) == self.mean_loss => Storage::Scalar,
            _ => Storage::Scratch,
        }
    }

    /// The function of a kernel, by the first kernel that has it.
    pub(crate) fn function_of(&self, kernel: &Kernel) -> &Kernel {
        &self.kernels[kernel.function]
    }

    /// The scalars that kernels need, closed under what those scalars are computed from, in order of computation.
    pub(crate) fn constants_for(&self, kernels: &[usize]) -> Vec<(TensorId, usize)> {
        let mut needed: HashSet<TensorId> = HashSet::new();
        kernels.iter().for_each(|&kernel| needed.extend(&self.kernels[kernel].reads));
        for (tensor, kernel) in self.constants.iter().rev() {
            if needed.contains(tensor) {
                needed.extend(&self.kernels[*kernel].reads);
            }
        }
        self.constants.iter().copied().filter(|(tensor, _)| needed.contains(tensor)).collect()
    }
}

/// Builds a [`Plan`].
struct Planner<'a> {
    derivation: &'a Derivation,
    /// The sheet's notation, chosen once.
    texts: EquationTexts<'a>,
    context: Context,
    kernels: Vec<Kernel>,
    names: HashSet<String>,
    temporaries: Vec<TensorId>,
    scalars: Scalars,
    gradients: Vec<(TensorId, TensorId)>,
    /// Gradients that an update only adds to the parameter, each with the scalar that they are multiplied by before.
    update_factors: Vec<(TensorId, TensorId)>,
    /// How many examples may be computed at once.
    examples: usize,
    rows: Vec<(TensorId, TensorId)>,
    elements: Vec<IndexId>,
    /// What several equations read that would else compute it.
    common: Vec<TensorId>,
}

impl<'a> Planner<'a> {
    fn new(derivation: &'a Derivation, examples: usize) -> Self {
        let mut context = derivation.model.context.clone();
        let gradients = derivation.gradient.iter().map(|gradient| (gradient.parameter, gradient.equation.target)).collect();
        let scalars = Scalars::new(&mut context, derivation.model.batch_size);
        let texts = EquationTexts::new(derivation);
        Self {
            derivation,
            texts,
            context,
            kernels: Vec::new(),
            names: HashSet::new(),
            temporaries: Vec::new(),
            scalars,
            gradients,
            update_factors: Vec::new(),
            examples,
            rows: Vec::new(),
            elements: Vec::new(),
            common: Vec::new(),
        }
    }

    fn plan(mut self) -> Plan {
        let model = &self.derivation.model;
        let mut forward = self.derivation.forward.clone();
        let adjoints = self.derivation.backward.iter().filter(|adjoint| adjoint.is_computed);
        let mut adjoints: Vec<Equation> = adjoints.map(|adjoint| adjoint.equation.clone()).collect();
        if self.examples > 1 {
            self.with_common(&mut forward, &mut adjoints);
            self.with_common(&mut adjoints, &mut []);
        }
        let needed = ancestors(&self.context, &forward, &model.outputs);
        let mut values = Vec::new();
        let (mut predict, mut loss) = (Vec::new(), Vec::new());
        let forward: Vec<&Equation> = forward.iter().collect();
        let (mut plain, mut tiles) = (Vec::new(), Vec::new());
        for block in self.blocks(&forward) {
            let first_temporary = self.temporaries.len();
            let (kernel, targets) = self.block(&forward, &block);
            let equations = members(&forward, &block);
            let in_tiles = self.in_tiles(kernel, &equations, &block);
            plain.push((kernel, equations, block));
            let kernel = self.instead(kernel, in_tiles.as_deref(), &targets);
            tiles.push(in_tiles);
            if targets.iter().any(|target| needed.contains(target)) {
                values.extend(targets);
                values.extend(&self.temporaries[first_temporary..]);
                predict.push(kernel);
            } else {
                loss.push(kernel);
            }
        }
        let adjoints: Vec<&Equation> = adjoints.iter().collect();
        let mut backward = Vec::new();
        for block in self.blocks(&adjoints) {
            let kernel = self.block(&adjoints, &block).0;
            backward.push(kernel);
            plain.push((kernel, members(&adjoints, &block), block));
        }
        let update_is_fused = self.update_can_be_fused();
        let gradient = (0..self.derivation.gradient.len()).map(|at| self.gradient(at)).collect();
        let update: Vec<usize> = model.optimizers.iter().map(|optimizer| self.update(optimizer, update_is_fused, None)).collect();
        if update_is_fused {
            let gradients: Vec<TensorId> = self.gradients.iter().map(|(_, gradient)| *gradient).collect();
            self.update_factors = gradients.into_iter().filter_map(|sums| Some((sums, self.update_factor(sums)?))).collect();
        }
        let mean_loss = self.mean_loss();
        let objective = self.objective();
        let fused = if update_is_fused { &update[..] } else { &[] };
        let temporaries = self.temporaries.clone();
        let single = self.single(&plain, tiles, fused);
        let constants = self.constants(model);
        let scratch = self.scratch(&values);
        let mut batch = self.batch(&plain, fused);
        if let Some(batch) = &mut batch {
            batch.shared.extend(temporaries);
        }
        let mut plan = Plan {
            context: self.context,
            kernels: self.kernels,
            predict,
            loss,
            backward,
            gradient,
            constants,
            update,
            update_is_fused,
            objective,
            values,
            scratch,
            gradients: self.gradients,
            mean_loss,
            is_vectorized: self.examples > 1,
            single,
            batch,
            rows: self.rows,
            elements: self.elements,
            symbols: self.texts.symbols(),
        };
        alike::share_functions(&mut plan);
        plan
    }

    /// What is computed at once, in an order in which it can be.
    fn blocks(&self, equations: &[&Equation]) -> Vec<Block> {
        // A model has no cycles but those that steps resolve, and neither have its adjoints.
        schedule(&self.context, equations, |equation| equation.computed)
            .unwrap_or_else(|_| (0..equations.len()).map(Block::Whole).collect())
    }

    /// The kernel of a block for one example, and what it computes.
    fn block(&mut self, equations: &[&Equation], block: &Block) -> (usize, Vec<TensorId>) {
        match block {
            Block::Whole(at) => (self.per_example(equations[*at]), vec![equations[*at].target]),
            Block::Steps(recurrence) => {
                let targets = recurrence.equations.iter().map(|&at| equations[at].target).collect();
                (self.steps(equations, recurrence), targets)
            }
        }
    }

    /// The gradient to which an adjoint is added.
    fn sum_of(&self, adjoint: TensorId) -> Option<TensorId> {
        let Role::Adjoint { of } = self.context.tensor(adjoint).role else { return None };
        self.gradients.iter().find(|(parameter, _)| *parameter == of).map(|(_, gradient)| *gradient)
    }

    /// The kernel of an equation for one example.
    fn per_example(&mut self, equation: &Equation) -> usize {
        let sum = self.sum_of(equation.target);
        let target = sum.unwrap_or(equation.target);
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        let place = Place { tensor: target, indices: nest.element(target, &equation.indices) };
        if sum.is_some() {
            nest.add_equation(place, &equation.indices, equation.computed);
        } else {
            nest.store_equation(place, &equation.indices, equation.computed);
        }
        let (body, locals) = nest.finish();
        let name = format!("equation_{}", equation.number);
        let lines = vec![self.line(equation)];
        self.kernel(&name, lines, body, locals, None)
    }

    /// The kernel of equations that are computed step by step.
    fn steps(&mut self, equations: &[&Equation], recurrence: &Recurrence) -> usize {
        let members: Vec<&Equation> = recurrence.equations.iter().map(|&at| equations[at]).collect();
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        nest.steps(&members, recurrence);
        let (body, locals) = nest.finish();
        let numbers: Vec<String> = members.iter().map(|equation| equation.number.to_string()).collect();
        let lines = members.iter().map(|equation| self.line(equation)).collect();
        self.kernel(&format!("equations_{}", numbers.join("_")), lines, body, locals, None)
    }

    fn kernel(
        &mut self,
        name: &str,
        equations: Vec<String>,
        body: Vec<Statement>,
        locals: Vec<String>,
        result: Option<Value>,
    ) -> usize {
        let (mut reads, mut writes) = (Vec::new(), Vec::new());
        for statement in &body {
            statement.writes(&mut |place| insert_once(&mut writes, place.tensor));
            statement.reads(&mut |place| insert_once(&mut reads, place.tensor));
        }
        if let Some(result) = &result {
            result.places(&mut |place| insert_once(&mut reads, place.tensor));
        }
        reads.retain(|tensor| !writes.contains(tensor));
        let mut unique = name.to_owned();
        let mut count = 1;
        while !self.names.insert(unique.clone()) {
            count += 1;
            unique = format!("{name}_{count}");
        }
        let function = self.kernels.len();
        self.kernels.push(Kernel {
            name: unique,
            equations,
            body,
            locals,
            result,
            in_double: false,
            is_abreast: false,
            reads,
            writes,
            function,
            alike: 1,
        });
        function
    }

    /// The kernel of a scalar that is computed once for a minibatch.
    fn scalar_kernel(&mut self, name: &str, lines: Vec<String>, value: ExprId) -> usize {
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        nest.count_uses(value);
        let value = nest.value(value);
        let (body, locals) = nest.finish();
        self.kernel(name, lines, body, locals, Some(value))
    }

    fn constants(&mut self, model: &Model) -> Vec<(TensorId, usize)> {
        let mut constants = Vec::new();
        for equation in &model.constants {
            let lines = vec![self.line(equation)];
            let kernel = self.scalar_kernel(&format!("equation_{}", equation.number), lines, equation.computed);
            constants.push((equation.target, kernel));
        }
        for (tensor, value) in self.scalars.take() {
            let name = self.context.tensor(tensor).name.clone();
            let lines = vec![format!("`{name} = {}`", self.context.expression_text(value))];
            constants.push((tensor, self.scalar_kernel(&name, lines, value)));
        }
        for &(_, kernel) in &constants {
            let is_scalar = |tensor: &TensorId| {
                matches!(self.context.tensor(*tensor).role, Role::Constant | Role::BatchSize | Role::UpdateNumber)
            };
            let kernel = &mut self.kernels[kernel];
            // One that reads a gradient computes in the gradient's type.
            kernel.in_double = kernel.reads.iter().all(is_scalar) && kernel.writes.is_empty();
        }
        constants
    }

    /// The mean loss, as the objective reads it.
    fn mean_loss(&self) -> Option<TensorId> {
        let loss = self.derivation.model.loss?;
        let is_mean_loss = |role: Role| role == Role::BatchMean { of: loss };
        self.context.tensors().find(|(_, tensor)| is_mean_loss(tensor.role)).map(|(id, _)| id)
    }

    fn objective(&mut self) -> Option<usize> {
        let equation = self.derivation.objective.as_ref()?;
        let value = self.scalars.extract(&mut self.context, equation.computed);
        let lines = vec![self.line(equation)];
        Some(self.scalar_kernel(&format!("equation_{}", equation.number), lines, value))
    }

    /// An equation with its number, as the documentation of its kernel shows it.
    fn line(&self, equation: &Equation) -> String {
        if self.common.contains(&equation.target) {
            let name = &self.context.tensor(equation.target).name;
            return format!("Of ({}): `{name} = {}`", equation.number, self.context.expression_text(equation.computed));
        }
        format!("({}) `{}`", equation.number, self.texts.text(equation))
    }

    /// All that training writes for one example, besides `values` and the gradient, in the order of the kernels.
    fn scratch(&self, values: &[TensorId]) -> Vec<TensorId> {
        let mut scratch = Vec::new();
        for &tensor in self.kernels.iter().flat_map(|kernel| &kernel.writes) {
            let elsewhere = values.contains(&tensor)
                || self.gradients.iter().any(|(_, gradient)| *gradient == tensor)
                || self.rows.iter().any(|(row, _)| *row == tensor)
                || matches!(self.context.tensor(tensor).role, Role::Parameter | Role::State { .. });
            if !elsewhere {
                insert_once(&mut scratch, tensor);
            }
        }
        scratch
    }
}

/// The equations of a block.
fn members<'e>(equations: &[&'e Equation], block: &Block) -> Vec<&'e Equation> {
    match block {
        Block::Whole(at) => vec![equations[*at]],
        Block::Steps(recurrence) => recurrence.equations.iter().map(|&at| equations[at]).collect(),
    }
}

fn insert_once(list: &mut Vec<TensorId>, tensor: TensorId) {
    if !list.contains(&tensor) {
        list.push(tensor);
    }
}

/// The tensors of equations on which the given ones depend, themselves included.
fn ancestors(context: &Context, equations: &[Equation], tensors: &[TensorId]) -> HashSet<TensorId> {
    let mut needed: HashSet<TensorId> = tensors.iter().copied().collect();
    // More than once where equations need each other across steps.
    loop {
        let before = needed.len();
        for equation in equations.iter().rev() {
            if needed.contains(&equation.target) {
                needed.extend(context.tensors_in(equation.computed));
            }
        }
        if needed.len() == before {
            return needed;
        }
    }
}
