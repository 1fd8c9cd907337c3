//! `optimizer` lines: the equations of a rule, for each parameter it updates.

use std::collections::BTreeMap;

use super::builder::Builder;
use super::call::{Call, slots};
use super::clipping::Clip;
use super::definitions::Home;
use super::scope::{Binding, Scope};
use super::value::{Indexed, shape_words};
use super::{Optimizer, State};
use crate::diagnostic::Diagnostic;
use crate::equation::{Equation, IndexId, Role, Tensor, TensorId};
use crate::span::Span;
use crate::syntax::tree::{Expr, ExprKind, Name, OptimizerDefinition, Statement, StatementKind};

/// An `optimizer` line.
struct Line<'a> {
    rule: Option<&'a Expr>,
    on: &'a [Name],
    span: Span,
}

/// A rule with its numbers.
struct Rule<'a> {
    definition: &'a OptimizerDefinition,
    home: Home,
    /// The parameters of the rule, and what they stand for.
    constants: Vec<(&'a str, Span, Indexed)>,
    /// What its constants are called by: `sgd` in `sgd.rate`.
    owner: String,
    /// Constants that its body defines.
    helpers: BTreeMap<String, Indexed>,
    /// Where it is named in the line.
    span: Span,
    /// What the gradient is put through first, in order.
    clips: Vec<Clip<'a>>,
}

/// A parameter of an `optimizer` line.
struct Trained {
    parameter: TensorId,
    /// The derivative of the objective by it.
    gradient: TensorId,
    /// What a rule sees as `g`, with an index for each axis.
    seen: Indexed,
}

