//! The gradient of the objective from the sums over a minibatch, and the update rules, in place.

use super::forms::Purpose;
use super::nest::Nest;
use super::planner::is_scalar_role;
use super::statement::{Place, Statement, Value};
use super::{Line, Planner};
use crate::equation::{Affine, Context, Equation, ExprId, IndexId, Node, Role, TensorId, for_each_child};
use crate::model::Optimizer;

impl Planner<'_> {
    /// The gradient of the objective by one parameter, over the sum of its adjoints.
    pub(super) fn gradient(&mut self, at: usize) -> usize {
        let derivation = self.derivation;
        let equation = &derivation.gradient[at].equation;
        let parameter = derivation.gradient[at].parameter;
        let (name, lines) = (format!("equation_{}", equation.number), vec![self.line(equation)]);
        if let Some(copy) = self.copy_for(Purpose::Gradient, parameter) {
            return self.copy(&copy, &name, lines);
        }
        let temporaries = self.temporaries.len();
        let value = self.gradient_value(equation);
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        let place = Place { tensor: equation.target, indices: nest.element(equation.target, &equation.indices) };
        nest.store_element_wise(&equation.indices, &[(place, value)]);
        let (body, locals) = nest.finish();
        let kernel = self.kernel(&name, lines, body, locals, None);
        if self.temporaries.len() == temporaries {
            self.forms.insert(Purpose::Gradient, parameter, kernel);
        }
        kernel
    }

    /// The right-hand side of a gradient, the mean over the minibatch read as a multiple of the sum in the gradient's place.
    fn gradient_value(&mut self, equation: &Equation) -> ExprId {
        if let Some(&known) = self.gradient_values.get(equation.target) {
            return known;
        }
        let mut value = equation.computed;
        let factor = self.scalars.inverse_batch_size(&mut self.context);
        for tensor in self.context.tensors_in(value) {
            if matches!(self.context.tensor(tensor).role, Role::BatchMean { .. }) {
                value = self.context.substitute_tensor(value, tensor, &mut |context, indices| {
                    let sum = context.access(equation.target, indices.to_vec());
                    context.multiply([factor, sum])
                });
            }
        }
        let value = self.scalars.extract(&mut self.context, value);
        self.gradient_values.insert(equation.target, value);
        value
    }

    /// Whether the gradient's equation and the update rule of each parameter may run in one loop over its elements:
    /// not where one of them looks at other elements.
    pub(super) fn update_can_be_fused(&self) -> bool {
        let is_element_wise = |equation: &Equation| {
            let mut element_wise = true;
            self.context.visit(equation.computed, &mut |context, part| match context.node(part) {
                Node::Reduce { .. } | Node::ArgReduce { .. } => element_wise = false,
                Node::Access { tensor, indices } if !context.tensor(*tensor).shape.is_empty() => {
                    element_wise &= indices.len() == equation.indices.len();
                    for (index, affine) in equation.indices.iter().zip(indices) {
                        element_wise &= affine.as_index() == Some(*index);
                    }
                }
                _ => {}
            });
            element_wise
        };
        // A constant such as the length of a gradient wants the whole of it first.
        let reads_gradient = |equation: &Equation| {
            let read = self.context.tensors_in(equation.computed);
            read.iter().any(|&tensor| matches!(self.context.tensor(tensor).role, Role::Gradient { .. }))
        };
        !self.derivation.model.constants.iter().any(reads_gradient)
            && self.derivation.gradient.iter().all(|gradient| is_element_wise(&gradient.equation))
            && self.derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations).all(is_element_wise)
    }

    /// The update of one parameter and of what the optimizer remembers of it. Where an adjoint's equation is given, that is the sum over
    /// the only example.
    pub(super) fn update(&mut self, optimizer: &Optimizer, is_fused: bool, adjoint: Option<&Equation>) -> usize {
        let (name, lines) = self.lines_of_update(optimizer, is_fused, adjoint);
        let parameter = optimizer.parameter;
        let purpose = if adjoint.is_some() { Purpose::UpdateFromOne } else { Purpose::Update };
        let copy = match adjoint {
            Some(adjoint) => self.copy_from_adjoint(purpose, parameter, adjoint.target),
            None => self.copy_for(purpose, parameter),
        };
        if let Some(copy) = copy {
            return self.copy(&copy, &name, lines);
        }
        let (indices, mut steps) = self.steps_of_update(optimizer, is_fused, adjoint);
        let indices =
            if is_fused && self.examples > 1 && adjoint.is_none() { self.in_a_row(&indices, &mut steps) } else { indices };
        let temporaries = self.temporaries.len();
        let mut nest = Nest::new(&mut self.context, &mut self.temporaries);
        nest.update_in_place(&indices, &steps);
        let (body, locals) = nest.finish();
        let kernel = self.kernel(&name, lines, body, locals, None);
        if self.temporaries.len() == temporaries {
            self.forms.insert(purpose, parameter, kernel);
        }
        kernel
    }

    /// The name of an update's kernel, and the equations that it computes.
    fn lines_of_update(&self, optimizer: &Optimizer, is_fused: bool, adjoint: Option<&Equation>) -> (String, Vec<Line>) {
        let gradient = self.gradient_by(optimizer.parameter).filter(|_| is_fused).map(|gradient| &gradient.equation);
        let equations = gradient.into_iter().chain(adjoint.filter(|_| gradient.is_some())).chain(&optimizer.equations);
        let name = &self.derivation.model.context.tensor(optimizer.parameter).name;
        let kind = if adjoint.is_some() { "_from_one" } else { "" };
        (format!("update_{name}{kind}"), equations.flat_map(|equation| self.lines(equation)).collect())
    }

    /// The indices of an update, and what it computes at each value of them.
    fn steps_of_update(
        &mut self,
        optimizer: &Optimizer,
        is_fused: bool,
        adjoint: Option<&Equation>,
    ) -> (Vec<IndexId>, Vec<(TensorId, ExprId)>) {
        let gradient = self.gradient_by(optimizer.parameter);
        let indices = match (gradient, optimizer.equations.last()) {
            (Some(gradient), _) => gradient.equation.indices.clone(),
            (None, Some(equation)) => equation.indices.clone(),
            (None, None) => Vec::new(),
        };
        let mut steps: Vec<(TensorId, ExprId)> = Vec::new();
        let mut inside = None;
        if let Some(gradient) = gradient.filter(|_| is_fused) {
            let mut value = self.gradient_value(&gradient.equation);
            if let Some(adjoint) = adjoint {
                let sum = renamed(&mut self.context, adjoint, &indices);
                value = self.context.substitute_tensor(value, gradient.equation.target, &mut |_, _| sum);
            }
            // Read once, it becomes a factor among others, of which those that rows share are multiplied once for a row.
            if self.count_reads(&optimizer.equations, gradient.equation.target) == 1 {
                inside = Some((gradient.equation.target, value));
            } else {
                steps.push((gradient.equation.target, value));
            }
        }
        for equation in &optimizer.equations {
            let value = self.next_value(equation, &indices, inside);
            steps.push((equation.target, self.scalars.extract(&mut self.context, value)));
        }
        (indices, steps)
    }

    /// The right-hand side of an equation of an update at these indices, with the value of the gradient in its place where one is given.
    fn next_value(&mut self, equation: &Equation, indices: &[IndexId], gradient: Option<(TensorId, ExprId)>) -> ExprId {
        let value = renamed(&mut self.context, equation, indices);
        match gradient {
            Some((gradient, inside)) => self.context.substitute_tensor(value, gradient, &mut |_, _| inside),
            None => value,
        }
    }

    /// How often equations read a tensor.
    fn count_reads(&self, equations: &[Equation], tensor: TensorId) -> usize {
        let is_read =
            |context: &Context, expr: ExprId| matches!(context.node(expr), Node::Access { tensor: read, .. } if *read == tensor);
        let mut reads = 0;
        for equation in equations {
            self.context.visit(equation.computed, &mut |context, part| {
                for_each_child(context.node(part), |child| reads += usize::from(is_read(context, child)));
            });
            reads += usize::from(is_read(&self.context, equation.computed));
        }
        reads
    }

    /// The scalar of the update `w + scalar * sum`, the sum being that over the examples; none where an update is something else.
    pub(super) fn update_factor(&mut self, gradient: TensorId) -> Option<TensorId> {
        let derivation = self.derivation;
        let parameter = self.gradients.first_of(gradient)?;
        if let Some(alike) = self.forms.alike(parameter) {
            return self.update_factors.get(self.gradients.second_of(alike.to)?).copied();
        }
        let optimizer = &derivation.model.optimizers[self.optimizer_of(parameter)?];
        let [update] = &optimizer.equations[..] else { return None };
        if self.context.tensor(update.target).role != (Role::Next { of: parameter }) {
            return None;
        }
        let equation = &self.gradient_by(parameter)?.equation;
        let mean = self.gradient_value(equation);
        let next = self.next_value(update, &equation.indices, Some((equation.target, mean)));
        let [before, sum] = [parameter, equation.target].map(|tensor| self.context.access_at(tensor, &equation.indices));
        let Node::Add(terms) = self.context.node(next).clone() else { return None };
        let [first, second] = <[ExprId; 2]>::try_from(terms).ok()?;
        let product = if first == before { second } else { first };
        let Node::Multiply(factors) = self.context.node(product).clone() else { return None };
        if (first != before && second != before) || factors.iter().filter(|&&factor| factor == sum).count() != 1 {
            return None;
        }
        let product = self.scalars.extract(&mut self.context, product);
        let Node::Multiply(factors) = self.context.node(product).clone() else { return None };
        let [first, second] = <[ExprId; 2]>::try_from(factors).ok()?;
        let factor = if first == sum { second } else { first };
        match self.context.node(factor) {
            Node::Access { tensor, .. } if self.context.tensor(*tensor).shape.is_empty() => Some(*tensor),
            _ => None,
        }
    }

    /// Lets steps that look at no other element than their own read and write all elements in one row, so that any part of the row
    /// may be updated by itself.
    fn in_a_row(&mut self, indices: &[IndexId], steps: &mut [(TensorId, ExprId)]) -> Vec<IndexId> {
        let extent: usize = indices.iter().map(|&index| self.context.index_of(index).extent()).product();
        let element = self.context.add_index("element", 0, extent as i64);
        self.elements.insert(element);
        let mut known: Vec<(TensorId, TensorId)> = Vec::new();
        for (target, value) in steps {
            for tensor in self.context.tensors_in(*value) {
                let described = self.context.tensor(tensor);
                if described.shape.is_empty() && !indices.is_empty() || is_scalar_role(described.role) {
                    continue;
                }
                let row = self.row_of(tensor, &mut known);
                *value = self.context.substitute_tensor(*value, tensor, &mut |context, _| context.access_at(row, &[element]));
            }
            *target = self.row_of(*target, &mut known);
        }
        vec![element]
    }

    /// All elements of a tensor in one row.
    pub(super) fn row_of(&mut self, tensor: TensorId, known: &mut Vec<(TensorId, TensorId)>) -> TensorId {
        if let Some((_, row)) = known.iter().find(|(of, _)| *of == tensor) {
            return *row;
        }
        let mut described = self.context.tensor(tensor).clone();
        described.shape = vec![described.size()];
        described.axes = vec!["element".to_owned()];
        if let Role::Next { of } = described.role {
            described.role = Role::Next { of: self.row_of(of, known) };
        }
        let row = self.context.add_tensor(described);
        known.push((tensor, row));
        self.rows.push(row, tensor);
        row
    }
}

