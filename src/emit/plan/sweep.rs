//! A parameter that is read for the last time and updated in one sweep: each row once from memory, once back.

use super::statement::{Place, Statement, Tile};
use super::{Planner, coefficients, insert_once};
use crate::equation::TensorId;

/// Rows of whole vectors on every machine: those of other lengths are quicker as one long row.
const WHOLE_VECTORS: usize = 16;

impl Planner<'_> {
    /// Joins updates with the kernels that read their parameters for the last time, where one sweep does for both.
    pub(super) fn sweep_parameters(&mut self, kernels: &mut Vec<usize>, updates: &mut [usize]) {
        for update in updates {
            // A look that spares most updates the search for what reads their parameters.
            if !matches!(self.kernels[*update].body[..], [Statement::Tile(_)]) {
                continue;
            }
            let Some(at) = kernels.iter().position(|kernel| kernel == update) else { continue };
            let (reads, writes) = (self.tensors_of(&self.kernels[*update].reads), self.tensors_of(&self.kernels[*update].writes));
            let touches = |kernel: &usize| {
                let kernel = &self.kernels[*kernel];
                self.are_any_of(&kernel.reads, &writes) || self.are_any_of(&kernel.writes, &writes)
            };
            let Some(last) = kernels[..at].iter().rposition(touches) else { continue };
            // What the update reads has to be there.
            let is_there = !kernels[last..at].iter().any(|&kernel| self.are_any_of(&self.kernels[kernel].writes, &reads));
            if let Some(sweep) = is_there.then(|| self.sweep_of(kernels[last], *update)).flatten() {
                (kernels[last], *update) = (sweep, sweep);
                kernels.remove(at);
            }
        }
    }

    /// Tensors as they are without their rows.
    fn tensors_of(&self, tensors: &[TensorId]) -> Vec<TensorId> {
        tensors.iter().map(|&tensor| self.whole(tensor)).collect()
    }

    /// Whether some tensors, as they are without their rows, are among others.
    fn are_any_of(&self, tensors: &[TensorId], others: &[TensorId]) -> bool {
        for &tensor in tensors {
            let whole = self.whole(tensor);
            for other in others {
                if other.0 == whole.0 {
                    return true;
                }
            }
        }
        false
    }

    /// The kernel that does what two do one after the other, if the first multiplies a vector with the rows of a parameter and the second
    /// adds multiples of that vector to the same rows.
    fn sweep_of(&mut self, product: usize, update: usize) -> Option<usize> {
        let (first, second) = (&self.kernels[product], &self.kernels[update]);
        let ([Statement::Tile(by_rows)], [Statement::Tile(to_rows)]) = (&first.body[..], &second.body[..]) else { return None };
        if !self.is_of_same_rows(by_rows, to_rows) {
            return None;
        }
        let factor = to_rows.update_factor?;
        let (name, equations) = (format!("{}_with_update", first.name), [&first.equations[..], &second.equations].concat());
        let body = vec![Statement::Sweep { product: by_rows.clone(), update: to_rows.clone() }];
        let kernel = self.kernel(&name, equations, body, Vec::new(), None);
        insert_once(&mut self.kernels[kernel].reads, factor);
        Some(kernel)
    }

    /// Whether a vector is multiplied with all rows of a matrix, and multiples of it are added to the same rows.
    fn is_of_same_rows(&self, product: &Tile, update: &Tile) -> bool {
        let extent = |index| self.context.index_of(index).extent();
        let ([(term, range)], Some(rows)) = (&product.levels[..], update.rows) else { return false };
        let terms = extent(*term);
        // The steps from a row of the matrix to the next, and within a row.
        let steps = [(product.columns, *term, &product.b), (rows, update.columns, &update.into)]
            .map(|(row, within, place)| coefficients(place, &[row, within]));
        let is_whole = |place: &Place, size: usize| is_from_first(place) && self.size(place.tensor) == size;
        terms.is_multiple_of(WHOLE_VECTORS)
            && range.bounds.is_empty()
            && steps.iter().all(|step| step[..] == [terms as i64, 1])
            && extent(update.columns) == terms
            && extent(rows) == extent(product.columns)
            && (product.b.tensor, product.a.tensor) == (update.into.tensor, update.b.tensor)
            && [&product.b, &update.into].into_iter().all(|place| is_whole(place, terms * extent(rows)))
            && [&product.a, &update.b].into_iter().all(|place| is_whole(place, terms))
            && [&product.into, &update.a].into_iter().all(|place| is_whole(place, extent(rows)))
            && product.start.is_none()
            && product.rows.is_none()
            && !product.is_added
            && update.levels.is_empty()
            && update.row_range.is_none()
            && update.update.is_none()
    }

    fn size(&self, tensor: TensorId) -> usize {
        self.context.tensor(tensor).size()
    }
}

/// Whether a place is that of the first element where all indices are 0.
fn is_from_first(place: &Place) -> bool {
    place.indices.iter().all(|affine| affine.constant == 0)
}
