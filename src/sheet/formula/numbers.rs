//! Numbers of a worked example in place of elements.

use std::collections::BTreeMap;

use super::{Level, Piece, Writer, decimal};
use crate::equation::{Affine, ExprId, Node, Role, TensorId};
use crate::sheet::math::{Math, Operator};

/// What is written in place of a scalar that stands for a number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown {
    /// An element of a tensor.
    Element { tensor: TensorId, place: Vec<i64>, value: f64 },
    /// A partial derivative.
    Partial(f64),
    /// A reduction that is not written out.
    Reduction(f64),
    /// The terms that are left out.
    Rest(f64),
}

impl Shown {
    /// The number.
    pub(crate) fn value(&self) -> f64 {
        match self {
            Shown::Element { value, .. } | Shown::Partial(value) | Shown::Reduction(value) | Shown::Rest(value) => *value,
        }
    }
}

/// Where a factor stands in a product.
pub(super) enum Group {
    Derivative,
    Partial,
    Constant,
    Other,
}

/// Significant digits of a number on the sheet.
const DIGITS: usize = 4;

impl<'a> Writer<'a> {
    /// Writes these scalars as the numbers that they stand for.
    pub(in crate::sheet) fn with_numbers(mut self, numbers: &'a BTreeMap<TensorId, Shown>) -> Self {
        self.numbers = Some(numbers);
        self
    }

    /// The number that a scalar stands for.
    pub(super) fn shown(&self, tensor: TensorId) -> Option<&'a Shown> {
        self.numbers.and_then(|numbers| numbers.get(&tensor))
    }

    /// A number as a factor, and where it stands among others: where its element would.
    pub(super) fn shown_factor(&self, factor: ExprId) -> Option<(Piece, Group)> {
        let Node::Access { tensor, .. } = self.context.node(factor) else { return None };
        let shown = self.shown(*tensor)?;
        let group = match (shown, self.context.tensor(*tensor).role) {
            (Shown::Partial(_), _) => Group::Partial,
            (_, Role::Adjoint { .. } | Role::Gradient { .. }) => Group::Derivative,
            (_, Role::Constant | Role::BatchSize | Role::UpdateNumber) => Group::Constant,
            _ => Group::Other,
        };
        Some((Piece::atom(piece(shown).at_least(Level::Product)), group))
    }

    /// The first element of a tensor.
    pub(in crate::sheet) fn first_element(&mut self, tensor: TensorId) -> Math {
        let rank = self.context.tensor(tensor).shape.len();
        self.access(tensor, &vec![Affine::constant(0); rank]).math
    }

    /// A tensor without indices.
    pub(in crate::sheet) fn whole_symbol(&mut self, tensor: TensorId) -> Math {
        self.whole(tensor).math
    }
}

/// What stands for a scalar. A negative number is in parentheses wherever something stands before it.
pub(super) fn piece(shown: &Shown) -> Piece {
    if matches!(shown, Shown::Rest(_)) {
        return Piece::atom(Math::Operator(Operator::Ellipsis));
    }
    let math = number_math(shown.value());
    let level = match math {
        Math::Row(_) => Level::Sum,
        Math::Product(_) => Level::Product,
        _ => Level::Atom,
    };
    Piece::new(math, level)
}

/// A number, rounded.
pub(in crate::sheet) fn number_math(value: f64) -> Math {
    let rounded = format!("{value:.*e}", DIGITS - 1).parse().unwrap_or(value);
    let magnitude = decimal(f64::abs(rounded));
    if rounded < 0.0 { Math::Row(vec![Math::Operator(Operator::Negative), magnitude]) } else { magnitude }
}
