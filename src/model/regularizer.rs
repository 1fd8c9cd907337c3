//! `regularizer` lines: an expression for each parameter they apply to.

use std::collections::BTreeMap;

use super::Regularizer;
use super::builder::Builder;
use super::call::{Call, Given};
use super::scope::{Binding, Scope};
use super::value::{Indexed, list_words, shape_words};
use crate::diagnostic::Diagnostic;
use crate::equation::{Equation, Node, Role, TensorId};
use crate::span::Span;
use crate::syntax::tree::{Expr, Formal, FunctionDefinition, Name, Statement, StatementKind};

/// What a `regularizer` line knows while its expression is read.
pub(super) struct Line {
    /// The parameter that functions of a tensor are given where the line does not name one.
    parameter: Indexed,
    /// Whether some function was given it.
    is_given: bool,
    /// The constants that stand for arguments, by the place of the call and the number of the parameter.
    constants: BTreeMap<(u32, usize), Indexed>,
    /// What the constants of a call are called by: `l2` in `l2.a`.
    owners: BTreeMap<u32, String>,
}

impl<'a> Builder<'a> {
    /// All `regularizer` lines.
    pub(super) fn regularizers(
        &mut self,
        statements: &'a [Statement],
        is_objective: bool,
        batch_size: TensorId,
        scope: &mut Scope,
    ) -> Vec<Regularizer> {
        let mut regularizers = Vec::new();
        let lines = statements.iter().filter_map(|statement| match &statement.kind {
            StatementKind::Regularizer { value, on } => Some((value, on, statement.span)),
            _ => None,
        });
        (scope.names_intermediates, scope.allows_layers) = (false, false);
        for (line, (value, on, span)) in lines.enumerate() {
            if is_objective {
                let message = "a regularizer is added to a loss, and this spec has an objective in its place";
                self.complain(Diagnostic::error(span, message));
                continue;
            }
            let size = self.context.access(batch_size, Vec::new());
            self.ambient.push(("m", Indexed::scalar(size)));
            let terms = self.regularizer(value, on, span, scope);
            self.ambient.pop();
            if terms.is_none() {
                self.insist(span);
            }
            regularizers.extend(terms.into_iter().flatten().map(|(parameter, value)| Regularizer { value, parameter, line }));
        }
        regularizers
    }

    fn regularizer(
        &mut self,
        expr: &'a Expr,
        on: &'a [Name],
        span: Span,
        scope: &mut Scope,
    ) -> Option<Vec<(TensorId, crate::equation::ExprId)>> {
        let weights = || self.parameters.iter().filter(|(_, parameter)| parameter.is_weight);
        let parameters: Vec<TensorId> = if on.is_empty() {
            weights().map(|(_, parameter)| parameter.tensor).collect()
        } else {
            self.named_parameters(on, scope)?
        };
        // A line that names its parameter itself is read once, whatever parameter it is read for.
        let Some(first) = parameters.first().or(self.parameters.first().map(|(_, parameter)| &parameter.tensor)) else {
            self.complain(Diagnostic::error(span, "there is no parameter to regularize"));
            return None;
        };
        let parameter = self.tensor_value(*first);
        self.line = Some(Line { parameter, is_given: false, constants: BTreeMap::new(), owners: BTreeMap::new() });
        let terms = self.regularizer_terms(expr, &parameters, !on.is_empty(), scope);
        self.line = None;
        terms
    }

    fn regularizer_terms(
        &mut self,
        expr: &'a Expr,
        parameters: &[TensorId],
        is_on: bool,
        scope: &mut Scope,
    ) -> Option<Vec<(TensorId, crate::equation::ExprId)>> {
        let value = self.value(expr, scope)?;
        let is_given = self.line.as_ref().is_some_and(|line| line.is_given);
        if !is_given {
            return self.single_regularizer(expr, &value, is_on).map(|term| vec![term]);
        }
        if parameters.is_empty() {
            let message = "this applies to every weight, and the network has none";
            self.complain(Diagnostic::warning(expr.span, message).hint("name parameters: `regularizer … on w`"));
        }
        let mut terms = Vec::new();
        for &tensor in parameters {
            let parameter = self.tensor_value(tensor);
            if let Some(line) = &mut self.line {
                line.parameter = parameter;
            }
            let value = self.value(expr, scope)?;
            self.check_regularizer(expr, &value, &[tensor])?;
            terms.push((tensor, value.value));
        }
        Some(terms)
    }

