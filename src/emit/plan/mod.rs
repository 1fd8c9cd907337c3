//! From equations to kernels: functions of loop nests over named buffers, and the passes that call them.
//!
//! A kernel computes one equation, or all that updates one parameter. Its size depends on the equation, never on the
//! extents of the tensors. Kernels know tensors by id; where those live is decided here, once ([`Plan::storage`]).

mod abreast;
mod alike;
mod batch;
mod common;
mod contraction;
mod copy;
mod delta;
mod equation;
mod forms;
mod inline;
mod memory;
mod nest;
mod open;
mod pairs;
mod planner;
mod reduce;
mod rows;
mod scalars;
mod scatter;
mod single;
mod statement;
mod sweep;
mod transposed;
mod update;
mod value;

use rustc_hash::FxHashSet;

pub(crate) use abreast::Abreast;
pub(crate) use batch::{Batch, BatchStep, EXAMPLES_FOR_COPY};
pub(crate) use contraction::coefficients;
pub(crate) use memory::{Buffer, Memory};
pub(crate) use pairs::Pairs;
pub(crate) use single::Single;
pub(crate) use statement::{Branch, Condition, Function, Local, Place, Position, Range, Statement, Tile, Value};

use self::planner::Planner;
use crate::derivation::Derivation;
use crate::equation::{Context, IndexId, Role, Table, TensorId};

/// Everything that is emitted, as loop nests.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The derivation's context, extended by temporaries and scalars.
    pub(crate) context: Context,
    /// All functions.
    pub(crate) kernels: Vec<Kernel>,
    /// The forward equations on which the outputs depend.
    pub(crate) predict: Vec<usize>,
    /// The other forward equations.
    pub(crate) loss: Vec<usize>,
    /// The adjoints; those of trained parameters are added up over the examples.
    pub(crate) backward: Vec<usize>,
    /// From the sum over the examples to the gradient of the objective, in place.
    pub(crate) gradient: Vec<usize>,
    /// Scalars that are computed once for a minibatch, each with its kernel, in `f64`.
    pub(crate) constants: Vec<(TensorId, usize)>,
    /// The updates of parameters and optimizer states, in place.
    pub(crate) update: Vec<usize>,
    /// Whether [`Self::update`] reads the sums over the examples; else it wants [`Self::gradient`] to run before.
    pub(crate) update_is_fused: bool,
    /// The mean loss with the regularizers.
    pub(crate) objective: Option<usize>,
    /// What `predict` stores besides its result.
    pub(crate) values: Vec<TensorId>,
    /// What training stores for one example besides that.
    pub(crate) scratch: Vec<TensorId>,
    /// The gradients of trained parameters, as pairs of parameter and gradient.
    pub(crate) gradients: Vec<(TensorId, TensorId)>,
    /// The mean loss of a minibatch, where the objective reads it.
    pub(crate) mean_loss: Option<TensorId>,
    /// Whether kernels are compiled for several sets of instructions.
    pub(crate) is_vectorized: bool,
    /// Training with one example, if it has a step of its own.
    pub(crate) single: Option<Single>,
    /// How many examples are computed at once, where that is quicker.
    pub(crate) batch: Option<Batch>,
    /// Tensors whose elements stand in one row, any part of which a kernel may be given, and what they are the elements of.
    pub(crate) rows: Pairs,
    /// The indices of such rows.
    pub(crate) elements: FxHashSet<IndexId>,
    /// Where gradients and values live, which their role does not tell.
    special: Table<TensorId, Storage>,
}

/// A function.
#[derive(Debug)]
pub(crate) struct Kernel {
    /// Its name, unique in the plan.
    pub(crate) name: String,
    /// The equations that it computes, for its documentation.
    pub(crate) equations: Vec<Line>,
    /// What it does.
    pub(crate) body: Vec<Statement>,
    /// The names of its local variables, not unique.
    pub(crate) locals: Vec<String>,
    /// What it returns, if anything.
    pub(crate) result: Option<Value>,
    /// Whether it computes in `f64` whatever the scalar type: a scalar such as `1 - 0.999^k` loses half of the digits of an `f32`.
    pub(crate) in_double: bool,
    /// Whether it computes several examples at once, with vectors in place of numbers.
    pub(crate) is_abreast: bool,
    /// The tensors that it only reads.
    pub(crate) reads: Vec<TensorId>,
    /// The tensors that it writes.
    pub(crate) writes: Vec<TensorId>,
    /// The kernel whose function computes it: the first of those that do the same to other tensors.
    pub(crate) function: usize,
    /// How many kernels have that function.
    pub(crate) alike: usize,
}

/// A line of documentation.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    /// An equation of the derivation, by its target and its number.
    Equation { target: TensorId, number: u32 },
    /// What the plan computes besides.
    Text(String),
}

/// Where a tensor lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Storage {
    /// In the network.
    Parameter,
    /// In the example.
    Input,
    /// In the example.
    Target,
    /// In what `predict` stores.
    Values,
    /// In what training stores for one example.
    Scratch,
    /// In the gradient, at the place of this parameter.
    Gradient(TensorId),
    /// In the optimizer's state.
    State,
    /// In what is drawn for one example.
    Noise,
    /// In a local variable of a pass, as `f64`.
    Scalar,
}

impl Plan {
    /// Lowers a derivation.
    pub(crate) fn new(derivation: &Derivation, examples: usize) -> Plan {
        Planner::new(derivation, examples).plan()
    }

    /// Where a tensor lives.
    pub(crate) fn storage(&self, tensor: TensorId) -> Storage {
        if let Some(&storage) = self.special.get(tensor) {
            return storage;
        }
        match self.context.tensor(tensor).role {
            Role::Parameter => Storage::Parameter,
            Role::Input => Storage::Input,
            Role::Noise => Storage::Noise,
            Role::Target => Storage::Target,
            Role::State { .. } => Storage::State,
            Role::Constant | Role::BatchSize | Role::UpdateNumber => Storage::Scalar,
            _ if Some(tensor) == self.mean_loss => Storage::Scalar,
            _ => Storage::Scratch,
        }
    }

    /// The function of a kernel, by the first kernel that has it.
    pub(crate) fn function_of(&self, kernel: &Kernel) -> &Kernel {
        &self.kernels[kernel.function]
    }

    /// The scalars that kernels need, closed under what those scalars are computed from, in order of computation.
    pub(crate) fn constants_for(&self, kernels: &[usize]) -> Vec<(TensorId, usize)> {
        let mut needed: FxHashSet<TensorId> = FxHashSet::default();
        kernels.iter().for_each(|&kernel| needed.extend(&self.kernels[kernel].reads));
        for (tensor, kernel) in self.constants.iter().rev() {
            if needed.contains(tensor) {
                needed.extend(&self.kernels[*kernel].reads);
            }
        }
        self.constants.iter().copied().filter(|(tensor, _)| needed.contains(tensor)).collect()
    }
}

fn insert_once(list: &mut Vec<TensorId>, tensor: TensorId) {
    if !list.contains(&tensor) {
        list.push(tensor);
    }
}
