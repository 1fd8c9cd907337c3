//! Index equations as equations between whole vectors and matrices, where they have such a form.
//!
//! Vectors are columns, and the axes of a matrix are those of its tensor. An expression with the free indices `[j]` is a vector, with
//! `[i, j]` a matrix; sums over a shared index are products, products at the same indices Hadamard products.

mod contraction;
mod product;

use super::{Level, Piece, Writer, sum_of};
use crate::equation::{Affine, ExprId, IndexId, Node, ReduceKind, Role, TensorId};
use crate::sheet::math::{Math, Operator};

impl Writer<'_> {
    /// From here on expressions with these free indices are written with whole matrices; the answer is whether all of `expressions`
    /// have such a form. Where one has not, formulas stay in terms of elements.
    pub(in crate::sheet) fn use_matrices(&mut self, axes: &[IndexId], expressions: &[ExprId]) -> bool {
        self.axes = None;
        let all = self.notation.table.uses_matrices && axes.len() <= 2;
        if all && expressions.iter().all(|&expr| self.matrix_piece(expr, axes).is_some()) {
            self.axes = Some(axes.to_vec());
        }
        self.axes.is_some()
    }

    /// The free indices of what is written with whole matrices.
    pub(in crate::sheet) fn axes(&self) -> Option<Vec<IndexId>> {
        self.axes.clone()
    }

    /// Writes over these axes again.
    pub(in crate::sheet) fn set_axes(&mut self, axes: Option<Vec<IndexId>>) {
        self.axes = axes;
    }

    /// Goes back to elements.
    pub(in crate::sheet) fn use_elements(&mut self) {
        self.axes = None;
    }

    /// An expression as a scalar, a vector or a matrix over these axes, with its sign.
    pub(super) fn matrix_piece(&mut self, expr: ExprId, axes: &[IndexId]) -> Option<Piece> {
        let magnitude = self.matrix_magnitude(expr, axes)?;
        if !self.is_negative(expr) {
            return Some(magnitude);
        }
        let math = Math::Row(vec![Math::Operator(Operator::Negative), magnitude.at_least(Level::Product)]);
        Some(Piece::new(math, Level::Sum))
    }

    pub(super) fn matrix_magnitude(&mut self, expr: ExprId, axes: &[IndexId]) -> Option<Piece> {
        if !self.context.free_indices(expr).iter().all(|index| axes.contains(index)) {
            return None;
        }
        if self.is_elementwise(expr, axes) {
            let hides = std::mem::replace(&mut self.hides_indices, true);
            let piece = self.magnitude(expr);
            self.hides_indices = hides;
            return Some(piece);
        }
        match self.context.node(expr).clone() {
            Node::Access { tensor, indices } => self.matrix_access(tensor, &indices, axes),
            Node::Partial { of, by } => self.matrix_partial(of, by, axes),
            Node::Add(terms) => self.matrix_sum(terms, axes),
            Node::Multiply(factors) => self.matrix_product(&factors, axes),
            Node::Reduce { kind: ReduceKind::Sum, indices, body } => self.contraction(&indices, body, axes),
            Node::Compare(..) if self.is_identity(expr, axes) => Some(Piece::atom(Math::identifier("I"))),
            _ => None,
        }
    }

    /// Terms: the mean over examples first, negative ones last, those of all layers as one sum.
    fn matrix_sum(&mut self, mut terms: Vec<ExprId>, axes: &[IndexId]) -> Option<Piece> {
        let over_layers = match self.sums_over_layers {
            true => self.notation.derivation.folding.take_terms(self.context, &mut terms),
            false => Vec::new(),
        };
        terms.sort_by_key(|&term| (self.is_negative(term), !self.is_batch_mean(term)));
        let pieces = terms.iter().map(|&term| {
            // A number that is added to a vector is added to each of its elements.
            let is_number = axes.len() == 1 && self.context.free_indices(term).is_empty();
            let axes = if is_number && !self.is_elementwise(term, axes) { &[] } else { axes };
            Some((self.is_negative(term), self.matrix_magnitude(term, axes)?))
        });
        let mut pieces = pieces.collect::<Option<Vec<(bool, Piece)>>>()?;
        for terms in over_layers {
            pieces.push(self.sum_over_layers(terms, Some(axes))?);
        }
        match &pieces[..] {
            [(false, _)] => Some(pieces.swap_remove(0).1),
            _ => Some(sum_of(pieces)),
        }
    }

    /// Whether an expression is computed element by element from tensors at these very indices, without a product of two of them.
    fn is_elementwise(&self, expr: ExprId, axes: &[IndexId]) -> bool {
        match self.context.node(expr) {
            Node::Number(_) => true,
            Node::Access { tensor, indices } => match self.context.tensor(*tensor).role {
                Role::BatchMean { .. } => false,
                _ => indices.is_empty() || plain(indices).is_some_and(|indices| indices == axes),
            },
            Node::Index(_) | Node::Partial { .. } | Node::Reduce { .. } | Node::ArgReduce { .. } => false,
            Node::Multiply(factors) => {
                let (below, above): (Vec<&ExprId>, Vec<&ExprId>) = factors
                    .iter()
                    .filter(|&&factor| !self.context.free_indices(factor).is_empty())
                    .partition(|&&factor| matches!(self.context.node(factor), Node::Power(_, exponent) if self.is_negative_number(*exponent)));
                // Beside a fraction a derivative or a condition would look like a factor of a matrix product.
                let is_one_factor = below.is_empty() || above.iter().all(|&&factor| self.stands_in_fraction(factor));
                let is_simple = above.len() <= 1 && below.len() <= 1 && is_one_factor;
                is_simple && factors.iter().all(|&factor| self.is_elementwise(factor, axes))
            }
            node => {
                let mut all = true;
                crate::equation::for_each_child(node, |part| all &= self.is_elementwise(part, axes));
                all
            }
        }
    }

    /// Whether a factor is written above the line of a fraction, and not beside it.
    fn stands_in_fraction(&self, factor: ExprId) -> bool {
        match self.context.node(factor) {
            Node::Access { tensor, .. } => {
                !matches!(self.context.tensor(*tensor).role, Role::Adjoint { .. } | Role::Gradient { .. })
            }
            node => !matches!(node, Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) | Node::If { .. }),
        }
    }

    fn matrix_access(&mut self, tensor: TensorId, indices: &[Affine], axes: &[IndexId]) -> Option<Piece> {
        if let Role::BatchMean { of } = self.context.tensor(tensor).role {
            plain(indices).filter(|indices| indices == axes)?;
            let hides = std::mem::replace(&mut self.hides_indices, true);
            let (size, sum) = self.batch_mean(of, indices);
            self.hides_indices = hides;
            return Some(Piece::new(Math::product(vec![Math::fraction(Math::number(1), size), sum]), Level::Product));
        }
        let indices = plain(indices)?;
        let symbol = self.whole(tensor);
        match (&indices[..], axes) {
            (indices, axes) if indices == axes => Some(symbol),
            ([i, j], [a, b]) if i == b && j == a => Some(Piece::atom(transposed(symbol.math))),
            _ => None,
        }
    }

    /// A tensor as a whole.
    pub(super) fn whole(&mut self, tensor: TensorId) -> Piece {
        let hides = std::mem::replace(&mut self.hides_indices, true);
        let rank = self.context.tensor(tensor).shape.len();
        let piece = self.access(tensor, &vec![Affine::constant(0); rank]);
        self.hides_indices = hides;
        piece
    }

    /// A partial derivative: of a vector by a vector a Jacobian matrix, or element by element where each element depends on one.
    fn matrix_partial(&mut self, of: ExprId, by: ExprId, axes: &[IndexId]) -> Option<Piece> {
        let (Node::Access { tensor: of, indices: of_indices }, Node::Access { tensor: by, indices: by_indices }) =
            (self.context.node(of).clone(), self.context.node(by).clone())
        else {
            return None;
        };
        let (rows, columns) = (plain(&of_indices)?, plain(&by_indices)?);
        let math = Math::derivative(self.whole(of).math, self.whole(by).math);
        let piece = Piece::new(math.clone(), Level::Fraction);
        if rows == columns && rows == axes {
            return Some(piece);
        }
        match (&rows[..], &columns[..], axes) {
            ([row], [column], [a, b]) if row == a && column == b => Some(piece),
            ([row], [column], [a, b]) if row == b && column == a => Some(Piece::atom(transposed(math))),
            ([], columns, axes) if columns == axes => Some(piece),
            ([row], [], [axis]) if row == axis => Some(piece),
            _ => None,
        }
    }

    /// A factor of a matrix product with its size below.
    pub(super) fn sized(&self, math: Math, axes: &[IndexId]) -> Math {
        let extent = |index: &IndexId| match self.extents.get(index) {
            Some(&extent) => self.notation.extent(extent),
            None => Math::number(self.context.index_of(*index).extent()),
        };
        let is_row = matches!(&math, Math::Scripts { sup: Some(sup), .. } if ends_in_transpose(sup)) && axes.len() == 1;
        let mut sizes: Vec<Math> = axes.iter().map(extent).collect();
        if axes.len() == 1 {
            sizes.insert(if is_row { 0 } else { 1 }, Math::number(1));
        }
        let mut row = Vec::new();
        for size in sizes {
            if !row.is_empty() {
                row.push(Math::Operator(Operator::Times));
            }
            row.push(size);
        }
        Math::Under(Box::new(math), Box::new(Math::Row(row)))
    }
}

