//! Axes of tensors that belong together.

use std::collections::BTreeMap;

use super::TensorId;

/// An axis of a tensor.
pub(crate) type Axis = (TensorId, usize);

/// Axes in classes: at first each in one of its own.
#[derive(Debug, Default)]
pub(crate) struct AxisClasses {
    /// Another axis of the same class, nearer to the one that stands for all.
    parents: BTreeMap<Axis, Axis>,
}

impl AxisClasses {
    /// The axis that stands for the class of another.
    pub(crate) fn root(&self, mut axis: Axis) -> Axis {
        while let Some(&parent) = self.parents.get(&axis) {
            axis = parent;
        }
        axis
    }

    /// Makes one class of all classes of these axes.
    pub(crate) fn join(&mut self, axes: &[Axis]) {
        for pair in axes.windows(2) {
            let (a, b) = (self.root(pair[0]), self.root(pair[1]));
            if a != b {
                self.parents.insert(a.max(b), a.min(b));
            }
        }
    }
}
