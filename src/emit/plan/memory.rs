//! Which tensors can live in the same memory: those of which each is read for the last time before the next is written.
//!
//! The order of kernels is final here. A tensor lives from the first step that writes it to the last one that reads it; what is
//! read after all steps, such as outputs and losses, lives to the end. The largest tensors find a place first, each in the first buffer in
//! which it meets none that lives at the same time.

use rustc_hash::FxHashMap;

use super::{Abreast, Batch, BatchStep, Plan};
use crate::derivation::Derivation;
use crate::equation::{Role, Table, TensorId};

/// Where all that is computed lives.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What `predict` computes.
    pub(crate) values: Vec<Buffer>,
    /// What is computed for one example besides.
    pub(crate) work: Vec<Buffer>,
    /// What is computed for several examples at once.
    pub(crate) batch: Vec<Buffer>,
}

/// Memory for some tensors, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// The tensors, in the order in which they use it.
    pub(crate) tensors: Vec<TensorId>,
    /// How many examples it holds of each, where each has a place for several.
    pub(crate) examples: FxHashMap<TensorId, usize>,
    /// How many scalars it holds.
    pub(crate) size: usize,
}

/// What is done at once: nothing that is read in it may be overwritten by it.
#[derive(Debug, Default)]
struct Step {
    touched: Vec<TensorId>,
    /// Whether it does all of it for one example before the next.
    is_by_example: bool,
}

/// From when to when a tensor holds what is still needed.
#[derive(Clone, Copy, Debug)]
struct Life {
    tensor: TensorId,
    /// How many scalars it is.
    size: usize,
    first: usize,
    last: usize,
}

impl Memory {
    pub(crate) fn new(plan: &Plan, derivation: &Derivation) -> Memory {
        let model = &derivation.model;
        let mut passes = vec![&plan.predict, &plan.loss];
        if plan.computes_single_examples(derivation) {
            passes.push(&plan.backward);
        }
        let mut steps: Vec<Step> = passes.into_iter().flatten().map(|&kernel| Step::new(plan, &[kernel])).collect();
        let before = steps.len();
        if let Some(single) = &plan.single {
            steps.extend(single.kernels.iter().map(|&kernel| Step::new(plan, &[kernel])));
        }
        let mut kept: Vec<TensorId> = model.outputs.iter().copied().chain(model.loss).collect();
        if let Some(objective) = &derivation.model.objective {
            let adjoints = derivation.backward.iter().map(|adjoint| adjoint.equation.target);
            let asked = |role: Role| matches!(role, Role::Adjoint { of } if objective.by.contains(&of));
            kept.push(objective.value);
            kept.extend(adjoints.filter(|&adjoint| asked(plan.context.tensor(adjoint).role)));
        }
        let lives = |tensors: &[TensorId], steps: &[Step]| -> Vec<Life> {
            let uses = uses(steps);
            tensors.iter().filter_map(|&tensor| life(tensor, plan.size(tensor), &uses, kept.contains(&tensor))).collect()
        };
        let mut work = lives(&plan.scratch, &steps);
        let mut values = lives(&plan.values, &steps);
        if plan.single_has_values() {
            values = lives(&plan.values, &steps[..before]);
            for step in &mut steps[..before] {
                step.touched.clear();
            }
            work.extend(lives(&plan.values, &steps));
        }
        Memory {
            values: share(values),
            work: share(work),
            batch: plan.batch.as_ref().map_or_else(Vec::new, |batch| of_batch(plan, batch, model.loss)),
        }
    }
}

impl Plan {
    /// Whether there are passes that compute the gradient of one example alone.
    pub(crate) fn computes_single_examples(&self, derivation: &Derivation) -> bool {
        self.batch.is_none() || derivation.model.objective.is_some()
    }

    /// Whether training with one example has a place of its own for values: inference keeps less of them.
    pub(crate) fn single_has_values(&self) -> bool {
        self.single.is_some() && self.batch.is_some()
    }

    /// How many scalars a tensor is.
    pub(crate) fn size(&self, tensor: TensorId) -> usize {
        self.context.tensor(tensor).shape.iter().product()
    }
}

