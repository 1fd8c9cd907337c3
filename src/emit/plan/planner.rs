//! Makes a plan: which kernels compute the equations of a derivation, and which passes call them.

use rustc_hash::{FxHashMap, FxHashSet};

use super::forms::Forms;
use super::nest::Nest;
use super::scalars::Scalars;
use super::statement::{Place, Statement, Value};
use super::{Kernel, Line, Pairs, Plan, Storage, alike, insert_once};
use crate::derivation::{Derivation, Gradient};
use crate::equation::{Block, Context, Equation, ExprId, IndexId, Recurrence, Role, Table, TensorId, schedule};
use crate::model::Model;

/// Builds a [`Plan`].
pub(super) struct Planner<'a> {
    pub(super) derivation: &'a Derivation,
    pub(super) context: Context,
    pub(super) kernels: Vec<Kernel>,
    /// The names of kernels, each with the last number that was put behind it.
    pub(super) names: FxHashMap<String, usize>,
    pub(super) temporaries: Vec<TensorId>,
    pub(super) scalars: Scalars,
    /// The gradients of trained parameters, as pairs of parameter and gradient.
    pub(super) gradients: Pairs,
    /// Gradients that an update only adds to the parameter, each with the scalar that they are multiplied by before.
    pub(super) update_factors: Table<TensorId, TensorId>,
    /// The right-hand sides of gradients, by their targets.
    pub(super) gradient_values: Table<TensorId, ExprId>,
    /// Where the gradient and the optimizer of a parameter stand in the derivation.
    gradient_at: Table<TensorId, usize>,
    optimizer_at: Table<TensorId, usize>,
    /// How many examples may be computed at once.
    pub(super) examples: usize,
    pub(super) rows: Pairs,
    pub(super) elements: FxHashSet<IndexId>,
    /// What several equations read that would else compute it.
    pub(super) common: Vec<TensorId>,
    /// What is computed inside of an equation, by that one's target.
    pub(super) inlined: FxHashMap<TensorId, Vec<Line>>,
    /// Which equations are alike.
    pub(super) forms: Forms,
}

impl<'a> Planner<'a> {
    pub(super) fn new(derivation: &'a Derivation, examples: usize) -> Self {
        let mut context = derivation.model.context.clone();
        let mut gradients = Pairs::default();
        derivation.gradient.iter().for_each(|gradient| gradients.push(gradient.parameter, gradient.equation.target));
        let scalars = Scalars::new(&mut context, derivation.model.batch_size);
        let (mut gradient_at, mut optimizer_at) = (Table::default(), Table::default());
        for (at, gradient) in derivation.gradient.iter().enumerate() {
            gradient_at.insert_first(gradient.parameter, at);
        }
        for (at, optimizer) in derivation.model.optimizers.iter().enumerate() {
            optimizer_at.insert_first(optimizer.parameter, at);
        }
        Self {
            derivation,
            context,
            kernels: Vec::new(),
            names: FxHashMap::default(),
            temporaries: Vec::new(),
            scalars,
            gradients,
            update_factors: Table::default(),
            gradient_values: Table::default(),
            gradient_at,
            optimizer_at,
            examples,
            rows: Pairs::default(),
            elements: FxHashSet::default(),
            common: Vec::new(),
            inlined: FxHashMap::default(),
            forms: Forms::default(),
        }
    }

