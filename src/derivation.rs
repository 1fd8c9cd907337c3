//! Everything that is derived from a model: what the sheet prints, the generic engine interprets and the emitter compiles.
//!
//! All equations are numbered through, in the order in which a reader meets them; the number is the link between the
//! sheet, the emitted code and a message. Equations that differ only in their layer have one number.

use rustc_hash::FxHashMap;

use crate::calculus::{Record, Step, adjoints, definitions, differentiate, mutation, simplify, stabilize};
use crate::equation::{Alike, Equation, Role, Table, Tensor, TensorId};
use crate::folding::Folding;
use crate::model::Model;

/// The equations of training, in the order in which they are computed.
///
/// For one example: [`Self::forward`], then [`Self::backward`]. For a minibatch: the mean of the parameters' adjoints, then
/// [`Self::gradient`], then [`Model::constants`] and the updates of [`Model::optimizers`].
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
    /// The scalar objective: `E = mean of loss + regularizers`, with a target of role
    /// [`crate::equation::Role::Objective`]. Its number is 1. `None` for a model with an `objective … by …`.
    pub objective: Option<Equation>,
    /// Which equations differ only in their layer: one rule of the sheet stands for them, and they share a number.
    pub folding: Folding,
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
    /// Whose record it has with other names, where it was not derived by itself.
    pub(crate) alike: Option<Alike>,
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

/// Derives everything from a model.
///
/// Cannot fail: whatever the language lets a model say has a derivative, if only 0.
pub fn derive(mut model: Model) -> Derivation {
    let mut forward = model.equations.clone();
    let definitions = definitions(&forward);
    let by: Vec<TensorId> = match &model.objective {
        Some(objective) => objective.by.clone(),
        None => model.parameters.iter().filter(|parameter| parameter.trained).map(|parameter| parameter.tensor).collect(),
    };
    let result = model.objective.as_ref().map(|objective| objective.value).or(model.loss);
    let mut backward = match result {
        Some(result) => adjoints(&mut model.context, &forward, result, &by),
        None => Vec::new(),
    };
    for equation in &mut forward {
        equation.computed = stabilize(&mut model.context, equation.value, &definitions);
    }
    for adjoint in &mut backward {
        adjoint.equation.computed = stabilize(&mut model.context, adjoint.equation.value, &definitions);
    }
    let objective = model.loss.filter(|_| model.objective.is_none()).map(|loss| objective(&mut model, loss));
    let gradient = if model.objective.is_none() {
        let adjoints: Table<TensorId, TensorId> = backward
            .iter()
            .filter_map(|adjoint| match model.context.tensor(adjoint.equation.target).role {
                Role::Adjoint { of } => Some((of, adjoint.equation.target)),
                _ => None,
            })
            .collect();
        by.iter().map(|&tensor| gradient(&mut model, adjoints.get(tensor).copied(), tensor)).collect()
    } else {
        Vec::new()
    };
    let folding = Folding::new(&model.context, &forward, &backward, &gradient, &model.optimizers);
    let mut derivation = Derivation { model, forward, backward, gradient, objective, folding };
    number(&mut derivation);
    derivation
}

impl Derivation {
    /// The constants that are no plain numbers, in the order in which the sheet shows them: those that depend on the number of
    /// the update alone, then those that depend on gradients.
    pub fn changing_constants(&self) -> (Vec<&Equation>, Vec<&Equation>) {
        let context = &self.model.context;
        let mut known: Vec<TensorId> = self.gradient.iter().map(|gradient| gradient.equation.target).collect();
        let changing = self.model.constants.iter().filter(|equation| context.as_number(equation.value).is_none());
        changing.partition(|equation| {
            let reads_gradients = known.iter().any(|&tensor| context.contains_tensor(equation.value, tensor));
            if reads_gradients {
                known.push(equation.target);
            }
            !reads_gradients
        })
    }

