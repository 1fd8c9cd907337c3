//! Conditions under the sign of a sum: which of its terms are not 0 from the start.

use super::{Piece, Writer};
use crate::equation::{Affine, Context, ExprId, IndexId, Node, Relation};
use crate::sheet::math::{Math, Operator};

/// A condition and the indices that it speaks of.
type OnIndices = (Vec<IndexId>, Math);

/// What stands under the sign of a sum, and behind it.
pub(super) struct Terms {
    /// The conditions without which a term is 0, and the indices that they speak of.
    pub(super) conditions: Vec<OnIndices>,
    /// For indices outside of whose range, the end excluded, terms are 0.
    pub(super) ranges: Vec<(IndexId, (i64, i64))>,
    /// The terms.
    pub(super) piece: Piece,
}

impl Writer<'_> {
    /// The body of a sum over `indices`, and the conditions without which its terms are 0: those among its factors, and that
    /// its factors are elements inside of their tensors.
    pub(super) fn conditional_terms(&mut self, indices: &[IndexId], body: ExprId) -> Terms {
        let factors = match self.context.node(body) {
            Node::Multiply(factors) => factors.clone(),
            _ => vec![body],
        };
        let (stated, rest): (Vec<_>, Vec<_>) = factors
            .iter()
            .partition(|&&factor| self.speaks_of_indices_only(factor) && self.context.contains_any_index(factor, indices));
        let mut conditions: Vec<OnIndices> = Vec::new();
        let mut ranges: Vec<(IndexId, (i64, i64))> = Vec::new();
        let mut add = |condition: OnIndices| {
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        };
        for &factor in &rest {
            if let Node::Access { tensor, indices: places } = self.context.node(factor) {
                let shape = &self.context.tensor(*tensor).shape;
                for (place, &extent) in places.iter().zip(shape) {
                    if let Some((index, range)) = self.range_inside(place, extent, indices) {
                        match ranges.iter_mut().find(|(known, _)| *known == index) {
                            Some((_, known)) => *known = (known.0.max(range.0), known.1.min(range.1)),
                            None => ranges.push((index, range)),
                        }
                    } else if place.terms.iter().any(|(index, _)| indices.contains(index))
                        && let Some(inside) = self.inside(place, extent)
                    {
                        add((place.terms.iter().map(|(index, _)| *index).collect(), inside));
                    }
                }
            }
        }
        if rest.is_empty() {
            return Terms { conditions, ranges, piece: self.magnitude(body) };
        }
        for &factor in &stated {
            let operands = match self.context.node(factor) {
                Node::And(operands) => operands.clone(),
                _ => vec![factor],
            };
            for operand in operands {
                add((self.context.free_indices(factor), self.condition(operand, true)));
            }
        }
        let piece = if stated.is_empty() { self.magnitude(body) } else { self.product(&rest) };
        Terms { conditions, ranges, piece }
    }

    /// The values of one of these indices, the end excluded, for which a place that it alone determines is on an axis.
    fn range_inside(&self, place: &Affine, extent: usize, indices: &[IndexId]) -> Option<(IndexId, (i64, i64))> {
        let &[(index, 1)] = &place.terms[..] else { return None };
        let range = self.context.index_of(index);
        let inside = (range.start.max(-place.constant), range.end.min(extent as i64 - place.constant));
        let is_written = indices.contains(&index) && !self.extents.contains_key(&index);
        (is_written && inside.0 < inside.1).then_some((index, inside))
    }

    /// That a place which may be outside of an axis is on it.
    fn inside(&self, place: &Affine, extent: usize) -> Option<Math> {
        let (least, greatest) = bounds(self.context, place);
        let (below, above) = (least < 0, greatest >= extent as i128);
        let first = self.notation.table.first_index;
        let value = self.index_value(place, first).math;
        let mut row = Vec::new();
        match (below, above) {
            (false, false) => return None,
            (true, false) => row.extend([value, Math::Operator(Operator::GreaterEqual), super::index::integer(first)]),
            (_, true) => {
                if below {
                    row.extend([super::index::integer(first), Math::Operator(Operator::LessEqual)]);
                }
                let last = super::index::integer(first + extent as i64 - 1);
                row.extend([value, Math::Operator(Operator::LessEqual), last]);
            }
        }
        Some(Math::Row(row))
    }

    /// Whether an expression is a condition on indices, whatever the tensors hold. That one index equals another is a
    /// Kronecker delta, which a reader knows as a factor.
    fn speaks_of_indices_only(&self, expr: ExprId) -> bool {
        match self.context.node(expr) {
            Node::Compare(Relation::Equal, left, right) if self.is_plain(*left) && self.is_plain(*right) => false,
            Node::Compare(_, left, right) => {
                [left, right].into_iter().all(|&side| matches!(self.context.node(side), Node::Index(_) | Node::Number(_)))
            }
            Node::And(operands) => operands.iter().all(|&operand| self.speaks_of_indices_only(operand)),
            _ => false,
        }
    }

    /// Whether an expression is one index or a number.
    fn is_plain(&self, expr: ExprId) -> bool {
        match self.context.node(expr) {
            Node::Index(affine) => affine.as_index().is_some() || affine.terms.is_empty(),
            node => matches!(node, Node::Number(_)),
        }
    }
}

/// The least and the greatest value of an affine expression in indices.
fn bounds(context: &Context, place: &Affine) -> (i128, i128) {
    let constant = i128::from(place.constant);
    place.terms.iter().fold((constant, constant), |(least, greatest), &(index, coefficient)| {
        let range = context.index_of(index);
        let ends = [range.start, range.end - 1].map(|end| i128::from(coefficient) * i128::from(end));
        (least + ends[0].min(ends[1]), greatest + ends[0].max(ends[1]))
    })
}

/// Whether an expression reads an element that a tensor may not have.
pub(in crate::sheet) fn may_leave_its_tensor(context: &Context, expr: ExprId) -> bool {
    let mut leaves = false;
    context.visit(expr, &mut |context, part| {
        if let Node::Access { tensor, indices } = context.node(part) {
            leaves |= indices.iter().zip(&context.tensor(*tensor).shape).any(|(place, &extent)| {
                let (least, greatest) = bounds(context, place);
                least < 0 || greatest >= extent as i128
            });
        }
    });
    leaves
}
