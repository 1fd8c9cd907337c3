//! Copies of parameters with an axis moved to the end, for tiles whose columns are that axis.

use super::batch::{BatchStep, Batcher};
use super::contraction::Contraction;
use super::statement::Statement;
use crate::equation::{Role, TensorId};

impl Batcher<'_, '_> {
    /// The contraction with a transposed copy in place of the parameter.
    pub(super) fn with_copy(&mut self, contraction: &Contraction, steps: &mut Vec<BatchStep>) -> Contraction {
        let Some((parameter, axis)) = contraction.transposed else { return contraction.clone() };
        let (copy, kernel) = self.transposed(parameter, axis);
        steps.push(BatchStep::Once(kernel));
        let mut indices = contraction.b.1.clone();
        let moved = indices.remove(axis);
        indices.push(moved);
        Contraction { b: (copy, indices), ..contraction.clone() }
    }

    /// A copy of a parameter with an axis moved to the end, and the kernel that makes it.
    pub(super) fn transposed(&mut self, parameter: TensorId, axis: usize) -> (TensorId, usize) {
        let mut known = self.copies.get(parameter).into_iter().flatten();
        match known.find(|copy| copy.0 == axis) {
            Some(&(_, copy, kernel)) => (copy, kernel),
            None => self.transpose(parameter, axis),
        }
    }

    /// The parameter and the axis of which a kernel makes a copy, and the copy.
    pub(super) fn transposed_by(&self, kernel: usize) -> Option<(TensorId, usize, TensorId)> {
        let &parameter = self.planner.kernels[kernel].reads.first()?;
        let &(axis, copy, _) = self.copies.get(parameter)?.iter().find(|copy| copy.2 == kernel)?;
        Some((parameter, axis, copy))
    }

    /// A kernel that copies a parameter with an axis moved to the end.
    fn transpose(&mut self, parameter: TensorId, axis: usize) -> (TensorId, usize) {
        let mut described = self.context().tensor(parameter).clone();
        let extent = described.shape.remove(axis);
        described.shape.push(extent);
        if axis < described.axes.len() {
            let name = described.axes.remove(axis);
            described.axes.push(name);
        }
        described.name = format!("{}_transposed", described.name);
        described.role = Role::Value;
        let name = described.name.clone();
        let copy = self.context().add_tensor(described);
        let shape = &self.context().tensor(parameter).shape;
        let (rows, columns) = (shape[axis], shape[axis + 1..].iter().product());
        let body = vec![Statement::Transpose { from: parameter, to: copy, rows, columns }];
        let kernel = self.planner.kernel(&name, Vec::new(), body, Vec::new(), None);
        self.shared.push(copy);
        let mut copies = self.copies.get(parameter).cloned().unwrap_or_default();
        copies.push((axis, copy, kernel));
        self.copies.insert(parameter, copies);
        (copy, kernel)
    }
}
