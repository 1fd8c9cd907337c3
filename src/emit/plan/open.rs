//! The loops of a sum of products.
//!
//! A factor that is 0 but for one value of an index takes the place of that index's loop; one that is 0 outside of a range
//! (a condition, a tensor that is read outside of itself) narrows a loop.

use super::delta::Solution;
use super::nest::Nest;
use super::statement::Range;
use crate::equation::{Affine, Context, ExprId, IndexId, Node, Relation};

/// Something to open.
#[derive(Debug)]
pub(super) enum Step {
    /// A loop.
    Loop(IndexId, Range),
    /// One value of an index.
    At(IndexId, Solution),
}

/// What a sum's loops are.
#[derive(Debug)]
pub(super) struct Opened {
    /// From the outermost.
    pub(super) steps: Vec<Step>,
    /// What is summed inside of them.
    pub(super) body: ExprId,
}

/// Whether an affine expression may lie outside of an axis.
fn leaves(context: &Context, affine: &Affine, extent: usize) -> bool {
    let (low, high) = context.affine_range(affine);
    low < 0 || high >= extent as i64
}

impl Nest<'_> {
    /// The loops over indices, given from the outermost, of a sum of `body`.
    pub(super) fn loops_of(&mut self, order: &[IndexId], body: ExprId) -> Opened {
        self.loops_with(order, body, Vec::new())
    }

    /// The same with indices that are solved already, not in `order`.
    pub(super) fn loops_with(&mut self, order: &[IndexId], body: ExprId, mut solved: Vec<(IndexId, Solution)>) -> Opened {
        let before = body;
        let mut order = order.to_vec();
        let mut body = self.take_deltas(&mut order, body, &mut solved);
        let mut unopened: Vec<IndexId> = order.iter().copied().chain(solved.iter().map(|(index, _)| *index)).collect();
        body = self.name_places(&unopened, body, &mut solved);
        unopened.extend(solved.iter().map(|(index, _)| *index).filter(|index| !order.contains(index)));
        let mut steps = Vec::new();
        self.open_solved(&mut solved, &mut unopened, &mut steps);
        for index in order {
            unopened.retain(|&other| other != index);
            let mut bounds = self.bounds_of_places(index, &unopened, &solved);
            body = self.take_bounds(index, &unopened, body, &mut bounds);
            steps.push(Step::Loop(index, Range { descending: false, bounds }));
            self.open_solved(&mut solved, &mut unopened, &mut steps);
        }
        if body != before {
            self.count_uses(body);
        }
        Opened { steps, body }
    }

    /// Opens what [`Self::loops_of`] gave.
    pub(super) fn open_steps(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Loop(index, range) => self.open_range(index, range),
                Step::At(index, solution) => {
                    let position = self.position(solution);
                    self.open_at(index, position);
                }
            }
        }
    }

    /// Takes indices that factors solve out of `order`, and the factors out of the body.
    fn take_deltas(&mut self, order: &mut Vec<IndexId>, body: ExprId, solved: &mut Vec<(IndexId, Solution)>) -> ExprId {
        let mut factors = self.factors(body);
        let count = factors.len();
        let mut at = 0;
        while at < factors.len() {
            let solution = order.iter().rev().find_map(|&index| Some((index, self.solve(factors[at], index)?)));
            // No solution may wait for another that waits for it.
            let solution = solution.filter(|(_, solution)| {
                !self.indices_of(solution).iter().any(|index| solved.iter().any(|known| known.0 == *index))
            });
            let Some((index, solution)) = solution else {
                at += 1;
                continue;
            };
            let is_needed = solved.iter().map(|(_, known)| known.clone()).collect::<Vec<_>>();
            if is_needed.iter().any(|known| self.indices_of(known).contains(&index)) {
                at += 1;
                continue;
            }
            order.retain(|&other| other != index);
            solved.push((index, solution));
            factors.remove(at);
        }
        if factors.len() == count { body } else { self.context.multiply(factors) }
    }

    /// Gives a place in a tensor that may be outside of it an index of its own, which is within.
    fn name_places(&mut self, indices: &[IndexId], mut body: ExprId, solved: &mut Vec<(IndexId, Solution)>) -> ExprId {
        for factor in self.factors(body) {
            let Node::Access { tensor, indices: places } = self.context.node(factor) else { continue };
            let tensor = *tensor;
            let described = self.context.tensor(tensor);
            let may_leave = places.iter().zip(&described.shape).any(|(place, &extent)| leaves(self.context, place, extent));
            if described.label || !may_leave {
                continue;
            }
            let (mut named, mut is_changed) = (places.clone(), false);
            for (axis, place) in named.iter_mut().enumerate() {
                let described = self.context.tensor(tensor);
                let extent = described.shape[axis];
                if !leaves(self.context, place, extent) || !place.terms.iter().any(|term| indices.contains(&term.0)) {
                    continue;
                }
                let known = solved.iter().find(|(index, solution)| {
                    matches!(solution, Solution::Sum(affine, others) if affine == place && others.is_empty())
                        && self.context.index_of(*index).end == extent as i64
                        && self.context.index_of(*index).start == 0
                });
                let index = match known {
                    Some(&(index, _)) => index,
                    None => {
                        let name = described.axes.get(axis).map_or("place", String::as_str).to_owned();
                        let index = self.context.add_index(name, 0, extent as i64);
                        solved.push((index, Solution::Sum(place.clone(), Vec::new())));
                        index
                    }
                };
                *place = Affine::index(index);
                is_changed = true;
            }
            if is_changed {
                let within = self.context.access(tensor, named);
                body = self.context.replace(body, factor, within);
            }
        }
        body
    }

    /// Whether an affine expression is always within the range of an index.
    pub(super) fn is_within(&self, affine: &Affine, index: IndexId) -> bool {
        let (low, high) = self.context.affine_range(affine);
        let range = self.context.index_of(index);
        low >= range.start && high < range.end
    }

    /// Opens what is solved in terms of indices that are open.
    fn open_solved(&mut self, solved: &mut Vec<(IndexId, Solution)>, unopened: &mut Vec<IndexId>, steps: &mut Vec<Step>) {
        let mut at = 0;
        while at < solved.len() {
            if self.indices_of(&solved[at].1).iter().any(|index| unopened.contains(index)) {
                at += 1;
                continue;
            }
            let (index, solution) = solved.remove(at);
            unopened.retain(|&other| other != index);
            steps.push(Step::At(index, solution));
            at = 0;
        }
    }

    /// What a loop's index must fulfil for the places that are known with it to be within their tensors.
    fn bounds_of_places(&mut self, index: IndexId, unopened: &[IndexId], solved: &[(IndexId, Solution)]) -> Vec<Affine> {
        let mut bounds = Vec::new();
        for (solved, solution) in solved {
            let Solution::Sum(affine, others) = solution else { continue };
            let is_known = affine.terms.iter().all(|term| !unopened.contains(&term.0)) && others.is_empty();
            if !is_known || !affine.terms.iter().any(|term| term.0 == index) {
                continue;
            }
            let range = self.context.index_of(*solved);
            let (low, high) = self.context.affine_range(affine);
            if low < range.start {
                bounds.extend(affine.plus(-1, &Affine::constant(range.start)));
            }
            if high >= range.end {
                bounds.extend(Affine::constant(range.end - 1).plus(-1, affine));
            }
        }
        bounds
    }

    /// Takes conditions that compare a loop's index with open ones out of a body.
    fn take_bounds(&mut self, index: IndexId, unopened: &[IndexId], body: ExprId, bounds: &mut Vec<Affine>) -> ExprId {
        let mut factors = self.factors(body);
        let count = factors.len();
        factors.retain(|&factor| {
            let bound = self.bound(factor).filter(|bound| {
                bound.terms.iter().any(|term| term.0 == index) && bound.terms.iter().all(|term| !unopened.contains(&term.0))
            });
            let is_taken = bound.is_some();
            bounds.extend(bound);
            !is_taken
        });
        if factors.len() == count { body } else { self.context.multiply(factors) }
    }

    /// A comparison of affine expressions as one that must not be below 0.
    fn bound(&self, factor: ExprId) -> Option<Affine> {
        let Node::Compare(relation, left, right) = *self.context.node(factor) else { return None };
        let affine = |expr| match self.context.node(expr) {
            Node::Index(affine) => Some(affine.clone()),
            _ => Some(Affine::constant(self.context.as_number(expr)?.as_integer()?)),
        };
        let (left, right) = (affine(left)?, affine(right)?);
        let (greater, less, gap) = match relation {
            Relation::Less => (right, left, -1),
            Relation::LessEqual => (right, left, 0),
            Relation::Greater => (left, right, -1),
            Relation::GreaterEqual => (left, right, 0),
            Relation::Equal | Relation::NotEqual => return None,
        };
        greater.plus(-1, &less)?.plus(1, &Affine::constant(gap))
    }
}
