//! Equations over short axes, for several examples beside each other.
//!
//! Where rows are shorter than a vector, such as those of a few classes, the same element of several examples fills one. A chain of such
//! equations is a kernel of its own, in which a number stands for a vector of examples: what it computes of one example is only from that
//! example, so that nothing else changes. Tensors of a chain have the examples as their last axis; what tiles or other kernels
//! compute before or after is turned around at either end.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Kernel;
use super::batch::{BatchStep, Batcher};
use super::nest::Nest;
use super::statement::{Branch, Condition, Place, Position, Statement, Value};
use crate::equation::{Context, Elementary, Equation, Node, ReduceKind, Role, Tensor, TensorId};

/// How many examples a row of memory holds; the runtime has the same number.
pub(crate) const ABREAST: usize = 32;
/// For fewer examples at once than this, rows would be empty for the most part.
const LEAST_EXAMPLES: usize = 16;
/// A last axis of so many elements fills a vector by itself.
pub(super) const LONG_ROW: usize = 16;
/// The tensors of a chain have at most so many elements together, which stay in the nearest memory.
const MOST_ELEMENTS: usize = 256;
/// The functions of the runtime that a compiler makes vectors of.
const VECTORIZED: [Elementary; 6] =
    [Elementary::Exp, Elementary::Ln, Elementary::Log1p, Elementary::Expm1, Elementary::Tanh, Elementary::Erf];
/// Powers up to this one are products.
const GREATEST_POWER: u32 = 4;

/// A kernel that computes several examples at once, an example after the other in each row.
#[derive(Clone, Debug)]
pub(crate) struct Abreast {
    /// The kernel, in terms of the tensors of one example.
    pub(crate) kernel: usize,
    /// What it reads that is there before.
    pub(crate) gathered: Vec<TensorId>,
    /// What it computes that is read elsewhere.
    pub(crate) scattered: Vec<TensorId>,
}

/// Equations that are to be one kernel, and the kernels that compute each for one example.
#[derive(Debug, Default)]
struct Chain {
    kernels: Vec<usize>,
    equations: Vec<Equation>,
    /// The tensors of one example.
    tensors: Vec<TensorId>,
}

/// A step as it was, or a chain by its number.
enum Found {
    Step(BatchStep),
    Chain(usize),
}

impl Batcher<'_, '_> {
    /// The steps with chains of equations over short axes in place of a kernel for each example. Where nothing is tiled, only if that is all.
    pub(super) fn abreast(&mut self, steps: Vec<BatchStep>) -> Vec<BatchStep> {
        if self.examples < LEAST_EXAMPLES {
            return steps;
        }
        if self.is_tiled {
            return self.in_chains(steps);
        }
        // Without tiles, all may be one chain, what goes element by element too.
        let plain = steps.iter().map(|step| match step {
            BatchStep::Tiled(kernel) => {
                let of = self.element_wise.iter().find(|(tiled, _)| tiled == kernel);
                BatchStep::Each(of.map_or(*kernel, |(_, plain)| *plain))
            }
            step => step.clone(),
        });
        let plain = plain.collect();
        match &self.in_chains(plain)[..] {
            [BatchStep::Abreast(chain)] => vec![BatchStep::Abreast(chain.clone())],
            _ => steps,
        }
    }

