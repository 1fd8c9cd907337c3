//! Section 6: the order in which everything is computed.

use super::{Composer, references, separated};
use crate::equation::{IndexId, TensorId};
use crate::model::Distribution;
use crate::sheet::document::{AlgorithmStep, Block, Inline};
use crate::sheet::formula::{decimal, root_or_decimal};
use crate::sheet::math::{Math, Operator};

impl Composer<'_> {
    pub(super) fn algorithm(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        let mut steps = Vec::new();
        let mut step = |depth: usize, text: Vec<Inline>| {
            if !text.is_empty() {
                steps.push(AlgorithmStep { depth, text });
            }
        };
        let forward = self.pass("forward: ", self.derivation.forward.iter().map(|equation| equation.number));
        let computed = self.derivation.backward.iter().filter(|adjoint| adjoint.is_computed);
        let backward = self.pass("backward, in this order: ", computed.map(|adjoint| adjoint.equation.number));
        if self.derivation.objective.is_none() {
            step(0, forward);
            step(0, backward);
            return vec![Block::Steps(steps)];
        }
        step(0, self.initial_values());
        step(0, self.initial_states());
        let updates = !model.optimizers.is_empty();
        let m = Inline::Math(self.symbol_with_axes(model.batch_size));
        let repeat = if updates { "for each minibatch of " } else { "for a minibatch of " };
        step(0, vec![Inline::text(repeat), m, Inline::text(" examples, until the objective is small enough:")]);
        let schedules = model.constants.iter().filter(|equation| self.context().as_number(equation.value).is_none());
        let schedules: Vec<u32> = schedules.map(|equation| equation.number).collect();
        if !schedules.is_empty() {
            step(1, self.pass("constants of this update: ", schedules));
        }
        step(1, vec![Inline::text("for each of its examples:")]);
        step(2, forward);
        step(2, backward);
        step(1, self.pass("gradients: ", self.derivation.gradient.iter().map(|gradient| gradient.equation.number)));
        let numbers = model.optimizers.iter().flat_map(|optimizer| &optimizer.equations).map(|equation| equation.number);
        if updates {
            let mut text = self.pass("updates: ", numbers);
            text.push(Inline::text(", element by element, all gradients being those before the update"));
            step(1, text);
        }
        vec![Block::Steps(steps)]
    }

    fn pass(&self, what: &str, numbers: impl IntoIterator<Item = u32>) -> Vec<Inline> {
        let numbers = references(numbers);
        if numbers.is_empty() {
            return Vec::new();
        }
        [Inline::text(what)].into_iter().chain(numbers).collect()
    }

    /// From which distribution each parameter is drawn; parameters with the same one together.
    fn initial_values(&self) -> Vec<Inline> {
        let mut groups: Vec<(Distribution, Vec<TensorId>)> = Vec::new();
        for parameter in &self.derivation.model.parameters {
            match groups.iter_mut().find(|(initial, _)| *initial == parameter.initial) {
                Some((_, tensors)) => tensors.push(parameter.tensor),
                None => groups.push((parameter.initial, vec![parameter.tensor])),
            }
        }
        let mut parts = Vec::new();
        for (initial, tensors) in groups {
            let symbols: Vec<Math> = tensors.iter().map(|&tensor| self.symbol_with_axes(tensor)).collect();
            let mut text = separated(symbols.into_iter().map(|symbol| vec![Inline::Math(symbol)]).collect(), ", ");
            match initial {
                Distribution::Constant(value) => {
                    text.insert(0, Inline::text("set "));
                    text.extend([Inline::text(" to "), Inline::Math(signed(value, decimal))]);
                }
                Distribution::Bernoulli(probability) => {
                    text.insert(0, Inline::text("set "));
                    text.extend([
                        Inline::text(" to 1 with probability "),
                        Inline::Math(decimal(probability)),
                        Inline::text(", else to 0"),
                    ]);
                }
                Distribution::Uniform { low, high } => {
                    text.insert(0, Inline::text("draw "));
                    let ends = Math::list(vec![signed(low, root_or_decimal), signed(high, root_or_decimal)]);
                    text.extend([Inline::text(" uniformly from "), Inline::Math(ends.parenthesized())]);
                }
                Distribution::Normal { mean, deviation } => {
                    text.insert(0, Inline::text("draw "));
                    text.extend([Inline::text(" from the normal distribution with mean "), Inline::Math(signed(mean, decimal))]);
                    text.extend([Inline::text(" and standard deviation "), Inline::Math(root_or_decimal(deviation))]);
                }
            }
            parts.push(text);
        }
        separated(parts, "; ")
    }

    fn initial_states(&self) -> Vec<Inline> {
        let model = &self.derivation.model;
        let mut groups: Vec<(f64, Vec<Inline>)> = Vec::new();
        for optimizer in &model.optimizers {
            for state in &optimizer.states {
                let indices: &[IndexId] = optimizer.equations.first().map_or(&[], |equation| &equation.indices);
                let symbol = vec![Inline::Math(self.generic_element(state.tensor, indices))];
                match groups.iter_mut().find(|(initial, _)| *initial == state.initial) {
                    Some((_, symbols)) => *symbols = separated(vec![std::mem::take(symbols), symbol], ", "),
                    None => groups.push((state.initial, symbol)),
                }
            }
        }
        let parts = groups.into_iter().map(|(initial, symbols)| {
            let mut text = vec![Inline::text("set ")];
            text.extend(symbols);
            text.extend([Inline::text(" to "), Inline::Math(signed(initial, decimal))]);
            text
        });
        separated(parts.collect(), "; ")
    }
}

fn signed(value: f64, magnitude: impl Fn(f64) -> Math) -> Math {
    let math = magnitude(value.abs());
    if value < 0.0 { Math::Row(vec![Math::Operator(Operator::Negative), math]) } else { math }
}