fn renamed(context: &mut Context, equation: &Equation, indices: &[IndexId]) -> ExprId {
    let renaming: Vec<_> = equation.indices.iter().zip(indices).map(|(&from, &to)| (from, Affine::index(to))).collect();
    context.substitute_indices(equation.computed, &renaming)
}

impl Nest<'_> {
    /// Sets elements from values that read nothing else of what is written.
    fn store_element_wise(&mut self, indices: &[IndexId], assignments: &[(Place, ExprId)]) {
        indices.iter().for_each(|&index| self.open(index));
        for (place, value) in assignments {
            self.count_uses(*value);
            let value = self.value(*value);
            self.push(Statement::Set(place.clone(), value));
        }
        indices.iter().for_each(|_| self.close());
    }

    /// Computes next values in order, each seeing those before it by name and everything else as it was before the update,
    /// then writes them over what they replace. A gradient is computed likewise but not written.
    fn update_in_place(&mut self, indices: &[IndexId], steps: &[(TensorId, ExprId)]) {
        indices.iter().for_each(|&index| self.open(index));
        let mut writes = Vec::new();
        for &(target, value) in steps {
            self.count_uses(value);
            let value = self.value(value);
            let local = match value {
                Value::Local(local) => local,
                value => {
                    let name = match self.context.tensor(target).role {
                        Role::Gradient { .. } => "gradient".to_owned(),
                        Role::Next { of } => format!("next_{}", self.context.tensor(of).name),
                        _ => "next".to_owned(),
                    };
                    let local = self.local(&name);
                    self.push(Statement::Let(local, value));
                    local
                }
            };
            let element = self.context.access_at(target, indices);
            self.bind(element, local);
            if let Role::Next { of } = self.context.tensor(target).role {
                let place = Place { tensor: of, indices: self.element(of, indices) };
                writes.push(Statement::Set(place, Value::Local(local)));
            }
        }
        writes.into_iter().for_each(|write| self.push(write));
        indices.iter().for_each(|_| self.close());
    }
}