    /// The steps with chains in place of their kernels, where they are worth their while.
    fn in_chains(&mut self, steps: Vec<BatchStep>) -> Vec<BatchStep> {
        let mut chains: Vec<Chain> = Vec::new();
        let mut found: Vec<Found> = Vec::new();
        for step in steps {
            let BatchStep::Each(kernel) = step else {
                found.push(Found::Step(step));
                continue;
            };
            let Some(equation) = self.each.get(&kernel).cloned().filter(|equation| self.is_abreast(equation)) else {
                found.push(Found::Step(step));
                continue;
            };
            let last = found.iter().rposition(|found| matches!(found, Found::Chain(_)));
            let is_free = last.is_some_and(|last| found[last + 1..].iter().all(|later| !self.writes_for(later, kernel)));
            match chains.last_mut().filter(|_| is_free) {
                Some(chain) if self.fits(chain, kernel) => self.extend(chain, kernel, equation),
                _ => {
                    let mut chain = Chain::default();
                    if !self.fits(&chain, kernel) {
                        found.push(Found::Step(step));
                        continue;
                    }
                    self.extend(&mut chain, kernel, equation);
                    chains.push(chain);
                    found.push(Found::Chain(chains.len() - 1));
                }
            }
        }
        let is_all = chains.len() == 1 && found.len() == 1;
        let mut result = Vec::new();
        for found in found {
            match found {
                Found::Step(step) => result.push(step),
                Found::Chain(at) if (self.is_tiled || is_all) && self.is_worthwhile(&chains[at]) => {
                    let step = self.chain(&chains[at]);
                    result.push(BatchStep::Abreast(step));
                }
                Found::Chain(at) => result.extend(chains[at].kernels.iter().map(|&kernel| BatchStep::Each(kernel))),
            }
        }
        self.border(&mut result);
        result
    }

    /// Whether a step writes something that a kernel reads.
    fn writes_for(&self, found: &Found, kernel: usize) -> bool {
        let Found::Step(step) = found else { return true };
        let mut kernels = Vec::new();
        step.kernels(&mut kernels);
        let written = kernels.iter().flat_map(|&kernel| &self.planner.kernels[kernel].writes).map(|&tensor| self.of_one(tensor));
        let reads = &self.planner.kernels[kernel].reads;
        written.into_iter().any(|tensor| reads.contains(&tensor))
    }

    /// The tensor of one example.
    fn of_one(&self, tensor: TensorId) -> TensorId {
        let tensor = self.planner.whole(tensor);
        self.tensors.first_of(tensor).unwrap_or(tensor)
    }

    /// Whether an equation can be computed for several examples beside each other, and is better off so.
    fn is_abreast(&mut self, equation: &Equation) -> bool {
        let is_short = equation.indices.last().is_none_or(|&last| self.context().index_of(last).extent() < LONG_ROW);
        if self.is_tiled && !is_short {
            return false;
        }
        let mut temporaries = Vec::new();
        let (body, _) = self.side_by_side(std::slice::from_ref(equation), &mut temporaries);
        let gradient = self.planner.sum_of(equation.target);
        let check = Check { context: &self.planner.context, gradient };
        body.iter().all(|statement| check.statement(statement, false))
    }

    /// The elements of a tensor of one example.
    fn elements(&mut self, tensor: TensorId) -> usize {
        self.context().tensor(tensor).size()
    }

    /// Whether a chain stays small with one more kernel.
    fn fits(&mut self, chain: &Chain, kernel: usize) -> bool {
        let mut tensors = chain.tensors.clone();
        self.own(kernel).into_iter().for_each(|tensor| super::insert_once(&mut tensors, tensor));
        tensors.iter().map(|&tensor| self.elements(tensor)).sum::<usize>() <= MOST_ELEMENTS
    }

    fn extend(&mut self, chain: &mut Chain, kernel: usize, equation: Equation) {
        self.own(kernel).into_iter().for_each(|tensor| super::insert_once(&mut chain.tensors, tensor));
        chain.kernels.push(kernel);
        chain.equations.push(equation);
    }

    /// The tensors of a kernel that each example has for itself.
    fn own(&self, kernel: usize) -> Vec<TensorId> {
        let Kernel { reads, writes, .. } = &self.planner.kernels[kernel];
        reads.iter().chain(writes).copied().filter(|&tensor| self.is_of_example(tensor)).collect()
    }

    fn is_of_example(&self, tensor: TensorId) -> bool {
        let of_example = |role| matches!(role, Role::Input | Role::Target | Role::Noise | Role::Value | Role::Adjoint { .. });
        of_example(self.planner.context.tensor(tensor).role) && self.planner.gradients.first_of(tensor).is_none()
    }

