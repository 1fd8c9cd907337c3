//! `dE/dw[i, j]` and `dy[j]/ds[k]`: what a fraction of differentials means.

use super::subject::Subject;
use super::tree::{at, changed, index_names, is_constant, places};
use crate::calculus::{differentiate, simplified};
use crate::diagnostic::{Diagnostic, nearest};
use crate::equation::{Affine, Equation, ExprId, IndexId, Relation, Role, Tensor, TensorId};
use crate::syntax::tree::{BinaryOperator, Expr, ExprKind, Name, Spec};

/// A tensor with a `d` before its name, and its indices.
struct Differential<'e> {
    name: &'e str,
    indices: &'e [Expr],
}

impl<'e> Differential<'e> {
    fn of(expr: &'e Expr) -> Option<Self> {
        let (name, indices): (&str, &[Expr]) = match &expr.kind {
            ExprKind::Name(name) => (name, &[]),
            ExprKind::Access { name, indices } => (&name.text, indices),
            _ => return None,
        };
        Some(Differential { name: name.strip_prefix('d')?, indices })
    }
}

impl Subject<'_> {
    /// An expression with its fractions of differentials as names of their own, which get a meaning here: `dE/ds[j]` reads the
    /// element `j` of `dE/ds`.
    pub(super) fn with_derivatives(&mut self, expr: Expr, messages: &mut Vec<Diagnostic>) -> Expr {
        changed(expr, &mut |part| {
            if let ExprKind::Binary { operator: BinaryOperator::Divide, left, right } = &part.kind {
                match self.fraction(left, right) {
                    Some(derivative) => return Expr { kind: derivative.kind, span: part.span },
                    None => messages.extend(self.unknown_fraction(left, right)),
                }
            }
            part
        })
    }

    /// What is wrong with a fraction that looks like one of differentials and is none.
    fn unknown_fraction(&self, left: &Expr, right: &Expr) -> Option<Diagnostic> {
        let of = match &left.kind {
            ExprKind::Negate(inner) => return self.unknown_fraction(inner, right),
            ExprKind::Binary { operator: BinaryOperator::Multiply, right: last, .. } => {
                return self.unknown_fraction(last, right);
            }
            _ => Differential::of(left)?,
        };
        let by = Differential::of(right)?;
        let is_tensor = |name: &str| self.tensors.contains_key(name);
        if is_tensor(&format!("d{}", of.name)) || is_tensor(&format!("d{}", by.name)) || !(is_tensor(of.name) || of.name == "E") {
            return None;
        }
        let span = left.span.to(right.span);
        if is_tensor(of.name) && is_tensor(by.name) {
            let message = format!("there is no derivative of `{}` by `{}`", of.name, by.name);
            let hint = "inputs, parameters and values of the forward pass have one, by each other; the objective is `E`";
            return Some(Diagnostic::error(span, message).hint(hint));
        }
        let unknown = if is_tensor(of.name) { by.name } else { of.name };
        let message = Diagnostic::error(span, format!("`{unknown}` is not known")).label("a derivative of, or by, no such name");
        Some(match nearest(unknown, self.tensors.keys().map(String::as_str)) {
            Some(near) => message.hint(format!("did you mean `{near}`?")),
            None => message,
        })
    }

    /// Names on the left of a rule that mean nothing, or have another number of indices.
    pub(super) fn wrong_on_the_left(&self, left: &Expr, user: &Spec) -> Vec<Diagnostic> {
        let indices = index_names(left, user);
        let mut messages = Vec::new();
        for place in places(left) {
            let part = at(left, &place);
            let (name, span) = match &part.kind {
                ExprKind::Name(name) => (name, part.span),
                ExprKind::Access { name, .. } => (&name.text, name.span),
                _ => continue,
            };
            if let (ExprKind::Access { indices, .. }, Some(known)) =
                (&part.kind, self.known.iter().find(|known| known.name == *name))
                && known.axes.len() != indices.len()
            {
                let count = |count: usize, word: &str, words: &str| format!("{count} {}", if count == 1 { word } else { words });
                let (axes, written) = (count(known.axes.len(), "axis", "axes"), count(indices.len(), "index", "indices"));
                messages.push(Diagnostic::error(part.span, format!("`{name}` has {axes}, and is read with {written}")));
            }
            let is_index = indices.iter().any(|index| index.text == *name);
            if !is_index && !self.tensors.contains_key(name) && !is_constant(name, user) {
                let message = Diagnostic::error(span, format!("`{name}` is not known")).label("no such name");
                messages.push(match nearest(name, self.tensors.keys().map(String::as_str)) {
                    Some(near) => message.hint(format!("did you mean `{near}`?")),
                    None => message.hint("`deltarule sheet` lists the names of a network"),
                });
            }
        }
        messages
    }

    /// `left / right` where the last factor of `left` and all of `right` are differentials.
    fn fraction(&mut self, left: &Expr, right: &Expr) -> Option<Expr> {
        let span = left.span.to(right.span);
        match &left.kind {
            ExprKind::Negate(inner) => {
                let inner = self.fraction(inner, right)?;
                Some(Expr { kind: ExprKind::Negate(Box::new(inner)), span })
            }
            ExprKind::Binary { operator: BinaryOperator::Multiply, left: others, right: last } => {
                let last = self.fraction(last, right)?;
                let (operator, left, right) = (BinaryOperator::Multiply, others.clone(), Box::new(last));
                Some(Expr { kind: ExprKind::Binary { operator, left, right }, span })
            }
            _ => {
                let (of, by) = (Differential::of(left)?, Differential::of(right)?);
                let name = self.derivative(of.name, by.name)?;
                let indices: Vec<Expr> = of.indices.iter().chain(by.indices).cloned().collect();
                let kind = match &indices[..] {
                    [] => ExprKind::Name(name),
                    _ => ExprKind::Access { name: Name { text: name, span }, indices },
                };
                Some(Expr { kind, span })
            }
        }
    }

    /// The name of the derivative of what one name stands for by another, with its meaning noted.
    pub(super) fn derivative(&mut self, of: &str, by: &str) -> Option<String> {
        let name = format!("d{of}/d{by}");
        if self.tensors.contains_key(&name) {
            return Some(name);
        }
        let (of, by) = (*self.tensors.get(of)?, *self.tensors.get(by)?);
        let is_variable = |role| matches!(role, Role::Input | Role::Target | Role::Parameter | Role::Noise | Role::Value);
        let of_role = self.context.tensor(of).role;
        if !is_variable(self.context.tensor(by).role) || !(is_variable(of_role) || of_role == Role::Objective) {
            return None;
        }
        let tensor = self.derivative_tensor(of, by)?;
        self.add_known(name.clone(), tensor);
        Some(name)
    }

    fn derivative_tensor(&mut self, of: TensorId, by: TensorId) -> Option<TensorId> {
        let is_objective = self.context.tensor(of).role == Role::Objective;
        let with_role = |subject: &Self, role: Role| {
            subject.equations.keys().copied().filter(|&tensor| subject.context.tensor(tensor).role == role).min()
        };
        let gradient = with_role(self, Role::Gradient { of: by });
        if let (true, Some(gradient)) = (is_objective, gradient) {
            return Some(gradient);
        }
        let of = if is_objective { self.result? } else { of };
        if Some(of) == self.result
            && let Some(adjoint) = with_role(self, Role::Adjoint { of: by })
        {
            return Some(adjoint);
        }
        Some(self.tangent(of, by))
    }

    /// The derivative of one forward tensor by another along all paths, by equations in forward mode: the tangents of a tensor are those of
    /// what its equation reads, weighed with its partial derivatives. Their number is that of the equations in between.
    fn tangent(&mut self, of: TensorId, by: TensorId) -> TensorId {
        if let Some(&known) = self.tangents.get(&(of, by)) {
            return known;
        }
        let mut between: Vec<TensorId> = Vec::new();
        // What depends on `by`: the equations are in an order of computing, but for recurrences, which a second round settles.
        for _ in 0..2 {
            for equation in &self.derivation.forward {
                let read = self.context.tensors_in(equation.value);
                let depends = read.iter().any(|tensor| *tensor == by || between.contains(tensor));
                if depends && equation.target != by && !between.contains(&equation.target) {
                    between.push(equation.target);
                }
            }
        }
        if !between.contains(&of) {
            between.push(of);
        }
        for &tensor in &between {
            self.tangent_tensor(tensor, by);
        }
        for &tensor in &between {
            self.define_tangent(tensor, by, &between);
        }
        self.tangent_tensor(of, by)
    }

    fn tangent_tensor(&mut self, of: TensorId, by: TensorId) -> TensorId {
        if let Some(&known) = self.tangents.get(&(of, by)) {
            return known;
        }
        let (tensor, other) = (self.context.tensor(of).clone(), self.context.tensor(by).clone());
        let id = self.context.add_tensor(Tensor {
            name: format!("d{}/d{}", tensor.name, other.name),
            shape: tensor.shape.iter().chain(&other.shape).copied().collect(),
            axes: tensor.axes.iter().chain(&other.axes).cloned().collect(),
            role: Role::Value,
            label: false,
            origin: None,
        });
        self.tangents.insert((of, by), id);
        id
    }

    fn define_tangent(&mut self, of: TensorId, by: TensorId, between: &[TensorId]) {
        let target = self.tangent_tensor(of, by);
        if self.equations.contains_key(&target) {
            return;
        }
        let at = self.context.fresh_axes(by);
        let forward = self.derivation.forward.iter().find(|equation| equation.target == of).cloned();
        let (own, value) = match forward {
            Some(equation) if of != by => {
                let value = self.tangent_value(&equation, by, &at, between);
                (equation.indices, value)
            }
            // A tensor by itself, or one of data by another.
            _ => {
                let own = self.context.fresh_axes(of);
                let value = if of == by { self.identity(&own, &at) } else { self.context.integer(0) };
                (own, value)
            }
        };
        let indices: Vec<IndexId> = own.into_iter().chain(at).collect();
        self.equations.insert(target, Equation { target, indices, value, computed: value, number: 0, origin: None });
    }

    fn tangent_value(&mut self, equation: &Equation, by: TensorId, at: &[IndexId], between: &[TensorId]) -> ExprId {
        let mut terms = Vec::new();
        for read in self.context.tensors_in(equation.value) {
            if read == by {
                terms.push(differentiate(&mut self.context, equation.value, by, at));
            } else if between.contains(&read) {
                let inner = self.context.fresh_axes(read);
                let partial = differentiate(&mut self.context, equation.value, read, &inner);
                let tangent = self.tangent_tensor(read, by);
                let place: Vec<IndexId> = inner.iter().chain(at).copied().collect();
                let tangent = self.context.access_at(tangent, &place);
                let product = self.context.multiply([partial, tangent]);
                terms.push(if inner.is_empty() { product } else { self.context.sum(&inner, product) });
            }
        }
        let sum = self.context.add(terms);
        simplified(&mut self.context, sum)
    }

    /// 1 where all indices agree, else 0.
    fn identity(&mut self, own: &[IndexId], at: &[IndexId]) -> ExprId {
        let deltas: Vec<ExprId> = own
            .iter()
            .zip(at)
            .map(|(&one, &other)| {
                let one = self.context.index_value(Affine::index(one));
                let other = self.context.index_value(Affine::index(other));
                self.context.compare(Relation::Equal, one, other)
            })
            .collect();
        self.context.multiply(deltas)
    }
}
