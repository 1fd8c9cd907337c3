//! What a network costs: operations and memory of the forward pass, the backward pass and the update.
//!
//! Counted on the loop nests that the emitter prints, so that a count is what the code does, in numbers and as a formula in the
//! extents of the network. What counts:
//!
//! - a multiplication, an addition or subtraction, a division, a comparison of two numbers, a power, and a call of an elementary
//!   function, each as one operation of its kind. An integer power is the multiplications that it takes;
//! - not a change of sign, not arithmetic of indices, and not adding the first term to the 0 that a sum starts with, or the like for
//!   products and greatest values: a sum of n terms takes n - 1 additions, in whichever order;
//! - of a choice between two values, the dearer one. Where that matters the count is an upper bound, and says so.

mod count;
mod kernel;
mod loops;
mod memory;
mod polynomial;
mod sizes;
mod text;

use std::collections::BTreeMap;

use crate::derivation::Derivation;
use crate::emit::ScalarType;
use crate::emit::plan::{Kernel, Plan};
use crate::equation::{Role, TensorId};
pub use count::{Count, Operation};
pub use memory::Tradeoff;
pub use polynomial::{Polynomial, Symbol};
pub use sizes::Size;
use sizes::Sizes;

/// What a network costs.
#[derive(Clone, Debug)]
pub struct Cost {
    /// The network's name.
    pub network: String,
    /// What the symbols of the formulas stand for.
    pub sizes: Vec<Size>,
    /// The passes, in the order in which they run.
    pub passes: Vec<Pass>,
    /// Numbers that are kept from one minibatch to the next, and those of one example.
    pub memory: Vec<(&'static str, Polynomial)>,
    /// Operations of one example against the memory that its values need, the fewest operations first.
    pub tradeoffs: Vec<Tradeoff>,
    /// Bytes of a number.
    pub scalar_bytes: usize,
}

/// A pass over the network.
#[derive(Clone, Debug)]
pub struct Pass {
    /// Which.
    pub kind: PassKind,
    /// Its parts: layers, and tensors that belong to none.
    pub rows: Vec<Row>,
}

/// When something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassKind {
    /// Once for an example.
    Forward,
    /// Once for an example.
    Backward,
    /// Once for each example of a minibatch but the first: its gradient is added to the others'.
    Accumulate,
    /// Once for a minibatch.
    Update,
}

impl PassKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            PassKind::Forward => "forward",
            PassKind::Backward => "backward",
            PassKind::Accumulate => "accumulate",
            PassKind::Update => "update",
        }
    }

    /// How often it is done.
    pub fn how_often(self) -> &'static str {
        match self {
            PassKind::Forward | PassKind::Backward => "for each example",
            PassKind::Accumulate => "for each example after the first of a minibatch",
            PassKind::Update => "for each minibatch",
        }
    }
}

/// What a layer costs in a pass.
#[derive(Clone, Debug)]
pub struct Row {
    /// The layer: what stands before the dot in the names of its tensors, or a tensor's own name.
    pub layer: String,
    /// The equations that are computed, by their numbers on the sheet.
    pub equations: Vec<u32>,
    /// The operations.
    pub count: Count,
    /// Numbers that are written and kept until the pass is over, or longer.
    pub numbers: Polynomial,
}

impl Pass {
    /// All rows together.
    pub fn total(&self) -> Count {
        let mut total = Count::default();
        self.rows.iter().for_each(|row| total.add(&row.count));
        total
    }

    /// The rows as a reader wants them: of many that do the same, as the layers of a deep net do, one that says how many.
    pub fn distinct_rows(&self) -> Vec<(String, &Row)> {
        /// Rows that are all shown although they are alike.
        const SHOWN: usize = 8;
        let key = |row: &Row| (row.equations.clone(), row.count.formulas(), row.numbers.formula());
        let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, row) in self.rows.iter().enumerate() {
            alike.entry(key(row)).or_default().push(at);
        }
        let mut labels: BTreeMap<usize, String> = BTreeMap::new();
        for positions in alike.values() {
            let name = |at: usize| self.rows[at].layer.as_str();
            match positions[..] {
                [first, .., last] if positions.len() > SHOWN => {
                    labels.insert(first, format!("{}, …, {}: {} alike, each", name(first), name(last), positions.len()));
                }
                _ => labels.extend(positions.iter().map(|&at| (at, name(at).to_owned()))),
            }
        }
        labels.into_iter().map(|(at, label)| (label, &self.rows[at])).collect()
    }

    /// The numbers that all rows write.
    pub fn numbers(&self) -> Polynomial {
        self.rows.iter().fold(Polynomial::default(), |sum, row| sum.plus(&row.numbers))
    }
}