    /// Whether a chain has functions that are vectors of operations, for which alone it is worth to turn everything around; where all is one
    /// chain, sums as well.
    fn is_worthwhile(&mut self, chain: &Chain) -> bool {
        let is_tiled = self.is_tiled;
        let mut found = false;
        for equation in &chain.equations {
            self.context().visit(equation.computed, &mut |context, part| {
                found |= match context.node(part) {
                    Node::Reduce { .. } => !is_tiled,
                    Node::Call(function, _) => VECTORIZED.contains(function),
                    _ => false,
                };
            });
        }
        found
    }

    /// The loop nests of equations for one example, one after the other.
    fn side_by_side(&mut self, equations: &[Equation], temporaries: &mut Vec<TensorId>) -> (Vec<Statement>, Vec<String>) {
        let targets: Vec<(TensorId, bool)> = equations
            .iter()
            .map(|equation| {
                let sum = self.planner.sum_of(equation.target);
                (sum.unwrap_or(equation.target), sum.is_some())
            })
            .collect();
        let mut nest = Nest::new(&mut self.planner.context, temporaries);
        nest.is_abreast = true;
        for (equation, (target, is_sum)) in equations.iter().zip(targets) {
            let place = Place { tensor: target, indices: nest.element(target, &equation.indices) };
            if is_sum {
                nest.add_equation(place, &equation.indices, equation.computed);
            } else {
                nest.store_equation(place, &equation.indices, equation.computed);
            }
        }
        nest.finish()
    }

    /// The kernel of a chain.
    fn chain(&mut self, chain: &Chain) -> Abreast {
        let mut temporaries = Vec::new();
        let (body, locals) = self.side_by_side(&chain.equations, &mut temporaries);
        let lines = chain.equations.iter().flat_map(|equation| self.planner.lines(equation)).collect();
        let numbers: Vec<String> = chain.equations.iter().map(|equation| equation.number.to_string()).collect();
        let kernel = self.planner.kernel(&format!("abreast_{}", numbers.join("_")), lines, body, locals, None);
        self.planner.kernels[kernel].is_abreast = true;
        for tensor in self.own(kernel) {
            self.rows_of(tensor);
        }
        Abreast { kernel, gathered: Vec::new(), scattered: Vec::new() }
    }

    /// A tensor with the examples as its last axis.
    fn rows_of(&mut self, tensor: TensorId) {
        if self.rows.iter().any(|(one, _)| *one == tensor) {
            return;
        }
        let Tensor { name, mut shape, mut axes, label, .. } = self.context().tensor(tensor).clone();
        if label {
            shape.pop();
            axes.truncate(shape.len());
        }
        shape.push(ABREAST);
        axes.push("example".to_owned());
        let rows = Tensor { name: format!("{name}_rows"), shape, axes, role: Role::Value, label: false, origin: None };
        let rows = self.context().add_tensor(rows);
        self.rows.push((tensor, rows));
        self.shared.push(rows);
    }

