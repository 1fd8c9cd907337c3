//! A minibatch at once: sums of products in tiles over many examples, what has short axes for several examples beside each other, all else
//! example by example.

use rustc_hash::FxHashMap;

use super::abreast::Abreast;
use super::contraction::Contraction;
use super::forms::Batched;
use super::statement::{Place, Statement};
use super::{Pairs, Planner};
use crate::equation::{Block, Context, Equation, IndexId, Node, ReduceKind, Role, Table, Tensor, TensorId};

/// Fewer examples than this are not worth a transposed copy of a parameter.
pub(crate) const EXAMPLES_FOR_COPY: usize = 6;

/// What is done for several examples at once.
#[derive(Debug)]
pub(crate) struct Batch {
    /// The number of an example.
    pub(crate) example: IndexId,
    /// How many examples are computed at once.
    pub(crate) examples: usize,
    /// What is done, in order.
    pub(crate) steps: Vec<BatchStep>,
    /// Tensors of one example, and the same of all.
    pub(crate) tensors: Pairs,
    /// Tensors of one example, and the same with several examples as their last axis.
    pub(crate) rows: Vec<(TensorId, TensorId)>,
    /// What there is only once: rows that a kernel fills and reads, and transposed copies.
    pub(crate) shared: Vec<TensorId>,
    /// The gradients that are sums over the examples in tiles. They are done after all steps: what they update, no step must read.
    pub(crate) gradients: Vec<GradientTiles>,
    /// Where those of a gradient stand among them.
    places: Table<TensorId, usize>,
}

impl Batch {
    /// How a gradient is summed up in tiles, if it is.
    pub(crate) fn tiles_of(&self, gradient: TensorId) -> Option<&GradientTiles> {
        self.places.get(gradient).map(|&at| &self.gradients[at])
    }
}

/// How the gradient of a parameter is summed up, after the steps of a [`Batch`].
#[derive(Debug)]
pub(crate) struct GradientTiles {
    /// The gradient.
    pub(crate) gradient: TensorId,
    /// What adds to it, in order.
    pub(crate) kernels: Vec<usize>,
    /// For the last examples of a minibatch: the kernel that updates the parameter as well.
    pub(crate) updating: Option<usize>,
}

/// A step of a [`Batch`].
#[derive(Clone, Debug)]
pub(crate) enum BatchStep {
    /// A kernel for each example.
    Each(usize),
    /// A kernel for several examples beside each other.
    Abreast(Abreast),
    /// A kernel for all examples.
    Tiled(usize),
    /// A kernel once.
    Once(usize),
    /// The first for as many examples as [`EXAMPLES_FOR_COPY`] or more, else the kernel, which is for all examples too.
    Either(Vec<BatchStep>, usize),
}

impl BatchStep {
    /// Its kernels.
    pub(super) fn kernels(&self, kernels: &mut Vec<usize>) {
        match self {
            BatchStep::Each(kernel) | BatchStep::Tiled(kernel) | BatchStep::Once(kernel) => kernels.push(*kernel),
            BatchStep::Abreast(abreast) => kernels.push(abreast.kernel),
            BatchStep::Either(many, few) => {
                many.iter().for_each(|step| step.kernels(kernels));
                kernels.push(*few);
            }
        }
    }
}

/// Lowers what is computed for each example a second time, for many.
pub(super) struct Batcher<'p, 'a> {
    pub(super) planner: &'p mut Planner<'a>,
    /// None where there is one example.
    pub(super) example: Option<IndexId>,
    pub(super) examples: usize,
    pub(super) tensors: Pairs,
    pub(super) rows: Vec<(TensorId, TensorId)>,
    pub(super) shared: Vec<TensorId>,
    /// The equation of each kernel for one example.
    pub(super) each: FxHashMap<usize, Equation>,
    /// Kernels that go over the elements of all examples, each with that for one example.
    pub(super) element_wise: Vec<(usize, usize)>,
    /// Transposed copies of parameters: the axis, the copy, and the kernel that makes it.
    pub(super) copies: Table<TensorId, Vec<(usize, TensorId, usize)>>,
    pub(super) gradients: Vec<GradientTiles>,
    /// The first kernel that reads each gradient, in a row, to update a parameter.
    updates: Table<TensorId, usize>,
    /// What equations became, by their targets.
    pub(super) known_forms: Table<TensorId, Batched>,
    pub(super) is_tiled: bool,
}

