//! A list of statements, of a spec or of a layer's body: constants, parameters and equations, in any order.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::Builder;
use super::definitions::{Callable, Home};
use super::order::{for_each_name, for_each_part, sort};
use super::scope::{Binding, Scope};
use super::value::{Indexed, list_words, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{IndexId, Role, Tensor, TensorId};
use crate::span::Span;
use crate::syntax::tree::{DeclaredIndex, Drawn, EquationStatement, Expr, ExprKind, Name, Statement, StatementKind};

/// Names of axes where a declaration gives none.
const AXES: [&str; 8] = ["i", "j", "k", "l", "p", "q", "r", "s"];

/// The name of an axis that was declared without one.
pub(super) fn default_axis(position: usize) -> &'static str {
    AXES[position % AXES.len()]
}

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
        for group in sort(&needs).groups {
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

    /// The names of the layers in these statements, by the place of each call: its `as` name, or its kind and a number in the order of
    /// the text. Also which statement each stands in.
    pub(super) fn number_layers(&mut self, statements: &'a [Statement], scope: &mut Scope) -> BTreeMap<String, usize> {
        let mut calls = Vec::new();
        for (number, statement) in statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Equation(EquationStatement { value, .. })
                | StatementKind::Loss(value)
                | StatementKind::Objective { value, .. } => {
                    self.collect_layers(value, None, scope.home, &mut |span, kind, label| {
                        calls.push((span, kind, label, number))
                    });
                }
                _ => {}
            }
        }
        calls.sort_by_key(|(span, ..)| span.start);
        let mut owners = BTreeMap::new();
        let mut spans: BTreeMap<String, Span> = BTreeMap::new();
        for &(span, _, label, number) in &calls {
            if let Some(label) = label {
                if let Some(&first) = spans.get(&label.text) {
                    self.complain_about_doubled(&label.text, label.span, first);
                }
                spans.insert(label.text.clone(), label.span);
                scope.instances.insert(span.start, label.text.clone());
                owners.insert(label.text.clone(), number);
            }
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (span, kind, label, number) in calls {
            if label.is_some() {
                continue;
            }
            let count = counts.entry(kind).or_default();
            let name = loop {
                *count += 1;
                let name = format!("{kind}{count}");
                if !owners.contains_key(&name) && !self.taken.contains(&format!("{}{name}", scope.prefix)) {
                    break name;
                }
            };
            scope.instances.insert(span.start, name.clone());
            owners.insert(name, number);
        }
        owners
    }

    fn collect_layers(
        &self,
        expr: &'a Expr,
        label: Option<&'a Name>,
        home: Home,
        found: &mut dyn FnMut(Span, &'a str, Option<&'a Name>),
    ) {
        let mut note = |name: &'a str, span: Span| {
            if self.definitions.layer(name, home).is_some() {
                found(span, name, label);
            }
        };
        match &expr.kind {
            ExprKind::Call { name, .. } => note(&name.text, name.span),
            ExprKind::Pipe { value, call, label } => {
                self.collect_layers(value, None, home, found);
                match &call.kind {
                    ExprKind::Name(name) if self.definitions.layer(name, home).is_some() => {
                        found(call.span, name, label.as_ref())
                    }
                    _ => self.collect_layers(call, label.as_ref(), home, found),
                }
                return;
            }
            _ => {}
        }
        for_each_part(expr, &mut |part| self.collect_layers(part, None, home, found));
    }

    /// Declares the parameters among these statements.
    pub(super) fn parameters_of(&mut self, statements: &'a [Statement], scope: &mut Scope) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Param(drawn) => {
                    let value = self.parameter(drawn, statement.span, scope);
                    self.bind_new(scope, &drawn.name, value.map_or(Binding::Broken, Binding::Value));
                }
                StatementKind::Noise(drawn) => {
                    self.complain(Diagnostic::error(statement.span, "noise is not supported yet"));
                    self.bind_new(scope, &drawn.name, Binding::Broken);
                }
                _ => {}
            }
        }
    }

    fn parameter(&mut self, drawn: &'a Drawn, span: Span, scope: &mut Scope) -> Option<Indexed> {
        let mut extents = Vec::new();
        for index in &drawn.indices {
            extents.push(self.declared_extent(index, scope));
        }
        let shape = extents.into_iter().collect::<Option<Vec<usize>>>()?;
        let name = format!("{}{}", scope.prefix, drawn.name.text);
        self.check_shape(&shape, &name, drawn.name.span)?;
        let axes = drawn.indices.iter().enumerate().map(|(position, index)| axis_name(index, position)).collect();
        if let Some(condition) = &drawn.condition {
            let holds = self.condition(condition, scope)?;
            if self.number_of(&holds, condition.span)? == 0.0 {
                let extent = |&extent: &usize| self.context.add_index("i", 0, extent as i64);
                let axes = shape.iter().map(extent).collect();
                return Some(Indexed { axes, value: self.context.integer(0) });
            }
        }
        let initial = self.initial(&drawn.from, &shape, scope)?;
        let origin = Some(self.in_spec(drawn.name.span));
        let tensor = Tensor { name: name.clone(), shape, axes, role: Role::Parameter, label: false, origin };
        let place = scope.place.iter().copied().chain([span.start]).collect();
        let tensor = self.add_parameter(tensor, initial, place, drawn.name.span)?;
        scope.owned.push((drawn.name.text.clone(), tensor));
        Some(self.tensor_value(tensor))
    }

    /// The extent that a declaration states, or the header of the layer.
    fn declared_extent(&mut self, index: &'a DeclaredIndex, scope: &mut Scope) -> Option<usize> {
        if let Some(extent) = &index.extent {
            return self.size(extent, scope);
        }
        if let Some(Binding::Range(extent)) = scope.local(&index.name.text).map(|bound| &bound.binding) {
            return Some(*extent);
        }
        let message = format!("the range of the index `{}` is unknown", index.name.text);
        let hint = format!("state it, as in `{}: 4`", index.name.text);
        self.complain(Diagnostic::error(index.name.span, message).hint(hint));
        None
    }

    /// Defines the equations among these statements.
    pub(super) fn equations_of(
        &mut self,
        statements: &'a [Statement],
        owners: &BTreeMap<String, usize>,
        result: Option<ResultName<'_>>,
        scope: &mut Scope,
    ) {
        let mut found: Vec<(usize, &'a EquationStatement)> = Vec::new();
        for (number, statement) in statements.iter().enumerate() {
            let StatementKind::Equation(equation) = &statement.kind else { continue };
            let name = &equation.name;
            if let Some((_, first)) = found.iter().find(|(_, other)| other.name.text == name.text) {
                self.complain_about_doubled(&name.text, name.span, first.name.span);
            } else {
                found.push((number, equation));
            }
        }
        let items: Vec<(&Name, &Expr)> = found.iter().map(|(_, equation)| (&equation.name, &equation.value)).collect();
        let owners: BTreeMap<String, usize> = owners
            .iter()
            .filter_map(|(owner, statement)| Some((owner.clone(), found.iter().position(|(number, _)| number == statement)?)))
            .collect();
        for (name, expr) in self.in_order(&items, &owners) {
            let equation = found.iter().map(|(_, equation)| *equation).find(|equation| equation.name == *name);
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

/// The name of an axis of a declaration.
fn axis_name(index: &DeclaredIndex, position: usize) -> String {
    if index.name.text == "_" { default_axis(position).to_owned() } else { index.name.text.clone() }
}
