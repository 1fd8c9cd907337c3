//! Sums: terms with their signs, sums over indices, and sums over layers.

use super::range::Terms;
use super::{Level, Piece, Writer, fenced, integer};
use crate::equation::{ExprId, IndexId, Node, ReduceKind};
use crate::folding::Terms as TermsOfLayers;
use crate::sheet::math::{BigOperator, Math, Operator};

impl Writer<'_> {
    /// Terms: positive ones first, so that no formula begins with a minus sign that it does not need; within either, numbers
    /// first and constants last.
    pub(super) fn sum(&mut self, terms: &[ExprId]) -> Piece {
        let rank = |writer: &Self, term: ExprId| match writer.context.as_number(term) {
            Some(_) => 0,
            None if writer.is_constant(term) => 3,
            None if writer.is_batch_mean(term) => 1,
            None => 2,
        };
        let mut ordered = terms.to_vec();
        let sign = self.take_sign(&mut ordered);
        let over_layers = match self.sums_over_layers {
            true => self.notation.derivation.folding.take_terms(self.context, &mut ordered),
            false => Vec::new(),
        };
        let all_constant = terms.iter().all(|&term| self.is_constant(term));
        ordered.sort_by_key(|&term| (self.is_negative(term), if all_constant { 0 } else { rank(self, term) }));
        let mut pieces: Vec<(bool, Piece)> = ordered.iter().map(|&term| (self.is_negative(term), self.magnitude(term))).collect();
        pieces.splice(0..0, sign.map(|sign| (false, sign)));
        pieces.extend(over_layers.into_iter().filter_map(|terms| self.sum_over_layers(terms, None)));
        match &pieces[..] {
            [(false, _)] => pieces.swap_remove(0).1,
            _ => sum_of(pieces),
        }
    }

    /// Terms that differ only in their layer, as one sum: what does not change with the layer stands before its sign.
    pub(super) fn sum_over_layers(&mut self, terms: TermsOfLayers, axes: Option<&[IndexId]>) -> Option<(bool, Piece)> {
        let (&first, &term) = terms.members.first_key_value()?;
        let (&last, _) = terms.members.last_key_value()?;
        let negative = self.is_negative(term);
        let (center, extents) = (self.center.replace(first), std::mem::replace(&mut self.extents, terms.extents));
        let avoided = self.avoid.len();
        self.avoid.push(self.notation.table.layer.clone());
        let body = match axes {
            Some(axes) => self.matrix_magnitude(term, axes),
            None => Some(self.magnitude(term)),
        };
        self.avoid.truncate(avoided);
        (self.center, self.extents) = (center, extents);
        let body = body?.at_least(Level::Product);
        let shift = self.notation.stack_shift(terms.stack);
        let layer = Math::identifier(&self.notation.table.layer);
        let under = Some(Box::new(Math::relation(layer, Operator::Equal, integer(first + shift))));
        let over = Some(Box::new(integer(last + shift)));
        let sum = |body: Math| Math::Big { operator: BigOperator::Sum, under, over, body: Box::new(body) };
        let math = match body {
            Math::Product(mut factors) if axes.is_some() || matches!(factors.last(), Some(Math::Big { .. })) => {
                let inner = factors.pop().unwrap_or_else(|| Math::number(1));
                factors.push(sum(inner));
                Math::Product(factors)
            }
            body => sum(body),
        };
        Some((negative, Piece::new(math, Level::Product)))
    }
    pub(super) fn reduction(&mut self, kind: ReduceKind, indices: &[IndexId], body: ExprId) -> Piece {
        let depth = self.scope.len();
        let fixed_before = self.fixed.len();
        let fixed = self.single_valued(kind, indices, body);
        self.fixed.extend(&fixed);
        let indices: Vec<IndexId> = indices.iter().copied().filter(|index| !fixed.contains(index)).collect();
        for &index in &indices {
            self.bind(index, body);
        }
        let operator = match kind {
            ReduceKind::Sum => BigOperator::Sum,
            ReduceKind::Product => BigOperator::Product,
            ReduceKind::Max => BigOperator::Max,
            ReduceKind::Min => BigOperator::Min,
        };
        let Terms { mut conditions, ranges, piece } = match kind {
            ReduceKind::Sum => self.conditional_terms(&indices, body),
            _ => Terms { conditions: Vec::new(), ranges: Vec::new(), piece: self.piece(body) },
        };
        if indices.is_empty() {
            self.fixed.truncate(fixed_before);
            return piece;
        }
        let mut math = piece.at_least(Level::Product);
        for &index in indices.iter().rev() {
            let within = ranges.iter().find(|(narrowed, _)| *narrowed == index).map(|(_, range)| *range);
            let (mut under, over) = self.range(index, within, matches!(kind, ReduceKind::Sum | ReduceKind::Product));
            // A condition stands where all indices that it speaks of are known.
            let mut lines: Vec<Math> = conditions.extract_if(.., |(on, _)| on.contains(&index)).map(|(_, line)| line).collect();
            if !lines.is_empty() {
                lines.insert(0, under);
                under = Math::Stack(lines);
            }
            math = Math::Big { operator, under: Some(Box::new(under)), over: over.map(Box::new), body: Box::new(math) };
        }
        self.scope.truncate(depth);
        self.fixed.truncate(fixed_before);
        Piece::new(math, Level::Product)
    }

    /// The indices of a reduction that take one value only, and that no condition speaks of.
    fn single_valued(&mut self, kind: ReduceKind, indices: &[IndexId], body: ExprId) -> Vec<IndexId> {
        let is_single = |index: &&IndexId| !self.extents.contains_key(index) && self.context.index_of(**index).extent() == 1;
        let mut single: Vec<IndexId> = indices.iter().filter(is_single).copied().collect();
        if !single.is_empty() && kind == ReduceKind::Sum {
            let conditions = self.conditional_terms(indices, body).conditions;
            single.retain(|index| !conditions.iter().any(|(on, _)| on.contains(index)));
        }
        single
    }

    /// One index of the first place where an expression is greatest or least.
    pub(super) fn arg_reduction(&mut self, expr: ExprId) -> Piece {
        let math = self.place(expr);
        let math = match self.context.node(expr) {
            Node::ArgReduce { indices, position, .. } if indices.len() > 1 => {
                math.parenthesized().with_subscript(Math::number(position + 1))
            }
            _ => math,
        };
        Piece::new(math, Level::Product)
    }

    /// The first place where an expression is greatest or least: all of its indices.
    pub(super) fn place(&mut self, expr: ExprId) -> Math {
        let Node::ArgReduce { kind, indices, body, .. } = self.context.node(expr) else { return Math::Row(Vec::new()) };
        let (kind, indices, body) = (*kind, indices.clone(), *body);
        let depth = self.scope.len();
        for &index in &indices {
            self.bind(index, body);
        }
        let operator = if kind == ReduceKind::Min { BigOperator::ArgMin } else { BigOperator::ArgMax };
        let names = indices.iter().map(|&index| Math::identifier(self.name(index))).collect();
        let body = Box::new(self.piece(body).at_least(Level::Product));
        self.scope.truncate(depth);
        Math::Big { operator, under: Some(Box::new(Math::list(names))), over: None, body }
    }
}

/// Terms with their signs.
pub(super) fn sum_of(pieces: Vec<(bool, Piece)>) -> Piece {
    let mut row = Vec::with_capacity(2 * pieces.len());
    let last = pieces.len().saturating_sub(1);
    for (at, (negative, piece)) in pieces.into_iter().enumerate() {
        match (row.is_empty(), negative) {
            (true, true) => row.push(Math::Operator(Operator::Negative)),
            (true, false) => {}
            (false, true) => row.push(Math::Operator(Operator::Minus)),
            (false, false) => row.push(Math::Operator(Operator::Plus)),
        }
        // A sum within a sum is flat already, but a term of two signs is not.
        let term = piece.at_least(Level::Product);
        row.push(if at < last && ends_in_cases(&term) { fenced(term) } else { term });
    }
    Piece::new(Math::Row(row), Level::Sum)
}

/// Whether nothing closes the brace of a last factor by cases.
fn ends_in_cases(math: &Math) -> bool {
    match math {
        Math::Cases(_) => true,
        Math::Product(parts) => parts.last().is_some_and(ends_in_cases),
        Math::Big { body, .. } => ends_in_cases(body),
        _ => false,
    }
}
