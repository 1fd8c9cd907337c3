//! Extents that change from layer to layer, and the symbols they go by.

use std::collections::BTreeMap;

use super::keys::Keys;
use super::{Family, Folding, Rule};
use crate::equation::{Context, ExprId, IndexId, TensorId};

/// A number for each layer: `s_l`, how many units it has.
#[derive(Clone, Debug, PartialEq)]
pub struct Size {
    /// Which stack of layers.
    pub stack: usize,
    /// The number by layer.
    pub values: BTreeMap<i64, usize>,
}

/// An extent in terms of a size: that of the layer, of the one before (−1) or of the one after (1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// The position in [`Folding::sizes`].
    pub size: usize,
    /// Added to the number of the layer.
    pub offset: i64,
}

/// The extents of the values of layers that are not the same in all of them.
pub(super) fn find(context: &Context, families: &[Family]) -> Vec<Size> {
    let mut sizes: Vec<Size> = Vec::new();
    for family in families.iter().filter(|family| family.is_defined) {
        let rank = family.members.values().next().map_or(0, |&tensor| context.tensor(tensor).shape.len());
        for axis in 0..rank {
            let extents = family.members.iter().map(|(&layer, &tensor)| (layer, context.tensor(tensor).shape.get(axis).copied()));
            let Some(values) = extents.map(|(layer, extent)| Some((layer, extent?))).collect::<Option<BTreeMap<i64, usize>>>()
            else {
                continue;
            };
            if values.values().all(|value| Some(value) == values.values().next()) {
                continue;
            }
            let agrees = |size: &&mut Size| {
                let other = &size.values;
                size.stack == family.stack
                    && values.iter().all(|(layer, value)| other.get(layer).is_none_or(|known| known == value))
            };
            match sizes.iter_mut().find(agrees) {
                Some(size) => size.values.extend(values),
                None => sizes.push(Size { stack: family.stack, values }),
            }
        }
    }
    sizes
}

impl Folding {
    /// A size that takes these values, seen from these layers; `None` for one that none does.
    pub fn extent(&self, stack: usize, values: &[(i64, usize)]) -> Option<Extent> {
        const NEAR: [i64; 3] = [0, -1, 1];
        let candidates = NEAR.into_iter().flat_map(|offset| (0..self.sizes.len()).map(move |size| Extent { size, offset }));
        candidates.into_iter().find(|extent| {
            let size = &self.sizes[extent.size];
            size.stack == stack && values.iter().all(|(layer, value)| size.values.get(&(layer + extent.offset)) == Some(value))
        })
    }
}

/// Terms of a sum that are equal up to their layer: what stands for all of them, and for which.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// The terms by layer, upwards without a gap. The first one stands for all.
    pub members: BTreeMap<i64, ExprId>,
    /// Which stack of layers.
    pub stack: usize,
    /// The indices of the first member whose extents change from layer to layer.
    pub extents: BTreeMap<IndexId, Extent>,
}

impl Folding {
    /// Takes those terms out of `terms` that differ only in their layer, where there are several.
    pub fn take_terms(&self, context: &Context, terms: &mut Vec<ExprId>) -> Vec<Terms> {
        let keys = Keys::new(context, self);
        let mut groups: BTreeMap<u64, (usize, BTreeMap<i64, ExprId>)> = BTreeMap::new();
        for &term in terms.iter() {
            let places = context.tensors_in(term).into_iter().filter_map(|tensor| self.place_of(context, tensor));
            if let Some(place) = places.min_by_key(|place| place.layer) {
                let stack = self.families[place.family].stack;
                let group = groups.entry(keys.expression(term, place.layer)).or_insert((stack, BTreeMap::new()));
                group.1.insert(place.layer, term);
            }
        }
        let mut found = Vec::new();
        for (stack, members) in groups.into_values() {
            let layers: Vec<i64> = members.keys().copied().collect();
            if layers.len() < 2 || layers.windows(2).any(|pair| pair[1] != pair[0] + 1) {
                continue;
            }
            let indices: Vec<Vec<IndexId>> = members.iter().map(|(&layer, &term)| keys.bound_indices(term, layer)).collect();
            if let Some(extents) = common_extents(context, self, stack, &layers, &indices) {
                terms.retain(|term| !members.values().any(|member| member == term));
                found.push(Terms { members, stack, extents });
            }
        }
        found.sort_by_key(|terms| terms.members.values().next().copied());
        found
    }
}

/// The rules of statements with one key, given their targets and, where there are several, their indices in one order; each with the
/// position of its first member: one, where all extents that change have a symbol, else one for each set of extents.
pub(super) fn rules_of(
    keys: &Keys<'_>,
    folding: &Folding,
    members: &[TensorId],
    indices: Vec<Vec<IndexId>>,
) -> Vec<(usize, Rule)> {
    let target = |at: usize| members[at];
    let place = |at: usize| folding.place_of(keys.context(), target(at));
    let alone = |at: usize| (at, Rule { members: vec![target(at)], layers: Vec::new(), extents: BTreeMap::new() });
    if members.len() < 2 {
        return (0..members.len()).map(alone).collect();
    }
    let layers: Vec<i64> = (0..members.len()).filter_map(|at| place(at).map(|place| place.layer)).collect();
    let stack = place(0).map_or(0, |place| folding.families[place.family].stack);
    if let Some(extents) = common_extents(keys.context(), folding, stack, &layers, &indices) {
        let members = (0..members.len()).map(target).collect();
        return vec![(0, Rule { members, layers, extents })];
    }
    let mut sets: Vec<(Vec<usize>, Vec<usize>)> = Vec::new();
    for (at, indices) in indices.iter().enumerate() {
        let extents: Vec<usize> = indices.iter().map(|&index| keys.context().index_of(index).extent()).collect();
        match sets.iter_mut().find(|(known, _)| *known == extents) {
            Some((_, set)) => set.push(at),
            None => sets.push((extents, vec![at])),
        }
    }
    let rules = sets.into_iter().map(|(_, set)| match set[..] {
        [at] => alone(at),
        _ => {
            let members = set.iter().map(|&at| target(at)).collect();
            (set[0], Rule { members, layers: set.iter().map(|&at| layers[at]).collect(), extents: BTreeMap::new() })
        }
    });
    rules.collect()
}

/// The extents that change, by the indices of the first member; `None` where one has no symbol.
fn common_extents(
    context: &Context,
    folding: &Folding,
    stack: usize,
    layers: &[i64],
    indices: &[Vec<IndexId>],
) -> Option<BTreeMap<IndexId, Extent>> {
    let first = indices.first()?;
    if indices.iter().any(|others| others.len() != first.len()) {
        return None;
    }
    let mut extents: BTreeMap<IndexId, Option<Extent>> = BTreeMap::new();
    for (position, &index) in first.iter().enumerate() {
        let values: Vec<(i64, usize)> =
            (layers.iter().zip(indices)).map(|(&layer, indices)| (layer, context.index_of(indices[position]).extent())).collect();
        let changes = values.iter().any(|(_, value)| *value != values[0].1);
        let extent = if changes { Some(folding.extent(stack, &values)?) } else { None };
        // One index of the first member that would need two symbols has none.
        if *extents.entry(index).or_insert(extent) != extent {
            return None;
        }
    }
    Some(extents.into_iter().filter_map(|(index, extent)| Some((index, extent?))).collect())
}