impl<'a> Planner<'a> {
    /// The steps of a minibatch, if tiles are worth their while.
    ///
    /// `plain` has for each block of equations its kernel for one example, and its equations.
    pub(super) fn batch(&mut self, plain: &[(usize, Vec<&Equation>, Block)], updates: &[usize]) -> Option<Batch> {
        let examples = self.examples;
        self.derivation.model.loss.filter(|_| examples > 1)?;
        let example = self.context.add_index("example", 0, examples as i64);
        let mut batcher = Batcher::new(self, Some(example), examples, updates);
        let targets: Vec<TensorId> =
            plain.iter().flat_map(|(_, equations, _)| equations.iter().map(|equation| equation.target)).collect();
        for target in targets {
            if batcher.planner.sum_of(target).is_none() {
                batcher.batched(target);
            }
        }
        let inputs = &batcher.planner.derivation.model.inputs;
        if let [input] = inputs[..]
            && !batcher.planner.context.tensor(input).label
        {
            batcher.batched(input);
        }
        let mut steps = Vec::new();
        for (kernel, equations, block) in plain {
            match block {
                Block::Whole(_) => {
                    batcher.each.insert(*kernel, equations[0].clone());
                    batcher.equation(*kernel, equations[0], &mut steps);
                }
                Block::Steps(_) => steps.push(BatchStep::Each(*kernel)),
            }
        }
        let steps = batcher.abreast(steps);
        let Batcher { tensors, rows, shared, gradients, is_tiled, .. } = batcher;
        let is_quick = is_tiled || !rows.is_empty();
        let places = gradients.iter().enumerate().map(|(at, tiles)| (tiles.gradient, at)).collect();
        is_quick.then_some(Batch { example, examples, steps, tensors, rows, shared, gradients, places })
    }
}

impl<'p, 'a> Batcher<'p, 'a> {
    /// For so many examples, or one.
    pub(super) fn new(planner: &'p mut Planner<'a>, example: Option<IndexId>, examples: usize, updates: &[usize]) -> Self {
        let (tensors, rows, shared, each, element_wise) = Default::default();
        let (copies, gradients) = Default::default();
        let mut first_updates = Table::default();
        for &update in updates {
            for &read in &planner.kernels[update].reads {
                if let Some(gradient) = planner.rows.second_of(read) {
                    first_updates.insert_first(gradient, update);
                }
            }
        }
        Batcher {
            planner,
            example,
            examples,
            tensors,
            rows,
            shared,
            each,
            element_wise,
            copies,
            gradients,
            updates: first_updates,
            known_forms: Table::default(),
            is_tiled: false,
        }
    }

    pub(super) fn context(&mut self) -> &mut Context {
        &mut self.planner.context
    }

    /// A tensor of one example for all examples.
    fn batched(&mut self, tensor: TensorId) -> TensorId {
        if self.example.is_none() {
            return tensor;
        }
        if let Some(all) = self.tensors.second_of(tensor) {
            return all;
        }
        let mut all = self.context().tensor(tensor).clone();
        all.shape.insert(0, self.examples);
        all.axes.insert(0, "example".to_owned());
        let all = self.context().add_tensor(all);
        self.tensors.push(tensor, all);
        all
    }

    /// The same for what is known to be there.
    pub(super) fn known(&self, tensor: TensorId) -> Option<TensorId> {
        if self.example.is_none() {
            let is_computed = |role| matches!(role, Role::Input | Role::Value | Role::Adjoint { .. });
            return is_computed(self.planner.context.tensor(tensor).role).then_some(tensor);
        }
        self.tensors.second_of(tensor)
    }

    fn equation(&mut self, plain: usize, equation: &Equation, steps: &mut Vec<BatchStep>) {
        if self.equation_alike(plain, equation, steps).is_some() {
            return;
        }
        let batched = match self.planner.sum_of(equation.target) {
            Some(gradient) => self.gradient(gradient, equation),
            None => match self.element_wise(equation) {
                Some(kernel) => {
                    self.element_wise.push((kernel, plain));
                    steps.push(BatchStep::Tiled(kernel));
                    Some(Batched::ElementWise(kernel))
                }
                None => {
                    let first = steps.len();
                    self.value(equation, steps).map(|()| Batched::Tiles(steps[first..].to_vec()))
                }
            },
        };
        if batched.is_none() {
            steps.push(BatchStep::Each(plain));
        }
        self.known_forms.insert(equation.target, batched.unwrap_or(Batched::Each));
    }

    /// The gradient of a parameter: each term a sum over the examples as well.
    fn gradient(&mut self, gradient: TensorId, equation: &Equation) -> Option<Batched> {
        let terms = match self.context().node(equation.computed) {
            Node::Add(terms) => terms.clone(),
            _ => vec![equation.computed],
        };
        let contractions: Option<Vec<_>> = terms.into_iter().map(|term| self.contraction(equation, term, true)).collect();
        let contractions = contractions?;
        let kernels: Option<Vec<_>> =
            contractions.iter().map(|contraction| self.tile(equation, gradient, contraction, None, true)).collect();
        let kernels = kernels?;
        // A tile's rows have to lie beside each other.
        let is_updating = match (&contractions[..], &equation.indices[..]) {
            ([contraction], [.., rows, _]) => Some(*rows) == contraction.rows && contraction.around.is_empty(),
            _ => false,
        };
        let updating = if is_updating { self.updating(kernels[0], gradient) } else { None };
        self.gradients.push(GradientTiles { gradient, kernels: kernels.clone(), updating });
        Some(Batched::Gradient(kernels, is_updating))
    }