impl Buffer {
    /// Whether more than one tensor uses it.
    pub(crate) fn is_shared(&self) -> bool {
        self.tensors.len() > 1
    }
}

impl Step {
    fn new(plan: &Plan, kernels: &[usize]) -> Step {
        let touched = kernels.iter().flat_map(|&kernel| [&plan.kernels[kernel].reads, &plan.kernels[kernel].writes]);
        Step { touched: touched.flatten().copied().collect(), is_by_example: false }
    }

    /// What a kernel for several examples reads and writes with its rows, and what is turned around at either end.
    fn abreast(plan: &Plan, batch: &Batch, abreast: &Abreast) -> Step {
        let of_kernel = Step::new(plan, &[abreast.kernel]).touched;
        let rows = batch.rows.iter().filter(|(one, _)| of_kernel.contains(one)).map(|(_, rows)| *rows);
        let touched = rows.chain(abreast.gathered.iter().chain(&abreast.scattered).copied()).collect();
        Step { touched, is_by_example: false }
    }
}

/// The buffers of a minibatch. What only the kernels of one loop over the examples use has a place for one example.
fn of_batch(plan: &Plan, batch: &Batch, loss: Option<TensorId>) -> Vec<Buffer> {
    let mut steps = Vec::new();
    let mut together = Vec::new();
    for step in &batch.steps {
        if let BatchStep::Each(kernel) = step {
            together.push(*kernel);
            continue;
        }
        finish_loop(plan, &mut together, &mut steps);
        if let BatchStep::Abreast(abreast) = step {
            steps.push(Step::abreast(plan, batch, abreast));
            continue;
        }
        let mut kernels = Vec::new();
        step.kernels(&mut kernels);
        steps.push(Step::new(plan, &kernels));
    }
    finish_loop(plan, &mut together, &mut steps);
    steps.extend(batch.gradients.iter().map(|tiles| {
        let kernels: Vec<usize> = tiles.kernels.iter().copied().chain(tiles.updating).collect();
        Step::new(plan, &kernels)
    }));
    // Kernels for one example know a tensor by one name, kernels for all by another.
    for step in &mut steps {
        for tensor in &mut step.touched {
            *tensor = plan.rows.second_of(*tensor).unwrap_or(*tensor);
            *tensor = batch.tensors.first_of(*tensor).unwrap_or(*tensor);
        }
    }
    let mut lives = Vec::new();
    let mut examples = FxHashMap::default();
    let is_input = |tensor: TensorId| plan.context.tensor(tensor).role == Role::Input;
    let uses = uses(&steps);
    for (one, _) in batch.tensors.iter().filter(|(one, _)| !is_input(*one)) {
        let Some(mut life) = life(one, plan.size(one), &uses, Some(one) == loss) else { continue };
        if life.first != life.last || !steps[life.first].is_by_example || Some(one) == loss {
            life.size *= batch.examples;
            examples.insert(one, batch.examples);
        }
        lives.push(life);
    }
    lives.extend(batch.shared.iter().filter_map(|&shared| life(shared, plan.size(shared), &uses, false)));
    let mut buffers = share(lives);
    for buffer in &mut buffers {
        let found = buffer.tensors.iter().filter_map(|tensor| Some((*tensor, *examples.get(tensor)?)));
        buffer.examples = found.collect();
    }
    buffers
}

fn finish_loop(plan: &Plan, together: &mut Vec<usize>, steps: &mut Vec<Step>) {
    if !together.is_empty() {
        steps.push(Step { is_by_example: true, ..Step::new(plan, together) });
        together.clear();
    }
}

/// The first and the last step that uses each tensor.
fn uses(steps: &[Step]) -> Table<TensorId, (usize, usize)> {
    let mut uses = Table::default();
    for (at, step) in steps.iter().enumerate() {
        for &tensor in &step.touched {
            let first = uses.get(tensor).map_or(at, |&(first, _)| first);
            uses.insert(tensor, (first, at));
        }
    }
    uses
}

