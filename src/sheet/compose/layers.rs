//! Layers of the same form: what stands once on the sheet for all of them.

use std::collections::BTreeMap;

use super::Composer;
use crate::calculus::Factor;
use crate::equation::{Equation, IndexId, Node, TensorId};
use crate::folding::Rule;
use crate::sheet::document::Inline;
use crate::sheet::formula::{Writer, integer};
use crate::sheet::math::{Math, Operator};

/// A partial derivative that several adjoints name: equal up to the layer.
pub(super) struct SharedFactor {
    /// The layers, each once, in their order.
    pub(super) layers: Vec<i64>,
    /// The adjoint with which it is derived, the first that names it.
    pub(super) first: TensorId,
}

impl Composer<'_> {
    /// Whether an equation stands on the sheet itself, for itself or for those of all layers.
    pub(super) fn leads(&self, equation: &Equation) -> bool {
        self.derivation.folding.leads(equation.target)
    }

    /// The rule of an equation that is written for a layer in general.
    pub(super) fn general_rule(&self, equation: &Equation) -> Option<&Rule> {
        self.derivation.folding.rule(equation.target).filter(|rule| rule.is_general())
    }

    /// The stack of layers that an equation belongs to.
    pub(super) fn stack(&self, target: TensorId) -> usize {
        let folding = &self.derivation.folding;
        folding.place_of(self.context(), target).map_or(0, |place| folding.families[place.family].stack)
    }

    /// An element of a tensor: in general terms where it is one of several layers.
    pub(super) fn general_element(&self, tensor: TensorId, indices: &[IndexId]) -> Math {
        let folding = &self.derivation.folding;
        let place = folding.place_of(self.context(), tensor).filter(|place| folding.families[place.family].members.len() > 1);
        let mut writer = Writer::new(self.notation, self.context(), &[], &[]);
        writer.avoid_tensor(tensor);
        writer.bind_all(indices);
        match place {
            Some(place) => writer.seen_from(place.layer, |writer| writer.element(tensor, indices)),
            None => writer.element(tensor, indices),
        }
    }

    /// `l = 1, …, 4`, upwards.
    pub(super) fn layers_upwards(&self, equation: &Equation) -> Option<Math> {
        let mut layers = self.general_rule(equation)?.layers.clone();
        layers.sort_unstable();
        Some(self.layers_math(self.stack(equation.target), &layers))
    }

    pub(super) fn layers_math(&self, stack: usize, layers: &[i64]) -> Math {
        let shift = self.notation.stack_shift(stack);
        let layer = Math::identifier(&self.notation.table.layer);
        let value = |layer: i64| integer(layer + shift);
        let steps = |by: i64| layers.windows(2).all(|pair| pair[1] - pair[0] == by);
        let values = match layers {
            [first, .., last] if layers.len() > 3 && (steps(1) || steps(-1)) => {
                vec![value(*first), Math::Operator(Operator::Ellipsis), value(*last)]
            }
            _ => layers.iter().map(|&layer| value(layer)).collect(),
        };
        Math::relation(layer, Operator::Equal, Math::list(values))
    }

    /// `for l = 4 down to 1`.
    pub(super) fn layers_in_words(&self, stack: usize, layers: &[i64]) -> Vec<Inline> {
        let shift = self.notation.stack_shift(stack);
        let descends = layers.len() > 2 && layers.windows(2).all(|pair| pair[1] == pair[0] - 1);
        match layers {
            [first, .., last] if descends => {
                let layer = Math::identifier(&self.notation.table.layer);
                let from = Math::relation(layer, Operator::Equal, integer(first + shift));
                vec![Inline::text("for "), Inline::Math(from), Inline::text(" down to "), Inline::Math(integer(last + shift))]
            }
            _ => vec![Inline::text("for "), Inline::Math(self.layers_math(stack, layers))],
        }
    }

    /// The layers of an equation in words; `None` where it stands for itself alone.
    pub(super) fn range_in_words(&self, equation: &Equation) -> Option<Vec<Inline>> {
        let rule = self.general_rule(equation)?;
        Some(self.layers_in_words(self.stack(equation.target), &rule.layers))
    }

    /// The factors of chain rules that are equal up to the layer, by their keys.
    pub(super) fn shared_factors(&self) -> BTreeMap<u64, SharedFactor> {
        let mut shared: BTreeMap<u64, SharedFactor> = BTreeMap::new();
        for adjoint in &self.derivation.backward {
            let target = adjoint.equation.target;
            let leader = self.derivation.folding.rule(target).and_then(|rule| rule.members.first()).copied().unwrap_or(target);
            for factor in &adjoint.record.factors {
                if let Some((key, layer)) = self.factor_key(factor) {
                    let entry = shared.entry(key).or_insert(SharedFactor { layers: Vec::new(), first: leader });
                    if let Err(at) = entry.layers.binary_search(&layer) {
                        entry.layers.insert(at, layer);
                    }
                }
            }
        }
        shared
    }

    /// A hash of a factor and the layer of what it is by; `None` where its derivation speaks of extents, which may change.
    pub(super) fn factor_key(&self, factor: &Factor) -> Option<(u64, i64)> {
        let context = self.context();
        let Node::Partial { by, .. } = context.node(factor.partial) else { return None };
        let Node::Access { tensor, .. } = context.node(*by) else { return None };
        let place = self.derivation.folding.place(*tensor)?;
        let has_ranges = factor.steps.iter().any(|step| context.has_reduction(step.value));
        (!has_ranges).then(|| (self.derivation.folding.factor_key(context, factor, place.layer), place.layer))
    }

    /// The stack that the factor belongs to.
    pub(super) fn factor_stack(&self, factor: &Factor) -> usize {
        let context = self.context();
        let by = match context.node(factor.partial) {
            Node::Partial { by, .. } => context.node(*by),
            other => other,
        };
        match by {
            Node::Access { tensor, .. } => self.stack(*tensor),
            _ => 0,
        }
    }
}
