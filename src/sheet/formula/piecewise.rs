//! Conditions: Iverson's brackets, maxima and minima, and values by cases.

use super::{Level, Piece, Writer, fenced};
use crate::equation::{ExprId, Node, Number, Relation};
use crate::sheet::math::{Fence, Math, Operator};

impl Writer<'_> {
    /// `[condition]`, which is 1 where it holds and 0 elsewhere.
    pub(super) fn iverson(&mut self, condition: ExprId) -> Piece {
        self.bracket(condition, true)
    }

    /// A condition, or its opposite.
    pub(super) fn condition(&mut self, expr: ExprId, holds: bool) -> Math {
        match self.context.node(expr) {
            Node::Compare(relation, left, right) => {
                let relation = if holds { *relation } else { relation.opposite() };
                self.comparison(relation, *left, *right)
            }
            Node::Not(inner) => self.condition(*inner, !holds),
            Node::And(operands) => self.connective(&operands.clone(), holds, holds),
            Node::Or(operands) => self.connective(&operands.clone(), holds, !holds),
            _ => {
                let value = self.piece(expr).at_least(Level::Product);
                Math::relation(value, if holds { Operator::NotEqual } else { Operator::Equal }, Math::number(0))
            }
        }
    }

    /// That an expression is not 0: `y ≠ 1` rather than `1 − y ≠ 0`, and each factor of a product by itself.
    pub(in crate::sheet) fn not_zero(&mut self, expr: ExprId) -> Math {
        if let Node::Multiply(factors) = self.context.node(expr) {
            let mut factors = factors.clone();
            factors.retain(|&factor| self.context.as_number(factor).is_none() && !self.is_clearly_positive(factor));
            return Math::list(factors.into_iter().map(|factor| self.not_zero(factor)).collect());
        }
        if let Node::Add(terms) = self.context.node(expr)
            && let [constant, term] = terms[..]
            && let Some(constant) = self.context.as_number(constant).map(Number::value)
        {
            let value = if self.is_negative(term) { constant } else { -constant };
            let magnitude = super::number::number(value.abs()).math;
            let value = if value < 0.0 { Math::Row(vec![Math::Operator(Operator::Negative), magnitude]) } else { magnitude };
            return Math::relation(self.magnitude(term).math, Operator::NotEqual, value);
        }
        Math::relation(self.piece(expr).at_least(Level::Product), Operator::NotEqual, Math::number(0))
    }

    fn connective(&mut self, operands: &[ExprId], holds: bool, conjunction: bool) -> Math {
        let mut row = Vec::new();
        for &operand in operands {
            if !row.is_empty() {
                row.push(Math::Operator(if conjunction { Operator::And } else { Operator::Or }));
            }
            let condition = self.condition(operand, holds);
            let is_nested = matches!(self.context.node(operand), Node::And(_) | Node::Or(_));
            row.push(if is_nested { fenced(condition) } else { condition });
        }
        Math::Row(row)
    }

    fn comparison(&mut self, relation: Relation, left: ExprId, right: ExprId) -> Math {
        // Equality is stored in no particular order; a number stands on the right.
        let is_equality = matches!(relation, Relation::Equal | Relation::NotEqual);
        let swap = is_equality && self.is_constant(left) && !self.is_constant(right);
        let (left, right) = if swap { (right, left) } else { (left, right) };
        // Positions are compared as the sheet counts them: [k = arg max], not [k - 1 = arg max - 1].
        let (left, right) = if self.is_position(left) && self.is_position(right) {
            (self.position(left), self.position(right))
        } else {
            (self.expression(left), self.expression(right))
        };
        Math::relation(left, operator(relation), right)
    }

    /// Takes the brackets out of some factors that say each index of one place: `[(p, q) = arg max x]` for a bracket of each.
    pub(super) fn take_joint_position(&mut self, factors: &mut Vec<ExprId>) -> Option<Piece> {
        let of_place = |factor: ExprId| {
            let Node::Compare(Relation::Equal, left, right) = self.context.node(factor) else { return None };
            let sides = [(*left, *right), (*right, *left)];
            sides.into_iter().find_map(|(here, place)| match self.context.node(place) {
                Node::ArgReduce { kind, indices, position, body } if self.is_position(here) && indices.len() > 1 => {
                    Some((here, place, (*kind, indices.clone(), *body), *position))
                }
                _ => None,
            })
        };
        let found = factors.iter().filter_map(|&factor| of_place(factor)).collect::<Vec<_>>();
        let (_, place, whole, _) = found.iter().find(|(_, _, whole, position)| {
            *position == 0
                && (0..whole.1.len()).all(|at| found.iter().any(|(_, _, other, position)| other == whole && *position == at))
        })?;
        let of_whole = |position: usize| found.iter().find(|(_, _, other, at)| other == whole && *at == position);
        let here: Vec<ExprId> = (0..whole.1.len()).filter_map(|at| of_whole(at).map(|(here, ..)| *here)).collect();
        factors.retain(|&factor| of_place(factor).is_none_or(|(_, _, other, _)| other != *whole));
        let left = Math::list(here.into_iter().map(|here| self.position(here)).collect()).parenthesized();
        let right = self.place(*place);
        let relation = Math::relation(left, Operator::Equal, right);
        Some(Piece::atom(Math::Fenced(Fence::Square, Box::new(relation))))
    }

    fn is_position(&self, expr: ExprId) -> bool {
        match self.context.node(expr) {
            Node::Index(_) | Node::ArgReduce { .. } => true,
            Node::Number(number) => number.as_integer().is_some(),
            _ => false,
        }
    }

    fn position(&mut self, expr: ExprId) -> Math {
        let first = self.notation.table.first_index;
        match self.context.node(expr) {
            Node::Index(affine) => self.index_value(affine, first).math,
            Node::Number(number) => super::number::number(number.value() + first as f64).math,
            // The position that arg max prints is the sheet's already.
            _ => self.expression(expr),
        }
    }

    /// The condition, whether it must hold, and the value then, of an `if` that is 0 elsewhere: a factor in brackets.
    pub(super) fn bracketed(&self, expr: ExprId) -> Option<(ExprId, bool, ExprId)> {
        let Node::If { condition, then, otherwise } = self.context.node(expr) else { return None };
        if self.extremum_kind(*condition, *then, *otherwise).is_some() {
            return None;
        }
        let branches = [(*then, *otherwise, true), (*otherwise, *then, false)];
        let (value, _, holds) = branches.into_iter().find(|(value, zero, _)| {
            self.context.is_integer(*zero, 0) && !matches!(self.context.node(*value), Node::If { .. })
        })?;
        Some((*condition, holds, value))
    }

    /// `[condition]`, or the bracket of its opposite.
    pub(super) fn bracket(&mut self, condition: ExprId, holds: bool) -> Piece {
        Piece::atom(Math::Fenced(Fence::Square, Box::new(self.condition(condition, holds))))
    }

    /// `if condition { then } else { otherwise }`.
    pub(super) fn conditional(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId) -> Piece {
        if let Some(extremum) = self.extremum(condition, then, otherwise) {
            return extremum;
        }
        if self.is_absolute_value(condition, then, otherwise) {
            return Piece::atom(Math::Fenced(Fence::Bars, Box::new(self.expression(then))));
        }
        let mut rows = Vec::new();
        let (mut condition, mut then, mut otherwise) = (condition, then, otherwise);
        loop {
            let holds = self.condition(condition, true);
            rows.push((self.expression(then), Some(holds)));
            match self.context.node(otherwise) {
                Node::If { condition: c, then: t, otherwise: o } => (condition, then, otherwise) = (*c, *t, *o),
                _ => break,
            }
        }
        match self.constant_case(otherwise) {
            Some((condition, value)) => {
                rows.push((value, Some(self.condition(condition, true))));
                rows.push((Math::number(0), None));
            }
            None => rows.push((self.expression(otherwise), None)),
        }
        Piece::new(Math::Cases(rows), Level::Product)
    }

    /// The condition and the value of a number times a bracket, which as the last of several cases is one more of them.
    fn constant_case(&mut self, expr: ExprId) -> Option<(ExprId, Math)> {
        let is_condition = |expr: ExprId| matches!(self.context.node(expr), Node::Compare(..) | Node::And(_) | Node::Or(_));
        if is_condition(expr) {
            return Some((expr, Math::number(1)));
        }
        let Node::Multiply(factors) = self.context.node(expr) else { return None };
        match factors[..] {
            [number, condition] if is_condition(condition) && self.context.as_number(number).is_some() => {
                Some((condition, self.expression(number)))
            }
            _ => None,
        }
    }

    /// `max(a, b)` or `min(a, b)`, where that is what the branches say; a constant stands first.
    fn extremum(&mut self, condition: ExprId, then: ExprId, otherwise: ExprId) -> Option<Piece> {
        let name = self.extremum_kind(condition, then, otherwise)?;
        let (first, second) = if self.is_constant(otherwise) { (otherwise, then) } else { (then, otherwise) };
        let arguments = vec![self.expression(first), self.expression(second)];
        Some(Piece::atom(Math::Call { function: Box::new(Math::identifier(name)), arguments }))
    }

    fn extremum_kind(&self, condition: ExprId, then: ExprId, otherwise: ExprId) -> Option<&'static str> {
        let Node::Compare(relation, left, right) = self.context.node(condition) else { return None };
        let takes_greater = match relation {
            Relation::Greater | Relation::GreaterEqual => true,
            Relation::Less | Relation::LessEqual => false,
            Relation::Equal | Relation::NotEqual => return None,
        };
        let is_maximum = match (then, otherwise) {
            branches if branches == (*left, *right) => takes_greater,
            branches if branches == (*right, *left) => !takes_greater,
            _ => return None,
        };
        Some(if is_maximum { "max" } else { "min" })
    }

    /// Takes `[u > 0] − [u < 0]` out of the terms of a sum: the sign of `u`.
    pub(super) fn take_sign(&mut self, terms: &mut Vec<ExprId>) -> Option<Piece> {
        let bracket = |relation: Relation, expr: ExprId| match self.context.node(expr) {
            Node::Compare(found, u, zero) if *found == relation && self.context.is_integer(*zero, 0) => Some(*u),
            _ => None,
        };
        let positive = |term: ExprId| bracket(Relation::Greater, term);
        let negative = |term: ExprId| match self.context.node(term) {
            Node::Multiply(factors) if factors.len() == 2 && self.context.is_integer(factors[0], -1) => {
                bracket(Relation::Less, factors[1])
            }
            _ => None,
        };
        let (first, second, u) = terms.iter().find_map(|&term| {
            let u = positive(term)?;
            terms.iter().find(|&&other| negative(other) == Some(u)).map(|&other| (term, other, u))
        })?;
        terms.retain(|&term| term != first && term != second);
        let function = Box::new(Math::identifier("sgn"));
        Some(match self.piece(u) {
            Piece { math, level: Level::Atom } => Piece::new(Math::Apply { function, argument: Box::new(math) }, Level::Apply),
            Piece { math, .. } => Piece::atom(Math::Call { function, arguments: vec![math] }),
        })
    }

    fn is_absolute_value(&self, condition: ExprId, then: ExprId, otherwise: ExprId) -> bool {
        let is_sign_test = match self.context.node(condition) {
            Node::Compare(Relation::Greater | Relation::GreaterEqual, left, right) => {
                *left == then && self.context.is_integer(*right, 0)
            }
            _ => false,
        };
        let is_negated = match self.context.node(otherwise) {
            Node::Multiply(factors) => factors.len() == 2 && self.context.is_integer(factors[0], -1) && factors[1] == then,
            _ => false,
        };
        is_sign_test && is_negated
    }
}

fn operator(relation: Relation) -> Operator {
    match relation {
        Relation::Less => Operator::Less,
        Relation::LessEqual => Operator::LessEqual,
        Relation::Equal => Operator::Equal,
        Relation::NotEqual => Operator::NotEqual,
        Relation::GreaterEqual => Operator::GreaterEqual,
        Relation::Greater => Operator::Greater,
    }
}
