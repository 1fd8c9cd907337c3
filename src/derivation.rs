//! Everything that is derived from a model: what the sheet prints, the generic engine interprets and the emitter compiles.
//!
//! All equations are numbered through, in the order in which a reader meets them; the number is the link between the
//! sheet, the emitted code and a message.

use crate::calculus::Record;
use crate::equation::{Equation, ExprId, TensorId};
use crate::model::Model;

/// The equations of training, in the order in which they are computed.
///
/// For one example: [`Self::forward`], then [`Self::backward`]. For a minibatch: the mean of the parameters' adjoints, then
/// [`Self::gradient`], then [`Model::constants`] and [`Self::update`].
#[derive(Clone, Debug)]
pub struct Derivation {
    /// The model, its context extended by all that was derived.
    pub model: Model,
    /// The forward equations of [`Model::equations`], numbered, with [`Equation::computed`] in a form that does not overflow.
    pub forward: Vec<Equation>,
    /// The adjoints, in reverse order: for each tensor on a path from a parameter to the loss, the derivative of one example's loss.
    pub backward: Vec<Adjoint>,
    /// For each trained parameter, the derivative of the objective: mean over the minibatch plus regularizers. Empty for an
    /// `objective`, whose result is the adjoints themselves.
    pub gradient: Vec<Gradient>,
    /// The scalar objective: mean loss plus regularizers.
    pub objective: ExprId,
}

/// One equation of the backward pass with its record.
#[derive(Clone, Debug)]
pub struct Adjoint {
    /// `dy[j] = …`; the target has role [`crate::equation::Role::Adjoint`].
    pub equation: Equation,
    /// How it was found.
    pub record: Record,
    /// Whether the code computes it. An adjoint that was merged into the only one that reads it (the derivative of the loss by the
    /// output of a sigmoid, say) is printed but not computed, and nothing that is computed reads it.
    pub is_computed: bool,
}

/// The derivative of the objective with respect to one parameter, and its update.
#[derive(Clone, Debug)]
pub struct Gradient {
    /// The parameter.
    pub parameter: TensorId,
    /// `g[i, j] = mean of dw[i, j] + …`: reads a tensor of role [`crate::equation::Role::BatchMean`] (absent where no loss reaches the parameter), the
    /// parameter, constants and `m`.
    pub equation: Equation,
    /// How the regularizers' part was found.
    pub record: Record,
}