/// When a tensor is used, if at all.
fn life(tensor: TensorId, size: usize, uses: &Table<TensorId, (usize, usize)>, is_kept: bool) -> Option<Life> {
    let &(first, last) = uses.get(tensor)?;
    Some(Life { tensor, size, first, last: if is_kept { usize::MAX } else { last } })
}

/// Whether some of the tensors are used at the time of another.
fn are_any_used(others: &[Life], life: &Life) -> bool {
    let mut at = 0;
    while at < others.len() {
        if life.last >= others[at].first && others[at].last >= life.first {
            return true;
        }
        at += 1;
    }
    false
}

/// Puts tensors into as few and small buffers as a look at each finds.
fn share(mut lives: Vec<Life>) -> Vec<Buffer> {
    // Stable: tensors of one size stay in their order.
    lives.sort_by_key(|life| std::cmp::Reverse(life.size));
    let mut buffers: Vec<Vec<Life>> = Vec::new();
    for life in lives {
        let mut at = 0;
        while at < buffers.len() && are_any_used(&buffers[at], &life) {
            at += 1;
        }
        match buffers.get_mut(at) {
            Some(buffer) => buffer.push(life),
            None => buffers.push(vec![life]),
        }
    }
    for buffer in &mut buffers {
        buffer.sort_by_key(|life| life.first);
    }
    // Those of the outermost steps come first, as in the spec.
    buffers.sort_by_key(|buffer| buffer.first().map_or(0, |life| life.first));
    let of = |buffer: Vec<Life>| Buffer {
        size: buffer.iter().map(|life| life.size).max().unwrap_or(0),
        tensors: buffer.into_iter().map(|life| life.tensor).collect(),
        examples: FxHashMap::default(),
    };
    buffers.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::fixture;

    /// Lives of tensors with these numbers: size, first and last step.
    fn buffers(lives: &[(usize, usize, usize)]) -> Vec<(Vec<usize>, usize)> {
        let derivation = fixture::digits();
        let tensors: Vec<TensorId> = derivation.model.context.tensors().map(|(id, _)| id).collect();
        let number = |tensor: TensorId| tensors.iter().position(|other| *other == tensor).expect("a tensor of the test");
        let lives = lives.iter().zip(&tensors);
        let lives = lives.map(|(&(size, first, last), &tensor)| Life { tensor, size, first, last }).collect();
        share(lives).into_iter().map(|buffer| (buffer.tensors.into_iter().map(number).collect(), buffer.size)).collect()
    }

    #[test]
    fn what_lives_at_the_same_time_lies_apart() {
        assert_eq!(buffers(&[(4, 0, 2), (4, 2, 3)]), [(vec![0], 4), (vec![1], 4)]);
        assert_eq!(buffers(&[(4, 0, usize::MAX), (4, 5, 6)]), [(vec![0], 4), (vec![1], 4)]);
    }

    #[test]
    fn what_comes_later_uses_what_is_free() {
        assert_eq!(buffers(&[(4, 0, 1), (9, 2, 3), (5, 1, 2), (3, 4, 4)]), [(vec![0, 1, 3], 9), (vec![2], 5)]);
    }

    #[test]
    fn values_between_two_layers_make_room_for_the_next() {
        let spec = "input x[16]\ntarget t[16]\na = x |> dense(16) |> tanh\nb = a |> dense(16) |> tanh\n\
                    c = b |> dense(16) |> tanh\ny = c |> dense(16)\nloss squared_error(y, t)\noptimizer sgd(0.1)\n";
        let derivation = crate::pipeline::compile("deep.spec", spec).expect("the spec is right").derivation;
        let plan = Plan::new(&derivation, 32);
        let sizes = |buffers: &[Buffer]| -> usize { buffers.iter().map(|buffer| buffer.size).sum() };
        let memory = Memory::new(&plan, &derivation);
        // A layer's input and what it makes of it.
        assert_eq!(sizes(&memory.values), 16 + 16, "{memory:?}");
        assert!(sizes(&memory.batch) < 32 * 16 * 10, "{memory:?}");
    }
}
