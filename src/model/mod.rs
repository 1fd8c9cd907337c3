//! From the tree of a spec to a [`Model`]: definitions expanded, names resolved, shapes inferred.
//!
//! A model is a list of indexed equations and the tables around it. Layers, activations, losses, regularizers and
//! optimizers are gone: what the prelude or the user wrote about them stands here as equations, and no later stage
//! knows their names.

mod access;
mod block;
mod builder;
mod builtin;
mod call;
mod clipping;
mod constant;
mod declaration;
mod definitions;
mod expression;
mod function;
mod initial;
mod instances;
mod layer;
mod names;
mod network;
mod optimizer;
mod recurrence;
mod regularizer;
#[cfg(feature = "sheet")]
pub mod rule;
mod scope;
mod value;
mod weights;

use crate::diagnostic::Diagnostic;
use crate::equation::{Context, Equation, ExprId, TensorId};

use crate::syntax::tree::Spec;

/// Builds the model of a spec, with the definitions of the prelude. There is none where a message is an error.
pub fn build(user: &Spec, prelude: &Spec) -> (Option<Model>, Vec<Diagnostic>) {
    network::build(user, prelude)
}

/// A network as a list of equations.
#[derive(Clone, Debug)]
pub struct Model {
    /// The name the sheet prints; `Network` where the spec gives none.
    pub name: String,
    /// The expressions, indices and tensors.
    pub context: Context,
    /// Data of one example, in the order of the spec.
    pub inputs: Vec<TensorId>,
    /// Desired outputs of one example, in the order of the spec.
    pub targets: Vec<TensorId>,
    /// Learned tensors, in the order of their first appearance, which is their order in memory and in files.
    pub parameters: Vec<Parameter>,
    /// What is drawn for each example in training, in the order of first appearance, which is the order of drawing.
    pub noises: Vec<Noise>,
    /// The forward equations, each after those it reads but for recurrences, whose groups [`crate::equation::schedule`] finds; the last defines
    /// [`Self::loss`].
    pub equations: Vec<Equation>,
    /// The scalar loss of one example; `None` in a model with an `objective`.
    pub loss: Option<TensorId>,
    /// The tensors of equations that no other equation reads, except the loss: what `predict` gives.
    pub outputs: Vec<TensorId>,
    /// `objective … by …`, in place of a loss.
    pub objective: Option<Objective>,
    /// What is added to the mean loss, once for each minibatch.
    pub regularizers: Vec<Regularizer>,
    /// How parameters are updated, a rule for each line; together they cover every parameter that is trained.
    pub optimizers: Vec<Optimizer>,
    /// Scalars that regularizers and optimizers are given by name (`sgd.rate`, `l2.a`), and sums over gradients (`clip_norm.sum`), each defined
    /// by an equation in numbers, `k`, gradients and earlier constants, in an order in which they can be computed.
    pub constants: Vec<Equation>,
    /// `m`: a scalar of role [`crate::equation::Role::BatchSize`].
    pub batch_size: TensorId,
    /// `k`: a scalar of role [`crate::equation::Role::UpdateNumber`].
    pub update_number: TensorId,
}

/// A learned tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The tensor, of role [`crate::equation::Role::Parameter`].
    pub tensor: TensorId,
    /// What it is drawn from.
    pub initial: Distribution,
    /// Whether it is a factor of a product with a value that depends on an input: regularizers apply to it by default.
    pub is_weight: bool,
    /// Whether an optimizer changes it.
    pub trained: bool,
}

/// `noise m[i] ~ bernoulli(p)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    /// The tensor, of role [`crate::equation::Role::Noise`].
    pub tensor: TensorId,
    /// What it is drawn from, element by element, for each example in training. In inference each element is the mean.
    pub distribution: Distribution,
}

/// What a number is drawn from: a parameter at first, noise for each example. Fans are resolved when the model is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Distribution {
    /// All elements have this value.
    Constant(f64),
    /// 1 with this probability, else 0.
    Bernoulli(f64),
    /// Uniform on `low..high`.
    Uniform {
        /// The least value.
        low: f64,
        /// The bound above.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        deviation: f64,
    },
}

impl Distribution {
    /// The mean.
    pub fn mean(self) -> f64 {
        match self {
            Distribution::Constant(value) => value,
            Distribution::Bernoulli(probability) => probability,
            Distribution::Uniform { low, high } => low + (high - low) / 2.0,
            Distribution::Normal { mean, .. } => mean,
        }
    }
}

/// `objective EXPR by NAME, …`.
#[derive(Clone, Debug)]
pub struct Objective {
    /// The scalar that is differentiated, defined by the last equation of the model.
    pub value: TensorId,
    /// With respect to what: inputs and parameters.
    pub by: Vec<TensorId>,
}

/// A term of the objective in parameters alone.
#[derive(Clone, Debug)]
pub struct Regularizer {
    /// The scalar that is added for one parameter; it reads that parameter, constants and `m`.
    pub value: ExprId,
    /// The parameter. A regularizer line makes one entry for each parameter it applies to.
    pub parameter: TensorId,
    /// Which `regularizer` line of the spec it came from, from 0.
    pub line: usize,
}

/// The update rule of one parameter. An `optimizer` line makes one entry for each parameter it applies to.
#[derive(Clone, Debug)]
pub struct Optimizer {
    /// The parameter that it updates.
    pub parameter: TensorId,
    /// The derivative of the objective, of role [`crate::equation::Role::Gradient`]: `g` in the rule.
    pub gradient: TensorId,
    /// What is remembered between updates, of role [`crate::equation::Role::State`].
    pub states: Vec<State>,
    /// Element-wise equations, each after those it reads: the next states (`v'`) and last or not the next value (`w'`), targets of role
    /// [`crate::equation::Role::Next`]. All read values before the update, except through a primed name.
    pub equations: Vec<Equation>,
    /// The name of the rule, such as `adam`.
    pub rule: String,
    /// Which `optimizer` line of the spec it came from, from 0.
    pub line: usize,
}

/// A tensor that an optimizer keeps.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The tensor; its shape is the parameter's.
    pub tensor: TensorId,
    /// The value before the first update.
    pub initial: f64,
}
