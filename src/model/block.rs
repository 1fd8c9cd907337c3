//! A list of statements, of a spec or of a layer's body: constants, parameters and equations, in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::Builder;
use super::definitions::{Callable, Home};
use super::names::for_each_name;
use super::scope::{Binding, Scope};
use super::value::{Indexed, list_words, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::components;
use crate::equation::{IndexId, TensorId};
use crate::limits;
use crate::syntax::tree::{DeclaredIndex, EquationStatement, Expr, ExprKind, Name, Statement, StatementKind};

/// The equation of a block whose result leaves it.
pub(super) struct ResultName<'n> {
    /// Its name in the block.
    pub(super) local: &'n str,
    /// The name of the tensor, where the caller gives it one.
    pub(super) given: Option<String>,
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
        for (name, value) in self.in_order(&lets, &BTreeMap::new()) {
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
    /// a complaint. `owners` says which of them makes the names that begin so.
    pub(super) fn in_order(
        &mut self,
        items: &[(&'a Name, &'a Expr)],
        owners: &BTreeMap<String, usize>,
    ) -> Vec<(&'a Name, Option<&'a Expr>)> {
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
        let mut ordered = Vec::with_capacity(items.len());
        for group in components(&needs) {
            let is_cycle = group.len() > 1 || needs[group[0]].contains(&group[0]);
            if is_cycle {
                self.complain_about_cycle(&group.iter().map(|&member| items[member]).collect::<Vec<_>>());
            }
            ordered.extend(group.iter().map(|&member| (items[member].0, (!is_cycle).then_some(items[member].1))));
        }
        ordered
    }

    fn complain_about_cycle(&mut self, members: &[(&'a Name, &'a Expr)]) {
        let is_member = |name: &str| members.iter().any(|(member, _)| member.text == name);
        // An access of a member at another index than that of its equation is a step back in time.
        let mut step = None;
        for (_, expr) in members {
            for_each_name(expr, &mut |name, part, _| {
                if is_member(name) && matches!(&part.kind, ExprKind::Access { indices, .. } if indices.iter().any(is_shifted)) {
                    step = step.or(Some(part.span));
                }
            });
        }
        let names = list_words(members.iter().map(|(name, _)| name.text.as_str()));
        let mut message = match (step, members) {
            (Some(step), _) => {
                let message = Diagnostic::error(step, "recurrences are not supported yet");
                message.label("this reads an earlier step of what it defines")
            }
            (None, [(name, _)]) => Diagnostic::error(name.span, format!("`{}` needs itself", name.text)),
            (None, [(name, _), ..]) => Diagnostic::error(name.span, format!("{names} need each other")),
            (None, []) => return,
        };
        for (name, _) in members.iter().skip(1) {
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
        for (name, expr) in self.in_order(&items, &owners) {
            let equation = equations.get(name.text.as_str()).map(|(_, equation)| *equation);
            let (Some(equation), Some(_)) = (equation, expr) else {
                self.bind_new(scope, name, Binding::Broken);
                continue;
            };
            let is_result = result.as_ref().is_some_and(|result| result.local == name.text);
            let given = result.as_ref().filter(|_| is_result).and_then(|result| result.given.clone());
            let full = given.unwrap_or_else(|| format!("{}{}", scope.prefix, name.text));
            let binding = match self.equation(equation, full, is_result, scope) {
                Some((value, tensor)) => {
                    scope.owned.push((name.text.clone(), tensor));
                    Binding::Value(value)
                }
                None => Binding::Broken,
            };
            self.bind_new(scope, name, binding);
        }
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
            if value.axes.len() > lead {
                let message = format!("`{}` is defined element by element, and this is a tensor", equation.name.text);
                let label = format!("this has {}", shape_words(&value.shape(&self.context)[lead..]));
                let hint = format!("give it indices, or write `{} = …` without them", equation.name.text);
                self.complain(
                    Diagnostic::error(equation.value.span, message).label(label).also(span, "one element here").hint(hint),
                );
                return None;
            }
            value.axes.extend(own);
        }
        if let Some(tensor) = tensor {
            return Some((value, tensor));
        }
        if is_result && lead == 0 {
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

    fn check_index_count(&mut self, declared: &[DeclaredIndex]) -> Option<()> {
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

/// Whether an index is more than a name or a number, such as `t - 1`.
fn is_shifted(index: &Expr) -> bool {
    matches!(index.kind, ExprKind::Binary { .. } | ExprKind::Negate(_))
}
