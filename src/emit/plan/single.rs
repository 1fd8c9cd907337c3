//! A single example: no sums over a minibatch, so that each parameter is updated from its adjoint's equation and no gradient is stored.

use rustc_hash::{FxHashMap, FxHashSet};

use super::batch::{BatchStep, Batcher, set_update};
use super::forms::Purpose;
use super::{Kernel, Planner, insert_once};
use crate::equation::{Block, Equation, ExprId, Role, TensorId};

/// A row of fewer elements than this is shorter than a vector, and updated together with the rows beside it.
const LEAST_ROW: usize = 16;
/// Fewer elements than this are written out one by one.
const FEW: usize = 128;

/// A step of training with one example.
#[derive(Debug)]
pub(crate) struct Single {
    /// The kernels, in order: values, adjoints, and each update as soon as it can be.
    pub(crate) kernels: Vec<usize>,
    /// Those among them that update parameters.
    pub(crate) updates: Vec<usize>,
    /// The gradients that kernels add to.
    pub(crate) gradients: Vec<TensorId>,
}

impl Planner<'_> {
    /// The steps of an equation for one example, if there is a sum of products in it that is worth tiles.
    pub(super) fn in_tiles(&mut self, equations: &[&Equation], block: &Block) -> Option<Vec<BatchStep>> {
        let ([equation], Block::Whole(_), true) = (equations, block, self.examples > 1) else { return None };
        if let Some(known) = self.in_tiles_alike(equation) {
            return known;
        }
        let mut steps = Vec::new();
        let steps = Batcher::new(self, None, 1, &[]).value(equation, &mut steps).map(|()| steps);
        self.forms.insert_steps(equation.target, steps.clone());
        steps
    }

    /// The kernel with tiles that writes the same as a plain one, or that one.
    pub(super) fn instead(&self, plain: usize, in_tiles: Option<&[BatchStep]>, targets: &[TensorId]) -> usize {
        match in_tiles {
            Some([BatchStep::Tiled(kernel)]) if self.kernels[*kernel].writes == targets => *kernel,
            _ => plain,
        }
    }

    /// The step of training with one example, where each element of a parameter is updated by itself.
    ///
    /// `plain` has for each block of equations its kernel for one example, and its equations; `tiles` for the first of them what was found
    /// instead.
    pub(super) fn single(
        &mut self,
        plain: &[(usize, Vec<&Equation>, Block)],
        tiles: Vec<Option<Vec<BatchStep>>>,
        updates: &[usize],
    ) -> Option<Single> {
        if updates.is_empty() {
            return None;
        }
        let mut updates = updates.to_vec();
        let mut unstored: FxHashSet<TensorId> = FxHashSet::default();
        let mut steps = Vec::new();
        let forward = tiles.len();
        for ((kernel, ..), tiles) in plain.iter().zip(tiles) {
            steps.extend(tiles.unwrap_or_else(|| vec![BatchStep::Each(*kernel)]));
        }
        for (kernel, equations, block) in &plain[forward..] {
            let ([equation], Block::Whole(_)) = (&equations[..], block) else {
                steps.push(BatchStep::Each(*kernel));
                continue;
            };
            let Some(gradient) = self.sum_of(equation.target) else {
                let tiles = self.in_tiles(equations, block);
                steps.extend(tiles.unwrap_or_else(|| vec![BatchStep::Each(*kernel)]));
                continue;
            };
            match self.added_product(gradient, equation, &updates).or_else(|| self.update_from(equation)) {
                Some((at, update)) => {
                    updates[at] = update;
                    unstored.insert(gradient);
                }
                None => {
                    let outer_product = Batcher::new(self, None, 1, &[]).outer_product(gradient, equation);
                    if outer_product.is_some() {
                        unstored.insert(gradient);
                    }
                    steps.push(BatchStep::Each(outer_product.unwrap_or(*kernel)));
                }
            }
        }
        let kernels = steps.into_iter().filter_map(|step| match step {
            BatchStep::Each(kernel) | BatchStep::Tiled(kernel) | BatchStep::Once(kernel) => Some(kernel),
            BatchStep::Abreast(_) | BatchStep::Either(..) => None,
        });
        let mut kernels = self.with_updates(kernels.collect(), &updates);
        self.sweep_parameters(&mut kernels, &mut updates);
        if self.examples > 1 {
            kernels = self.with_loss_last(kernels, &updates);
        }
        let gradients = self.gradients.iter().map(|(_, gradient)| gradient).filter(|gradient| !unstored.contains(gradient));
        Some(Single { kernels, updates, gradients: gradients.collect() })
    }

    /// Kernels with those last that no update needs, such as the loss, where they read little and nobody overwrites it: the next step
    /// begins while they are computed, and the adjoints of this one do not stand behind them.
    fn with_loss_last(&self, kernels: Vec<usize>, updates: &[usize]) -> Vec<usize> {
        let of = |tensors: &[TensorId]| -> Vec<TensorId> { tensors.iter().map(|&tensor| self.whole(tensor)).collect() };
        let updates: FxHashSet<usize> = updates.iter().copied().collect();
        let mut wanted: FxHashSet<TensorId> = self.gradients.iter().map(|(_, gradient)| gradient).collect();
        let mut overwritten = FxHashSet::default();
        let (mut order, mut last) = (Vec::new(), Vec::new());
        for at in kernels.into_iter().rev() {
            let kernel = &self.kernels[at];
            let (reads, writes) = (of(&kernel.reads), of(&kernel.writes));
            let read: usize = kernel.reads.iter().map(|&tensor| self.context.tensor(tensor).size()).sum();
            let is_wanted = writes.iter().any(|tensor| wanted.contains(tensor)) || updates.contains(&at);
            if is_wanted || read > FEW || reads.iter().chain(&writes).any(|tensor| overwritten.contains(tensor)) {
                wanted.extend(reads);
                overwritten.extend(writes);
                order.push(at);
            } else {
                last.push(at);
            }
        }
        last.append(&mut order);
        last.reverse();
        last
    }

    /// Kernels with each update as soon as what it reads is there and nobody else wants what it overwrites.
    ///
    /// An update ends in many stores, for which no one waits: adjoints of the layers before are computed while they are written.
    fn with_updates(&self, kernels: Vec<usize>, updates: &[usize]) -> Vec<usize> {
        let of = |tensor: &TensorId| self.whole(*tensor);
        // How many kernels are done when a tensor was written, and when it was touched, for the last time.
        let (mut written, mut touched) = (FxHashMap::default(), FxHashMap::default());
        let mut note = |done: usize, kernel: &Kernel| -> usize {
            let last = |by: &FxHashMap<TensorId, usize>, tensors: &[TensorId]| {
                tensors.iter().filter_map(|tensor| by.get(&of(tensor)).copied()).max()
            };
            let done = done.max(last(&written, &kernel.reads).max(last(&touched, &kernel.writes)).unwrap_or(0));
            kernel.writes.iter().for_each(|tensor| _ = written.insert(of(tensor), done));
            kernel.reads.iter().chain(&kernel.writes).for_each(|tensor| _ = touched.insert(of(tensor), done));
            done
        };
        for (at, &kernel) in kernels.iter().enumerate() {
            note(at + 1, &self.kernels[kernel]);
        }
        let mut order: Vec<(usize, usize)> = kernels.into_iter().enumerate().map(|(at, kernel)| (at + 1, kernel)).collect();
        order.extend(updates.iter().map(|&update| (note(0, &self.kernels[update]), update)));
        // Stable: what is done after as many kernels stays in its order, the last of them first.
        order.sort_by_key(|(done, _)| *done);
        order.into_iter().map(|(_, kernel)| kernel).collect()
    }

    /// The kernel that adds a multiple of a product of two vectors to a parameter, where that is the whole update, and which optimizer
    /// that is.
    fn added_product(&mut self, gradient: TensorId, adjoint: &Equation, updates: &[usize]) -> Option<(usize, usize)> {
        let of = self.adjoint_of(adjoint.target)?;
        let at = self.optimizer_of(of)?;
        let factor = *self.update_factors.get(gradient)?;
        if self.context.tensor(of).size() < FEW {
            return None;
        }
        let lines = self.kernels[updates[at]].equations.clone();
        if let Some(copy) = self.copy_from_adjoint(Purpose::AddedProduct, of, adjoint.target) {
            let lines = self.lines(adjoint).into_iter().chain(lines).collect();
            return Some((at, self.copy(&copy, &format!("tiles_{}", adjoint.number), lines)));
        }
        let update = Batcher::new(self, None, 1, &[]).outer_product(of, adjoint)?;
        self.forms.insert(Purpose::AddedProduct, of, update);
        let kernel = &mut self.kernels[update];
        kernel.equations.extend(lines);
        kernel.body.iter_mut().for_each(|statement| set_update(statement, None, Some(factor)));
        insert_once(&mut kernel.reads, factor);
        Some((at, update))
    }

    /// The kernel that updates a parameter from its adjoint, which is computed element by element, and which optimizer that is.
    fn update_from(&mut self, adjoint: &Equation) -> Option<(usize, usize)> {
        let of = self.adjoint_of(adjoint.target)?;
        let optimizers = &self.derivation.model.optimizers;
        let at = self.optimizer_of(of)?;
        let shape = &self.context.tensor(of).shape;
        let has_short_rows = self.examples > 1 && shape.len() == 2 && shape[1] < LEAST_ROW && shape[0] * shape[1] >= FEW;
        if has_short_rows || self.reduces_or_reads_parameters(adjoint.computed) {
            return None;
        }
        Some((at, self.update(&optimizers[at], true, Some(adjoint))))
    }

    /// Whether there are sums in an expression, or parameters, which might have been updated already.
    fn reduces_or_reads_parameters(&self, expr: ExprId) -> bool {
        let is_parameter = |tensor: TensorId| self.context.tensor(tensor).role == Role::Parameter;
        self.context.has_reduction(expr) || self.context.tensors_in(expr).into_iter().any(is_parameter)
    }
}

