//! Section 6: the order in which everything is computed.

use super::conventions::{drawn, signed};
use super::{Composer, references, separated};
use crate::equation::{Equation, IndexId, TensorId};
use crate::model::Distribution;
use crate::sheet::document::{AlgorithmStep, Block, Inline};
use crate::sheet::formula::decimal;
use crate::sheet::math::Math;

impl Composer<'_> {
    pub(super) fn algorithm(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        let mut steps = Vec::new();
        let mut step = |depth: usize, text: Vec<Inline>| {
            if !text.is_empty() {
                steps.push(AlgorithmStep { depth, text });
            }
        };
        let equations: Vec<&Equation> = self.derivation.forward.iter().collect();
        let forward = self.runs_in_order("forward: ", &equations);
        let computed = self.derivation.backward.iter().filter(|adjoint| adjoint.is_computed);
        let adjoints: Vec<&Equation> = computed.map(|adjoint| &adjoint.equation).collect();
        let backward = self.runs_in_order("backward, in this order: ", &adjoints);
        if self.derivation.objective.is_none() {
            step(0, self.noise());
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
        let (of_gradients, schedules) = self.changing_constants();
        step(1, self.pass("constants of this update: ", schedules.iter().map(|equation| equation.number)));
        step(1, vec![Inline::text("for each of its examples:")]);
        step(2, self.noise());
        step(2, forward);
        step(2, backward);
        step(1, self.pass("gradients: ", self.derivation.gradient.iter().map(|gradient| gradient.equation.number)));
        step(1, self.pass("of all gradients together: ", of_gradients.iter().map(|equation| equation.number)));
        let numbers = model.optimizers.iter().flat_map(|optimizer| &optimizer.equations).map(|equation| equation.number);
        if updates {
            let mut text = self.pass("updates: ", numbers);
            text.push(Inline::text(", element by element, all gradients being those before the update"));
            step(1, text);
        }
        vec![Block::Steps(steps)]
    }

    /// Equations in the order of computing, with the steps of recurrences.
    fn runs_in_order(&self, what: &str, equations: &[&Equation]) -> Vec<Inline> {
        let mut parts = Vec::new();
        for run in self.runs(equations) {
            let numbers = references(run.equations.iter().map(|&position| equations[position].number));
            parts.push(match self.steps(equations, &run) {
                Some(steps) => {
                    let text = [Inline::text("step by step, for "), Inline::Math(steps), Inline::text(": ")];
                    text.into_iter().chain(numbers).collect()
                }
                None => numbers,
            });
        }
        let parts = separated(parts, "; then ");
        if parts.is_empty() { parts } else { [Inline::text(what)].into_iter().chain(parts).collect() }
    }

    /// How noise is drawn.
    fn noise(&self) -> Vec<Inline> {
        let parts = self.derivation.model.noises.iter().map(|noise| {
            let mut text = vec![Inline::Math(self.symbol_with_axes(noise.tensor)), Inline::text(": ")];
            text.extend(drawn(noise.distribution));
            text
        });
        let parts = separated(parts.collect(), "; ");
        if parts.is_empty() {
            return parts;
        }
        let end = Inline::text("; each element by itself. In inference each is its mean instead");
        [Inline::text("draw ")].into_iter().chain(parts).chain([end]).collect()
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
                Distribution::Constant(_) | Distribution::Bernoulli(_) => {
                    text.insert(0, Inline::text("set "));
                    text.push(Inline::text(" to "));
                }
                Distribution::Uniform { .. } | Distribution::Normal { .. } => {
                    text.insert(0, Inline::text("draw "));
                    text.push(Inline::text(" "));
                }
            }
            text.extend(drawn(initial));
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