    /// Finds what kernels read that others compute, and compute that others read.
    fn border(&mut self, steps: &mut [BatchStep]) {
        if !steps.iter().any(|step| matches!(step, BatchStep::Abreast(_))) {
            return;
        }
        let mut touched: Vec<(Vec<TensorId>, Vec<TensorId>)> = Vec::new();
        for step in steps.iter() {
            let mut kernels = Vec::new();
            step.kernels(&mut kernels);
            let of = |pick: fn(&Kernel) -> &Vec<TensorId>| -> Vec<TensorId> {
                kernels
                    .iter()
                    .flat_map(|&kernel| pick(&self.planner.kernels[kernel]))
                    .map(|&tensor| self.of_one(tensor))
                    .collect()
            };
            touched.push((of(|kernel| &kernel.reads), of(|kernel| &kernel.writes)));
        }
        let sums = self.gradients.iter().flat_map(|tiles| &tiles.kernels);
        let summed: FxHashSet<TensorId> =
            sums.flat_map(|&kernel| &self.planner.kernels[kernel].reads).map(|&tensor| self.of_one(tensor)).collect();
        // How many steps read each tensor.
        let mut readers: FxHashMap<TensorId, usize> = FxHashMap::default();
        for (reads, _) in &touched {
            for (at, tensor) in reads.iter().enumerate() {
                *readers.entry(*tensor).or_default() += usize::from(!reads[..at].contains(tensor));
            }
        }
        let loss = self.planner.derivation.model.loss;
        let mut borders = Vec::new();
        for (reads, writes) in &touched {
            let is_read = |tensor: &TensorId| {
                let here = usize::from(reads.contains(tensor));
                readers.get(tensor).is_some_and(|&all| all > here) || summed.contains(tensor) || Some(*tensor) == loss
            };
            let gathered: Vec<TensorId> = reads.iter().copied().filter(|&tensor| self.is_of_example(tensor)).collect();
            let scattered: Vec<TensorId> =
                writes.iter().copied().filter(|tensor| self.is_of_example(*tensor) && is_read(tensor)).collect();
            borders.push((gathered, scattered));
        }
        for (step, (gathered, scattered)) in steps.iter_mut().zip(borders) {
            if let BatchStep::Abreast(step) = step {
                (step.gathered, step.scattered) = (gathered, scattered);
            }
        }
    }
}

/// What can be computed with vectors in place of numbers.
struct Check<'a> {
    context: &'a Context,
    /// What is added to for all examples.
    gradient: Option<TensorId>,
}

impl Check<'_> {
    /// `in_label` where it is done for those examples alone that have a label.
    fn statement(&self, statement: &Statement, in_label: bool) -> bool {
        match statement {
            Statement::For { body, .. } => body.iter().all(|inner| self.statement(inner, in_label)),
            Statement::At { position, body, .. } => {
                let is_label = matches!(position, Position::Label(_));
                let is_known = is_label && !in_label || matches!(position, Position::Sum(_, others) if others.is_empty());
                is_known && body.iter().all(|inner| self.statement(inner, in_label || is_label))
            }
            Statement::Start(..) => true,
            Statement::Let(_, value) => self.value(value),
            Statement::Combine { kind, value, in_lanes, .. } => {
                !in_lanes && (!in_label || *kind == ReduceKind::Sum) && self.value(value)
            }
            Statement::Set(place, value) => !in_label && Some(place.tensor) != self.gradient && self.value(value),
            Statement::Add(_, value) => self.value(value),
            _ => false,
        }
    }

    fn value(&self, value: &Value) -> bool {
        match value {
            Value::Number(_) | Value::Local(_) | Value::Index(_) | Value::Load(_) => true,
            Value::Sum(values) | Value::Product(values) => values.iter().all(|value| self.value(value)),
            Value::Quotient(above, below) => self.value(above) && self.value(below),
            Value::IntegerPower(base, times) => *times <= GREATEST_POWER && self.value(base),
            Value::Call(_, argument) => self.value(argument),
            Value::Choose { condition, then, otherwise } => {
                self.condition(condition) && self.branch(then) && self.branch(otherwise)
            }
            Value::Truth(condition) => self.condition(condition),
            Value::OfRow(..) | Value::Power(..) => false,
        }
    }

    fn branch(&self, branch: &Branch) -> bool {
        branch.statements.iter().all(|statement| self.statement(statement, true)) && self.value(&branch.value)
    }

    fn condition(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Compare(_, left, right) => self.value(left) && self.value(right),
            Condition::Label(place, class) => {
                let (low, high) = self.context.affine_range(class);
                let classes = self.context.tensor(place.tensor).shape.last().copied().unwrap_or(0);
                low >= 0 && high < classes as i64
            }
            Condition::And(parts) | Condition::Or(parts) => parts.iter().all(|part| self.condition(part)),
            Condition::Not(part) => self.condition(part),
            Condition::NotZero(value) => self.value(value),
        }
    }
}