    /// A line that names its parameter in its expression.
    fn single_regularizer(
        &mut self,
        expr: &'a Expr,
        value: &Indexed,
        is_on: bool,
    ) -> Option<(TensorId, crate::equation::ExprId)> {
        let mut read = self.context.tensors_in(value.value);
        read.retain(|&tensor| self.context.tensor(tensor).role == Role::Parameter);
        self.check_regularizer(expr, value, &read)?;
        let complaint = match read[..] {
            [parameter] if !is_on => return Some((parameter, value.value)),
            [] => Diagnostic::error(expr.span, "a regularizer depends on a parameter, and this does not"),
            [_] => Diagnostic::error(expr.span, "this names its parameter itself, so `on` has nothing to add"),
            _ => {
                let names: Vec<&str> = read.iter().map(|&tensor| self.context.tensor(tensor).name.as_str()).collect();
                let message = format!("this regularizes {} at once", list_words(names));
                Diagnostic::error(expr.span, message).hint("write a line for each; lines add up")
            }
        };
        self.complain(complaint.hint("such as `regularizer l2(0.001) on w`"));
        None
    }

    /// Checks that a term is a scalar, made of these parameters and of numbers.
    fn check_regularizer(&mut self, expr: &'a Expr, value: &Indexed, parameters: &[TensorId]) -> Option<()> {
        if !value.axes.is_empty() {
            let message = Diagnostic::error(expr.span, "a regularizer is one number");
            let shape = shape_words(&value.shape(&self.context));
            self.complain(message.label(format!("this has {shape}")));
            return None;
        }
        let is_allowed = |tensor: &TensorId| {
            parameters.contains(tensor) || matches!(self.context.tensor(*tensor).role, Role::Constant | Role::BatchSize)
        };
        let other = self.context.tensors_in(value.value).into_iter().find(|tensor| !is_allowed(tensor));
        if let Some(other) = other {
            let message = format!(
                "a regularizer depends on one parameter and on numbers, and this reads `{}`",
                self.context.tensor(other).name
            );
            self.complain(Diagnostic::error(expr.span, message));
            return None;
        }
        Some(())
    }

    /// The parameters of these names, each named once.
    pub(super) fn named_parameters(&mut self, names: &'a [Name], scope: &Scope) -> Option<Vec<TensorId>> {
        let mut found: Vec<Option<TensorId>> = Vec::new();
        let mut spans: BTreeMap<&str, Span> = BTreeMap::new();
        for name in names {
            if let Some(first) = spans.insert(&name.text, name.span) {
                let message = format!("`{}` is named twice", name.text);
                self.complain(Diagnostic::error(name.span, message).label("again here").also(first, "first here"));
                found.push(None);
            } else {
                found.push(self.named_parameter(name, scope));
            }
        }
        found.into_iter().collect()
    }

    fn named_parameter(&mut self, name: &'a Name, scope: &Scope) -> Option<TensorId> {
        if self.is_exhausted {
            return None;
        }
        match scope.local(&name.text).map(|bound| bound.binding.clone()) {
            Some(Binding::Broken) => return None,
            Some(Binding::Value(value)) => {
                if let Node::Access { tensor, .. } = self.context.node(value.value)
                    && self.context.tensor(*tensor).role == Role::Parameter
                {
                    return Some(*tensor);
                }
                self.complain(Diagnostic::error(name.span, format!("`{}` is not a parameter", name.text)));
                return None;
            }
            _ => {}
        }
        let known: Vec<&str> =
            self.parameters.iter().map(|(_, parameter)| self.context.tensor(parameter.tensor).name.as_str()).collect();
        let mut message = Diagnostic::error(name.span, format!("there is no parameter `{}`", name.text));
        let inside: Vec<&str> = known.iter().copied().filter(|known| known.starts_with(&format!("{}.", name.text))).collect();
        if !inside.is_empty() {
            message = message.hint(format!("its parameters are {}", list_words(inside)));
        } else if let Some(near) = crate::diagnostic::nearest(&name.text, known.iter().copied()) {
            message = message.hint(format!("did you mean `{near}`?"));
        } else if !known.is_empty() {
            message = message.hint(format!("the parameters are {}", list_words(known.into_iter().take(8))));
        }
        self.complain(message);
        None
    }

