//! The whole of a spec: data, parameters and equations, then what is done with them.

use std::collections::BTreeMap;

use super::builder::Builder;
use super::definitions::{Definitions, Home};
use super::scope::{Binding, Scope};
use super::value::Indexed;
use super::{Model, Objective, weights};
use crate::diagnostic::Diagnostic;
use crate::equation::{Role, Tensor, TensorId};
use crate::limits;
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Name, Spec, Statement, StatementKind};

/// What is derived.
#[derive(Default)]
struct Cost {
    /// The `loss` lines.
    parts: Vec<TensorId>,
    /// Their sum.
    loss: Option<TensorId>,
    /// What stands in their place.
    objective: Option<Objective>,
}

/// A model, and the messages about it; no model where one of them is an error.
pub(super) fn build(user: &Spec, prelude: &Spec) -> (Option<Model>, Vec<Diagnostic>) {
    let mut messages = Vec::new();
    let definitions = Definitions::collect(user, prelude, &mut messages);
    let mut builder = Builder::new(definitions, messages);
    let model = builder.network(user, prelude);
    (if builder.has_errors() { None } else { model }, builder.messages)
}

impl<'a> Builder<'a> {
    fn network(&mut self, user: &'a Spec, prelude: &'a Spec) -> Option<Model> {
        self.lets(&prelude.statements, Home::Prelude);
        self.check_statement_count(&user.statements)?;
        self.lets(&user.statements, Home::User);
        self.reserve_names(&user.statements);
        let mut scope = Scope::new(Home::User);
        scope.names_intermediates = true;
        scope.allows_layers = true;
        for (name, bound) in self.user_lets.clone() {
            scope.bind(&name, bound.span, bound.binding);
        }
        let statements = &user.statements;
        self.complain_about_statements(statements);
        let data = self.data(statements, &mut scope);
        self.parameters_of(statements, &mut scope);
        let owners = self.number_layers(statements, &mut scope);
        self.equations_of(statements, &owners, None, &mut scope);
        let own = self.equations.iter().map(|equation| equation.target).collect();
        let Cost { parts, loss, objective } = self.cost(user, &mut scope);
        self.parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.noises.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let (None, None, Some(last)) = (loss, &objective, statements.last()) {
            self.insist(last.span);
        }
        self.order_equations();
        if self.is_exhausted {
            return None;
        }

        weights::find(&self.context, &self.equations, &mut self.parameters);
        let batch_size = self.scalar_tensor("m", Role::BatchSize, None);
        let update_number = self.scalar_tensor("k", Role::UpdateNumber, None);
        let is_objective = objective.is_some();
        let regularizers = self.regularizers(statements, is_objective, batch_size, &mut scope);
        let optimizers = self.optimizers(statements, is_objective, update_number, &mut scope);
        let mut model = Model {
            name: user.network.as_ref().map_or_else(|| "Network".to_owned(), |name| name.text.clone()),
            context: std::mem::take(&mut self.context),
            inputs: data.inputs,
            targets: data.targets,
            parameters: std::mem::take(&mut self.parameters).into_iter().map(|(_, parameter)| parameter).collect(),
            noises: std::mem::take(&mut self.noises).into_iter().map(|(_, noise)| noise).collect(),
            equations: std::mem::take(&mut self.equations),
            loss,
            outputs: Vec::new(),
            objective,
            regularizers,
            optimizers,
            constants: std::mem::take(&mut self.constants),
            batch_size,
            update_number,
        };
        model.outputs = weights::outputs(&model, &parts, &own);
        // An error leaves parts out, and what reads nothing but these would look unused.
        if !self.has_errors() {
            self.warn(&model);
        }
        Some(model)
    }

    /// A tensor without axes.
    pub(super) fn scalar_tensor(&mut self, name: &str, role: Role, origin: Option<Span>) -> TensorId {
        let name = name.to_owned();
        self.context.add_tensor(Tensor { name, shape: Vec::new(), axes: Vec::new(), role, label: false, origin })
    }