impl Cost {
    /// Counts the operations of a derivation.
    pub fn new(derivation: &Derivation, scalar: ScalarType) -> Cost {
        let plan = Plan::new(derivation, 1);
        let sizes = Sizes::new(derivation, &plan);
        let counter = Counter { derivation, plan: &plan, sizes: &sizes };
        let forward: Vec<usize> = plan.predict.iter().chain(&plan.loss).copied().collect();
        let (backward, accumulate) = counter.backward();
        let passes = [
            Pass { kind: PassKind::Forward, rows: counter.rows(&forward) },
            backward,
            accumulate,
            Pass { kind: PassKind::Update, rows: counter.update() },
        ];
        let passes: Vec<Pass> = passes.into_iter().filter(|pass| !pass.rows.is_empty()).collect();
        let scalar_bytes = match scalar {
            ScalarType::F32 => 4,
            ScalarType::F64 => 8,
        };
        Cost {
            network: derivation.model.name.clone(),
            tradeoffs: memory::tradeoffs(&plan, &sizes, &forward, scalar_bytes),
            memory: counter.memory(),
            sizes: sizes.table(),
            passes,
            scalar_bytes,
        }
    }

    /// The pass of a kind, unless the network has none.
    pub fn pass(&self, kind: PassKind) -> Option<&Pass> {
        self.passes.iter().find(|pass| pass.kind == kind)
    }
}

/// Counts kernels.
struct Counter<'a> {
    derivation: &'a Derivation,
    plan: &'a Plan,
    sizes: &'a Sizes,
}