impl<'a> Builder<'a> {
    /// All `optimizer` lines. Marks parameters that none of them trains.
    pub(super) fn optimizers(
        &mut self,
        statements: &'a [Statement],
        is_objective: bool,
        update_number: TensorId,
        scope: &mut Scope,
    ) -> Vec<Optimizer> {
        let lines: Vec<Line<'a>> = statements
            .iter()
            .filter_map(|statement| match &statement.kind {
                StatementKind::Optimizer { rule, on } => Some(Line { rule: rule.as_ref(), on, span: statement.span }),
                _ => None,
            })
            .collect();
        if is_objective {
            for line in &lines {
                let message = "an optimizer follows a loss, and this spec has an objective in its place";
                self.complain(Diagnostic::error(line.span, message));
            }
            return Vec::new();
        }
        let assigned = self.assigned_lines(&lines, scope);
        let number = self.context.access(update_number, Vec::new());
        self.ambient.push(("k", Indexed::scalar(number)));
        let mut optimizers = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let Some(expr) = line.rule else { continue };
            let Some(mut rule) = self.rule(expr, scope) else {
                self.insist(line.span);
                continue;
            };
            let parameters = assigned.iter().zip(&self.parameters).filter(|(assigned, _)| **assigned == Some(number));
            let parameters: Vec<TensorId> = parameters.map(|(_, (_, parameter))| parameter.tensor).collect();
            let Some(trained) = self.trained(&rule.clips, &parameters, scope) else {
                self.insist(line.span);
                continue;
            };
            for trained in trained {
                match self.instance(&mut rule, &trained, number) {
                    Some(optimizer) => optimizers.push(optimizer),
                    None => self.insist(line.span),
                }
            }
        }
        self.ambient.pop();
        let order: BTreeMap<TensorId, usize> =
            self.parameters.iter().enumerate().map(|(at, (_, parameter))| (parameter.tensor, at)).collect();
        optimizers.sort_by_key(|optimizer| order.get(&optimizer.parameter).copied());
        optimizers
    }

    /// For each parameter the number of the line that speaks of it.
    fn assigned_lines(&mut self, lines: &[Line<'a>], scope: &Scope) -> Vec<Option<usize>> {
        let mut assigned: Vec<Option<usize>> = vec![None; self.parameters.len()];
        let mut default: Option<usize> = None;
        for (number, line) in lines.iter().enumerate() {
            if line.on.is_empty() {
                if let Some(first) = default {
                    let message = "two lines give every parameter an optimizer";
                    let message = Diagnostic::error(line.span, message).label("again here").also(lines[first].span, "first here");
                    self.complain(message.hint("`optimizer … on w` speaks of `w` alone"));
                }
                default = default.or(Some(number));
                continue;
            }
            for tensor in self.named_parameters(line.on, scope).into_iter().flatten() {
                let Some(position) = self.parameters.iter().position(|(_, parameter)| parameter.tensor == tensor) else {
                    continue;
                };
                if let Some(first) = assigned[position] {
                    let message = format!("two lines give `{}` an optimizer", self.context.tensor(tensor).name);
                    let message = Diagnostic::error(line.span, message).label("again here");
                    self.complain(message.also(lines[first].span, "first here"));
                }
                assigned[position] = Some(number);
            }
        }
        let has_rules = lines.iter().any(|line| line.rule.is_some());
        for (position, assigned) in assigned.iter_mut().enumerate() {
            *assigned = assigned.or(default);
            let parameter = self.parameters[position].1.tensor;
            match *assigned {
                Some(number) => self.parameters[position].1.trained = lines[number].rule.is_some(),
                None if has_rules => {
                    let Tensor { name, origin, .. } = self.context.tensor(parameter).clone();
                    let message = format!("no optimizer line speaks of `{name}`");
                    let hint = format!("add a line without `on`, or `optimizer none on {name}` to leave it as it is");
                    let span = origin.unwrap_or(lines[0].span);
                    self.complain(Diagnostic::error(span, message).also(lines[0].span, "this speaks of others").hint(hint));
                }
                None => {}
            }
        }
        assigned
    }

    /// The rule that a line names, with its numbers as constants.
    fn rule(&mut self, expr: &'a Expr, scope: &mut Scope) -> Option<Rule<'a>> {
        let call = match &expr.kind {
            ExprKind::Call { .. } => self.call_of(expr, scope)?,
            ExprKind::Name(name) => Call { name, span: expr.span, label: None, arguments: Vec::new() },
            ExprKind::Pipe { value, call, label } => {
                let rule = self.rule(value, scope);
                let clip = self.clip(call, label.as_ref(), scope);
                let (mut rule, clip) = (rule?, clip?);
                rule.clips.push(clip);
                return Some(rule);
            }
            _ => {
                self.complain(
                    Diagnostic::error(expr.span, "an optimizer is wanted here").hint("such as `optimizer adam(rate = 0.001)`"),
                );
                return None;
            }
        };
        let (name, span) = (call.name, call.span);
        let Some((definition, home)) = self.definitions.optimizer(name) else {
            self.complain_about_optimizer(name, span, scope);
            return None;
        };
        let matched = self.matched(call, &slots(&definition.formals))?;
        let owner = self.unused_owner(&definition.name.text);
        let mut inner = Scope::new(home);
        let mut constants = Vec::new();
        let mut is_sound = true;
        for (formal, given) in definition.formals.iter().zip(&matched) {
            let value = match (given, &formal.default) {
                (Some(given), _) => self.given_value(given, scope).map(|value| (value, given.span())),
                (None, Some(default)) => self.value(default, &mut inner).map(|value| (value, default.span)),
                (None, None) => None,
            };
            let constant = value.and_then(|(value, span)| {
                self.check_schedule(&value, span)?;
                if let (Some(within), Some(_)) = (&formal.within, self.known(&value)) {
                    self.check_within(&formal.name.text, &value, within, span, &mut inner)?;
                }
                Some((self.constant_named(format!("{owner}.{}", formal.name.text), value, span), span))
            });
            match constant {
                Some((constant, span)) => {
                    inner.bind(&formal.name.text, span, Binding::Value(constant.clone()));
                    constants.push((formal.name.text.as_str(), span, constant));
                }
                None => is_sound = false,
            }
        }
        is_sound.then_some(Rule { definition, home, constants, owner, helpers: BTreeMap::new(), span, clips: Vec::new() })
    }

    /// Says that a name is no optimizer's, and what may have been meant.
    fn complain_about_optimizer(&mut self, name: &str, span: Span, scope: &Scope) {
        let message = Diagnostic::error(span, format!("there is no optimizer `{name}`"));
        let mut known: Vec<&str> = self.definitions.optimizer_names().collect();
        known.sort_unstable();
        known.dedup();
        let message = if let Some(near) = crate::diagnostic::nearest(name, known.iter().copied()) {
            message.hint(format!("did you mean `{near}`?"))
        } else if name == "none" {
            message.hint("`optimizer none` stands by itself: what it leaves as it is has no gradient that could be changed")
        } else if self.definitions.callable(name, scope.home).is_some() {
            message.hint(format!("`{name}` is a function; what changes the gradient follows the optimizer: `sgd(…) |> {name}`"))
        } else {
            message.hint(format!("there are {}", super::value::list_words(known)))
        };
        self.complain(message);
    }

    /// Checks that what a rule is given is a number, or one that changes with `k`.
    pub(super) fn check_schedule(&mut self, value: &Indexed, span: Span) -> Option<()> {
        if !value.axes.is_empty() {
            let message = Diagnostic::error(span, "an optimizer is given numbers");
            self.complain(message.label(format!("this has {}", shape_words(&value.shape(&self.context)))));
            return None;
        }
        let other = self.context.tensors_in(value.value).into_iter().find(|&tensor| !self.is_fixed(tensor));
        if let Some(other) = other {
            let message = format!(
                "an optimizer is given numbers and schedules in `k`, and this reads `{}`",
                self.context.tensor(other).name
            );
            self.complain(Diagnostic::error(span, message));
            return None;
        }
        Some(())
    }

    fn is_fixed(&self, tensor: TensorId) -> bool {
        matches!(self.context.tensor(tensor).role, Role::Constant | Role::UpdateNumber)
    }

    /// The gradients of a line's parameters, and what is left of them when they are clipped.
    fn trained(&mut self, clips: &[Clip<'a>], parameters: &[TensorId], scope: &mut Scope) -> Option<Vec<Trained>> {
        let gradients: Vec<TensorId> = parameters.iter().map(|&of| self.tensor_like(of, "g", Role::Gradient { of })).collect();
        let mut seen: Vec<Indexed> = gradients.iter().map(|&gradient| self.tensor_value(gradient)).collect();
        for clip in clips {
            seen = self.clipped(clip, &seen, scope)?;
        }
        let trained = parameters.iter().zip(gradients).zip(seen);
        Some(trained.map(|((&parameter, gradient), seen)| Trained { parameter, gradient, seen }).collect())
    }

    /// The equations of a rule for one parameter.
    fn instance(&mut self, rule: &mut Rule<'a>, trained: &Trained, line: usize) -> Option<Optimizer> {
        let name = &rule.definition.name;
        let end = rule.definition.body.last().map_or(name.span, |statement| statement.span);
        self.enter(&name.text, name.span, end, rule.span)?;
        let optimizer = self.instance_of(rule, trained, line);
        self.leave();
        optimizer
    }

    fn instance_of(&mut self, rule: &mut Rule<'a>, trained: &Trained, line: usize) -> Option<Optimizer> {
        let &Trained { parameter, gradient, .. } = trained;
        let mut inner = Scope::new(rule.home);
        let header = rule.definition.name.span;
        for (name, span, constant) in &rule.constants {
            inner.bind(name, *span, Binding::Value(constant.clone()));
        }
        let indices = self.context.fresh_axes(parameter);
        let next = self.tensor_like(parameter, "", Role::Next { of: parameter });
        let element = self.context.access_at(parameter, &indices);
        let slope = trained.seen.at_indices(&mut self.context, &indices);
        for (name, value) in [("w", element), ("g", slope)] {
            inner.bind(name, header, Binding::Value(Indexed::scalar(value)));
        }
        let mut next_of: BTreeMap<String, TensorId> = BTreeMap::from([("w'".to_owned(), next)]);
        let states = self.states(rule.definition, parameter, &indices, &mut next_of, &mut inner);
        self.local_lets(&rule.definition.body, &mut inner);
        let equations = self.rule_equations(rule, &indices, &next_of, &mut inner);
        let states = states?;
        let equations = equations?;
        for (primed, tensor) in &next_of {
            if !equations.iter().any(|equation| equation.target == *tensor) {
                let message = format!("no equation of `{}` gives `{primed}`", rule.definition.name.text);
                self.complain(Diagnostic::error(header, message).label("each of its values needs a next one"));
                return None;
            }
        }
        Some(Optimizer { parameter, gradient, states, equations, rule: rule.definition.name.text.clone(), line })
    }

    fn tensor_like(&mut self, parameter: TensorId, suffix: &str, role: Role) -> TensorId {
        let mut tensor: Tensor = self.context.tensor(parameter).clone();
        tensor.name = match role {
            Role::Next { of } => format!("{}'", self.context.tensor(of).name),
            _ => format!("{}.{suffix}", tensor.name),
        };
        tensor.role = role;
        self.context.add_tensor(tensor)
    }

    fn states(
        &mut self,
        definition: &'a OptimizerDefinition,
        parameter: TensorId,
        indices: &[IndexId],
        next_of: &mut BTreeMap<String, TensorId>,
        inner: &mut Scope,
    ) -> Option<Vec<State>> {
        let mut states = Vec::new();
        let mut is_sound = true;
        for statement in &definition.body {
            let StatementKind::State { name, initial } = &statement.kind else { continue };
            let initial = self.number(initial, inner);
            is_sound &= initial.is_some();
            let tensor = self.tensor_like(parameter, &name.text, Role::State { of: parameter });
            let next = self.tensor_like(tensor, "", Role::Next { of: tensor });
            next_of.insert(format!("{}'", name.text), next);
            let value = self.context.access_at(tensor, indices);
            self.bind_new(inner, name, Binding::Value(Indexed::scalar(value)));
            states.push(State { tensor, initial: initial.unwrap_or(0.0) });
        }
        is_sound.then_some(states)
    }

    fn rule_equations(
        &mut self,
        rule: &mut Rule<'a>,
        indices: &[IndexId],
        next_of: &BTreeMap<String, TensorId>,
        inner: &mut Scope,
    ) -> Option<Vec<Equation>> {
        let mut items = Vec::new();
        for statement in &rule.definition.body {
            match &statement.kind {
                StatementKind::Equation(equation) if equation.indices.is_none() => items.push((&equation.name, &equation.value)),
                StatementKind::Equation(equation) => {
                    let message = "a rule is applied to each element, so its equations have no indices";
                    self.complain(Diagnostic::error(equation.name.span, message));
                }
                StatementKind::State { .. } | StatementKind::Let { .. } => {}
                _ => {
                    let message = "an optimizer's body has states and equations, and nothing else";
                    self.complain(Diagnostic::error(statement.span, message));
                }
            }
        }
        let mut equations = Vec::new();
        let mut is_sound = true;
        for (name, expr) in self.in_order(&items) {
            let value = expr.and_then(|expr| self.element_of_rule(expr, inner));
            let Some(value) = value else {
                is_sound = false;
                self.bind_new(inner, name, Binding::Broken);
                continue;
            };
            let value = if let Some(&target) = next_of.get(&name.text) {
                let origin = Some(name.span);
                equations.push(Equation { target, indices: indices.to_vec(), value, computed: value, number: 0, origin });
                self.context.access_at(target, indices)
            } else if name.text.ends_with('\'') {
                let message = format!("`{}` is the next value of nothing", name.text);
                let hint = "declare `state v ~ 0` for `v'`; the parameter's next value is `w'`";
                self.complain(Diagnostic::error(name.span, message).hint(hint));
                is_sound = false;
                continue;
            } else {
                self.helper(rule, name, value)
            };
            self.bind_new(inner, name, Binding::Value(Indexed::scalar(value)));
        }
        is_sound.then_some(equations)
    }

    fn element_of_rule(&mut self, expr: &'a Expr, inner: &mut Scope) -> Option<crate::equation::ExprId> {
        let value = self.value(expr, inner)?;
        if value.axes.is_empty() {
            return Some(value.value);
        }
        self.complain(Diagnostic::error(expr.span, "a rule is applied to each element, so this must be one number"));
        None
    }

    /// An intermediate value of a rule: a constant where it is the same for all elements, else written out where it is read.
    fn helper(&mut self, rule: &mut Rule<'a>, name: &'a Name, value: crate::equation::ExprId) -> crate::equation::ExprId {
        if !self.context.tensors_in(value).into_iter().all(|tensor| self.is_fixed(tensor)) {
            return value;
        }
        if let Some(constant) = rule.helpers.get(&name.text) {
            return constant.value;
        }
        let constant = self.constant_named(format!("{}.{}", rule.owner, name.text), Indexed::scalar(value), name.span);
        rule.helpers.insert(name.text.clone(), constant.clone());
        constant.value
    }
}
