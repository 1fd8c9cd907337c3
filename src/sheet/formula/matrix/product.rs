//! Products without a sum: Hadamard products, outer products, diagonal matrices, and the scalars before them.

use super::{joined, transposed};
use crate::equation::{ExprId, IndexId, Node, ReduceKind, Relation};
use crate::sheet::formula::{Level, Piece, Writer, sum_of};
use crate::sheet::math::Math;

impl Writer<'_> {
    /// Whether an expression is 1 on the diagonal and 0 elsewhere.
    pub(super) fn is_identity(&self, expr: ExprId, axes: &[IndexId]) -> bool {
        let (Node::Compare(Relation::Equal, left, right), [i, j]) = (self.context.node(expr), axes) else { return false };
        let plain = |expr: ExprId| match self.context.node(expr) {
            Node::Index(affine) => affine.as_index(),
            _ => None,
        };
        let sides = [plain(*left), plain(*right)];
        sides == [Some(*i), Some(*j)] || sides == [Some(*j), Some(*i)]
    }

    /// A matrix of products over its rows and columns, one factor of which is a sum with the identity matrix among its terms: each
    /// term by itself, `diag(a) − a aᵀ` for `a_i([i = j] − a_j)`.
    fn distributed(&mut self, factors: &[ExprId], axes: &[IndexId]) -> Option<Piece> {
        let is_sum = |factor: &ExprId| matches!(self.context.node(*factor), Node::Add(terms) if terms.iter().any(|&term| self.is_identity(term, axes)));
        let at = factors.iter().position(is_sum)?;
        let Node::Add(terms) = self.context.node(factors[at]).clone() else { return None };
        let mut pieces = Vec::new();
        for term in terms {
            let mut product = factors.to_vec();
            product.remove(at);
            match self.context.node(term) {
                Node::Multiply(factors) => product.extend(factors),
                _ => product.push(term),
            }
            pieces.push((self.is_negative(term), self.matrix_product(&product, axes)?));
        }
        pieces.sort_by_key(|(negative, _)| *negative);
        Some(sum_of(pieces))
    }

    /// The matrix that has a vector, over rows or columns, on its diagonal.
    fn diagonal(&mut self, arrays: &[ExprId], axes: &[IndexId]) -> Option<Piece> {
        let mut pieces = Vec::new();
        for &array in arrays {
            if self.is_identity(array, axes) {
                continue;
            }
            let free = self.context.free_indices(array);
            if free.len() != 1 {
                return None;
            }
            pieces.push(self.matrix_magnitude(array, &free)?);
        }
        if pieces.is_empty() {
            return Some(Piece::atom(Math::identifier("I")));
        }
        let function = Box::new(Math::identifier("diag"));
        Some(Piece::atom(Math::Call { function, arguments: vec![joined(pieces).math] }))
    }

    /// Scalars first; at the same indices Hadamard products, of a column and a row the outer product.
    pub(super) fn matrix_product(&mut self, factors: &[ExprId], axes: &[IndexId]) -> Option<Piece> {
        let free = |writer: &Self, factor: ExprId| writer.context.free_indices(factor);
        let (scalars, arrays): (Vec<ExprId>, Vec<ExprId>) = factors.iter().partition(|&&factor| free(self, factor).is_empty());
        let is_one = |expr: ExprId| self.context.as_number(expr).is_some_and(|number| number.value().abs() == 1.0);
        let mut scalars_left = scalars.iter().filter(|&&factor| !is_one(factor));
        if let (true, Some(&sum), None) = (arrays.is_empty(), scalars_left.next(), scalars_left.next())
            && matches!(self.context.node(sum), Node::Reduce { .. })
        {
            return self.matrix_magnitude(sum, &[]);
        }
        if let [mean] = arrays[..]
            && self.is_batch_mean(mean)
            && self.matrix_magnitude(mean, axes).is_some()
            && !scalars.iter().any(|&factor| matches!(self.context.node(factor), Node::Reduce { .. }))
        {
            let hides = std::mem::replace(&mut self.hides_indices, true);
            let piece = self.product(factors);
            self.hides_indices = hides;
            return Some(piece);
        }
        if let Some(piece) = self.distributed(factors, axes) {
            return Some(piece);
        }
        let mut parts = self.scalar_factors(&scalars)?;
        let of_axes = |writer: &Self, wanted: &[IndexId]| -> Vec<ExprId> {
            let is_over = |factor: &&ExprId| {
                let free = free(writer, **factor);
                free.len() == wanted.len() && wanted.iter().all(|index| free.contains(index))
            };
            arrays.iter().filter(is_over).copied().collect()
        };
        let whole = of_axes(self, axes);
        let array = match axes {
            [_, _] if arrays.iter().any(|&array| self.is_identity(array, axes)) => self.diagonal(&arrays, axes)?,
            [i, j] => {
                let (column, row) = (of_axes(self, &[*i]), of_axes(self, &[*j]));
                if whole.len() + column.len() + row.len() != arrays.len() {
                    return None;
                }
                match (column.is_empty(), row.is_empty()) {
                    (true, true) => self.hadamard(&whole, axes)?,
                    (false, false) => {
                        let column = self.hadamard(&column, &[*i])?.at_least(Level::Fraction);
                        let row = self.hadamard(&row, &[*j])?.at_least(Level::Fraction);
                        let (column, row) = (self.sized(column, &[*i]), self.sized(transposed(row), &[*j]));
                        let outer = Piece::new(Math::product(vec![column, row]), Level::Product);
                        match whole.is_empty() {
                            true => outer,
                            false => joined(vec![outer, self.hadamard(&whole, axes)?]),
                        }
                    }
                    _ => return None,
                }
            }
            _ if whole.len() == arrays.len() => self.hadamard(&whole, axes)?,
            _ => return None,
        };
        if parts.is_empty() {
            return Some(array);
        }
        if let [Math::Fraction(above, below)] = &parts[..]
            && **above == Math::number(1)
            && arrays.len() == 1
            && array.level >= Level::Fraction
        {
            return Some(Piece::new(Math::fraction(array.math, (**below).clone()), Level::Fraction));
        }
        if !arrays.is_empty() {
            parts.push(array.at_least(Level::Product));
        }
        Some(Piece::new(Math::product(parts), Level::Product))
    }

    /// Numbers and constants, and sums that have a value of their own.
    pub(super) fn scalar_factors(&mut self, scalars: &[ExprId]) -> Option<Vec<Math>> {
        let (sums, plain): (Vec<ExprId>, Vec<ExprId>) =
            scalars.iter().partition(|&&factor| matches!(self.context.node(factor), Node::Reduce { .. }));
        let mut parts = Vec::new();
        let is_one = |expr: ExprId| self.context.as_number(expr).is_some_and(|number| number.value().abs() == 1.0);
        let plain: Vec<ExprId> = plain.into_iter().filter(|&factor| !is_one(factor)).collect();
        let (below, plain): (Vec<ExprId>, Vec<ExprId>) = plain.into_iter().partition(|&factor| self.is_reciprocal_of_sum(factor));
        let above = if plain.is_empty() { Piece::atom(Math::number(1)) } else { self.product(&plain) };
        match below[..] {
            [] if plain.is_empty() => {}
            [] => parts.push(above.at_least(Level::Product)),
            [below] => {
                let divisor = self.divisor(below)?;
                parts.push(Math::fraction(above.math, divisor));
            }
            _ => return None,
        }
        for sum in sums {
            parts.push(self.matrix_magnitude(sum, &[])?.at_least(Level::Fraction));
        }
        Some(parts)
    }

    /// Whether an expression is one over a sum, to a power that is an integer.
    fn is_reciprocal_of_sum(&self, expr: ExprId) -> bool {
        let Node::Power(base, exponent) = self.context.node(expr) else { return false };
        let is_negative =
            self.context.as_number(*exponent).is_some_and(|number| number.value() < 0.0 && number.value().fract() == 0.0);
        is_negative && matches!(self.context.node(*base), Node::Reduce { kind: ReduceKind::Sum, .. }) && !self.is_negative(*base)
    }

    /// What stands below the line of [`Self::is_reciprocal_of_sum`].
    fn divisor(&mut self, expr: ExprId) -> Option<Math> {
        let Node::Power(base, exponent) = *self.context.node(expr) else { return None };
        let power = -self.context.as_number(exponent)?.value();
        let sum = self.matrix_magnitude(base, &[])?;
        Some(if power == 1.0 { sum.math } else { sum.math.parenthesized().with_superscript(Math::number(power)) })
    }

    /// The product of arrays over the same axes, element by element; reciprocals divide.
    pub(super) fn hadamard(&mut self, factors: &[ExprId], axes: &[IndexId]) -> Option<Piece> {
        let pieces = factors.iter().map(|&factor| self.matrix_magnitude(factor, axes)).collect::<Option<Vec<Piece>>>()?;
        Some(joined(pieces))
    }
}
