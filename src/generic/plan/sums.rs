//! Sums of products: which factors are pulled out, and which are paired into matrix products.

use super::super::program::{Axis, Contraction, Operation, Slot, Term};
use super::Planner;
use super::scatters::Scattered;
use crate::equation::{ExprId, IndexId, Node, ReduceKind};

/// What a sum is multiplied with.
#[derive(Clone)]
pub(super) struct Outer {
    pub(super) scale: f64,
    /// Factors without axes.
    pub(super) scalars: Vec<Slot>,
    /// Whether the examples are summed over, and their mean is wanted.
    pub(super) share: bool,
}

impl Default for Outer {
    fn default() -> Self {
        Outer { scale: 1.0, scalars: Vec::new(), share: false }
    }
}

/// The minibatch that costs are compared for.
const TYPICAL_EXAMPLES: usize = 32;

impl Planner<'_> {
    /// `outer · Σ body` over the bound axes.
    pub(super) fn sum(&mut self, mut bound: Vec<Axis>, body: ExprId, mut outer: Outer) -> Slot {
        let context = self.context;
        if self.size(&bound, 1) == 0 {
            return self.number(0.0);
        }
        match context.node(body) {
            Node::Reduce { kind: ReduceKind::Sum, .. } if let Some(scattered) = self.scattered(body, &bound) => {
                self.scatter(&scattered, bound, outer)
            }
            Node::Reduce { kind: ReduceKind::Sum, .. } if !self.scatters.contains_key(&body) && !self.binds_any(body, &bound) => {
                let (indices, body) = self.inside(body);
                bound.extend(self.bind(&indices));
                self.sum(bound, body, outer)
            }
            Node::Add(terms) if terms.iter().any(|&term| self.is_contraction(&bound, term)) => {
                let terms = terms
                    .iter()
                    .map(|&term| Term { coefficient: 1.0, scalar: None, operand: self.sum(bound.clone(), term, outer.clone()) })
                    .collect();
                self.push_elementwise(Operation::Sum { constant: 0.0, terms })
            }
            Node::Multiply(factors) => self.sum_of_product(bound, factors, outer),
            _ => {
                let operand = self.plan(body);
                self.drop_absent(&mut bound, self.axes(operand).to_vec().as_slice(), &mut outer);
                let folded = self.fold(ReduceKind::Sum, operand, &bound);
                self.scaled(vec![folded], outer)
            }
        }
    }

    /// A sum whose terms each belong to one place, if none of these axes is that of a place.
    fn scattered(&self, sum: ExprId, bound: &[Axis]) -> Option<Scattered> {
        let scattered = self.scatters.get(&sum)?;
        let is_bound = |(index, _): &(IndexId, ExprId)| bound.contains(&Axis::Index(*index));
        (!scattered.places.iter().any(is_bound)).then(|| scattered.clone())
    }

    /// Whether a reduction binds one of these axes itself, as one with a renamed index may.
    fn binds_any(&self, reduction: ExprId, bound: &[Axis]) -> bool {
        self.inside(reduction).0.into_iter().any(|index| bound.contains(&Axis::Index(index)))
    }

    /// Takes those bound axes away that nothing depends on: summing over them multiplies by their extents.
    fn drop_absent(&self, bound: &mut Vec<Axis>, present: &[Axis], outer: &mut Outer) {
        for &axis in bound.iter().filter(|axis| !present.contains(axis)) {
            match axis {
                Axis::Batch => outer.share = false,
                Axis::Index(_) => outer.scale *= self.extents.of(axis, 1) as f64,
            }
        }
        bound.retain(|axis| present.contains(axis));
    }

    /// A product with the factors outside of the sum.
    fn scaled(&mut self, mut factors: Vec<Slot>, outer: Outer) -> Slot {
        factors.extend(outer.scalars);
        if outer.share {
            factors.push(self.push(Operation::ExampleShare, Vec::new()));
        }
        self.product_of(outer.scale, factors, Vec::new())
    }

    fn sum_of_product(&mut self, mut bound: Vec<Axis>, factors: &[ExprId], mut outer: Outer) -> Slot {
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for &factor in factors {
            match self.context.as_number(factor) {
                Some(number) => outer.scale *= number.value(),
                None => {
                    let axes = self.axes_of(factor);
                    if axes.iter().any(|axis| bound.contains(axis)) {
                        inside.push(factor);
                    } else if axes.is_empty() {
                        let scalar = self.plan(factor);
                        outer.scalars.push(scalar);
                    } else {
                        outside.push(factor);
                    }
                }
            }
        }
        let present: Vec<Axis> = inside.iter().flat_map(|&factor| self.axes_of(factor)).collect();
        self.drop_absent(&mut bound, &present, &mut outer);
        let sum = match inside[..] {
            [] => self.scaled(Vec::new(), outer),
            [single] => self.sum(bound, single, outer),
            _ => {
                let groups = inside.iter().map(|&factor| self.plan(factor)).collect();
                self.contract_all(bound, groups, outer)
            }
        };
        if outside.is_empty() {
            return sum;
        }
        let outside = self.product(1.0, &outside);
        self.product_of(1.0, vec![sum, outside], Vec::new())
    }

    /// The sum of a product of arrays, two of them at a time.
    fn contract_all(&mut self, mut bound: Vec<Axis>, mut groups: Vec<Slot>, mut outer: Outer) -> Slot {
        // A planned array may depend on less than its expression says.
        let present = self.union(groups.iter().copied());
        self.drop_absent(&mut bound, &present, &mut outer);
        loop {
            self.merge_groups(&bound, &mut groups);
            match groups[..] {
                [single] => {
                    let folded = self.fold(ReduceKind::Sum, single, &bound);
                    return self.scaled(vec![folded], outer);
                }
                [left, right] => return self.contract(&bound, left, right, outer),
                _ => {}
            }
            // The pair whose result is smallest, the first of several.
            let mut best: Option<(usize, usize, usize)> = None;
            for left in 0..groups.len() {
                for right in left + 1..groups.len() {
                    let summed = self.summed_with_pair(&bound, &groups, left, right);
                    let mut axes = self.union([groups[left], groups[right]]);
                    axes.retain(|axis| !summed.contains(axis));
                    let size = self.size(&axes, TYPICAL_EXAMPLES);
                    if best.is_none_or(|(smallest, ..)| size < smallest) {
                        best = Some((size, left, right));
                    }
                }
            }
            let Some((_, left, right)) = best else { return self.number(0.0) };
            let summed = self.summed_with_pair(&bound, &groups, left, right);
            let pair = self.contract(&summed, groups[left], groups[right], Outer::default());
            groups.remove(right);
            groups[left] = pair;
        }
    }

    /// The bound axes that no other group has.
    fn summed_with_pair(&self, bound: &[Axis], groups: &[Slot], left: usize, right: usize) -> Vec<Axis> {
        let elsewhere = |axis: &Axis| {
            groups.iter().enumerate().any(|(at, &group)| at != left && at != right && self.axes(group).contains(axis))
        };
        bound.iter().copied().filter(|axis| !elsewhere(axis)).collect()
    }

    /// Multiplies a group into another that has all its axes, for that makes no array larger.
    fn merge_groups(&mut self, bound: &[Axis], groups: &mut Vec<Slot>) {
        loop {
            if let [left, right] = groups[..] {
                let (left, right) = (self.axes(left), self.axes(right));
                let shared = |axis: &&Axis| right.contains(axis);
                let all_summed = left.iter().filter(shared).all(|axis| bound.contains(axis));
                // A vector and a matrix: a matrix product too.
                if all_summed && left.len() != right.len() && left.iter().any(|axis| right.contains(axis)) {
                    return;
                }
            }
            let mut found: Option<(usize, usize, usize)> = None;
            for (small, &group) in groups.iter().enumerate() {
                for (large, &other) in groups.iter().enumerate() {
                    if small != large && self.axes(group).iter().all(|axis| self.axes(other).contains(axis)) {
                        let size = self.size(self.axes(other), TYPICAL_EXAMPLES);
                        if found.is_none_or(|(smallest, ..)| size < smallest) {
                            found = Some((size, small, large));
                        }
                    }
                }
            }
            let Some((_, small, large)) = found else { return };
            let merged = self.product_of(1.0, vec![groups[large], groups[small]], Vec::new());
            groups[large] = merged;
            groups.remove(small);
        }
    }

    /// `outer · Σ left · right` over the bound axes.
    fn contract(&mut self, bound: &[Axis], left: Slot, right: Slot, outer: Outer) -> Slot {
        let only = |planner: &Self, one: Slot, other: Slot| -> Vec<Axis> {
            let other = planner.axes(other);
            planner.axes(one).iter().copied().filter(|axis| bound.contains(axis) && !other.contains(axis)).collect()
        };
        let (only_left, only_right) = (only(self, left, right), only(self, right, left));
        let mut left = self.fold(ReduceKind::Sum, left, &only_left);
        let mut right = self.fold(ReduceKind::Sum, right, &only_right);
        let mut axes = self.union([left, right]);
        let shared = |planner: &Self, axis: &Axis| planner.axes(left).contains(axis) && planner.axes(right).contains(axis);
        let inner: Vec<Axis> = axes.iter().copied().filter(|axis| bound.contains(axis) && shared(self, axis)).collect();
        let batch: Vec<Axis> = axes.iter().copied().filter(|axis| !bound.contains(axis) && shared(self, axis)).collect();
        if inner.is_empty() {
            return self.scaled(vec![left, right], outer);
        }
        axes.retain(|axis| !inner.contains(axis));
        // The rows come first in the result, so that it needs no transposition.
        let first = axes.iter().find(|axis| !batch.contains(axis));
        if first.is_some_and(|axis| self.axes(right).contains(axis)) {
            std::mem::swap(&mut left, &mut right);
        }
        let mut scalars = outer.scalars;
        if outer.share {
            scalars.push(self.push(Operation::ExampleShare, Vec::new()));
        }
        let (left_axes, right_axes) = (self.axes(left), self.axes(right));
        let rows: Vec<Axis> = axes.iter().copied().filter(|axis| left_axes.contains(axis) && !batch.contains(axis)).collect();
        let columns: Vec<Axis> = axes.iter().copied().filter(|axis| right_axes.contains(axis) && !batch.contains(axis)).collect();
        let order = |known: &[Axis], wanted: [&[Axis]; 3]| -> Vec<usize> {
            wanted.concat().iter().filter_map(|axis| known.iter().position(|at| at == axis)).collect()
        };
        let made = [&batch[..], &rows, &columns].concat();
        let contraction = Contraction {
            scale: outer.scale,
            scalars,
            left,
            right,
            left_order: order(left_axes, [&batch, &rows, &inner]),
            right_order: order(right_axes, [&batch, &inner, &columns]),
            result_order: (made != axes).then(|| order(&made, [&axes, &[], &[]])),
            batch,
            rows,
            inner,
            columns,
        };
        self.push(Operation::Contraction(contraction), axes)
    }

    /// Whether computing a summand element by element would make an array that is larger than each of its factors.
    fn is_contraction(&self, bound: &[Axis], term: ExprId) -> bool {
        match self.context.node(term) {
            Node::Reduce { kind: ReduceKind::Sum, indices, body } => {
                let bound: Vec<Axis> = bound.iter().copied().chain(indices.iter().copied().map(Axis::Index)).collect();
                self.is_contraction(&bound, *body)
            }
            Node::Multiply(factors) => {
                let inside: Vec<Vec<Axis>> = factors
                    .iter()
                    .map(|&factor| self.axes_of(factor))
                    .filter(|axes| axes.iter().any(|axis| bound.contains(axis)))
                    .collect();
                !inside.iter().any(|large| inside.iter().flatten().all(|axis| large.contains(axis))) && !inside.is_empty()
            }
            _ => false,
        }
    }

    /// The axes that an expression depends on, in no order.
    pub(super) fn axes_of(&self, expr: ExprId) -> Vec<Axis> {
        if let Some(&slot) = self.slots.get(&expr) {
            return self.axes(slot).to_vec();
        }
        let free = self.context.free_indices(expr).into_iter().filter(|&index| Some(index) != self.step);
        let mut axes: Vec<Axis> = free.map(Axis::Index).collect();
        if self.context.tensors_in(expr).into_iter().any(|tensor| self.batched[tensor.index()]) {
            axes.push(Axis::Batch);
        }
        axes
    }
}
