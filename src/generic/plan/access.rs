//! Accesses: views where they are regular, tables of positions elsewhere.

use super::super::program::{Axis, Cut, Gather, Operation, Slot, View};
use super::Planner;
use crate::equation::{Affine, TensorId};

impl Planner<'_> {
    /// The elements of a tensor at these places.
    pub(super) fn access(&mut self, tensor: TensorId, indices: &[Affine]) -> Slot {
        let shape = &self.context.tensor(tensor).shape;
        indices.iter().flat_map(|affine| &affine.terms).for_each(|&(index, _)| self.enter(index));
        let outside = |(affine, &extent): (&Affine, &usize)| {
            affine.terms.is_empty() && !usize::try_from(affine.constant).is_ok_and(|at| at < extent)
        };
        if indices.iter().zip(shape).any(outside) {
            return self.number(0.0);
        }
        if !self.reads.contains(&tensor) {
            self.reads.push(tensor);
        }
        let cuts: Option<Vec<Cut>> = indices.iter().zip(shape).map(|(affine, &extent)| self.cut(affine, extent)).collect();
        let mut remaining: Vec<Axis> = indices.iter().filter_map(|affine| Some(Axis::Index(affine.terms.first()?.0))).collect();
        remaining.retain(|&axis| self.step.is_none_or(|step| axis != Axis::Index(step)));
        if self.batched[tensor.index()] {
            remaining.insert(0, Axis::Batch);
        }
        let mut axes = remaining.clone();
        self.sort(&mut axes);
        match cuts {
            // The same index on two axes is a diagonal, which no view of two axes shows.
            Some(cuts) if axes.len() == remaining.len() => {
                let permutation: Vec<usize> =
                    axes.iter().filter_map(|axis| remaining.iter().position(|known| known == axis)).collect();
                let permutation = (axes != remaining).then_some(permutation);
                self.push(Operation::View(View { tensor, cuts, permutation }), axes)
            }
            _ => self.gather(tensor, indices),
        }
    }

    /// How an axis of a view is cut, if all places lie inside the tensor.
    fn cut(&self, affine: &Affine, extent: usize) -> Option<Cut> {
        let (index, step) = match affine.terms[..] {
            [] => return usize::try_from(affine.constant).ok().map(Cut::At),
            [(index, 1)] if self.step == Some(index) => return Some(Cut::Step(affine.constant)),
            [(index, _)] if self.step == Some(index) => return None,
            [(index, step)] if step > 0 => (self.context.index_of(index), step),
            _ => return None,
        };
        let count = index.extent();
        let start = step.checked_mul(index.start)?.checked_add(affine.constant)?;
        let last = step.checked_mul(index.end - 1)?.checked_add(affine.constant)?;
        if count == 0 || start < 0 || last >= extent as i64 {
            return None;
        }
        if start == 0 && step == 1 && count == extent {
            return Some(Cut::Whole);
        }
        Some(Cut::Range { start: start as usize, step: step as usize, count })
    }

    /// A table of positions, computed once.
    fn gather(&mut self, tensor: TensorId, indices: &[Affine]) -> Slot {
        let context = self.context;
        let shape = &context.tensor(tensor).shape;
        let mut axes: Vec<Axis> = indices.iter().flat_map(|affine| &affine.terms).map(|&(index, _)| Axis::Index(index)).collect();
        self.sort(&mut axes);
        let places = self.position_table(indices, &axes, shape);
        let stepped = self.drop_step(&mut axes);
        let batched = self.batched[tensor.index()];
        if batched {
            axes.insert(0, Axis::Batch);
        }
        self.push(Operation::Gather(Gather { tensor, batched, places, stepped }), axes)
    }

    /// The position in an array of this shape for each place of the axes, row-major; none where the array would be too large.
    pub(super) fn position_table(&mut self, indices: &[Affine], axes: &[Axis], shape: &[usize]) -> Vec<Option<u32>> {
        let extents: Vec<usize> = axes.iter().map(|&axis| self.extents.of(axis, 1)).collect();
        let size = self.size(axes, 1);
        let mut places = Vec::new();
        if self.check_size(axes) {
            places.reserve_exact(size);
            let affines: Vec<Vec<(i64, i64)>> =
                indices.iter().map(|affine| axes.iter().map(|&axis| self.coefficient(affine, axis)).collect()).collect();
            let mut place = vec![0_i64; axes.len()];
            for _ in 0..size {
                places.push(position(indices, &affines, shape, &place));
                for axis in (0..place.len()).rev() {
                    place[axis] += 1;
                    if place[axis] < extents[axis] as i64 {
                        break;
                    }
                    place[axis] = 0;
                }
            }
        }
        places
    }
}

/// The position in a tensor of an access at a place of its indices; `None` outside.
fn position(indices: &[Affine], affines: &[Vec<(i64, i64)>], shape: &[usize], place: &[i64]) -> Option<u32> {
    let mut position = 0_usize;
    for ((affine, coefficients), &extent) in indices.iter().zip(affines).zip(shape) {
        let terms = coefficients.iter().zip(place).map(|((start, factor), at)| factor * (start + at));
        let at = usize::try_from(affine.constant + terms.sum::<i64>()).ok().filter(|&at| at < extent)?;
        position = position * extent + at;
    }
    u32::try_from(position).ok()
}
