//! Layers of the same form: equations that are equal up to the number of their layer.
//!
//! Nothing here knows what a layer is called. `stacks` finds equations that repeat with a period, one block of them reading the
//! block before, and so gives tensors a place: a family and the number of a layer. `keys` hashes what is said about a tensor with all
//! other tensors named by their place relative to it. Equations with the same hash, records of their derivations included, are one
//! [`Rule`]: one line of a sheet with a general `l`, and one number. `sizes` names the extents that change from layer to layer.

mod general;
mod keys;
mod sizes;
mod stacks;

use std::collections::BTreeMap;

use crate::calculus::{Factor, Record};
use crate::derivation::{Adjoint, Gradient};
use crate::equation::{Alike, Context, Equation, IndexId, Role, Table, TensorId};
use crate::model::Optimizer;
use keys::{Keys, Scope};
pub use sizes::{Extent, Size, Terms};

/// Where a tensor stands: in which family, and in which layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The position in [`Folding::families`].
    pub family: usize,
    /// The layer, from 1; what the first layer reads is of layer 0.
    pub layer: i64,
}

/// Tensors that do the same in their layers.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// Which stack of layers.
    pub stack: usize,
    /// The tensors by layer.
    pub members: BTreeMap<i64, TensorId>,
    /// Whether equations of the layers define them: values, not parameters or noise.
    pub is_defined: bool,
}

/// One equation, or several that differ only in their layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The targets of the equations in the order in which they are computed. The first one stands for all.
    pub members: Vec<TensorId>,
    /// The layers, one for each member; empty where the equation stands for itself alone and is not written in general terms.
    pub layers: Vec<i64>,
    /// The indices of the first member whose extents change from layer to layer.
    pub extents: BTreeMap<IndexId, Extent>,
}

/// All families and rules of a derivation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folding {
    /// Tensors that do the same in their layers.
    pub families: Vec<Family>,
    /// Extents that change from layer to layer.
    pub sizes: Vec<Size>,
    /// The rules, in the order of their first members.
    pub rules: Vec<Rule>,
    places: Table<TensorId, Place>,
    rule_of: Table<TensorId, usize>,
    /// The parameter's family and the position among the states of its rule.
    states: Table<TensorId, (TensorId, usize)>,
}

/// What is said about one tensor: an equation with the record of its derivation.
struct Statement<'a> {
    equation: &'a Equation,
    record: Option<&'a Record>,
    is_computed: bool,
    /// The statement from which it differs in nothing but names, if that is known.
    alike: Option<&'a Alike>,
}

/// What is found of a statement.
enum Found<'a> {
    /// It is about no layer.
    Nothing,
    /// Its hashes.
    Hashes(Scope<'a>),
    /// It is the same for its layer as another statement for its own.
    Alike(usize),
}

impl Folding {
    /// Finds the layers of a derivation.
    pub(crate) fn new(
        context: &Context,
        forward: &[Equation],
        backward: &[Adjoint],
        gradient: &[Gradient],
        optimizers: &[Optimizer],
    ) -> Folding {
        let mut folding = stacks::find(context, forward);
        for optimizer in optimizers {
            let states = optimizer.states.iter().enumerate();
            folding.states.extend(states.map(|(at, state)| (state.tensor, (optimizer.parameter, at))));
        }
        folding.sizes = sizes::find(context, &folding.families);
        let of_forward = forward.iter().map(|equation| Statement { equation, record: None, is_computed: true, alike: None });
        let of_backward = backward.iter().map(|adjoint| Statement {
            equation: &adjoint.equation,
            record: Some(&adjoint.record),
            is_computed: adjoint.is_computed,
            alike: adjoint.alike.as_ref(),
        });
        let of_gradient = gradient.iter().map(|gradient| Statement {
            equation: &gradient.equation,
            record: Some(&gradient.record),
            is_computed: true,
            alike: None,
        });
        let updates = optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        let of_updates = updates.map(|equation| Statement { equation, record: None, is_computed: true, alike: None });
        let statements: Vec<Statement<'_>> = of_forward.chain(of_backward).chain(of_gradient).chain(of_updates).collect();
        folding.group(context, &statements);
        folding.generalize(context, backward);
        folding
    }

