//! A list of statements, of a spec or of a layer's body: constants, parameters and equations, in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::Builder;
use super::definitions::{Callable, Home};
use super::names::{for_each_name, for_each_part};
use super::recurrence::has_steps;
use super::scope::{Binding, Scope};
use super::value::{Indexed, list_words, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::components;
use crate::equation::{ExprId, IndexId, TensorId};
use crate::limits;
use crate::syntax::tree::{DeclaredIndex, EquationStatement, Expr, ExprKind, Name, Statement, StatementKind};

/// The equation of a block whose result leaves it.
pub(super) struct ResultName<'n> {
    /// Its name in the block.
    pub(super) local: &'n str,
    /// The name of the tensor, where the caller gives it one.
    pub(super) given: Option<String>,
}

/// An equation to be defined.
pub(super) struct EquationItem<'a> {
    /// What was written.
    pub(super) statement: &'a EquationStatement,
    /// The name of the tensor.
    pub(super) full_name: String,
    /// Whether its result leaves the block.
    is_result: bool,
}

impl<'a> Builder<'a> {
    /// Evaluates the `let`s of a file.
    pub(super) fn lets(&mut self, statements: &'a [Statement], home: Home) {
        let mut scope = Scope::new(home);
        self.local_lets(statements, &mut scope);
        for name in scope.names().map(str::to_owned).collect::<Vec<_>>() {
            if let Some(bound) = scope.local(&name) {
                self.lets_mut(home).insert(name, bound.clone());
            }
        }
    }