    pub(super) fn plan(mut self) -> Plan {
        let model = &self.derivation.model;
        let mut forward = self.derivation.forward.clone();
        let adjoints = self.derivation.backward.iter().filter(|adjoint| adjoint.is_computed);
        let mut adjoints: Vec<Equation> = adjoints.map(|adjoint| adjoint.equation.clone()).collect();
        if self.examples > 1 {
            self.with_common(&mut forward, &mut adjoints);
            self.with_common(&mut adjoints, &mut []);
        }
        self.inline_adjoints(&mut adjoints);
        self.find_forms(forward.iter().chain(&adjoints));
        self.find_forms_of_updates();
        let needed = ancestors(&self.context, &forward, &model.outputs);
        let mut values = Vec::new();
        let (mut predict, mut loss) = (Vec::new(), Vec::new());
        let forward: Vec<&Equation> = forward.iter().collect();
        let (mut plain, mut tiles) = (Vec::new(), Vec::new());
        for block in self.blocks(&forward) {
            let first_temporary = self.temporaries.len();
            let (kernel, targets) = self.block(&forward, &block);
            let equations = members(&forward, &block);
            let in_tiles = self.in_tiles(&equations, &block);
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
            let gradients: Vec<TensorId> = self.gradients.iter().map(|(_, gradient)| gradient).collect();
            for gradient in gradients {
                if let Some(factor) = self.update_factor(gradient) {
                    self.update_factors.insert(gradient, factor);
                }
            }
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
        let in_values = values.iter().map(|&tensor| (tensor, Storage::Values));
        let in_gradient = self.gradients.iter().map(|(parameter, gradient)| (gradient, Storage::Gradient(parameter)));
        let special = in_values.chain(in_gradient).collect();
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
            gradients: self.gradients.iter().collect(),
            mean_loss,
            is_vectorized: self.examples > 1,
            single,
            batch,
            rows: self.rows,
            elements: self.elements,
            special,
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

    /// The gradient of the objective by a parameter.
    pub(super) fn gradient_by(&self, parameter: TensorId) -> Option<&'a Gradient> {
        self.gradient_at.get(parameter).map(|&at| &self.derivation.gradient[at])
    }

    /// Which optimizer trains a parameter.
    pub(super) fn optimizer_of(&self, parameter: TensorId) -> Option<usize> {
        self.optimizer_at.get(parameter).copied()
    }

    /// What a row is all elements of; a tensor that is no row by itself.
    pub(super) fn whole(&self, tensor: TensorId) -> TensorId {
        self.rows.second_of(tensor).unwrap_or(tensor)
    }

    /// What an adjoint is the derivative by.
    pub(super) fn adjoint_of(&self, adjoint: TensorId) -> Option<TensorId> {
        match self.context.tensor(adjoint).role {
            Role::Adjoint { of } => Some(of),
            _ => None,
        }
    }

    /// The gradient to which an adjoint is added.
    pub(super) fn sum_of(&self, adjoint: TensorId) -> Option<TensorId> {
        self.gradients.second_of(self.adjoint_of(adjoint)?)
    }

    /// The kernel of an equation for one example.
    pub(super) fn kernel_of(&mut self, equation: &Equation) -> usize {
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
        let lines = self.lines(equation);
        self.kernel(&name, lines, body, locals, None)
    }

    /// The kernel of equations that are computed step by step.
    fn steps(&mut self, equations: &[&Equation], recurrence: &Recurrence) -> usize {
        let members: Vec<&Equation> = recurrence.equations.iter().map(|&at| equations[at]).collect();
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        nest.steps(&members, recurrence);
        let (body, locals) = nest.finish();
        let numbers: Vec<String> = members.iter().map(|equation| equation.number.to_string()).collect();
        let lines = members.iter().flat_map(|equation| self.lines(equation)).collect();
        self.kernel(&format!("equations_{}", numbers.join("_")), lines, body, locals, None)
    }

    /// A name that no kernel has: with a number behind it where one has this. Of equal layers each asks for the same.
    pub(super) fn unique_name(&mut self, name: &str) -> String {
        let Some(last) = self.names.get(name) else {
            self.names.insert(name.to_owned(), 1);
            return name.to_owned();
        };
        let mut count = last + 1;
        let mut unique = format!("{name}_{count}");
        while self.names.contains_key(&unique) {
            count += 1;
            unique = format!("{name}_{count}");
        }
        if let Some(last) = self.names.get_mut(name) {
            *last = count;
        }
        self.names.insert(unique.clone(), 1);
        unique
    }

    pub(super) fn kernel(
        &mut self,
        name: &str,
        equations: Vec<Line>,
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
        let name = self.unique_name(name);
        let function = self.kernels.len();
        self.kernels.push(Kernel {
            name,
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
    fn scalar_kernel(&mut self, name: &str, lines: Vec<Line>, value: ExprId) -> usize {
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        nest.count_uses(value);
        let value = nest.value(value);
        let (body, locals) = nest.finish();
        self.kernel(name, lines, body, locals, Some(value))
    }

    fn constants(&mut self, model: &Model) -> Vec<(TensorId, usize)> {
        let mut constants = Vec::new();
        for equation in &model.constants {
            let name = match equation.number {
                0 => self.context.tensor(equation.target).name.clone(),
                number => format!("equation_{number}"),
            };
            let lines = vec![self.line(equation)];
            let kernel = self.scalar_kernel(&name, lines, equation.computed);
            constants.push((equation.target, kernel));
        }
        for (tensor, value) in self.scalars.take() {
            let name = self.context.tensor(tensor).name.clone();
            let lines = vec![Line::Text(format!("`{name} = {}`", self.context.expression_text(value)))];
            constants.push((tensor, self.scalar_kernel(&name, lines, value)));
        }
        for &(_, kernel) in &constants {
            let is_scalar = |tensor: &TensorId| is_scalar_role(self.context.tensor(*tensor).role);
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

    /// An equation, as the documentation of its kernel shows it.
    pub(super) fn line(&self, equation: &Equation) -> Line {
        if self.common.contains(&equation.target) {
            let name = &self.context.tensor(equation.target).name;
            let text = format!("Of ({}): `{name} = {}`", equation.number, self.context.expression_text(equation.computed));
            return Line::Text(text);
        }
        Line::Equation { target: equation.target, number: equation.number }
    }

    /// All that training writes for one example, besides `values` and the gradient, in the order of the kernels.
    fn scratch(&self, values: &[TensorId]) -> Vec<TensorId> {
        let mut scratch = Vec::new();
        let mut known: FxHashSet<TensorId> = values.iter().copied().collect();
        for &tensor in self.kernels.iter().flat_map(|kernel| &kernel.writes) {
            let elsewhere = self.gradients.first_of(tensor).is_some()
                || self.rows.second_of(tensor).is_some()
                || matches!(self.context.tensor(tensor).role, Role::Parameter | Role::State { .. });
            if !elsewhere && known.insert(tensor) {
                scratch.push(tensor);
            }
        }
        scratch
    }
}

/// Whether tensors of a role are scalars that are computed once for a minibatch.
pub(super) fn is_scalar_role(role: Role) -> bool {
    matches!(role, Role::Constant | Role::BatchSize | Role::UpdateNumber)
}

/// The equations of a block.
fn members<'e>(equations: &[&'e Equation], block: &Block) -> Vec<&'e Equation> {
    match block {
        Block::Whole(at) => vec![equations[*at]],
        Block::Steps(recurrence) => recurrence.equations.iter().map(|&at| equations[at]).collect(),
    }
}

/// The tensors of equations on which the given ones depend, themselves included.
fn ancestors(context: &Context, equations: &[Equation], tensors: &[TensorId]) -> FxHashSet<TensorId> {
    let mut needed: FxHashSet<TensorId> = tensors.iter().copied().collect();
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
