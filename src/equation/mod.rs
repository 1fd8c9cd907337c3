//! Indexed equations: the one representation that every stage after [`crate::model`] works on.
//!
//! A network is a list of equations `y[j] = EXPR`; so are its adjoints and its update rules. Expressions are
//! hash-consed in a [`Context`]: equal expressions have equal [`ExprId`]s, also up to the order of summands and
//! factors and up to the names of bound indices. That makes comparing cheap, and evaluating without repetition easy.
//!
//! Invariants that [`Context`]'s constructors keep:
//! - sums and products are flat, sorted, have at most one number (first) and at least two operands;
//! - every index that a reduction binds is *canonical*: chosen by nesting depth and range, so that two sums that
//!   differ only in the name of their index are one node. To look inside, [`Context::open`] gives fresh indices;
//! - numbers are folded only where the result is exact, so a rewrite never changes a value by rounding.

mod classes;
mod components;
mod construct;
mod context;
mod evaluate;
mod inside;
mod known;
mod node;
mod number;
mod print;
mod rebuild;
mod rename;
mod schedule;
mod substitute;
mod table;

pub(crate) use classes::{Axis, AxisClasses};
pub(crate) use components::components;
pub use context::Context;
pub use evaluate::{Bindings, EvaluationError, evaluate};
pub(crate) use known::{Known, Seen};
pub use node::{Affine, Elementary, Node, ReduceKind, Relation};
pub use number::Number;
pub(crate) use rebuild::for_each_child;
pub(crate) use rename::{Alike, Renaming, named};
pub use schedule::{Block, Cycle, CycleReason, Recurrence, schedule};
pub(crate) use table::Table;

use crate::span::Span;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub(crate) u32);

        impl $name {
            /// The position in its table.
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl table::Id for $name {
            fn position(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// An expression of a [`Context`].
    ExprId
    /// An index of a [`Context`]: free on a left-hand side, or bound by a reduction.
    IndexId
    /// A tensor of a [`Context`].
    TensorId
}

/// An index: a name to print and the range of integers it runs over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The name that its author gave it; two indices may share one, printers keep them apart.
    pub name: String,
    /// The first value.
    pub start: i64,
    /// One past the last value.
    pub end: i64,
    /// Whether only reductions bind it (see the invariants of this module).
    pub canonical: bool,
}

impl Index {
    /// How many values it takes.
    pub fn extent(&self) -> usize {
        usize::try_from(self.end - self.start).unwrap_or(0)
    }
}

/// What a tensor is, which says where its values come from and how often they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Data of one example.
    Input,
    /// The desired output of one example.
    Target,
    /// A learned tensor.
    Parameter,
    /// Drawn for each example in training, replaced by its mean in inference.
    Noise,
    /// Defined by a forward equation, for one example.
    Value,
    /// The derivative of one example's loss with respect to a tensor.
    Adjoint {
        /// With respect to what.
        of: TensorId,
    },
    /// The mean over the minibatch of a per-example tensor.
    BatchMean {
        /// Of what; has the same shape.
        of: TensorId,
    },
    /// The derivative of the objective with respect to a parameter.
    Gradient {
        /// With respect to what.
        of: TensorId,
    },
    /// What an optimizer remembers of a parameter, element by element.
    State {
        /// Of which parameter.
        of: TensorId,
    },
    /// The value of a parameter or state after the update: `w'`.
    Next {
        /// Before the update.
        of: TensorId,
    },
    /// A scalar that is fixed or computed once for an update: a rate, a decay, a bias correction.
    Constant,
    /// What training makes small: mean loss plus regularizers, a scalar for each minibatch.
    Objective,
    /// `m`, the number of examples of a minibatch.
    BatchSize,
    /// `k`, the number of the update, from 1.
    UpdateNumber,
}

/// A tensor: a name, a shape and a role.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// The full name, with the layer's before a dot: `dense1.w`.
    pub name: String,
    /// The extents; empty for a scalar.
    pub shape: Vec<usize>,
    /// The index names of its declaration, one for each axis, for printing.
    pub axes: Vec<String>,
    /// What it is.
    pub role: Role,
    /// Whether its data is an integer label: an access `t[…, k]` then reads as `[k = label]`, and the last extent
    /// is the number of classes.
    pub label: bool,
    /// Where it was declared.
    pub origin: Option<Span>,
}

impl Tensor {
    /// The number of scalars.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has a value of its own for each example of a minibatch.
    pub fn is_per_example(&self) -> bool {
        matches!(self.role, Role::Input | Role::Target | Role::Noise | Role::Value | Role::Adjoint { .. })
    }
}

/// `target[indices] = value`, one scalar equation for each value of the indices.
#[derive(Clone, Debug, PartialEq)]
pub struct Equation {
    /// The tensor it defines.
    pub target: TensorId,
    /// The free indices, one for each axis, all different; each runs over its axis.
    pub indices: Vec<IndexId>,
    /// The right-hand side as a person should read it.
    pub value: ExprId,
    /// The right-hand side as a machine should compute it: equal to [`Self::value`], but without overflow
    /// (log-sum-exp, softplus) and with forward values reused.
    pub computed: ExprId,
    /// The number that the sheet prints and the emitted code names; 0 before numbering, and for a constant that is a plain number.
    pub number: u32,
    /// Where it stands in the spec, if it does.
    pub origin: Option<Span>,
}