impl Counter<'_> {
    fn count(&self, kernel: usize) -> kernel::Counted {
        kernel::count(self.plan, self.sizes, &self.plan.kernels[kernel])
    }

    /// A row for each layer, in the order of the kernels.
    fn rows(&self, kernels: &[usize]) -> Vec<Row> {
        let mut rows = Vec::new();
        for &kernel in kernels {
            self.add_to_row(&mut rows, &self.plan.kernels[kernel], &self.count(kernel).count);
        }
        rows
    }

    fn add_to_row(&self, rows: &mut Vec<Row>, kernel: &Kernel, count: &Count) {
        let is_own = |tensor: &TensorId| self.number(*tensor).is_some();
        let first = kernel.writes.iter().copied().find(is_own).or(kernel.writes.first().copied());
        let layer = first.map_or_else(|| kernel.name.clone(), |tensor| self.layer(tensor));
        let written = kernel.writes.iter().filter(|&&tensor| !matches!(self.role(tensor), Role::Parameter));
        let numbers = written.fold(Polynomial::default(), |sum, &tensor| sum.plus(&self.sizes.of_tensor(self.plan, tensor)));
        let equations = kernel.writes.iter().filter_map(|&tensor| self.number(tensor));
        add_row(rows, Row { layer, equations: equations.collect(), count: count.clone(), numbers });
    }

    /// The backward pass, and what adding a further example's gradient takes.
    fn backward(&self) -> (Pass, Pass) {
        let (mut backward, mut accumulate) = (Vec::new(), Vec::new());
        for &at in &self.plan.backward {
            let kernel = &self.plan.kernels[at];
            let counted = self.count(at);
            self.add_to_row(&mut backward, kernel, &counted.count);
            if counted.accumulated != Polynomial::default() {
                let mut count = Count::default();
                count.insert(Operation::Add, counted.accumulated);
                self.add_to_row(&mut accumulate, kernel, &count);
            }
        }
        // The sum takes the place of the first example's gradient.
        accumulate.iter_mut().for_each(|row| row.numbers = Polynomial::default());
        (Pass { kind: PassKind::Backward, rows: backward }, Pass { kind: PassKind::Accumulate, rows: accumulate })
    }

    /// The update: what is computed once, then each parameter.
    fn update(&self) -> Vec<Row> {
        let plan = self.plan;
        if plan.update.is_empty() {
            return Vec::new();
        }
        let finish: &[usize] = if plan.update_is_fused { &[] } else { &plan.gradient };
        let mut rows = Vec::new();
        let mut constants =
            Row { layer: "scalars".to_owned(), equations: Vec::new(), count: Count::default(), numbers: Polynomial::default() };
        for kernels in [finish, &plan.update] {
            // A pass computes the scalars that it needs.
            for (tensor, kernel) in plan.constants_for(kernels) {
                constants.count.add(&self.count(kernel).count);
                constants.equations.extend(self.number(tensor));
            }
        }
        constants.equations.sort_unstable();
        constants.equations.dedup();
        if !constants.equations.is_empty() || constants.count != Count::default() {
            rows.push(constants);
        }
        for &at in finish.iter().chain(&plan.update) {
            let kernel = &plan.kernels[at];
            let updated = kernel.writes.iter().find(|&&tensor| self.role(tensor) == Role::Parameter);
            let layer = updated.or(kernel.writes.first()).map_or_else(|| kernel.name.clone(), |&tensor| self.layer(tensor));
            let states = kernel.writes.iter().filter(|&&tensor| matches!(self.role(tensor), Role::State { .. }));
            let numbers = states.fold(Polynomial::default(), |sum, &tensor| sum.plus(&self.sizes.of_tensor(plan, tensor)));
            let equations = self.update_numbers(kernel);
            add_row(&mut rows, Row { layer, equations, count: self.count(at).count, numbers });
        }
        rows
    }

    /// The numbers of the gradient and of the update rules of what a kernel writes.
    fn update_numbers(&self, kernel: &Kernel) -> Vec<u32> {
        let optimizers = self.derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        let gradients = self.derivation.gradient.iter().map(|gradient| &gradient.equation);
        let is_done = |target: TensorId| match self.role(target) {
            Role::Next { of } => kernel.writes.contains(&of),
            Role::Gradient { of } => kernel.writes.contains(&of) || kernel.writes.contains(&target),
            _ => false,
        };
        gradients.chain(optimizers).filter(|equation| is_done(equation.target)).map(|equation| equation.number).collect()
    }

    /// What is kept, by what it is for.
    fn memory(&self) -> Vec<(&'static str, Polynomial)> {
        let plan = self.plan;
        let model = &self.derivation.model;
        let total = |tensors: &mut dyn Iterator<Item = TensorId>| {
            tensors.fold(Polynomial::default(), |sum, tensor| sum.plus(&self.sizes.of_tensor(plan, tensor)))
        };
        let states = model.optimizers.iter().flat_map(|optimizer| &optimizer.states);
        [
            ("parameters", total(&mut model.parameters.iter().map(|parameter| parameter.tensor))),
            ("values of one example", total(&mut plan.values.iter().copied())),
            ("losses and adjoints of one example", total(&mut plan.scratch.iter().copied())),
            ("gradient", total(&mut plan.gradients.iter().map(|gradient| gradient.1))),
            ("optimizer state", total(&mut states.map(|state| state.tensor))),
        ]
        .into_iter()
        .filter(|(_, numbers)| *numbers != Polynomial::default())
        .collect()
    }

    fn role(&self, tensor: TensorId) -> Role {
        self.plan.context.tensor(tensor).role
    }

    /// The number of the equation that computes a tensor: for a gradient, of the adjoints that are summed up in it.
    fn number(&self, tensor: TensorId) -> Option<u32> {
        let adjoints = self.derivation.backward.iter().map(|adjoint| &adjoint.equation);
        let all = self.derivation.forward.iter().chain(adjoints).chain(&self.derivation.model.constants);
        let summed = match self.role(tensor) {
            Role::Gradient { of } => Some(Role::Adjoint { of }),
            _ => None,
        };
        let is_it = |target: TensorId| match summed {
            Some(summed) => self.role(target) == summed,
            None => target == tensor,
        };
        all.into_iter().find(|equation| is_it(equation.target)).map(|equation| equation.number).filter(|number| *number > 0)
    }

    /// What a tensor belongs to: `dense1` for `dense1.w`, its adjoint and its gradient.
    fn layer(&self, tensor: TensorId) -> String {
        match self.role(tensor) {
            Role::Adjoint { of } | Role::Gradient { of } | Role::State { of } | Role::Next { of } => self.layer(of),
            _ => {
                let name = &self.plan.context.tensor(tensor).name;
                name.rsplit_once('.').map_or(name.as_str(), |(layer, _)| layer).to_owned()
            }
        }
    }
}

/// Adds to the row of the same layer, or a new one.
fn add_row(rows: &mut Vec<Row>, row: Row) {
    match rows.iter_mut().find(|known| known.layer == row.layer) {
        Some(known) => {
            known.equations.extend(row.equations);
            known.count.add(&row.count);
            known.numbers = known.numbers.plus(&row.numbers);
        }
        None => rows.push(row),
    }
}
