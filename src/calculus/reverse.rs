//! Reverse accumulation: forward equations to adjoint equations, one at a time, last first.
//!
//! The adjoint of a tensor is the sum, over the equations that read it, of their own adjoints times a partial derivative
//! (Griewank and Walther 2008, section 3.2). Derivatives stop at named tensors, so the work is linear in the number of
//! equations.

use rustc_hash::{FxHashMap, FxHashSet};

use super::differentiate::{differentiate, differentiate_with_laws};
use super::forms::{Apart, Forms, Source};
use super::output::in_terms_of_output;
use super::simplify::simplify;
use super::sums::{inside, is_finite, solve};
use super::weight::{places, weight};
use super::{Condition, Factor, Record, Step, algebra, mutation};
use crate::derivation::Adjoint;
use crate::equation::{
    Affine, Alike, Block, Context, Equation, ExprId, IndexId, Node, ReduceKind, Role, Seen, Table, Tensor, TensorId, schedule,
};

/// The adjoints of all tensors between `by` and `result`, the last equation's scalar, in reverse order; those of `by` among them.
pub fn adjoints(context: &mut Context, equations: &[Equation], result: TensorId, by: &[TensorId]) -> Vec<Adjoint> {
    adjoints_by(context, equations, result, by, true)
}

/// [`adjoints`]; `by_form` says whether those of one form are derived once.
pub(super) fn adjoints_by(
    context: &mut Context,
    equations: &[Equation],
    result: TensorId,
    by: &[TensorId],
    by_form: bool,
) -> Vec<Adjoint> {
    let readers = readers_of(context, equations.iter().map(|equation| equation.value));
    let active = active_tensors(context, equations, by);
    let defined: FxHashSet<TensorId> = equations.iter().map(|equation| equation.target).collect();
    let leading = leading_tensors(context, equations, result);
    // A value's own equation comes after all that read it in reverse order; inputs and parameters come last.
    let mut groups = groups(context, equations);
    groups.reverse();
    let leaves = by.iter().copied().filter(|tensor| !defined.contains(tensor));
    groups.extend(leaves.map(|leaf| vec![leaf]));
    let mut adjoints: Vec<Adjoint> = Vec::new();
    let mut targets: FxHashMap<TensorId, TensorId> = FxHashMap::default();
    let mut forms = Forms::default();
    for mut group in groups {
        group.retain(|tensor| *tensor != result && active.contains(tensor) && leading.contains(tensor));
        // Backpropagation through time (Werbos 1990): the adjoints of a recurrence speak of each other.
        let is_recurrence = group
            .iter()
            .any(|tensor| readers.get(tensor).into_iter().flatten().any(|&position| group.contains(&equations[position].target)));
        if is_recurrence {
            for &tensor in &group {
                targets.insert(tensor, adjoint_tensor(context, tensor));
            }
        }
        for &tensor in group.iter().rev() {
            let reading = readers.get(&tensor).into_iter().flatten().map(|&position| &equations[position]);
            let reading = reading.map(|equation| (equation, targets.get(&equation.target).copied()));
            let reading = reading.filter(|(equation, outer)| outer.is_some() || equation.target == result).collect();
            let source = Source { tensor, announced: targets.get(&tensor).copied(), reading };
            let mut adjoint = forms.adjoint(context, &adjoints, &source, |context| adjoint_tensor(context, tensor));
            if adjoint.is_none()
                && let Some((derived, indices)) = adjoint_of(context, &source)
            {
                if by_form {
                    forms.insert(context, source, adjoints.len(), indices);
                }
                adjoint = Some(derived);
            }
            if let Some(adjoint) = adjoint {
                targets.insert(tensor, adjoint.equation.target);
                adjoints.push(adjoint);
            }
        }
    }
    let by: Table<TensorId, ()> = by.iter().map(|&tensor| (tensor, ())).collect();
    merge_single_readers(context, &mut adjoints, &by, by_form);
    remove_unread(context, &mut adjoints, &by);
    adjoints
}

/// The targets of the equations, those of a recurrence together, each group after those it reads.
fn groups(context: &Context, equations: &[Equation]) -> Vec<Vec<TensorId>> {
    let all: Vec<&Equation> = equations.iter().collect();
    let target = |position: usize| equations[position].target;
    match schedule(context, &all, |equation| equation.value) {
        Ok(blocks) => blocks
            .into_iter()
            .map(|block| match block {
                Block::Whole(position) => vec![target(position)],
                Block::Steps(recurrence) => recurrence.equations.into_iter().map(target).collect(),
            })
            .collect(),
        // A model's equations have an order; without one, that in which they stand is as good as any.
        Err(_) => equations.iter().map(|equation| vec![equation.target]).collect(),
    }
}

