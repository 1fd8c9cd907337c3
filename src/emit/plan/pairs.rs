//! Which tensors stand for which others.

use crate::equation::{Table, TensorId};

/// Pairs of tensors in the order in which they came about, found from either side without a search.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    all: Vec<(TensorId, TensorId)>,
    /// The other side of the first pair with a tensor on this side.
    firsts: Table<TensorId, TensorId>,
    seconds: Table<TensorId, TensorId>,
}

impl Pairs {
    pub(super) fn push(&mut self, first: TensorId, second: TensorId) {
        self.firsts.insert_first(first, second);
        self.seconds.insert_first(second, first);
        self.all.push((first, second));
    }

    /// All of them in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (TensorId, TensorId)> + '_ {
        self.all.iter().copied()
    }

    /// The first tensor that is paired with a second one.
    pub(crate) fn first_of(&self, second: TensorId) -> Option<TensorId> {
        self.seconds.get(second).copied()
    }

    /// The second tensor that is paired with a first one.
    pub(crate) fn second_of(&self, first: TensorId) -> Option<TensorId> {
        self.firsts.get(first).copied()
    }
}