    fn check_statement_count(&mut self, statements: &'a [Statement]) -> Option<()> {
        let mut count = 0usize;
        for statement in statements {
            count += match &statement.kind {
                StatementKind::Input(declarations) | StatementKind::Target(declarations) => declarations.len(),
                _ => 1,
            };
            if count > limits::STATEMENTS {
                let message = format!("a spec has at most {} statements", limits::STATEMENTS);
                self.exhaust(Diagnostic::error(statement.span, message));
                return None;
            }
        }
        Some(())
    }

    /// Notes the names that the user gives, so that none of them is made up.
    fn reserve_names(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            match &statement.kind {
                StatementKind::Input(declarations) | StatementKind::Target(declarations) => {
                    self.taken.extend(declarations.iter().map(|declaration| declaration.name.text.clone()));
                }
                StatementKind::Param(drawn) | StatementKind::Noise(drawn) => {
                    self.taken.insert(drawn.name.text.clone());
                }
                StatementKind::Equation(equation) => {
                    self.taken.insert(equation.name.text.clone());
                }
                _ => {}
            }
        }
    }

    fn complain_about_statements(&mut self, statements: &'a [Statement]) {
        for statement in statements {
            if let StatementKind::State { .. } = &statement.kind {
                let message = "a state belongs in the body of an optimizer";
                self.complain(Diagnostic::error(statement.span, message));
            }
        }
    }

    /// The loss, or the objective in its place.
    fn cost(&mut self, user: &'a Spec, scope: &mut Scope) -> Cost {
        let mut losses: Vec<(&'a Expr, Span)> = Vec::new();
        let mut objectives: Vec<(&'a Expr, &'a [Name], Span)> = Vec::new();
        for statement in &user.statements {
            match &statement.kind {
                StatementKind::Loss(value) => losses.push((value, statement.span)),
                StatementKind::Objective { value, by } => objectives.push((value, by, statement.span)),
                _ => {}
            }
        }
        match (&losses[..], &objectives[..]) {
            ([], []) => {
                let end = user.statements.last().or(user.statements.first());
                let start = Span { source: crate::span::SourceId(1), start: 0, end: 0 };
                let span = user.network.as_ref().map_or_else(|| end.map_or(start, |statement| statement.span), |name| name.span);
                let message = Diagnostic::error(span, "this spec has no loss, so there is nothing to derive");
                self.complain(message.hint(self.suggested_loss(&user.statements)));
                Cost::default()
            }
            ([_, ..], [(_, _, span), ..]) => {
                let message = Diagnostic::error(*span, "an objective stands in place of a loss, and this spec has both");
                self.complain(message.also(losses[0].1, "the loss"));
                Cost::default()
            }
            (_, []) => self.loss(&losses, scope).unwrap_or_default(),
            (_, [first, rest @ ..]) => {
                for again in rest {
                    let message = Diagnostic::error(again.2, "a spec has one objective").label("a second one");
                    self.complain(message.also(first.2, "the first one"));
                }
                Cost { objective: self.objective(first.0, first.1, scope), ..Cost::default() }
            }
        }
    }

    fn suggested_loss(&self, statements: &'a [Statement]) -> String {
        let target = statements.iter().find_map(|statement| match &statement.kind {
            StatementKind::Target(declarations) => declarations.first(),
            _ => None,
        });
        let output = statements.iter().rev().find_map(|statement| match &statement.kind {
            StatementKind::Equation(equation) => Some(equation.name.text.as_str()),
            _ => None,
        });
        match (target, output) {
            (Some(target), Some(output)) => {
                let loss = if target.class.is_some() { "cross_entropy" } else { "squared_error" };
                format!("add one, such as `loss {loss}({output}, {})`", target.name.text)
            }
            (None, Some(output)) => format!("add a loss, or differentiate a value: `objective {output} by …`"),
            _ => "add one, such as `loss squared_error(y, t)`".to_owned(),
        }
    }

    /// `loss`, or `loss1`, `loss2`, … and their sum.
    fn loss(&mut self, losses: &[(&'a Expr, Span)], scope: &mut Scope) -> Option<Cost> {
        let whole = if self.taken.contains("loss") { self.unused_name("", "loss") } else { "loss".to_owned() };
        let mut parts = Vec::new();
        for (expr, span) in losses {
            let value = self.scalar_root(expr, "a loss is one number for each example", scope);
            let part = value.and_then(|value| {
                let name = if losses.len() == 1 { whole.clone() } else { self.unused_name("", "loss") };
                self.define(name, &[], &value, *span)
            });
            parts.push(part);
        }
        let parts = parts.into_iter().collect::<Option<Vec<TensorId>>>()?;
        if let [single] = parts[..] {
            return Some(Cost { parts, loss: Some(single), objective: None });
        }
        let terms: Vec<_> = parts.iter().map(|&part| self.context.access(part, Vec::new())).collect();
        let sum = Indexed::scalar(self.context.add(terms));
        let loss = self.define(whole, &[], &sum, losses.first()?.1)?;
        Some(Cost { parts, loss: Some(loss), objective: None })
    }

    /// The value of a whole expression, which is one number.
    fn scalar_root(&mut self, expr: &'a Expr, rule: &str, scope: &mut Scope) -> Option<Indexed> {
        let value = match &expr.kind {
            ExprKind::Call { .. } | ExprKind::Pipe { .. } => {
                let call = self.call_of(expr, scope)?;
                self.call_value(call, true, scope)?
            }
            _ => self.value(expr, scope)?,
        };
        self.check_size(value.value, expr.span)?;
        if value.axes.is_empty() {
            return Some(value);
        }
        let shape = super::value::shape_words(&value.shape(&self.context));
        let message = Diagnostic::error(expr.span, rule).label(format!("this has {shape}"));
        let names: Vec<String> = value.axes.iter().map(|&axis| self.context.index_of(axis).name.clone()).collect();
        self.complain(message.hint(format!("sum it: `sum({}: …)`", names.join(", "))));
        None
    }

    fn objective(&mut self, expr: &'a Expr, by: &'a [Name], scope: &mut Scope) -> Option<Objective> {
        let value = self.scalar_root(expr, "an objective is one number", scope);
        let mut tensors = Vec::new();
        let mut spans: BTreeMap<&str, Span> = BTreeMap::new();
        for name in by {
            if let Some(first) = spans.insert(&name.text, name.span) {
                let message = format!("`{}` is named twice", name.text);
                self.complain(Diagnostic::error(name.span, message).label("again here").also(first, "first here"));
            }
            tensors.push(self.differentiable(name, scope));
        }
        let tensors = tensors.into_iter().collect::<Option<Vec<TensorId>>>();
        let (value, by) = (value?, tensors?);
        // A name that nothing else reads is the objective itself; its equation is moved to the end.
        if let crate::equation::Node::Access { tensor, .. } = *self.context.node(value.value)
            && let Some(at) = self.equations.iter().position(|equation| equation.target == tensor)
            && !self.equations.iter().any(|equation| self.context.contains_tensor(equation.value, tensor))
        {
            let equation = self.equations.remove(at);
            self.equations.push(equation);
            return Some(Objective { value: tensor, by });
        }
        let name = if self.taken.contains("objective") { self.unused_name("", "objective") } else { "objective".to_owned() };
        let value = self.define(name, &[], &value, expr.span)?;
        Some(Objective { value, by })
    }

    /// The input or parameter of that name.
    fn differentiable(&mut self, name: &'a Name, scope: &Scope) -> Option<TensorId> {
        if self.is_exhausted {
            return None;
        }
        let value = match self.find(&name.text, scope) {
            Some(Binding::Value(value)) => value,
            Some(Binding::Broken) => return None,
            _ => {
                self.complain_about_unknown(&name.text, name.span, scope);
                return None;
            }
        };
        if let crate::equation::Node::Access { tensor, .. } = *self.context.node(value.value) {
            let Tensor { role, label, .. } = self.context.tensor(tensor);
            match role {
                Role::Input if *label => {
                    let message = format!("`{}` is an integer label, which has no derivative", name.text);
                    self.complain(Diagnostic::error(name.span, message));
                    return None;
                }
                Role::Input | Role::Parameter => return Some(tensor),
                _ => {}
            }
        }
        let message = format!("`{}` is neither an input nor a parameter", name.text);
        self.complain(Diagnostic::error(name.span, message).hint("an objective is differentiated by inputs and parameters"));
        None
    }
}