    /// Makes rules of the statements that are equal up to their layer.
    fn group(&mut self, context: &Context, statements: &[Statement<'_>]) {
        let keys = Keys::new(context, self);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut by_key: BTreeMap<u64, usize> = BTreeMap::new();
        let mut found = Vec::new();
        // The statements of adjoints that were derived, with their hashes.
        let mut derived: Table<TensorId, (usize, u64)> = Table::default();
        for (at, statement) in statements.iter().enumerate() {
            let alike = statement.alike.and_then(|alike| {
                let &(other, key) = derived.get(alike.to)?;
                let is_same = statements[other].is_computed == statement.is_computed;
                (is_same && self.is_shifted(context, alike, statement.equation.target)).then_some((key, Found::Alike(other)))
            });
            let (key, what) = match alike {
                Some((key, what)) => (Some(key), what),
                None => match keys.statement(statement) {
                    Some((key, scope)) => {
                        derived.insert(statement.equation.target, (at, key));
                        (Some(key), Found::Hashes(scope))
                    }
                    None => (None, Found::Nothing),
                },
            };
            found.push(what);
            match key.and_then(|key| by_key.get(&key)) {
                Some(&group) => groups[group].push(at),
                None => {
                    if let Some(key) = key {
                        by_key.insert(key, groups.len());
                    }
                    groups.push(vec![at]);
                }
            }
        }
        let mut rules = Vec::new();
        for group in groups {
            let indices = |at: usize| match &found[at] {
                Found::Hashes(scope) => scope.indices(&statements[at]),
                Found::Nothing | Found::Alike(_) => Vec::new(),
            };
            let mut known: Vec<(usize, Vec<IndexId>)> = Vec::new();
            for &at in group.iter().filter(|_| group.len() > 1) {
                let of_statement = match (&found[at], statements[at].alike) {
                    (Found::Alike(other), Some(alike)) => {
                        let of_other = known.iter().find(|(at, _)| at == other).map(|(_, indices)| indices.clone());
                        of_other.unwrap_or_else(|| indices(*other)).into_iter().map(|index| alike.index(index)).collect()
                    }
                    _ => indices(at),
                };
                known.push((at, of_statement));
            }
            let targets: Vec<TensorId> = group.iter().map(|&at| statements[at].equation.target).collect();
            let indices: Vec<Vec<IndexId>> = known.into_iter().map(|(_, indices)| indices).collect();
            rules.extend(sizes::rules_of(&keys, self, &targets, indices).into_iter().map(|(first, rule)| (group[first], rule)));
        }
        rules.sort_by_key(|(first, _)| *first);
        self.rules = rules.into_iter().map(|(_, rule)| rule).collect();
        for (at, rule) in self.rules.iter().enumerate() {
            self.rule_of.extend(rule.members.iter().map(|&member| (member, at)));
        }
    }

    /// Whether all that stands for something else in a statement is of the same family, and as many layers away from it.
    fn is_shifted(&self, context: &Context, alike: &Alike, target: TensorId) -> bool {
        let (Some(from), Some(to)) = (self.place_of(context, alike.to), self.place_of(context, target)) else { return false };
        let is_shifted = |one: TensorId, other: TensorId| match (self.place_of(context, one), self.place_of(context, other)) {
            (Some(one), Some(other)) => one.family == other.family && other.layer - one.layer == to.layer - from.layer,
            (None, None) => one == other,
            _ => false,
        };
        is_shifted(alike.to, target) && alike.tensors.iter().all(|&(one, other)| is_shifted(one, other))
    }

    /// Where a tensor stands in a stack, if it does.
    pub fn place(&self, tensor: TensorId) -> Option<Place> {
        self.places.get(tensor).copied()
    }

    /// Where the tensor stands that another is about: an adjoint and a gradient stand with what they are by, a state with its parameter.
    pub fn place_of(&self, context: &Context, tensor: TensorId) -> Option<Place> {
        self.place(base(context, tensor))
    }

    /// The rule that defines a tensor.
    pub fn rule(&self, target: TensorId) -> Option<&Rule> {
        self.rule_of.get(target).map(|&at| &self.rules[at])
    }

    /// Whether a tensor's equation is the one that its rule is printed from.
    pub fn leads(&self, target: TensorId) -> bool {
        self.rule(target).is_none_or(|rule| rule.members.first() == Some(&target))
    }

    /// A hash of a factor of a chain rule with its derivation, seen from a layer.
    pub(crate) fn factor_key(&self, context: &Context, factor: &Factor, layer: i64) -> u64 {
        Keys::new(context, self).factor(factor, layer)
    }
}

impl Rule {
    /// Whether it stands for several layers.
    pub fn is_folded(&self) -> bool {
        self.members.len() > 1
    }

    /// Whether it is written with a general letter for its layer.
    pub fn is_general(&self) -> bool {
        !self.layers.is_empty()
    }
}

/// What a derived tensor is about: a parameter, an input, a value.
fn base(context: &Context, tensor: TensorId) -> TensorId {
    match context.tensor(tensor).role {
        Role::Adjoint { of } | Role::BatchMean { of } | Role::Gradient { of } | Role::State { of } | Role::Next { of } => {
            base(context, of)
        }
        _ => tensor,
    }
}