impl Batcher<'_, '_> {
    /// The kernel of a gradient that is a product of two vectors, where there are tiles.
    fn outer_product(&mut self, gradient: TensorId, adjoint: &Equation) -> Option<usize> {
        if self.planner.examples == 1 {
            return None;
        }
        let contraction = self.contraction(adjoint, adjoint.computed, true)?;
        contraction.rows?;
        self.tile(adjoint, gradient, &contraction, None, true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Plan;

    /// Whether the loss is computed after all updates of a layer with so many outputs.
    fn is_loss_last(outputs: usize) -> bool {
        let spec =
            format!("input x[4]\ntarget t[{outputs}]\ny = x |> dense({outputs})\nloss squared_error(y, t)\noptimizer sgd(0.1)\n");
        let derivation = crate::pipeline::compile("layer.spec", &spec).expect("the spec is right").derivation;
        let loss = derivation.model.loss.expect("a loss");
        let plan = Plan::new(&derivation, 32);
        let single = plan.single.as_ref().expect("a step for one example");
        let last = single.kernels.last().expect("kernels");
        assert!(single.kernels.iter().any(|kernel| plan.kernels[*kernel].writes.contains(&loss)));
        plan.kernels[*last].writes.contains(&loss)
    }

    #[test]
    fn a_loss_that_reads_little_is_computed_after_the_updates() {
        assert!(is_loss_last(8));
        // What it reads would need room of its own until then.
        assert!(!is_loss_last(200));
    }
}
