//! The Jacobian of one tensor of a network by an earlier one, through the equations between them.
//!
//! Each equation has a Jacobian by each tensor that it reads ([`crate::calculus::local_jacobian`]); the chain rule multiplies them along paths and
//! adds over paths. In numbers, a row is the adjoint of one element: the derivation's own backward pass, begun there.

mod error;
#[cfg(feature = "generic")]
mod numbers;

pub use error::JacobianError;
#[cfg(feature = "generic")]
pub use numbers::numbers;

use crate::calculus::{ComposedJacobian, LocalJacobian, composed_jacobian, local_jacobian};
use crate::derivation::Derivation;
use crate::diagnostic::nearest;
use crate::equation::{Context, Equation, Role, TensorId};
use crate::model::Model;
use std::collections::{BTreeMap, BTreeSet};

/// The most parts of an expression that stands for a whole chain of Jacobians.
const COMPOSED_PARTS: usize = 120;

/// A Jacobian in symbols.
#[derive(Clone, Debug)]
pub struct Jacobian {
    /// The derivation's context, extended by what stands here.
    pub context: Context,
    /// Of what: its elements are the rows.
    pub of: TensorId,
    /// By what: its elements are the columns.
    pub by: TensorId,
    /// The Jacobians of the equations between, those of one equation together, the last equation first. Those that are 0 everywhere are left out, with all that
    /// only leads there.
    pub locals: Vec<LocalJacobian>,
    /// The chain rule: for [`Self::of`], then for each tensor that it ends at.
    pub chain: Vec<ChainRule>,
    /// The whole as one expression, where it is short.
    pub composed: Option<ComposedJacobian>,
}

/// The total derivative of one tensor as a sum over paths; of none, 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainRule {
    /// Of what.
    pub of: TensorId,
    /// The terms.
    pub paths: Vec<Path>,
}

/// A product of Jacobians.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Positions in [`Jacobian::locals`].
    pub factors: Vec<usize>,
    /// The tensor whose own total derivative is the last factor; `None` where the path ends at [`Jacobian::by`].
    pub rest: Option<TensorId>,
}

/// Finds the tensors of a Jacobian by their names.
///
/// # Errors
/// Where there is no such tensor, the first is not computed, the second is a label or changes itself at later steps, or the first does not depend on the
/// second.
pub fn find(model: &Model, of: &str, by: &str) -> Result<(TensorId, TensorId), JacobianError> {
    let (of, by) = (named(model, of)?, named(model, by)?);
    let name = |tensor: TensorId| model.context.tensor(tensor).name.clone();
    if model.context.tensor(of).role != Role::Value {
        return Err(JacobianError::NotComputed { of: name(of) });
    }
    if model.context.tensor(by).label {
        return Err(JacobianError::Label { by: name(by) });
    }
    if of == by {
        return Err(JacobianError::Same { name: name(of) });
    }
    if reads(&model.context, &model.equations, by).contains(&by) {
        return Err(JacobianError::Recurrent { by: name(by) });
    }
    if !reads(&model.context, &model.equations, of).contains(&by) {
        let reversed = reads(&model.context, &model.equations, by).contains(&of);
        return Err(JacobianError::Independent { of: name(of), by: name(by), reversed });
    }
    Ok((of, by))
}

fn named(model: &Model, name: &str) -> Result<TensorId, JacobianError> {
    let all = || {
        let roles = |role| matches!(role, Role::Input | Role::Target | Role::Parameter | Role::Noise | Role::Value);
        model.context.tensors().filter(move |(_, tensor)| roles(tensor.role))
    };
    if let Some((id, _)) = all().find(|(_, tensor)| tensor.name == name) {
        return Ok(id);
    }
    let meant = nearest(name, all().map(|(_, tensor)| tensor.name.as_str())).map(str::to_owned);
    Err(JacobianError::Unknown { name: name.to_owned(), meant, known: all().map(|(_, tensor)| tensor.name.clone()).collect() })
}