    /// In a `regularizer` line, a function of a tensor that is not given one is given the parameter.
    pub(super) fn with_parameter(
        &mut self,
        definition: &'a FunctionDefinition,
        mut call: Call<'a>,
        scope: &mut Scope,
    ) -> Option<Call<'a>> {
        let Some(formal) = definition.formals.first() else { return Some(call) };
        if !self.is_regularizer_call(definition)
            || call.arguments.iter().any(|(name, _)| name.is_some_and(|name| *name.text == formal.name.text))
        {
            return Some(call);
        }
        if let Some((_, first)) = call.arguments.iter().find(|(name, _)| name.is_none()) {
            let value = self.given_value(&first.clone(), scope)?;
            let reads_parameter =
                self.context.tensors_in(value.value).iter().any(|&tensor| self.context.tensor(tensor).role == Role::Parameter);
            if reads_parameter {
                return Some(call);
            }
        }
        let line = self.line.as_mut()?;
        line.is_given = true;
        call.arguments.insert(0, (None, Given::Computed(line.parameter.clone(), call.span)));
        Some(call)
    }

    /// Whether a call stands in a `regularizer` line itself, not in a definition, and is one of a function of a tensor.
    fn is_regularizer_call(&self, definition: &FunctionDefinition) -> bool {
        self.line.is_some() && self.frames.is_empty() && definition.formals.first().is_some_and(|formal| formal.indices.is_some())
    }

    /// In a `regularizer` line, the numbers that its functions are given become constants with names.
    pub(super) fn with_constants(
        &mut self,
        definition: &'a FunctionDefinition,
        home: super::definitions::Home,
        mut given: Vec<Option<(Indexed, Span)>>,
        call: Span,
    ) -> Option<Vec<Option<(Indexed, Span)>>> {
        if !self.is_regularizer_call(definition) {
            return Some(given);
        }
        let mut inner = Scope::new(home);
        for (position, (formal, given)) in definition.formals.iter().zip(&mut given).enumerate() {
            if formal.indices.is_some() {
                continue;
            }
            let (value, span) = match (given.take(), &formal.default) {
                (Some(given), _) => given,
                (None, Some(default)) => (self.value(default, &mut inner)?, default.span),
                (None, None) => return None,
            };
            let value =
                if self.known(&value).is_some() { self.line_constant(definition, formal, position, value, call)? } else { value };
            inner.bind(&formal.name.text, span, Binding::Value(value.clone()));
            *given = Some((value, span));
        }
        Some(given)
    }

    fn line_constant(
        &mut self,
        definition: &FunctionDefinition,
        formal: &Formal,
        position: usize,
        value: Indexed,
        call: Span,
    ) -> Option<Indexed> {
        let line = self.line.as_ref()?;
        if let Some(constant) = line.constants.get(&(call.start, position)) {
            return Some(constant.clone());
        }
        let owner = match line.owners.get(&call.start) {
            Some(owner) => owner.clone(),
            None => self.unused_owner(&definition.name.text),
        };
        let constant = self.constant_named(format!("{owner}.{}", formal.name.text), value, call);
        let line = self.line.as_mut()?;
        line.owners.insert(call.start, owner);
        line.constants.insert((call.start, position), constant.clone());
        Some(constant)
    }

    /// The name of a rule, with a number where an earlier line has the same rule: `sgd`, `sgd2`.
    pub(super) fn unused_owner(&mut self, rule: &str) -> String {
        let mut number = 1;
        loop {
            let owner = if number == 1 { rule.to_owned() } else { format!("{rule}{number}") };
            if self.taken.insert(owner.clone()) {
                return owner;
            }
            number += 1;
        }
    }

    /// A scalar that is defined by an equation of its own, among the constants.
    pub(super) fn constant_named(&mut self, name: String, value: Indexed, origin: Span) -> Indexed {
        let target = self.scalar_tensor(&name, Role::Constant, Some(origin));
        self.taken.insert(name);
        let (value, origin) = (value.value, Some(origin));
        self.constants.push(Equation { target, indices: Vec::new(), value, computed: value, number: 0, origin });
        Indexed::scalar(self.context.access(target, Vec::new()))
    }
}
