//! Units that start alike and stay alike.
//!
//! If the elements of an axis can be exchanged without a change of any equation, and all parameters on that axis start with one
//! number, then each step of training changes all of them alike.

use std::collections::{BTreeMap, BTreeSet};

use super::{Fact, FactKind, Study};
use crate::equation::{Affine, Axis, AxisClasses, Context, Equation, ExprId, IndexId, Node, Role, TensorId, for_each_child};
use crate::model::Distribution;

/// Axes that have an index in common.
#[derive(Default)]
struct Axes {
    classes: AxisClasses,
    /// Axes on which a place matters.
    ordered: BTreeSet<Axis>,
}

impl Axes {
    fn read(&mut self, context: &Context, equation: &Equation) {
        for (axis, &index) in equation.indices.iter().enumerate() {
            self.run_over(context, index, equation.value, Some((equation.target, axis)));
        }
        let mut reductions = Vec::new();
        context.visit(equation.value, &mut |context, part| match context.node(part) {
            Node::Reduce { indices, body, .. } => reductions.push((indices.clone(), *body, true)),
            Node::ArgReduce { indices, body, .. } => reductions.push((indices.clone(), *body, false)),
            _ => {}
        });
        for (indices, body, is_symmetric) in reductions {
            for index in indices {
                let axis = self.run_over(context, index, body, None);
                if !is_symmetric {
                    self.ordered.extend(axis);
                }
            }
        }
    }

    /// Joins the axes that an index runs over, with a further one; the result is one of them.
    fn run_over(&mut self, context: &Context, index: IndexId, body: ExprId, further: Option<Axis>) -> Option<Axis> {
        let mut uses = Uses { index, axes: further.into_iter().collect(), is_ordered: false };
        uses.find(context, body);
        self.classes.join(&uses.axes);
        let first = uses.axes.first().copied();
        if uses.is_ordered {
            self.ordered.extend(&uses.axes);
        }
        first
    }
}

/// Where an index stands.
struct Uses {
    index: IndexId,
    axes: Vec<Axis>,
    is_ordered: bool,
}

impl Uses {
    fn find(&mut self, context: &Context, expr: ExprId) {
        let mentions = |affine: &Affine| affine.terms.iter().any(|term| term.0 == self.index);
        match context.node(expr) {
            Node::Index(affine) => self.is_ordered |= mentions(affine),
            Node::Access { tensor, indices } => {
                for (axis, affine) in indices.iter().enumerate() {
                    if mentions(affine) {
                        let extent = context.index_of(self.index).extent();
                        let is_whole = affine.as_index().is_some() && context.tensor(*tensor).shape[axis] == extent;
                        self.is_ordered |= !is_whole;
                        self.axes.push((*tensor, axis));
                    }
                }
            }
            Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } if indices.contains(&self.index) => {}
            node => for_each_child(node, |child| self.find(context, child)),
        }
    }
}

/// Groups of units that stay alike.
pub(super) fn facts(study: &Study<'_>) -> Vec<Fact> {
    let mut axes = Axes::default();
    let mut used: BTreeSet<Axis> = BTreeSet::new();
    for equation in &study.derivation.forward {
        axes.read(&study.context, equation);
        for tensor in study.context.tensors_in(equation.value).into_iter().chain([equation.target]) {
            used.extend((0..study.context.tensor(tensor).shape.len()).map(|axis| (tensor, axis)));
        }
    }
    let mut classes: BTreeMap<Axis, Vec<Axis>> = BTreeMap::new();
    for axis in used {
        classes.entry(axes.classes.root(axis)).or_default().push(axis);
    }
    let ordered: BTreeSet<Axis> = axes.ordered.iter().map(|&axis| axes.classes.root(axis)).collect();
    let alike = classes.iter().filter(|(root, _)| !ordered.contains(root));
    alike.filter_map(|(_, class)| fact(study, class)).collect()
}

fn fact(study: &Study<'_>, class: &[Axis]) -> Option<Fact> {
    let model = &study.derivation.model;
    let (mut values, mut parameters): (Vec<TensorId>, Vec<TensorId>) = (Vec::new(), Vec::new());
    for &(tensor, _) in class {
        match study.role(tensor) {
            Role::Value if !values.contains(&tensor) => values.push(tensor),
            Role::Parameter if !parameters.contains(&tensor) => parameters.push(tensor),
            Role::Value | Role::Parameter => {}
            // Data differ from place to place.
            _ => return None,
        }
    }
    let &(first, axis) = class.first()?;
    let extent = study.context.tensor(first).shape[axis];
    let is_constant = |tensor: &TensorId| {
        model.parameters.iter().any(|known| known.tensor == *tensor && matches!(known.initial, Distribution::Constant(_)))
    };
    let is_trained = |tensor: &TensorId| model.parameters.iter().any(|known| known.tensor == *tensor && known.trained);
    if extent < 2 || values.is_empty() || !parameters.iter().any(is_trained) || !parameters.iter().all(is_constant) {
        return None;
    }
    let equations = values.iter().filter_map(|&tensor| study.definition(tensor));
    Some(Fact {
        kind: FactKind::Symmetry,
        is_mistake: true,
        what: format!("the {extent} units of {} stay identical for ever", study.names(&values)),
        reason: format!(
            "{} start with one number for all units; whoever exchanges two units changes nothing, so all have the same gradient in every step",
            study.names(&parameters)
        ),
        formulas: Vec::new(),
        equations: study.numbers(equations),
        origin: study.context.tensor(parameters[0]).origin,
    })
}