/// The tensors that the result depends on, and the result.
fn leading_tensors(context: &Context, equations: &[Equation], result: TensorId) -> FxHashSet<TensorId> {
    let by_target: FxHashMap<TensorId, &Equation> = equations.iter().map(|equation| (equation.target, equation)).collect();
    let mut leading: FxHashSet<TensorId> = FxHashSet::from_iter([result]);
    let mut open = vec![result];
    while let Some(tensor) = open.pop() {
        let Some(equation) = by_target.get(&tensor) else { continue };
        open.extend(context.tensors_in(equation.value).into_iter().filter(|&read| leading.insert(read)));
    }
    leading
}

/// Removes the adjoints that no derivation of an adjoint of `by` speaks of: what a step function cuts off.
fn remove_unread(context: &Context, adjoints: &mut Vec<Adjoint>, by: &Table<TensorId, ()>) {
    let mut needed: Table<TensorId, ()> = Table::default();
    let mut unread: Vec<&Adjoint> = adjoints.iter().rev().collect();
    let mut seen = Seen::default();
    let mut before = usize::MAX;
    // Once for a chain; adjoints of a recurrence may be needed by those that stand before them.
    while before != unread.len() {
        before = unread.len();
        unread.retain(|adjoint| {
            let target = adjoint.equation.target;
            let wanted = matches!(context.tensor(target).role, Role::Adjoint { of } if by.contains(of));
            if !wanted && !needed.contains(target) {
                return true;
            }
            needed.insert(target, ());
            let mut read = |context: &Context, part: ExprId| {
                if let Node::Access { tensor, .. } = context.node(part) {
                    needed.insert(*tensor, ());
                }
            };
            adjoint.record.steps.iter().for_each(|step| context.visit_unseen(step.value, &mut read, &mut seen));
            false
        });
    }
    adjoints.retain(|adjoint| needed.contains(adjoint.equation.target));
}

/// For each tensor, the positions of the expressions that read it.
fn readers_of(context: &Context, values: impl Iterator<Item = ExprId>) -> FxHashMap<TensorId, Vec<usize>> {
    let mut readers: FxHashMap<TensorId, Vec<usize>> = FxHashMap::default();
    for (position, value) in values.enumerate() {
        for tensor in context.tensors_in(value) {
            readers.entry(tensor).or_default().push(position);
        }
    }
    readers
}

/// The tensors that depend on one of `by`, and those themselves.
fn active_tensors(context: &Context, equations: &[Equation], by: &[TensorId]) -> FxHashSet<TensorId> {
    let mut active: FxHashSet<TensorId> = by.iter().copied().collect();
    let mut seen = usize::MAX;
    // A recurrence may be reached through an equation that stands after it.
    while seen != active.len() {
        seen = active.len();
        for equation in equations {
            if context.tensors_in(equation.value).iter().any(|tensor| active.contains(tensor)) {
                active.insert(equation.target);
            }
        }
    }
    active
}

/// The derivative of the result by one tensor, from the adjoints of the equations that read it, and the free indices of its record in
/// the order of their making; `None` where nothing reads it.
fn adjoint_of(context: &mut Context, source: &Source<'_>) -> Option<(Adjoint, Vec<IndexId>)> {
    let tensor = source.tensor;
    let at = context.fresh_axes(tensor);
    let mut indices = at.clone();
    let mut record = Record::default();
    let (mut named, mut known, mut uses) = (Vec::new(), Vec::new(), Vec::new());
    for (equation, outer) in &source.reading {
        let Some(link) = chain_link(context, equation, *outer, tensor, &at) else { continue };
        named.push(link.named);
        known.push(link.known);
        uses.push(equation.target);
        record.factors.push(link.factor);
        indices.extend(link.indices);
    }
    if known.is_empty() && source.announced.is_none() {
        return None;
    }
    let (named, known) = (context.add(named), context.add(known));
    let named = mutation::result(context, "chain-rule", named);
    let known = mutation::result(context, "substitute-factors", known);
    record.steps.push(Step { rule: "chain-rule", value: named, condition: None, uses });
    record.steps.push(Step { rule: "substitute-factors", value: known, condition: None, uses: Vec::new() });
    let value = simplify(context, known, &mut record.steps);
    let target = source.announced.unwrap_or_else(|| adjoint_tensor(context, tensor));
    let origin = context.tensor(tensor).origin;
    record.special_case = special_case(context, value);
    let equation = Equation { target, indices: at, value, computed: value, number: 0, origin };
    Some((Adjoint { equation, record, is_computed: true, alike: None }, indices))
}