/// All tensors that one depends on.
fn reads(context: &Context, equations: &[Equation], of: TensorId) -> BTreeSet<TensorId> {
    let mut found = BTreeSet::new();
    let mut open = vec![of];
    while let Some(tensor) = open.pop() {
        if let Some(equation) = equations.iter().find(|equation| equation.target == tensor) {
            open.extend(context.tensors_in(equation.value).into_iter().filter(|&read| found.insert(read)));
        }
    }
    found
}

/// The Jacobian of a tensor by another, as [`find`] gives them.
pub fn jacobian(derivation: &Derivation, of: TensorId, by: TensorId) -> Jacobian {
    let mut context = derivation.model.context.clone();
    let locals = locals(&mut context, &derivation.forward, of, by);
    let chain = chain(&locals, of, by);
    let in_order: Vec<&LocalJacobian> = in_order_of(&derivation.forward, &locals);
    let composed = if locals.len() > 1 { composed_jacobian(&mut context, &in_order, of, by, COMPOSED_PARTS) } else { None };
    Jacobian { context, of, by, locals, chain, composed }
}

fn in_order_of<'l>(equations: &[Equation], locals: &'l [LocalJacobian]) -> Vec<&'l LocalJacobian> {
    equations.iter().flat_map(|equation| locals.iter().filter(|local| local.of == equation.target)).collect()
}

/// The Jacobians of all equations on paths from `by` to `of`, the last equation first.
fn locals(context: &mut Context, equations: &[Equation], of: TensorId, by: TensorId) -> Vec<LocalJacobian> {
    let by_target: BTreeMap<TensorId, &Equation> = equations.iter().map(|equation| (equation.target, equation)).collect();
    let mut found: Vec<LocalJacobian> = Vec::new();
    let mut seen = BTreeSet::from([of]);
    let mut open = vec![of];
    while let Some(tensor) = open.pop() {
        let Some(equation) = by_target.get(&tensor) else { continue };
        for read in context.tensors_in(equation.value) {
            if read != by && !by_target.contains_key(&read) {
                continue;
            }
            let local = local_jacobian(context, equation, read);
            if context.is_integer(local.value, 0) {
                continue;
            }
            found.push(local);
            if read != by && seen.insert(read) {
                open.push(read);
            }
        }
    }
    // What does not lead on to `by` is no part of it.
    let mut leading = BTreeSet::from([by]);
    let mut count = 0;
    while count != leading.len() {
        count = leading.len();
        leading.extend(found.iter().filter(|local| leading.contains(&local.by)).map(|local| local.of).collect::<Vec<_>>());
    }
    found.retain(|local| leading.contains(&local.by));
    let position = |tensor: TensorId| equations.iter().position(|equation| equation.target == tensor);
    found.sort_by_key(|local| std::cmp::Reverse(position(local.of)));
    found
}

/// The chain rule, which stops at tensors that several paths lead on from.
fn chain(locals: &[LocalJacobian], of: TensorId, by: TensorId) -> Vec<ChainRule> {
    let from = |tensor: TensorId| (0..locals.len()).filter(move |&at| locals[at].of == tensor);
    let mut rules: Vec<ChainRule> = Vec::new();
    let mut open = vec![of];
    while let Some(tensor) = open.pop() {
        if rules.iter().any(|rule| rule.of == tensor) {
            continue;
        }
        let mut paths = Vec::new();
        for first in from(tensor) {
            let mut factors = vec![first];
            let mut reached = locals[first].by;
            while reached != by && reached != of && from(reached).count() == 1 {
                factors.extend(from(reached));
                reached = factors.last().map_or(by, |&last| locals[last].by);
            }
            let rest = (reached != by).then_some(reached);
            open.extend(rest);
            paths.push(Path { factors, rest });
        }
        rules.push(ChainRule { of: tensor, paths });
    }
    let last_first = |rule: &ChainRule| locals.iter().position(|local| local.of == rule.of);
    rules.sort_by_key(last_first);
    rules
}
