//! Sums over indices: inner products, matrix products, norms.

use super::{joined, plain, transposed};
use crate::equation::{ExprId, IndexId, Node, Role, TensorId};
use crate::sheet::formula::{Level, Piece, Writer, sum_of};
use crate::sheet::math::{Fence, Math};

impl Writer<'_> {
    /// A sum over indices: an inner product, a matrix product, a norm.
    pub(super) fn contraction(&mut self, bound: &[IndexId], body: ExprId, axes: &[IndexId]) -> Option<Piece> {
        if let Node::Power(base, exponent) = self.context.node(body)
            && self.context.is_integer(*exponent, 2)
            && let Node::Access { tensor, indices } = self.context.node(*base)
            && plain(indices).is_some_and(|indices| indices == bound && indices.len() <= 2)
        {
            return Some(self.squared_norm(*tensor));
        }
        let [bound] = *bound else { return self.outer_norm(bound, body) };
        match self.context.node(body).clone() {
            Node::Multiply(factors) => {
                let is_over = |factor: &&ExprId| self.context.contains_index(**factor, bound);
                let (inside, outside): (Vec<ExprId>, Vec<ExprId>) = factors.iter().partition(|factor| is_over(factor));
                let inner = self.matrix_times(bound, &inside, axes)?;
                let (scalars, arrays): (Vec<ExprId>, Vec<ExprId>) =
                    outside.iter().partition(|&&factor| self.context.free_indices(factor).is_empty());
                let mut parts = self.scalar_factors(&scalars)?;
                let array = match arrays.is_empty() {
                    true => inner,
                    false => joined(vec![self.hadamard(&arrays, axes)?, inner]),
                };
                if parts.is_empty() {
                    return Some(array);
                }
                parts.push(array.at_least(Level::Product));
                Some(Piece::new(Math::product(parts), Level::Product))
            }
            Node::Add(terms) => {
                let flipped = self.is_negative(body);
                let pieces =
                    terms.iter().map(|&term| Some((self.is_negative(term) != flipped, self.contraction(&[bound], term, axes)?)));
                let mut pieces = pieces.collect::<Option<Vec<(bool, Piece)>>>()?;
                pieces.sort_by_key(|(negative, _)| *negative);
                Some(sum_of(pieces))
            }
            _ => self.matrix_times(bound, &[body], axes),
        }
    }

    /// The product of factors that all depend on the index of the sum.
    fn matrix_times(&mut self, bound: IndexId, factors: &[ExprId], axes: &[IndexId]) -> Option<Piece> {
        let (vectors, matrices): (Vec<ExprId>, Vec<ExprId>) =
            factors.iter().partition(|&&factor| self.context.free_indices(factor) == [bound]);
        let other = |factor: ExprId| {
            let free: Vec<IndexId> = self.context.free_indices(factor).into_iter().filter(|index| *index != bound).collect();
            if free.len() == 1 { free.first().copied() } else { None }
        };
        match (&matrices[..], axes) {
            ([], []) => {
                let (&first, rest) = vectors.split_first()?;
                let left = match rest.is_empty() {
                    // The sum of all elements.
                    true => Math::number(1),
                    false => self.matrix_magnitude(first, &[bound])?.at_least(Level::Fraction),
                };
                let right = self.hadamard(if rest.is_empty() { &vectors } else { rest }, &[bound])?;
                Some(Piece::new(Math::product(vec![transposed(left), right.at_least(Level::Apply)]), Level::Product))
            }
            ([matrix], [axis]) if other(*matrix) == Some(*axis) && !vectors.is_empty() => {
                let (matrix, vectors) = self.matrix_and_vectors(*matrix, vectors, &[*axis, bound])?;
                let matrix = matrix.at_least(Level::Fraction);
                let matrix = self.sized(matrix, &[*axis, bound]);
                let vector = self.hadamard(&vectors, &[bound])?.at_least(Level::Fraction);
                let vector = self.sized(vector, &[bound]);
                Some(Piece::new(Math::product(vec![matrix, vector]), Level::Product))
            }
            ([a, b], [i, j]) if vectors.is_empty() => {
                let (left, right) = if other(*a) == Some(*i) { (*a, *b) } else { (*b, *a) };
                let left = self.matrix_magnitude(left, &[*i, bound])?.at_least(Level::Fraction);
                let right = self.matrix_magnitude(right, &[bound, *j])?.at_least(Level::Fraction);
                let (left, right) = (self.sized(left, &[*i, bound]), self.sized(right, &[bound, *j]));
                Some(Piece::new(Math::product(vec![left, right]), Level::Product))
            }
            _ => None,
        }
    }

    /// A matrix and the vectors that it is multiplied with; where the matrix has no form by itself, with one of the vectors as a factor
    /// of its columns, derivatives last.
    fn matrix_and_vectors(&mut self, matrix: ExprId, vectors: Vec<ExprId>, axes: &[IndexId]) -> Option<(Piece, Vec<ExprId>)> {
        if let Some(piece) = self.matrix_magnitude(matrix, axes) {
            return Some((piece, vectors));
        }
        let is_derivative = |expr: ExprId| matches!(self.context.node(expr), Node::Access { tensor, .. } if matches!(self.context.tensor(*tensor).role, Role::Adjoint { .. }));
        let mut order: Vec<usize> = (0..vectors.len()).collect();
        order.sort_by_key(|&at| is_derivative(vectors[at]));
        order.into_iter().filter(|_| vectors.len() > 1).find_map(|at| {
            let mut rest = vectors.clone();
            let vector = rest.remove(at);
            Some((self.matrix_product(&[vector, matrix], axes)?, rest))
        })
    }

    /// Sums over several indices that come down to a norm with scalars before it.
    fn outer_norm(&mut self, bound: &[IndexId], body: ExprId) -> Option<Piece> {
        let Node::Multiply(factors) = self.context.node(body).clone() else { return None };
        let (scalars, arrays): (Vec<ExprId>, Vec<ExprId>) =
            factors.iter().partition(|&&factor| !self.context.contains_any_index(factor, bound));
        let [array] = arrays[..] else { return None };
        let norm = self.contraction(bound, array, &[])?;
        let mut parts = self.scalar_factors(&scalars)?;
        parts.push(norm.at_least(Level::Product));
        Some(Piece::new(Math::product(parts), Level::Product))
    }

    /// The sum of the squares of all elements: of a matrix the square of Frobenius's norm.
    pub(super) fn squared_norm(&mut self, tensor: TensorId) -> Piece {
        let norm = Math::Fenced(Fence::Norm, Box::new(self.whole(tensor).math));
        let sub = (self.context.tensor(tensor).shape.len() == 2).then(|| Box::new(Math::identifier("F")));
        Piece::atom(Math::Scripts { base: Box::new(norm), sub, sup: Some(Box::new(Math::number(2))) })
    }
}