/// A tensor for the adjoint of a tensor.
fn adjoint_tensor(context: &mut Context, tensor: TensorId) -> TensorId {
    let Tensor { name, shape, axes, origin, .. } = context.tensor(tensor).clone();
    let role = Role::Adjoint { of: tensor };
    context.add_tensor(Tensor { name: format!("d{name}"), shape, axes, role, label: false, origin })
}

/// One term of a chain rule.
struct Link {
    /// With the partial derivative named.
    named: ExprId,
    /// With the partial derivative known.
    known: ExprId,
    factor: Factor,
    /// The equation's indices, by the names that they have in the term.
    indices: Vec<IndexId>,
}

/// The term of `tensor[at]`'s adjoint that comes through one equation: its adjoint `outer` (1 for the result itself) times the
/// partial derivative, summed over the places of the equation that read `tensor[at]`.
fn chain_link(
    context: &mut Context,
    equation: &Equation,
    outer: Option<TensorId>,
    tensor: TensorId,
    at: &[IndexId],
) -> Option<Link> {
    let renamed: Vec<_> = equation.indices.iter().map(|&index| context.fresh(index)).collect();
    let renaming: Vec<_> = equation.indices.iter().copied().zip(renamed.iter().map(|&index| Affine::index(index))).collect();
    let right_hand_side = context.substitute_indices(equation.value, &renaming);
    let everywhere = differentiate(context, right_hand_side, tensor, at);
    let everywhere = simplify(context, everywhere, &mut Vec::new());
    if context.is_integer(everywhere, 0) {
        return None;
    }
    // Where only one place reads tensor[at], the derivative is taken there, and no sum is needed.
    let place = single_place(context, everywhere, &renamed, at);
    let (mut places, mut summed) = (Vec::new(), Vec::new());
    for &index in &renamed {
        match place.iter().find(|(from, _)| *from == index) {
            Some((_, to)) => places.push(to.clone()),
            None => {
                places.push(Affine::index(index));
                summed.push(index);
            }
        }
    }
    let right_hand_side = context.substitute_indices(right_hand_side, &place);
    let mut steps = Vec::new();
    let (raw, laws) = differentiate_with_laws(context, right_hand_side, tensor, at);
    steps.push(Step { rule: "derivative", value: raw, condition: None, uses: vec![equation.target] });
    let simple = simplify(context, raw, &mut steps);
    let local =
        Equation { indices: renamed.clone(), value: context.substitute_indices(equation.value, &renaming), ..equation.clone() };
    let value = in_terms_of_output(context, simple, &local, &places, &mut steps);
    let value = within_range(context, value, &place);
    let of = context.access(equation.target, places.clone());
    let by = context.access_at(tensor, at);
    let partial = context.partial(of, by);
    let outer = match outer {
        Some(adjoint) => context.access(adjoint, places),
        None => context.integer(1),
    };
    let (named, known) = (context.multiply([outer, partial]), context.multiply([outer, value]));
    let (named, known) = (context.sum(&summed, named), context.sum(&summed, known));
    Some(Link { named, known, factor: Factor { partial, laws, steps }, indices: renamed })
}

/// Deltas among the factors of a derivative that fix an index of the equation in terms of the tensor's: `[t - 1 = s]` says that `t` is
/// `s + 1`. Such a place may lie outside of the equation's range, where the equation's own adjoint is 0.
fn single_place(context: &Context, derivative: ExprId, equation: &[IndexId], at: &[IndexId]) -> Vec<(IndexId, Affine)> {
    let mut place: Vec<(IndexId, Affine)> = Vec::new();
    for factor in algebra::factors(context, derivative) {
        for (index, solution) in solve(context, factor, equation) {
            let is_known = solution.terms.iter().all(|(term, _)| at.contains(term));
            if is_known && place.iter().all(|(seen, _)| *seen != index) {
                place.push((index, solution));
                break;
            }
        }
    }
    place
}

/// A partial derivative at a place that may lie outside of its equation's range. The adjoint that it is multiplied with is 0 there, and so is
/// the product, unless the derivative is infinite: then it is asked for inside only.
fn within_range(context: &mut Context, value: ExprId, place: &[(IndexId, Affine)]) -> ExprId {
    let conditions: Vec<ExprId> = place.iter().flat_map(|(index, to)| inside(context, to, *index)).collect();
    if conditions.is_empty() || is_finite(context, value) {
        return value;
    }
    let (condition, zero) = (context.and(conditions), context.integer(0));
    context.if_else(condition, value, zero)
}

