//! What rules are about: a derivation, with a name for everything in it.

use std::collections::{BTreeMap, HashMap};

use super::compare::Sides;
use super::point::Point;
use crate::derivation::Derivation;
use crate::equation::{Affine, Context, Equation, ExprId, IndexId, Role, TensorId};
use crate::model::rule::{Known, Meaning};

/// A derivation that rules are compared with.
pub(super) struct Subject<'d> {
    pub(super) derivation: &'d Derivation,
    /// The tables of the derivation, with adjoints named as rules name them, and what rules have added.
    pub(super) context: Context,
    /// What names mean, those of the spec first.
    pub(super) known: Vec<Known>,
    /// The tensors that names stand for.
    pub(super) tensors: BTreeMap<String, TensorId>,
    /// All equations, by what they define.
    pub(super) equations: HashMap<TensorId, Equation>,
    /// Derivatives of one tensor by another that were asked for.
    pub(super) tangents: BTreeMap<(TensorId, TensorId), TensorId>,
    /// The scalar that is differentiated: the loss of an example, or the objective in its place.
    pub(super) result: Option<TensorId>,
    /// The points at which sides are compared, with what is known there.
    pub(super) points: Vec<Point>,
}

impl<'d> Subject<'d> {
    pub(super) fn new(derivation: &'d Derivation) -> Self {
        let model = &derivation.model;
        let equations = (derivation.objective.iter())
            .chain(&derivation.forward)
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
            .chain(&model.constants)
            .chain(model.optimizers.iter().flat_map(|optimizer| &optimizer.equations))
            .map(|equation| (equation.target, equation.clone()))
            .collect();
        let result = model.objective.as_ref().map(|objective| objective.value).or(model.loss);
        let mut subject = Subject {
            derivation,
            context: model.context.clone(),
            known: Vec::new(),
            tensors: BTreeMap::new(),
            equations,
            tangents: BTreeMap::new(),
            result,
            points: Vec::new(),
        };
        subject.name_all();
        subject.points = Point::all(&subject);
        subject
    }

    /// Gives adjoints the names that rules have for them, and all tensors that a rule may speak of a meaning.
    fn name_all(&mut self) {
        let ids: Vec<TensorId> = self.context.tensors().map(|(id, _)| id).collect();
        let objective = objective_name(self.derivation);
        let has_objective = self.derivation.model.objective.is_some();
        for &id in &ids {
            let name = match self.context.tensor(id).role {
                Role::Adjoint { of } => {
                    let name = &self.context.tensor(of).name;
                    let is_parameter = self.context.tensor(of).role == Role::Parameter;
                    let result = self.result.map_or(objective, |result| self.context.tensor(result).name.as_str());
                    let result = if is_parameter || has_objective { result } else { objective };
                    format!("d{result}/d{name}")
                }
                Role::Gradient { of } => format!("d{objective}/d{}", self.context.tensor(of).name),
                Role::Objective => objective.to_owned(),
                _ => continue,
            };
            self.context.tensor_mut(id).name = name;
        }
        for &id in &ids {
            if let Role::BatchMean { of } = self.context.tensor(id).role {
                self.context.tensor_mut(id).name = self.context.tensor(of).name.clone();
            }
        }
        // Names of the spec come before those that every rule knows.
        let is_fixed = |role: Role| matches!(role, Role::BatchSize | Role::UpdateNumber | Role::Objective);
        for fixed in [false, true] {
            for &id in &ids {
                let role = self.context.tensor(id).role;
                let is_spoken_of = !matches!(role, Role::Adjoint { .. } | Role::Gradient { .. } | Role::BatchMean { .. });
                if is_spoken_of && is_fixed(role) == fixed {
                    let name = self.context.tensor(id).name.clone();
                    self.add_known(name, id);
                }
            }
        }
        if let Some(result) = self.result.filter(|_| has_objective) {
            self.add_known(objective.to_owned(), result);
        }
    }

    /// Gives a name a meaning, unless it has one.
    pub(super) fn add_known(&mut self, name: String, tensor: TensorId) {
        if self.tensors.contains_key(&name) {
            return;
        }
        let axes = self.context.fresh_axes(tensor);
        let value = self.context.access_at(tensor, &axes);
        self.known.push(Known { name: name.clone(), axes, value });
        self.tensors.insert(name, tensor);
    }

    /// The element of a meaning where its axes have these indices; one number is the same everywhere.
    pub(super) fn at_axes(&mut self, meaning: &Meaning, axes: &[IndexId]) -> Option<ExprId> {
        if meaning.axes.is_empty() {
            return Some(meaning.value);
        }
        let extent = |axis: &IndexId| self.context.index_of(*axis).extent();
        if meaning.axes.len() != axes.len() || meaning.axes.iter().zip(axes).any(|(own, other)| extent(own) != extent(other)) {
            return None;
        }
        let renaming: Vec<_> = meaning.axes.iter().copied().zip(axes.iter().map(|&axis| Affine::index(axis))).collect();
        Some(self.context.substitute_indices(meaning.value, &renaming))
    }

    /// Two sides at the same indices.
    pub(super) fn aligned(&mut self, left: &Meaning, right: &Meaning) -> Option<Sides> {
        Some(Sides { left: left.value, right: self.at_axes(right, &left.axes)? })
    }

    /// The equation that defines a tensor.
    pub(super) fn equation_of(&self, tensor: TensorId) -> Option<&Equation> {
        self.equations.get(&tensor)
    }
}

/// What rules call the objective: `E`, unless a tensor has that name.
pub(super) fn objective_name(derivation: &Derivation) -> &'static str {
    let context = &derivation.model.context;
    let is_taken = |name: &str| context.tensors().any(|(_, tensor)| tensor.role != Role::Objective && tensor.name == name);
    ["E", "J", "objective"].into_iter().find(|name| !is_taken(name)).unwrap_or("E")
}