    /// Evaluates the `let`s among these statements.
    pub(super) fn local_lets(&mut self, statements: &'a [Statement], scope: &mut Scope) {
        let lets: Vec<(&'a Name, &'a Expr)> = statements
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Let { name, value } => Some((name, value)),
                _ => None,
            })
            .collect();
        for (name, value) in self.in_order(&lets) {
            let value = value.and_then(|value| self.constant(value, scope));
            self.bind_new(scope, name, value.map_or(Binding::Broken, Binding::Value));
        }
    }

    fn constant(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Indexed> {
        let value = self.value(expr, scope)?;
        self.number_of(&value, expr.span)?;
        Some(value)
    }

    /// Named expressions, each after those it reads. Those that need each other come without their expression, after
    /// a complaint.
    pub(super) fn in_order(&mut self, items: &[(&'a Name, &'a Expr)]) -> Vec<(&'a Name, Option<&'a Expr>)> {
        let mut ordered = Vec::with_capacity(items.len());
        for (group, is_cycle) in groups(items, &BTreeMap::new()) {
            if is_cycle {
                self.complain_about_cycle(group.iter().map(|&member| items[member].0));
            }
            ordered.extend(group.iter().map(|&member| (items[member].0, (!is_cycle).then_some(items[member].1))));
        }
        ordered
    }

    fn complain_about_cycle(&mut self, members: impl Iterator<Item = &'a Name>) {
        let members: Vec<&Name> = members.collect();
        let [first, rest @ ..] = &members[..] else { return };
        let problem = match rest {
            [] => format!("`{}` needs itself", first.text),
            _ => format!("{} need each other", list_words(members.iter().map(|name| name.text.as_str()))),
        };
        let mut message = Diagnostic::error(first.span, problem);
        for name in rest {
            message = message.also(name.span, "and this");
        }
        self.complain(message);
    }

    /// Defines the equations among these statements.
    pub(super) fn equations_of(
        &mut self,
        statements: &'a [Statement],
        owners: &BTreeMap<String, usize>,
        result: Option<ResultName<'_>>,
        scope: &mut Scope,
    ) {
        let mut equations: BTreeMap<&str, (usize, &'a EquationStatement)> = BTreeMap::new();
        let mut items: Vec<(&'a Name, &'a Expr)> = Vec::new();
        let mut positions: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, statement) in statements.iter().enumerate() {
            let StatementKind::Equation(equation) = &statement.kind else { continue };
            let name = &equation.name;
            if let Some((_, first)) = equations.get(name.text.as_str()) {
                let first = first.name.span;
                self.complain_about_doubled(&name.text, name.span, first);
                continue;
            }
            equations.insert(&name.text, (number, equation));
            positions.insert(number, items.len());
            items.push((name, &equation.value));
        }
        let owners: BTreeMap<String, usize> =
            owners.iter().filter_map(|(owner, number)| Some((owner.clone(), *positions.get(number)?))).collect();
        for (group, is_cycle) in groups(&items, &owners) {
            let members = group.iter().filter_map(|&member| {
                let statement = equations.get(items[member].0.text.as_str())?.1;
                let result = result.as_ref().filter(|result| result.local == statement.name.text);
                let given = result.and_then(|result| result.given.clone());
                let full_name = given.unwrap_or_else(|| format!("{}{}", scope.prefix, statement.name.text));
                Some(EquationItem { statement, full_name, is_result: result.is_some() })
            });
            let members: Vec<EquationItem<'a>> = members.collect();
            let names: Vec<&str> = members.iter().map(|item| item.statement.name.text.as_str()).collect();
            if !is_cycle {
                members.into_iter().for_each(|item| self.single_equation(item, scope));
            } else if has_steps(&names, members.iter().map(|item| &item.statement.value)) {
                self.recurrence(&members, scope);
            } else {
                self.complain_about_cycle(members.iter().map(|item| &item.statement.name));
                members.iter().for_each(|item| self.bind_new(scope, &item.statement.name, Binding::Broken));
            }
        }
    }

    fn single_equation(&mut self, item: EquationItem<'a>, scope: &mut Scope) {
        let name = &item.statement.name;
        let binding = match self.equation(item.statement, item.full_name, item.is_result, scope) {
            Some((value, tensor)) => {
                scope.owned.push((name.text.clone(), tensor));
                Binding::Value(value)
            }
            None => Binding::Broken,
        };
        self.bind_new(scope, name, binding);
    }

    /// One equation: its value as others read it, and the tensor it defines.
    fn equation(
        &mut self,
        equation: &'a EquationStatement,
        name: String,
        is_result: bool,
        scope: &mut Scope,
    ) -> Option<(Indexed, TensorId)> {
        let span = equation.name.span;
        let declared = equation.indices.as_deref().unwrap_or_default();
        self.check_index_count(declared)?;
        let own = self.bind_left_indices(declared, &equation.value, scope);
        let value = self.right_side(&equation.value, &name, declared.is_empty(), scope);
        declared.iter().for_each(|index| scope.unbind(&index.name.text));
        let (own, value) = (own?, value?);
        let (mut value, tensor) = match value {
            RightSide::Value(value) => (value, None),
            RightSide::Defined(value, tensor) => (value, Some(tensor)),
        };
        let leading = scope.leading.as_deref().unwrap_or_default();
        let lead = value.count_leading(leading);
        if equation.indices.is_some() {
            self.check_is_element(equation, &value, lead)?;
            value.axes.extend(own);
        }
        if let Some(tensor) = tensor {
            return Some((value, tensor));
        }
        if is_result && lead == 0 && !reduces_leading(&equation.value) {
            value.axes.splice(0..0, leading.iter().copied());
        }
        let lead = value.count_leading(leading);
        let outer: Vec<IndexId> =
            scope.outer.iter().copied().filter(|&index| is_result || self.context.contains_index(value.value, index)).collect();
        let tensor = self.define(name, &outer, &value, span)?;
        let own: Vec<IndexId> = value.axes[lead..].iter().map(|&axis| self.context.fresh(axis)).collect();
        let axes: Vec<IndexId> = value.axes[..lead].iter().chain(&own).copied().collect();
        let place: Vec<IndexId> = outer.iter().chain(&axes).copied().collect();
        Some((Indexed { axes, value: self.context.access_at(tensor, &place) }, tensor))
    }

    /// The right-hand side of an equation with indices, which are given as well; also of one that reads what it defines.
    pub(super) fn indexed_right_side(
        &mut self,
        equation: &'a EquationStatement,
        scope: &mut Scope,
    ) -> Option<(Vec<IndexId>, ExprId)> {
        let declared = equation.indices.as_deref().unwrap_or_default();
        let own = self.bind_left_indices(declared, &equation.value, scope);
        let value = self.right_side(&equation.value, &equation.name.text, false, scope);
        declared.iter().for_each(|index| scope.unbind(&index.name.text));
        let (own, value) = (own?, value?);
        let RightSide::Value(value) = value else { return None };
        let lead = value.count_leading(scope.leading.as_deref().unwrap_or_default());
        self.check_is_element(equation, &value, lead)?;
        Some((own, value.value))
    }

    /// Complains about a tensor on the right of an equation with indices; `lead` axes are not written.
    fn check_is_element(&mut self, equation: &'a EquationStatement, value: &Indexed, lead: usize) -> Option<()> {
        if value.axes.len() == lead {
            return Some(());
        }
        let message = format!("`{}` is defined element by element, and this is a tensor", equation.name.text);
        let label = format!("this has {}", shape_words(&value.shape(&self.context)[lead..]));
        let hint = format!("give it indices, or write `{} = …` without them", equation.name.text);
        let message = Diagnostic::error(equation.value.span, message).label(label);
        self.complain(message.also(equation.name.span, "one element here").hint(hint));
        None
    }

    pub(super) fn check_index_count(&mut self, declared: &[DeclaredIndex]) -> Option<()> {
        let Some(surplus) = declared.get(limits::AXES) else { return Some(()) };
        let message = format!("this has {} indices, and a tensor may have {} axes", declared.len(), limits::AXES);
        self.complain(Diagnostic::error(surplus.name.span, message));
        None
    }

    /// Binds the indices on the left of an equation, with the ranges they state or have by their use on the right.
    fn bind_left_indices(&mut self, declared: &'a [DeclaredIndex], body: &'a Expr, scope: &mut Scope) -> Option<Vec<IndexId>> {
        let mut extents = Vec::new();
        for (position, index) in declared.iter().enumerate() {
            if let Some(first) = declared[..position].iter().find(|other| other.name.text == index.name.text) {
                self.complain_about_doubled(&index.name.text, index.name.span, first.name.span);
                extents.push(None);
                continue;
            }
            let stated = match &index.extent {
                Some(extent) => match self.size(extent, scope) {
                    Some(size) => Some((size, extent.span)),
                    None => {
                        extents.push(None);
                        continue;
                    }
                },
                None => None,
            };
            extents.push(self.extent_by_use(&index.name, stated, body, scope));
        }
        let mut indices = Vec::new();
        for (index, extent) in declared.iter().zip(extents) {
            let id = extent.map(|extent| self.context.add_index(&index.name.text, 0, extent as i64));
            scope.bind(&index.name.text, index.name.span, id.map_or(Binding::Broken, Binding::Index));
            indices.push(id);
        }
        indices.into_iter().collect()
    }

    /// The right-hand side of an equation. A layer there defines its tensor under the equation's name.
    fn right_side(&mut self, expr: &'a Expr, name: &str, may_be_tensor: bool, scope: &mut Scope) -> Option<RightSide> {
        if let ExprKind::If { condition, then, otherwise } = &expr.kind
            && let Some(holds) = self.known_condition(condition, scope)
        {
            return self.right_side(if holds { then } else { otherwise }, name, may_be_tensor, scope);
        }
        if !matches!(expr.kind, ExprKind::Call { .. } | ExprKind::Pipe { .. }) {
            return self.value(expr, scope).map(RightSide::Value);
        }
        let call = self.call_of(expr, scope)?;
        match self.callee(&call, scope)? {
            Callable::Layer(definition, home) if may_be_tensor => {
                let (value, tensor) = self.expand_layer(definition, home, call, Some(name.to_owned()), scope)?;
                Some(RightSide::Defined(value, tensor))
            }
            _ => {
                let value = self.call_value(call, true, scope)?;
                self.check_size(value.value, expr.span)?;
                Some(RightSide::Value(value))
            }
        }
    }
}

