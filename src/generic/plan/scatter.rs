//! Planning of [`Scattered`] sums.

use super::super::program::{Axis, Operation, Places, Scatter, Slot};
use super::Planner;
use super::scatters::Scattered;
use super::sums::Outer;
use crate::equation::{Affine, IndexId, Node};

impl Planner<'_> {
    /// `outer · Σ` over the bound indices and some more axes, each term added to its place.
    pub(super) fn scatter(&mut self, scattered: &Scattered, more: Vec<Axis>, outer: Outer) -> Slot {
        let mut bound = self.bind(&scattered.bound);
        bound.extend(more);
        if self.size(&bound, 1) == 0 {
            return self.number(0.0);
        }
        let free: Vec<IndexId> = scattered.places.iter().map(|place| place.0).collect();
        let made = self.bind(&free);
        let (mut placing, places) = self.places(scattered, &bound);
        let summed: Vec<Axis> = bound.iter().copied().filter(|axis| !placing.contains(axis)).collect();
        bound.retain(|axis| placing.contains(axis));
        let operand = self.sum(summed, scattered.body, outer);
        placing.extend(self.axes(operand));
        placing.extend(&bound);
        let mut axes = placing;
        self.sort(&mut axes);
        self.sort(&mut bound);
        self.check_size(&axes);
        let is_kept = |axis: &Axis| !bound.contains(axis);
        let kept: Vec<Axis> = axes.iter().copied().filter(is_kept).collect();
        let order = |wanted: &[Axis], known: &[Axis]| -> Vec<usize> {
            wanted.iter().filter_map(|axis| known.iter().position(|at| at == axis)).collect()
        };
        let inside_out = [&kept[..], &bound].concat();
        let found = [&kept[..], &made].concat();
        let mut result = found.clone();
        self.sort(&mut result);
        let scatter =
            Scatter { operand, places, order: order(&inside_out, &axes), result_order: order(&result, &found), axes, kept, made };
        self.push(Operation::Scatter(scatter), result)
    }

    /// Where terms go, and the axes that this depends on: a table where it depends on the bound indices alone.
    fn places(&mut self, scattered: &Scattered, bound: &[Axis]) -> (Vec<Axis>, Places) {
        let context = self.context;
        let start = |index: IndexId| context.index_of(index).start;
        let affine = scattered.places.iter().map(|&(index, place)| match context.node(place) {
            Node::Index(affine) => affine.plus(-1, &Affine::constant(start(index))),
            _ => None,
        });
        if let Some(affine) = affine.collect::<Option<Vec<_>>>() {
            let mut axes: Vec<Axis> = affine.iter().flat_map(|place| &place.terms).map(|term| Axis::Index(term.0)).collect();
            if axes.iter().all(|axis| bound.contains(axis)) {
                self.sort(&mut axes);
                let shape: Vec<usize> = scattered.places.iter().map(|&(index, _)| context.index_of(index).extent()).collect();
                let table = self.position_table(&affine, &axes, &shape);
                return (axes, Places::Table(table));
            }
        }
        let slots: Vec<(Slot, i64)> = scattered.places.iter().map(|&(index, place)| (self.plan(place), start(index))).collect();
        (self.union(slots.iter().map(|slot| slot.0)), Places::Computed(slots))
    }
}
