//! Conditions that leave one value of an index: `[p = 2*q + u]`, or a label.

use super::nest::Nest;
use super::statement::{Place, Position};
use crate::equation::{Affine, ExprId, IndexId, Node, Relation, TensorId};

/// What an index must be for a factor not to be 0.
#[derive(Clone, Debug)]
pub(super) enum Solution {
    /// A sum of an affine expression and of multiples of expressions whose values are integers.
    Sum(Affine, Vec<(i64, ExprId)>),
    /// A label.
    Label(TensorId, Vec<Affine>),
}

impl Nest<'_> {
    /// The factors of a product, those of a conjunction among them.
    pub(super) fn factors(&self, expr: ExprId) -> Vec<ExprId> {
        match self.context.node(expr) {
            Node::Multiply(parts) | Node::And(parts) => parts.iter().flat_map(|&part| self.factors(part)).collect(),
            _ => vec![expr],
        }
    }

    /// What a factor says that an index must be.
    pub(super) fn solve(&self, factor: ExprId, index: IndexId) -> Option<Solution> {
        // A position is counted from 0.
        if self.context.index_of(index).start < 0 {
            return None;
        }
        match self.context.node(factor) {
            Node::Compare(Relation::Equal, left, right) => {
                let (left, mut others) = self.linear(*left)?;
                let (right, subtracted) = self.linear(*right)?;
                others.extend(subtracted.into_iter().map(|(factor, expr)| (-factor, expr)));
                if others.iter().any(|&(_, expr)| self.context.contains_index(expr, index)) {
                    return None;
                }
                let mut difference = left.plus(-1, &right)?;
                let at = difference.terms.iter().position(|term| term.0 == index)?;
                // index + rest = 0, or -index + rest = 0.
                let sign = match difference.terms.remove(at).1 {
                    1 => -1,
                    -1 => 1,
                    _ => return None,
                };
                others.iter_mut().for_each(|other| other.0 *= sign);
                Some(Solution::Sum(Affine::default().plus(sign, &difference)?, others))
            }
            Node::Access { tensor, indices } if self.context.tensor(*tensor).label => {
                let (class, leading) = indices.split_last()?;
                let mentions = |affine: &Affine| affine.terms.iter().any(|term| term.0 == index);
                let is_label = class.as_index() == Some(index) && !leading.iter().any(mentions);
                let whole = self.context.tensor(*tensor).shape.last() == Some(&(self.context.index_of(index).end as usize));
                (is_label && whole).then(|| Solution::Label(*tensor, leading.to_vec()))
            }
            _ => None,
        }
    }

    /// An expression as an affine one and multiples of positions.
    fn linear(&self, expr: ExprId) -> Option<(Affine, Vec<(i64, ExprId)>)> {
        if let Some(number) = self.context.as_number(expr) {
            return Some((Affine::constant(number.as_integer()?), Vec::new()));
        }
        match self.context.node(expr) {
            Node::Index(affine) => Some((affine.clone(), Vec::new())),
            Node::ArgReduce { .. } => Some((Affine::default(), vec![(1, expr)])),
            Node::Add(terms) => {
                let (mut affine, mut others) = (Affine::default(), Vec::new());
                for &term in terms {
                    let (more, further) = self.linear(term)?;
                    affine = affine.plus(1, &more)?;
                    others.extend(further);
                }
                Some((affine, others))
            }
            Node::Multiply(factors) => {
                let [number, rest] = factors[..] else { return None };
                let number = self.context.as_number(number)?.as_integer()?;
                let (affine, mut others) = self.linear(rest)?;
                for other in &mut others {
                    other.0 = other.0.checked_mul(number)?;
                }
                Some((Affine::default().plus(number, &affine)?, others))
            }
            _ => None,
        }
    }

    /// The indices on which a solution depends.
    pub(super) fn indices_of(&mut self, solution: &Solution) -> Vec<IndexId> {
        let of_affine = |affine: &Affine| affine.terms.iter().map(|term| term.0).collect::<Vec<_>>();
        match solution {
            Solution::Sum(affine, others) => {
                let mut indices = of_affine(affine);
                others.iter().for_each(|&(_, expr)| indices.extend(self.free_indices(expr)));
                indices
            }
            Solution::Label(_, leading) => leading.iter().flat_map(of_affine).collect(),
        }
    }

    /// A solution as a position, in the loops that are open.
    pub(super) fn position(&mut self, solution: Solution) -> Position {
        match solution {
            Solution::Sum(affine, others) => {
                let others = others.into_iter().map(|(factor, expr)| (factor, self.value(expr))).collect();
                Position::Sum(affine, others)
            }
            Solution::Label(tensor, indices) => Position::Label(Place { tensor, indices }),
        }
    }
}