    /// All equations that have a number, in the order in which a reader meets them: the update of a parameter follows its gradient.
    fn in_order(&self) -> impl Iterator<Item = &Equation> {
        let (schedules, of_gradients) = self.changing_constants();
        let updates = |parameter: TensorId| {
            let optimizers = self.model.optimizers.iter().filter(move |optimizer| optimizer.parameter == parameter);
            optimizers.flat_map(|optimizer| &optimizer.equations)
        };
        (self.objective.iter())
            .chain(&self.forward)
            .chain(self.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(schedules)
            .chain(of_gradients)
            .chain(
                self.gradient
                    .iter()
                    .flat_map(move |gradient| [&gradient.equation].into_iter().chain(updates(gradient.parameter))),
            )
    }
}

/// Numbers the equations in the order in which a reader meets them; those of one rule share its number.
fn number(derivation: &mut Derivation) {
    let leader = |target: TensorId, folding: &Folding| {
        folding.rule(target).and_then(|rule| rule.members.first().copied()).unwrap_or(target)
    };
    let mut numbers: FxHashMap<TensorId, u32> = FxHashMap::default();
    for equation in derivation.in_order() {
        let next = numbers.len() as u32 + 1;
        numbers.entry(leader(equation.target, &derivation.folding)).or_insert(next);
    }
    let Derivation { model, forward, backward, gradient, objective, folding } = derivation;
    let all = (objective.iter_mut())
        .chain(forward)
        .chain(backward.iter_mut().map(|adjoint| &mut adjoint.equation))
        .chain(gradient.iter_mut().map(|gradient| &mut gradient.equation))
        .chain(&mut model.constants)
        .chain(model.optimizers.iter_mut().flat_map(|optimizer| &mut optimizer.equations));
    for equation in all {
        equation.number = numbers.get(&leader(equation.target, folding)).copied().unwrap_or(0);
    }
}

/// The mean over the minibatch of a per-example tensor, as a tensor of its own.
fn batch_mean(model: &mut Model, of: TensorId) -> TensorId {
    let mean = Tensor { role: Role::BatchMean { of }, ..model.context.tensor(of).clone() };
    model.context.add_tensor(mean)
}

/// `E = mean of loss + regularizers`.
fn objective(model: &mut Model, loss: TensorId) -> Equation {
    let mean = batch_mean(model, loss);
    let mut terms = vec![model.context.access(mean, Vec::new())];
    terms.extend(model.regularizers.iter().map(|regularizer| regularizer.value));
    let value = model.context.add(terms);
    let target = model.context.add_tensor(Tensor {
        name: "E".to_owned(),
        shape: Vec::new(),
        axes: Vec::new(),
        role: Role::Objective,
        label: false,
        origin: None,
    });
    Equation { target, indices: Vec::new(), value, computed: value, number: 0, origin: None }
}

/// The derivative of the objective by one parameter, given the parameter's adjoint.
fn gradient(model: &mut Model, adjoint: Option<TensorId>, parameter: TensorId) -> Gradient {
    let indices = model.context.fresh_axes(parameter);
    let mut record = Record::default();
    let mut terms = Vec::new();
    if let Some(adjoint) = adjoint {
        let mean = batch_mean(model, adjoint);
        terms.push(model.context.access_at(mean, &indices));
    }
    let regularizers: Vec<_> = model
        .regularizers
        .iter()
        .filter(|regularizer| regularizer.parameter == parameter)
        .map(|regularizer| regularizer.value)
        .collect();
    if !regularizers.is_empty() {
        let penalty = model.context.add(regularizers);
        let slope = differentiate(&mut model.context, penalty, parameter, &indices);
        let slope = mutation::result(&mut model.context, "regularizer", slope);
        record.steps.push(Step { rule: "regularizer", value: slope, condition: None, uses: Vec::new() });
        terms.push(simplify(&mut model.context, slope, &mut record.steps));
    }
    let value = model.context.add(terms);
    let value = mutation::result(&mut model.context, "mean-over-minibatch", value);
    record.steps.push(Step { rule: "mean-over-minibatch", value, condition: None, uses: adjoint.into_iter().collect() });
    let existing = model.optimizers.iter().find(|optimizer| optimizer.parameter == parameter).map(|optimizer| optimizer.gradient);
    let target = existing.unwrap_or_else(|| {
        let tensor = model.context.tensor(parameter).clone();
        model.context.add_tensor(Tensor { name: format!("g.{}", tensor.name), role: Role::Gradient { of: parameter }, ..tensor })
    });
    Gradient { parameter, equation: Equation { target, indices, value, computed: value, number: 0, origin: None }, record }
}
