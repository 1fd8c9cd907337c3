//! Which tensors stand for which others.

use rustc_hash::FxHashMap;

use crate::equation::TensorId;

/// Pairs of tensors in the order in which they came about, found from either side without a search.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    all: Vec<(TensorId, TensorId)>,
    /// Where the first pair stands with a tensor on this side.
    firsts: FxHashMap<TensorId, usize>,
    seconds: FxHashMap<TensorId, usize>,
}

impl Pairs {
    pub(super) fn push(&mut self, first: TensorId, second: TensorId) {
        self.firsts.entry(first).or_insert(self.all.len());
        self.seconds.entry(second).or_insert(self.all.len());
        self.all.push((first, second));
    }

    /// All of them in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TensorId, TensorId)> + '_ {
        self.all.iter().copied()
    }

    /// The first tensor that is paired with a second one.
    pub(crate) fn first_of(&self, second: TensorId) -> Option<TensorId> {
        self.seconds.get(&second).map(|&at| self.all[at].0)
    }

    /// The second tensor that is paired with a first one.
    pub(crate) fn second_of(&self, first: TensorId) -> Option<TensorId> {
        self.firsts.get(&first).map(|&at| self.all[at].1)
    }
}
