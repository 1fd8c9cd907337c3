//! Rules of one layer that are the general ones.
//!
//! In a stack of two layers, the way back through the first is derived for that layer only; and yet, where it speaks of nothing but
//! equations that all layers share, it is the rule of every layer before the last, and is written with a general letter.

use std::collections::BTreeMap;

use super::{Extent, Folding, Place};
use crate::calculus::Step;
use crate::derivation::Adjoint;
use crate::equation::{Context, IndexId, Node, TensorId};

/// What a rule needs to be written in general terms: the layer, and the extents that change from layer to layer.
type General = (i64, BTreeMap<IndexId, Extent>);

/// The positions of rules, with what each needs; `None` where one of them is not general.
type GeneralRules = Option<Vec<(usize, General)>>;

impl Folding {
    /// Finds the adjoints that stand alone in a layer before the last and are general, those of one layer all together or none.
    pub(super) fn generalize(&mut self, context: &Context, backward: &[Adjoint]) {
        let mut by_layer: BTreeMap<(usize, i64), GeneralRules> = BTreeMap::new();
        for adjoint in backward {
            let target = adjoint.equation.target;
            let (Some(place), Some(&rule)) = (self.place_of(context, target), self.rule_of.get(target)) else { continue };
            let family = &self.families[place.family];
            let is_before_last = family.members.keys().next_back().is_some_and(|&last| place.layer < last);
            if !family.is_defined || place.layer < 1 || !is_before_last || self.rules[rule].is_folded() {
                continue;
            }
            let general = self.general(context, adjoint, place);
            let rules = by_layer.entry((family.stack, place.layer)).or_insert_with(|| Some(Vec::new()));
            match (general, rules.as_mut()) {
                (Some(extents), Some(rules)) => rules.push((rule, (place.layer, extents))),
                _ => *rules = None,
            }
        }
        for (rule, (layer, extents)) in by_layer.into_values().flatten().flatten() {
            self.rules[rule].layers = vec![layer];
            self.rules[rule].extents = extents;
        }
    }

    /// The extents that change from layer to layer, where the derivation of an adjoint uses only equations that several layers share and
    /// reads only tensors of its own stack.
    fn general(&self, context: &Context, adjoint: &Adjoint, place: Place) -> Option<BTreeMap<IndexId, Extent>> {
        let stack = self.families[place.family].stack;
        let record = &adjoint.record;
        let steps: Vec<&Step> = record.factors.iter().flat_map(|factor| &factor.steps).chain(&record.steps).collect();
        let is_shared = |tensor: &TensorId| self.rule(*tensor).is_some_and(|rule| rule.is_folded());
        if record.special_case.is_some() || !steps.iter().flat_map(|step| &step.uses).all(is_shared) {
            return None;
        }
        let partials = record.factors.iter().map(|factor| factor.partial);
        let mut extents: BTreeMap<IndexId, Option<Extent>> = BTreeMap::new();
        let mut is_consistent = true;
        for expr in steps.iter().map(|step| step.value).chain(partials) {
            context.visit(expr, &mut |context, part| {
                let Node::Access { tensor, indices } = context.node(part) else { return };
                let Some(at) = self.place_of(context, *tensor).filter(|at| self.families[at.family].stack == stack) else {
                    is_consistent = false;
                    return;
                };
                if !self.families[at.family].is_defined {
                    return;
                }
                for (axis, index) in indices.iter().enumerate().filter_map(|(axis, affine)| Some((axis, affine.as_index()?))) {
                    let extent =
                        self.extent_of_axis(context, at, axis).map(|size| Extent { size, offset: at.layer - place.layer });
                    is_consistent &= *extents.entry(index).or_insert(extent) == extent;
                }
            });
        }
        is_consistent.then(|| extents.into_iter().filter_map(|(index, extent)| Some((index, extent?))).collect())
    }

    /// The size that an axis of a family's tensors has, where it changes from layer to layer.
    fn extent_of_axis(&self, context: &Context, place: Place, axis: usize) -> Option<usize> {
        let family = &self.families[place.family];
        self.sizes.iter().position(|size| {
            let is_of = |(layer, &tensor): (&i64, &TensorId)| {
                let extent = context.tensor(tensor).shape.get(axis);
                extent.is_some() && size.values.get(layer) == extent
            };
            size.stack == family.stack && family.members.iter().all(is_of)
        })
    }
}