    /// The kernel that computes tiles of a gradient and updates the parameter from each.
    pub(super) fn updating(&mut self, tiles: usize, gradient: TensorId) -> Option<usize> {
        let factor = self.planner.update_factors.get(gradient).copied();
        let kernels = &self.planner.kernels;
        let update = *self.updates.get(gradient)?;
        let is_gradient = |read: TensorId| self.planner.rows.second_of(read) == Some(gradient);
        let reads: Vec<TensorId> = (kernels[tiles].reads.iter().copied())
            .chain([gradient])
            .chain(kernels[update].reads.iter().copied().filter(|&read| !is_gradient(read)))
            .collect();
        let writes = kernels[update].writes.clone();
        let lines = [&kernels[tiles].equations[..], &kernels[update].equations[..]].concat();
        let mut body = kernels[tiles].body.clone();
        let locals = kernels[tiles].locals.clone();
        body.iter_mut().for_each(|statement| set_update(statement, Some(update), factor));
        let name = format!("{}_updating", kernels[tiles].name);
        let kernel = self.planner.kernel(&name, lines, body, locals, None);
        let mut unique = Vec::new();
        reads.into_iter().chain(factor).for_each(|read| super::insert_once(&mut unique, read));
        self.planner.kernels[kernel].reads = unique;
        self.planner.kernels[kernel].writes = writes;
        Some(kernel)
    }

    /// A value or an adjoint of each example.
    pub(super) fn value(&mut self, equation: &Equation, steps: &mut Vec<BatchStep>) -> Option<()> {
        let terms = match self.context().node(equation.computed) {
            Node::Add(terms) => terms.clone(),
            _ => vec![equation.computed],
        };
        // A sum of products, and at most a row that is the first value of all sums.
        if let [term] = terms[..] {
            let contraction = self.contraction(equation, term, false);
            if let Some(contraction) = contraction {
                return self.whole(equation, &contraction, None, steps);
            }
        }
        if let [first, second] = terms[..] {
            for (term, rest) in [(first, second), (second, first)] {
                if let Some(contraction) = self.contraction(equation, term, false)
                    && let Some(start) = self.start(rest, &contraction)
                {
                    return self.whole(equation, &contraction, Some(start), steps);
                }
            }
        }
        self.part(equation, steps)
    }

    /// An equation that is one contraction.
    fn whole(
        &mut self,
        equation: &Equation,
        contraction: &Contraction,
        start: Option<Place>,
        steps: &mut Vec<BatchStep>,
    ) -> Option<()> {
        let target = self.known(equation.target)?;
        self.tiles(equation, target, contraction, start, steps)
    }

    /// An equation with a contraction somewhere inside, which is computed first.
    fn part(&mut self, equation: &Equation, steps: &mut Vec<BatchStep>) -> Option<()> {
        let mut reductions = Vec::new();
        self.context().visit(equation.computed, &mut |context, part| {
            if matches!(context.node(part), Node::Reduce { kind: ReduceKind::Sum, .. }) {
                reductions.push(part);
            }
        });
        let (sum, contraction) = reductions.into_iter().find_map(|sum| Some((sum, self.contraction(equation, sum, false)?)))?;
        let like = self.context().tensor(equation.target).clone();
        let name = format!("sum_{}", equation.number);
        let part = self.context().add_tensor(Tensor { name, role: Role::Value, label: false, origin: None, ..like });
        let target = self.batched(part);
        self.tiles(equation, target, &contraction, None, steps)?;
        let read = self.context().access_at(part, &equation.indices);
        let rest = self.context().replace(equation.computed, sum, read);
        let rest = Equation { computed: rest, ..equation.clone() };
        let first_temporary = self.planner.temporaries.len();
        let kernel = self.planner.kernel_of(&rest);
        self.shared.extend(&self.planner.temporaries[first_temporary..]);
        self.each.insert(kernel, rest);
        steps.push(BatchStep::Each(kernel));
        Some(())
    }

    /// A contraction in tiles; few examples do without the copy that it may need.
    fn tiles(
        &mut self,
        equation: &Equation,
        target: TensorId,
        contraction: &Contraction,
        start: Option<Place>,
        steps: &mut Vec<BatchStep>,
    ) -> Option<()> {
        let mut many = Vec::new();
        let copied = self.with_copy(contraction, &mut many);
        many.push(BatchStep::Tiled(self.tile(equation, target, &copied, start.clone(), false)?));
        if contraction.transposed.is_some() {
            let few = self.tile(equation, target, contraction, start, false)?;
            steps.push(BatchStep::Either(many, few));
        } else {
            steps.extend(many);
        }
        self.is_tiled = true;
        Some(())
    }
}

/// Lets tiles update a parameter.
pub(super) fn set_update(statement: &mut Statement, update: Option<usize>, factor: Option<TensorId>) {
    match statement {
        Statement::Tile(tile) => (tile.update, tile.update_factor) = (update, factor),
        Statement::For { body, .. } | Statement::At { body, .. } => {
            body.iter_mut().for_each(|inner| set_update(inner, update, factor));
        }
        _ => {}
    }
}