/// What an equation's right-hand side gives.
enum RightSide {
    /// A value, which the equation defines its tensor to be.
    Value(Indexed),
    /// A tensor that a layer has defined under the equation's name.
    Defined(Indexed, TensorId),
}

/// Named expressions by their numbers, in groups of those that need each other, each after those it reads; and whether its members
/// do need each other. `owners` says which expression makes the names that begin so.
fn groups<'a>(items: &[(&'a Name, &'a Expr)], owners: &BTreeMap<String, usize>) -> Vec<(Vec<usize>, bool)> {
    let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
    for (number, (name, _)) in items.iter().enumerate() {
        numbers.entry(&name.text).or_insert(number);
    }
    let needs: Vec<Vec<usize>> = items
        .iter()
        .map(|(_, expr)| {
            let mut needed = BTreeSet::new();
            for_each_name(expr, &mut |name, _, _| {
                let owner = || name.split_once('.').and_then(|(owner, _)| owners.get(owner));
                needed.extend(numbers.get(name).or_else(owner));
            });
            needed.into_iter().collect()
        })
        .collect();
    let is_cycle = |group: &[usize]| group.len() > 1 || needs[group[0]].contains(&group[0]);
    components(&needs).into_iter().map(|group| (is_cycle(&group), group)).map(|(is_cycle, group)| (group, is_cycle)).collect()
}

/// Whether an expression reduces over the axes that `..` stands for, so that what it gives has them no more.
fn reduces_leading(expr: &Expr) -> bool {
    let mut found = matches!(expr.kind, ExprKind::Reduce { leading: true, .. });
    for_each_part(expr, &mut |part| found = found || reduces_leading(part));
    found
}