/// The indices of an access, where all are plain and different.
fn plain(indices: &[Affine]) -> Option<Vec<IndexId>> {
    let plain = indices.iter().map(Affine::as_index).collect::<Option<Vec<IndexId>>>()?;
    let are_different = plain.iter().enumerate().all(|(at, index)| !plain[..at].contains(index));
    are_different.then_some(plain)
}

fn transpose_mark() -> Math {
    Math::identifier("⊤")
}

fn ends_in_transpose(sup: &Math) -> bool {
    match sup {
        Math::Row(parts) => parts.last() == Some(&transpose_mark()),
        other => *other == transpose_mark(),
    }
}

/// With the mark of a transpose, behind the number of the layer if there is one.
fn transposed(math: Math) -> Math {
    match math {
        // An exponent is no number of a layer.
        Math::Scripts { base, sub, sup: Some(sup) } if *base != Math::identifier("e") => {
            let mut parts = match *sup {
                Math::Row(parts) => parts,
                other => vec![other],
            };
            parts.push(transpose_mark());
            Math::Scripts { base, sub, sup: Some(Box::new(Math::Row(parts))) }
        }
        math @ (Math::Identifier(_) | Math::Number(_) | Math::Scripts { sup: None, .. } | Math::Fenced(..)) => {
            math.with_superscript(transpose_mark())
        }
        math => math.parenthesized().with_superscript(transpose_mark()),
    }
}

/// Arrays multiplied element by element.
fn joined(mut pieces: Vec<Piece>) -> Piece {
    if pieces.len() == 1 {
        return pieces.swap_remove(0);
    }
    let mut row = Vec::new();
    for piece in pieces {
        if !row.is_empty() {
            row.push(Math::Operator(Operator::Hadamard));
        }
        let is_product = matches!(piece.math, Math::Product(_));
        row.push(if is_product { piece.math.parenthesized() } else { piece.at_least(Level::Product) });
    }
    Piece::new(Math::Row(row), Level::Sum)
}
