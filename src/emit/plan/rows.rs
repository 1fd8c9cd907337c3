//! Equations that look at no other element than their own, as one long loop over the elements of all examples.
//!
//! Loops inside each other over small extents are unrolled by a compiler before it thinks of vectors; a single loop over all that lies
//! beside each other is not.

use super::abreast::LONG_ROW;
use super::batch::Batcher;
use super::contraction::in_elements;
use super::nest::Nest;
use super::statement::{Place, Statement};
use crate::equation::{Affine, Context, Equation, Node, Role};

impl Batcher<'_, '_> {
    /// The kernel for all examples of an equation whose elements each follow from those at the same place in other tensors.
    pub(super) fn element_wise(&mut self, equation: &Equation) -> Option<usize> {
        let target = self.known(equation.target)?;
        // Short rows are for vectors of examples.
        let is_short = match equation.indices[..] {
            [] => true,
            [index] => self.planner.context.index_of(index).extent() < LONG_ROW,
            _ => false,
        };
        if is_short || !self.stays_in_place(equation) {
            return None;
        }
        let size = self.planner.context.tensor(target).size();
        let element = self.planner.context.add_index("element", 0, size as i64);
        self.planner.elements.insert(element);
        let mut value = equation.computed;
        let mut known = Vec::new();
        for tensor in self.planner.context.tensors_in(value) {
            let Some(all) = self.known(tensor) else { continue };
            let row = self.planner.row_of(all, &mut known);
            let context = &mut self.planner.context;
            value = context.substitute_tensor(value, tensor, &mut |context, _| context.access_at(row, &[element]));
        }
        let row = self.planner.row_of(target, &mut known);
        let lines = self.planner.lines(equation);
        let mut temporaries = Vec::new();
        let mut nest = Nest::new(&mut self.planner.context, &mut temporaries);
        nest.open(element);
        nest.count_uses(value);
        let value = nest.value(value);
        let place = Place { tensor: row, indices: nest.element(row, &[element]) };
        nest.push(Statement::Set(place, value));
        nest.close();
        let (body, locals) = nest.finish();
        Some(self.planner.kernel(&format!("all_{}", equation.number), lines, body, locals, None))
    }

    /// Whether an equation reads the examples' tensors only at the place of the element that it computes, and nothing else but scalars.
    fn stays_in_place(&mut self, equation: &Equation) -> bool {
        let context = &self.planner.context;
        let indices = equation.indices.iter().map(|&index| Affine::index(index)).collect();
        let here = in_elements(context, &Place { tensor: equation.target, indices }, &[]).indices;
        let size = context.tensor(equation.target).size();
        let is_whole = equation.indices.iter().zip(&context.tensor(equation.target).shape).all(|(&index, &extent)| {
            let range = context.index_of(index);
            range.start == 0 && range.extent() == extent
        });
        let mut is_in_place = is_whole;
        let mut reads_elements = false;
        context.visit(equation.computed, &mut |context, part| match context.node(part) {
            Node::Reduce { .. } | Node::ArgReduce { .. } | Node::Index(_) | Node::Partial { .. } => is_in_place = false,
            Node::Access { tensor, indices } => {
                let described = context.tensor(*tensor);
                let is_scalar = matches!(described.role, Role::Constant | Role::BatchSize | Role::UpdateNumber);
                let is_example = described.role != Role::Input && self.known(*tensor).is_some();
                let place = Place { tensor: *tensor, indices: indices.clone() };
                let is_here = || is_within_axes(context, &place) && in_elements(context, &place, &[]).indices == here;
                is_in_place &= is_scalar || is_example && described.size() == size && is_here();
                reads_elements |= !is_scalar;
            }
            _ => {}
        });
        is_in_place && reads_elements
    }
}

/// Whether each index of a place stays in its axis: then equal places among all elements are equal places.
fn is_within_axes(context: &Context, place: &Place) -> bool {
    place.indices.iter().zip(&context.tensor(place.tensor).shape).all(|(affine, &extent)| {
        let (mut low, mut high) = (affine.constant, affine.constant);
        for &(index, coefficient) in &affine.terms {
            let range = context.index_of(index);
            let (first, last) = (coefficient * range.start, coefficient * (range.end - 1));
            low += first.min(last);
            high += first.max(last);
        }
        low >= 0 && high < extent as i64
    })
}
