//! Section 6: the order in which everything is computed.

use super::conventions::{drawn, signed};
use super::{Composer, references, separated};
use crate::equation::{Equation, IndexId, TensorId};
use crate::model::Distribution;
use crate::sheet::document::{AlgorithmStep, Block, Inline};
use crate::sheet::formula::decimal;
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
        let (schedules, of_gradients) = self.derivation.changing_constants();
        step(1, self.pass("constants of this update: ", schedules.iter().map(|equation| equation.number)));
        step(1, vec![Inline::text("for each of its examples:")]);
        step(2, self.noise());
        step(2, forward);
        step(2, backward);
        let gradients = self.derivation.gradient.iter().map(|gradient| gradient.equation.number);
        let numbers = model.optimizers.iter().flat_map(|optimizer| &optimizer.equations).map(|equation| equation.number);
        if updates && of_gradients.is_empty() {
            step(1, self.pass("gradient and update of each parameter, element by element: ", gradients.chain(numbers)));
        } else {
            step(1, self.pass("gradients: ", gradients));
            step(1, self.pass("of all gradients together: ", of_gradients.iter().map(|equation| equation.number)));
            step(1, self.pass("updates, element by element, with the gradients of before the update: ", numbers));
        }
        vec![Block::Steps(steps)]
    }

    /// Equations in the order of computing, with the steps of recurrences and the loops over layers.
    fn runs_in_order(&self, what: &str, equations: &[&Equation]) -> Vec<Inline> {
        let mut parts = Vec::new();
        for run in self.runs(equations) {
            let members: Vec<&Equation> = run.equations.iter().map(|&position| equations[position]).collect();
            match self.steps(equations, &run) {
                Some(steps) => {
                    let text = [Inline::text("step by step, for "), Inline::Math(steps), Inline::text(": ")];
                    parts.push(text.into_iter().chain(references(members.iter().map(|equation| equation.number))).collect());
                }
                None => parts.extend(self.loops(&members)),
            }
        }
        let parts = separated(parts, "; then ");
        if parts.is_empty() { parts } else { [Inline::text(what)].into_iter().chain(parts).collect() }
    }

    /// Loops over layers, and what stands between them.
    fn loops(&self, equations: &[&Equation]) -> Vec<Vec<Inline>> {
        let folding = &self.derivation.folding;
        let layer = |at: usize| folding.place_of(self.context(), equations[at].target).map(|place| place.layer);
        let number = |at: usize| equations[at].number;
        let mut parts: Vec<Vec<Inline>> = Vec::new();
        let mut single: Vec<u32> = Vec::new();
        let mut at = 0;
        while at < equations.len() {
            let Some((body, times)) = repetition(equations.len() - at, |a, b| number(at + a) == number(at + b)) else {
                single.push(number(at));
                at += 1;
                continue;
            };
            parts.push(references(std::mem::take(&mut single)));
            let layers: Vec<i64> = (0..times).filter_map(|turn| layer(at + turn * body)).collect();
            let mut text = self.layers_in_words(self.stack(equations[at].target), &layers);
            text.push(Inline::text(": "));
            text.extend(references((at..at + body).map(number)));
            parts.push(text);
            at += body * times;
        }
        parts.push(references(single));
        parts.retain(|part| !part.is_empty());
        parts
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

    /// From which distribution each parameter is drawn; parameters with the same one together, and those of all layers.
    fn initial_values(&self) -> Vec<Inline> {
        let mut groups: Vec<(Vec<Inline>, bool, Vec<Vec<Inline>>)> = Vec::new();
        for (tensors, initial) in self.initial_groups() {
            let is_fixed = matches!(initial, Distribution::Constant(_) | Distribution::Bernoulli(_));
            let how = self.drawn_by_fans(&tensors).unwrap_or_else(|| drawn(initial));
            let symbol = self.symbols_of(&tensors);
            match groups.iter_mut().find(|(known, ..)| *known == how) {
                Some((.., symbols)) => symbols.push(symbol),
                None => groups.push((how, is_fixed, vec![symbol])),
            }
        }
        let parts = groups.into_iter().map(|(how, is_fixed, symbols)| {
            let mut text = vec![Inline::text(if is_fixed { "set " } else { "draw " })];
            text.extend(separated(symbols, ", "));
            text.push(Inline::text(if is_fixed { " to " } else { " " }));
            text.extend(how);
            text
        });
        separated(parts.collect(), "; ")
    }

    /// Parameters of one family that are drawn alike, by layer, or as the sizes of their layers say.
    fn initial_groups(&self) -> Vec<(Vec<(i64, TensorId)>, Distribution)> {
        let mut groups: Vec<(Vec<(i64, TensorId)>, Distribution)> = Vec::new();
        let folding = &self.derivation.folding;
        for parameter in &self.derivation.model.parameters {
            let place = folding.place(parameter.tensor);
            let layer = place.map_or(0, |place| place.layer);
            let is_like = |(members, initial): &&mut (Vec<(i64, TensorId)>, Distribution)| {
                let first = members.first().and_then(|(_, tensor)| folding.place(*tensor));
                let family = |place: Option<crate::folding::Place>| place.map(|place| place.family);
                let pair: Vec<(i64, TensorId)> = members.last().copied().into_iter().chain([(layer, parameter.tensor)]).collect();
                place.is_some()
                    && family(first) == family(place)
                    && (*initial == parameter.initial || self.drawn_by_fans(&pair).is_some())
            };
            match groups.iter_mut().find(is_like) {
                Some((members, _)) => members.push((layer, parameter.tensor)),
                None => groups.push((vec![(layer, parameter.tensor)], parameter.initial)),
            }
        }
        groups
    }

    /// One symbol for a parameter, or for those of several layers.
    fn symbols_of(&self, tensors: &[(i64, TensorId)]) -> Vec<Inline> {
        match tensors {
            [] => Vec::new(),
            [(_, tensor)] => vec![Inline::Math(self.symbol_with_axes(*tensor))],
            [(layer, tensor), ..] => {
                let layers: Vec<i64> = tensors.iter().map(|(layer, _)| *layer).collect();
                let mut text = vec![Inline::Math(self.general_symbol_with_axes(*tensor, *layer)), Inline::text(" ")];
                text.extend(self.layers_in_words(self.stack(*tensor), &layers));
                text
            }
        }
    }

    /// The distribution of weights whose variance is a number over the sizes of their layers, in terms of these; `None` where all
    /// are drawn alike, or by no such rule.
    fn drawn_by_fans(&self, tensors: &[(i64, TensorId)]) -> Option<Vec<Inline>> {
        let initial = |tensor: TensorId| {
            let parameter = self.derivation.model.parameters.iter().find(|parameter| parameter.tensor == tensor)?;
            match parameter.initial {
                Distribution::Uniform { low, high } if low == -high => Some((high * high, true)),
                Distribution::Normal { mean: 0.0, deviation } => Some((deviation * deviation, false)),
                _ => None,
            }
        };
        let squares = tensors.iter().map(|(_, tensor)| initial(*tensor)).collect::<Option<Vec<(f64, bool)>>>()?;
        let (first, is_uniform) = *squares.first()?;
        if squares.iter().all(|(square, _)| *square == first) || squares.iter().any(|(_, other)| *other != is_uniform) {
            return None;
        }
        let stack = self.stack(tensors.first()?.1);
        let fan = |axis: usize| {
            let extents = tensors.iter().map(|(layer, tensor)| Some((*layer, *self.context().tensor(*tensor).shape.get(axis)?)));
            let extents = extents.collect::<Option<Vec<(i64, usize)>>>()?;
            let symbol = self.notation.extent(self.derivation.folding.extent(stack, &extents)?);
            Some((extents.into_iter().map(|(_, extent)| extent as f64).collect::<Vec<f64>>(), symbol))
        };
        let (fan_in, fan_out) = (fan(0)?, fan(1)?);
        let both = fan_in.0.iter().zip(&fan_out.0).map(|(a, b)| a + b).collect::<Vec<f64>>();
        let sum = Math::Row(vec![fan_in.1.clone(), Math::Operator(Operator::Plus), fan_out.1.clone()]);
        for (fans, symbol) in [(both, sum), fan_in, fan_out] {
            let numerator = (first * fans[0]).round();
            let fits = squares.iter().zip(&fans).all(|((square, _), fan)| (square * fan - numerator).abs() < 1e-9 * numerator);
            if fits && numerator > 0.0 {
                let root = Math::Sqrt(Box::new(Math::fraction(decimal(numerator), symbol)));
                return Some(if is_uniform {
                    let negative = Math::Row(vec![Math::Operator(Operator::Negative), root.clone()]);
                    vec![Inline::text("uniformly from "), Inline::Math(Math::list(vec![negative, root]).parenthesized())]
                } else {
                    let text = "from the normal distribution with mean 0 and standard deviation ";
                    vec![Inline::text(text), Inline::Math(root)]
                });
            }
        }
        None
    }

    fn initial_states(&self) -> Vec<Inline> {
        let model = &self.derivation.model;
        let mut groups: Vec<(f64, Vec<Inline>)> = Vec::new();
        for optimizer in &model.optimizers {
            let place = self.derivation.folding.place(optimizer.parameter);
            let is_first = place.is_none_or(|place| {
                let family = &self.derivation.folding.families[place.family];
                family.members.len() < 2 || family.members.values().next() == Some(&optimizer.parameter)
            });
            for state in optimizer.states.iter().filter(|_| is_first) {
                let indices: &[IndexId] = optimizer.equations.first().map_or(&[], |equation| &equation.indices);
                let symbol = vec![Inline::Math(self.general_element(state.tensor, indices))];
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

/// How many of the next equations repeat, and how often: the repetition that covers most of them.
fn repetition(count: usize, is_equal: impl Fn(usize, usize) -> bool) -> Option<(usize, usize)> {
    const LONGEST: usize = 256;
    let mut best: Option<(usize, usize)> = None;
    for body in 1..=(count / 2).min(LONGEST) {
        if !is_equal(0, body) {
            continue;
        }
        let equal = (0..count - body).take_while(|&at| is_equal(at, at + body)).count();
        let times = equal / body + 1;
        if times > 1 && best.is_none_or(|(known, turns)| body * times > known * turns) {
            best = Some((body, times));
        }
    }
    best
}
