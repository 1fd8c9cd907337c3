//! Recurrences: equations that need each other, or themselves, at earlier steps.
//!
//! Their tensors are made first, with the ranges that the left-hand sides state or that what is known already gives, so that the
//! right-hand sides can read them. Whether there are steps at all is seen at the end, in the equations: parts of a right-hand side
//! that got an equation of their own take part as well.

use std::collections::BTreeSet;

use super::block::EquationItem;
use super::builder::Builder;
use super::scope::{Binding, Scope};
use super::value::{Indexed, list_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{Affine, Block, Context, Cycle, CycleReason, Equation, IndexId, Node, Recurrence, TensorId, schedule};
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::Expr;

/// Where an equation of a recurrence reads one of its tensors.
pub(super) struct RecurrentRead {
    tensor: TensorId,
    place: Vec<Affine>,
    span: Span,
}

impl<'a> Builder<'a> {
    /// Defines equations that need each other at earlier steps.
    pub(super) fn recurrence(&mut self, group: &[EquationItem<'a>], scope: &mut Scope) {
        let tensors = self.recurrent_tensors(group, scope);
        let Some(tensors) = tensors else {
            for name in group.iter().map(|item| &item.statement.name) {
                scope.bind(&name.text, name.span, Binding::Broken);
            }
            return;
        };
        let around = self.recurrent.len();
        self.recurrent.extend(&tensors);
        for (item, tensor) in group.iter().zip(tensors) {
            if self.recurrent_equation(item, tensor, scope).is_none() {
                scope.bind(&item.statement.name.text, item.statement.name.span, Binding::Broken);
                self.insist(item.statement.name.span);
            }
        }
        self.recurrent.truncate(around);
    }

    /// The tensors of a group, each bound to its name; they are found in rounds, for one may give another its range.
    fn recurrent_tensors(&mut self, group: &[EquationItem<'a>], scope: &mut Scope) -> Option<Vec<TensorId>> {
        let mut is_sound = true;
        for name in group.iter().filter(|item| item.statement.indices.is_none()).map(|item| &item.statement.name) {
            let message = format!("`{}` takes part in a recurrence, and is not defined step by step", name.text);
            let hint = format!("give it indices, as in `{}[t, j] = …`", name.text);
            self.complain(Diagnostic::error(name.span, message).hint(hint));
            is_sound = false;
        }
        for item in group {
            is_sound &= self.check_index_count(item.statement.indices.as_deref().unwrap_or_default()).is_some();
        }
        let mut tensors: Vec<Option<TensorId>> = vec![None; group.len()];
        for _ in 0..group.len() {
            for (item, tensor) in group.iter().zip(&mut tensors) {
                if is_sound && tensor.is_none() {
                    let Some(extents) = self.recurrent_extents(item, scope) else { continue };
                    *tensor = self.recurrent_tensor(item, &extents, scope);
                    is_sound &= tensor.is_some();
                }
            }
        }
        if !is_sound {
            return None;
        }
        for (item, _) in group.iter().zip(&tensors).filter(|(_, tensor)| tensor.is_none()) {
            self.complain_about_ranges(item, scope);
        }
        tensors.into_iter().collect()
    }

    /// The extents of a member's indices, where all of them are known by now.
    fn recurrent_extents(&mut self, item: &EquationItem<'a>, scope: &mut Scope) -> Option<Vec<usize>> {
        let body = &item.statement.value;
        let mut extents = Vec::new();
        for index in item.statement.indices.as_deref().unwrap_or_default() {
            extents.push(match &index.extent {
                Some(extent) => self.size(extent, scope)?,
                None => self.extent_so_far(&index.name, body, scope)?,
            });
        }
        Some(extents)
    }

    fn complain_about_ranges(&mut self, item: &EquationItem<'a>, scope: &mut Scope) {
        let statement = item.statement;
        for index in statement.indices.as_deref().unwrap_or_default() {
            if index.extent.is_none() && self.extent_so_far(&index.name, &statement.value, scope).is_none() {
                let message = format!("the range of the index `{}` is unknown", index.name.text);
                let hint = format!(
                    "`{0}` needs itself, so its own shape says nothing: state the range on the left, as in `{0}[{1}: 4]`",
                    statement.name.text, index.name.text
                );
                self.complain(Diagnostic::error(index.name.span, message).label("used on no axis that is known").hint(hint));
            }
        }
    }

    /// Makes the tensor of a member, and binds its name to it. It has the axes of the text around, be they needed or not.
    fn recurrent_tensor(&mut self, item: &EquationItem<'a>, extents: &[usize], scope: &mut Scope) -> Option<TensorId> {
        let declared = item.statement.indices.as_deref().unwrap_or_default();
        let leading = scope.leading.clone().unwrap_or_default();
        let own: Vec<IndexId> = declared
            .iter()
            .zip(extents)
            .map(|(index, &extent)| self.context.add_index(&index.name.text, 0, extent as i64))
            .collect();
        let axes: Vec<IndexId> = leading.iter().chain(&own).copied().collect();
        let place: Vec<IndexId> = scope.outer.iter().chain(&axes).copied().collect();
        let tensor = self.value_tensor(item.full_name.clone(), &place, item.statement.name.span)?;
        let value = Indexed { axes, value: self.context.access_at(tensor, &place) };
        self.bind_new(scope, &item.statement.name, Binding::Value(value));
        scope.owned.push((item.statement.name.text.clone(), tensor));
        Some(tensor)
    }

    /// The equation of a member, whose tensor is made already.
    fn recurrent_equation(&mut self, item: &EquationItem<'a>, tensor: TensorId, scope: &mut Scope) -> Option<()> {
        let (own, value) = self.indexed_right_side(item.statement, scope)?;
        let leading = scope.leading.as_deref().unwrap_or_default();
        let indices: Vec<IndexId> = scope.outer.iter().chain(leading).chain(&own).copied().collect();
        self.add_equation(tensor, indices, value, item.statement.name.span)
    }

    /// Notes that a tensor of the present recurrence is read.
    pub(super) fn note_recurrent_read(&mut self, value: &Indexed, place: &[Affine], span: Span) {
        if let Node::Access { tensor, .. } = *self.context.node(value.value)
            && self.recurrent.contains(&tensor)
            && self.recurrent_reads.len() < limits::EXPRESSIONS
        {
            self.recurrent_reads.push(RecurrentRead { tensor, place: place.to_vec(), span });
        }
    }

    /// Brings the equations into an order of computing, those of a recurrence next to each other, or says why there is none.
    pub(super) fn order_equations(&mut self) {
        if self.recurrent_reads.is_empty() || self.has_errors() {
            return;
        }
        let order = {
            let equations: Vec<&Equation> = self.equations.iter().collect();
            schedule(&self.context, &equations, |equation| equation.value)
        };
        let blocks = match order {
            Ok(blocks) => blocks,
            Err(cycle) => return self.complain_about_steps(&cycle),
        };
        let mut order = Vec::new();
        for block in blocks {
            match block {
                Block::Whole(position) => order.push(position),
                Block::Steps(recurrence) if recurrence.descending => {
                    self.complain_about_steps(&Cycle { equations: recurrence.equations, reason: CycleReason::BothWays });
                }
                Block::Steps(recurrence) => order.extend(recurrence.equations),
            }
        }
        if order.len() == self.equations.len() {
            self.equations = order.iter().map(|&position| self.equations[position].clone()).collect();
        }
    }

    /// Says why equations that need each other have no order of steps.
    fn complain_about_steps(&mut self, cycle: &Cycle) {
        let members: Vec<&Equation> = cycle.equations.iter().filter_map(|&position| self.equations.get(position)).collect();
        let named: Vec<(TensorId, String, Option<Span>)> = members
            .iter()
            .map(|equation| (equation.target, self.context.tensor(equation.target).name.clone(), equation.origin))
            .collect();
        let reads = self.recurrent_reads.iter().filter(|read| named.iter().any(|(tensor, ..)| *tensor == read.tensor));
        let is_at = |read: &&RecurrentRead, accepts: fn(i64) -> bool| {
            read.place.iter().any(|affine| matches!(affine.terms[..], [(_, 1)]) && accepts(affine.constant))
        };
        let (read, problem, label, hint) = match cycle.reason {
            CycleReason::BothWays => (
                reads.clone().find(|read| is_at(read, |distance| distance > 0)),
                "a recurrence looks ahead",
                "this reads a later step",
                "steps are computed from the first to the last, so only earlier ones can be read",
            ),
            CycleReason::SameStep => (
                reads.clone().find(|read| !is_at(read, |distance| distance < 0)),
                "a recurrence needs itself at the same step",
                "this reads the step that it is needed for",
                "read an earlier step, as in `h[t - 1]`",
            ),
            CycleReason::NoStep { read, .. } => {
                let target = self.equations.get(read).map(|equation| equation.target);
                let is_plain_step = |read: &&RecurrentRead| is_at(read, |distance| distance < 0);
                let of_target = || reads.clone().filter(|read| Some(read.tensor) == target);
                (
                    of_target().find(|read| !is_plain_step(read)).or_else(|| of_target().next()).or_else(|| reads.clone().next()),
                    "a recurrence has no steps",
                    "this is no fixed number of steps back",
                    "what needs itself is read at an earlier step of one and the same index, as in `h[t - 1]`",
                )
            }
        };
        let names = list_words(named.iter().map(|(_, name, _)| name.as_str()));
        let need = if named.len() == 1 { "needs itself" } else { "need each other" };
        let Some(span) = read.map(|read| read.span).or_else(|| named.iter().find_map(|(_, _, origin)| *origin)) else { return };
        let mut message = Diagnostic::error(span, format!("{problem}: {names} {need}")).label(label).hint(hint);
        let mut places: Vec<Span> = named.iter().filter_map(|(_, _, origin)| *origin).filter(|place| *place != span).collect();
        places.sort_unstable_by_key(|place| place.start);
        places.dedup();
        for (number, place) in places.into_iter().enumerate() {
            message = message.also(place, if number == 0 { "what is defined" } else { "and this" });
        }
        self.complain(message);
    }
}

/// The tensors that the equations read, but for what a recurrence reads of itself at earlier steps. A recurrence counts as one: where
/// another equation reads a part of it, all of it is read.
pub(super) fn read_by_others(context: &Context, equations: &[&Equation]) -> BTreeSet<TensorId> {
    let blocks = schedule(context, equations, |equation| equation.value).unwrap_or_default();
    let mut groups = Vec::new();
    let mut read = BTreeSet::new();
    for block in blocks {
        match block {
            Block::Whole(position) => read.extend(context.tensors_in(equations[position].value)),
            Block::Steps(recurrence) => groups.push(recurrence),
        }
    }
    let members =
        |group: &Recurrence| -> Vec<TensorId> { group.equations.iter().map(|&member| equations[member].target).collect() };
    for group in &groups {
        let its_own = members(group);
        for &reader in &group.equations {
            read.extend(context.tensors_in(equations[reader].value).into_iter().filter(|tensor| !its_own.contains(tensor)));
        }
    }
    let whole: Vec<TensorId> =
        groups.iter().map(members).filter(|group| group.iter().any(|tensor| read.contains(tensor))).flatten().collect();
    read.extend(whole);
    for group in &groups {
        read.extend(reads_of_the_step(context, equations, group));
    }
    read
}

/// The members of a recurrence that others read at the same step.
fn reads_of_the_step(context: &Context, equations: &[&Equation], group: &Recurrence) -> BTreeSet<TensorId> {
    let mut read = BTreeSet::new();
    for (&reader, &axis) in group.equations.iter().zip(&group.axes) {
        let step = equations[reader].indices[axis];
        context.visit(equations[reader].value, &mut |context, part| {
            if let Node::Access { tensor, indices } = context.node(part)
                && let Some(member) = group.equations.iter().position(|&member| equations[member].target == *tensor)
                && indices[group.axes[member]].as_index() == Some(step)
            {
                read.insert(*tensor);
            }
        });
    }
    read
}

/// Whether an access of one of these names is at an index that is more than a name or a number, such as `t - 1`.
pub(super) fn has_steps<'a>(names: &[&str], bodies: impl Iterator<Item = &'a Expr>) -> bool {
    use crate::syntax::tree::ExprKind;
    let is_shifted = |index: &Expr| matches!(index.kind, ExprKind::Binary { .. } | ExprKind::Negate(_));
    let mut found = false;
    for body in bodies {
        super::names::for_each_name(body, &mut |name, part, _| {
            let is_step = matches!(&part.kind, ExprKind::Access { indices, .. } if indices.iter().any(is_shifted));
            found |= names.contains(&name) && is_step;
        });
    }
    found
}