/// Merges an adjoint into the only other one that reads it, where the two together become cheaper: the derivative of a
/// cross-entropy by its softmax into that by the logits.
fn merge_single_readers(context: &mut Context, adjoints: &mut [Adjoint], by: &Table<TensorId, ()>, by_form: bool) {
    let mut apart = Apart::default();
    let mut changed: Table<TensorId, ()> = Table::default();
    let mut all_readers = readers_of(context, adjoints.iter().map(|adjoint| adjoint.equation.value));
    for inner in 0..adjoints.len() {
        let inner_target = adjoints[inner].equation.target;
        let wanted = matches!(context.tensor(inner_target).role, Role::Adjoint { of } if by.contains(of));
        let readers = all_readers.remove(&inner_target).unwrap_or_default();
        if wanted || readers.is_empty() {
            continue;
        }
        let is_number = context.as_number(adjoints[inner].equation.value).is_some();
        if readers.len() > 1 && !is_number || readers.contains(&inner) {
            continue;
        }
        let before = adjoints[inner].equation.clone();
        let mut merged_everywhere = true;
        for reader in readers {
            let other = &adjoints[reader].equation;
            if apart.contains(context, &before, other) {
                merged_everywhere = false;
            } else if !merge_into(context, &before, &mut adjoints[reader], is_number) {
                merged_everywhere = false;
                if by_form {
                    apart.insert(context, &before, &adjoints[reader].equation);
                }
            } else {
                changed.insert(adjoints[reader].equation.target, ());
            }
        }
        adjoints[inner].is_computed = !merged_everywhere;
    }
    for adjoint in adjoints {
        let is_other = |alike: &Alike| changed.contains(adjoint.equation.target) || changed.contains(alike.to);
        if adjoint.alike.as_ref().is_some_and(is_other) {
            adjoint.alike = None;
        }
    }
}

fn merge_into(context: &mut Context, inner: &Equation, reader: &mut Adjoint, always: bool) -> bool {
    // Outside of its range an adjoint reads as 0, and its right-hand side may not.
    if !mutation::may("adjoint read inside of its tensor", context.reads_inside(reader.equation.value, inner.target)) {
        return false;
    }
    let substituted = context.substitute_tensor(reader.equation.value, inner.target, &mut |context, places| {
        let renaming: Vec<_> = inner.indices.iter().copied().zip(places.iter().cloned()).collect();
        context.substitute_indices(inner.value, &renaming)
    });
    let substituted = mutation::result(context, "substitute-adjoint", substituted);
    let mut steps = vec![Step { rule: "substitute-adjoint", value: substituted, condition: None, uses: vec![inner.target] }];
    let merged = simplify(context, substituted, &mut steps);
    let total = |context: &Context, equation: &Equation, value| weight(context, value) * places(context, &equation.indices);
    let apart = total(context, inner, inner.value) + total(context, &reader.equation, reader.equation.value);
    let together = total(context, &reader.equation, merged);
    // Less by at least one operation a place: not for the cost of an access saved.
    if !always && together + 0.5 * places(context, &reader.equation.indices) > apart {
        return false;
    }
    reader.record.steps.append(&mut steps);
    reader.record.special_case = special_case(context, merged);
    reader.equation.value = merged;
    reader.equation.computed = merged;
    true
}

/// The form of an expression where a target that is not a label sums to 1, as probabilities do.
fn special_case(context: &mut Context, expr: ExprId) -> Option<Step> {
    let mut sums = Vec::new();
    context.visit(expr, &mut |context, part| {
        if let Node::Reduce { kind: ReduceKind::Sum, indices, body } = context.node(part)
            && let Node::Access { tensor, indices: places } = context.node(*body)
            && context.tensor(*tensor).role == Role::Target
            && places.last().and_then(Affine::as_index).is_some_and(|index| indices.contains(&index))
            && indices.len() == 1
        {
            sums.push((part, *tensor));
        }
    });
    let (_, tensor) = *sums.first()?;
    let one = context.integer(1);
    let mut value = expr;
    for (sum, _) in sums {
        value = context.replace(value, sum, one);
    }
    let value = simplify(context, value, &mut Vec::new());
    let value = mutation::result(context, "targets-sum-to-one", value);
    Some(Step { rule: "targets-sum-to-one", value, condition: Some(Condition::SumsToOne(tensor)), uses: Vec::new() })
}
