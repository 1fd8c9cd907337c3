//! The nodes of an expression.

use super::{ExprId, IndexId, Number, TensorId};
pub use crate::syntax::tree::Relation;

/// An integer that is affine in indices: `2*p + u - 1`. Terms are sorted by index, coefficients are not zero.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Affine {
    /// Indices with their coefficients.
    pub terms: Vec<(IndexId, i64)>,
    /// The constant.
    pub constant: i64,
}

impl Affine {
    /// A plain index.
    pub fn index(index: IndexId) -> Affine {
        Affine { terms: vec![(index, 1)], constant: 0 }
    }

    /// A constant.
    pub fn constant(constant: i64) -> Affine {
        Affine { terms: Vec::new(), constant }
    }

    /// The index, where it is a plain one.
    pub fn as_index(&self) -> Option<IndexId> {
        match self.terms[..] {
            [(index, 1)] if self.constant == 0 => Some(index),
            _ => None,
        }
    }

    /// `self + factor * other`; `None` where a coefficient leaves the range of `i64`.
    pub fn plus(&self, factor: i64, other: &Affine) -> Option<Affine> {
        let mut sum = self.clone();
        sum.constant = sum.constant.checked_add(factor.checked_mul(other.constant)?)?;
        for &(index, coefficient) in &other.terms {
            let coefficient = factor.checked_mul(coefficient)?;
            match sum.terms.binary_search_by_key(&index, |term| term.0) {
                Ok(at) => {
                    sum.terms[at].1 = sum.terms[at].1.checked_add(coefficient)?;
                    if sum.terms[at].1 == 0 {
                        sum.terms.remove(at);
                    }
                }
                Err(at) if coefficient != 0 => sum.terms.insert(at, (index, coefficient)),
                Err(_) => {}
            }
        }
        Some(sum)
    }
}

/// The functions that own a derivative rule; all others are defined in the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Elementary {
    /// The exponential function.
    Exp,
    /// The natural logarithm.
    Ln,
    /// `ln(1 + x)` without loss of digits near 0.
    Log1p,
    /// `exp(x) - 1` without loss of digits near 0.
    Expm1,
    /// The square root.
    Sqrt,
    /// Sine, of radians.
    Sin,
    /// Cosine, of radians.
    Cos,
    /// Tangent, of radians.
    Tan,
    /// Hyperbolic tangent.
    Tanh,
    /// Arc tangent, in radians.
    Atan,
    /// The error function.
    Erf,
    /// The greatest integer that is not greater; slope 0.
    Floor,
    /// The absolute value; slope 0 at 0.
    Abs,
}

impl Elementary {
    /// All of them.
    pub const ALL: [Elementary; 13] = [
        Elementary::Exp,
        Elementary::Ln,
        Elementary::Log1p,
        Elementary::Expm1,
        Elementary::Sqrt,
        Elementary::Sin,
        Elementary::Cos,
        Elementary::Tan,
        Elementary::Tanh,
        Elementary::Atan,
        Elementary::Erf,
        Elementary::Floor,
        Elementary::Abs,
    ];

    /// The name in the language, which is also the name in the runtime.
    pub fn name(self) -> &'static str {
        match self {
            Elementary::Exp => "exp",
            Elementary::Ln => "ln",
            Elementary::Log1p => "log1p",
            Elementary::Expm1 => "expm1",
            Elementary::Sqrt => "sqrt",
            Elementary::Sin => "sin",
            Elementary::Cos => "cos",
            Elementary::Tan => "tan",
            Elementary::Tanh => "tanh",
            Elementary::Atan => "atan",
            Elementary::Erf => "erf",
            Elementary::Floor => "floor",
            Elementary::Abs => "abs",
        }
    }

    /// The function of that name.
    pub fn from_name(name: &str) -> Option<Elementary> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }
}

/// What a reduction does with the values of its body. A mean is a sum times a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReduceKind {
    /// The sum; 0 over an empty range.
    Sum,
    /// The product; 1 over an empty range.
    Product,
    /// The greatest value.
    Max,
    /// The least value.
    Min,
}

impl ReduceKind {
    /// As the language writes it.
    pub fn name(self) -> &'static str {
        match self {
            ReduceKind::Sum => "sum",
            ReduceKind::Product => "product",
            ReduceKind::Max => "max",
            ReduceKind::Min => "min",
        }
    }
}

/// An expression, whose parts are ids into the same [`super::Context`].
///
/// Conditions are expressions whose value is 1 or 0, as with Iverson's bracket. Subtraction is adding a multiple
/// of -1, division multiplying with a power of -1.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// A number.
    Number(Number),
    /// The value of an affine expression in indices: `s` in `[s <= t]`.
    Index(Affine),
    /// An element of a tensor; 0 outside of it.
    Access {
        /// Of which.
        tensor: TensorId,
        /// Where, an entry for each axis.
        indices: Vec<Affine>,
    },
    /// A sum of two or more.
    Add(Vec<ExprId>),
    /// A product of two or more.
    Multiply(Vec<ExprId>),
    /// `base ^ exponent`.
    Power(ExprId, ExprId),
    /// An elementary function.
    Call(Elementary, ExprId),
    /// `[left relation right]`.
    Compare(Relation, ExprId, ExprId),
    /// `[a and b]`, of conditions.
    And(Vec<ExprId>),
    /// `[a or b]`, of conditions.
    Or(Vec<ExprId>),
    /// `[not a]`, of a condition.
    Not(ExprId),
    /// `then` where the condition holds, else `otherwise`; the other branch is not looked at.
    If {
        /// The condition.
        condition: ExprId,
        /// Where it is 1.
        then: ExprId,
        /// Where it is 0.
        otherwise: ExprId,
    },
    /// A reduction over all values of canonical indices, in row-major order.
    Reduce {
        /// Sum, product, greatest or least.
        kind: ReduceKind,
        /// What it binds, outermost first; never empty.
        indices: Vec<IndexId>,
        /// The reduced expression.
        body: ExprId,
    },
    /// The value of one of the bound indices at the first place, in row-major order, where the body is greatest or least.
    ArgReduce {
        /// [`ReduceKind::Max`] or [`ReduceKind::Min`].
        kind: ReduceKind,
        /// What it binds.
        indices: Vec<IndexId>,
        /// The position in `indices` of the one that is asked for.
        position: usize,
        /// The compared expression.
        body: ExprId,
    },
    /// A partial derivative by name, as the chain rule writes it before the factor is known. Only in the record of a
    /// derivation, never in what is computed.
    Partial {
        /// An access, or the loss.
        of: ExprId,
        /// An access.
        by: ExprId,
    },
}
