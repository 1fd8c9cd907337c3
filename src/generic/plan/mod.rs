//! From an equation to a [`Program`]: which array operations compute it for a whole minibatch.
//!
//! Everything that can be decided before data is seen is decided here: the axes of each intermediate, which accesses are
//! views, which sums of products are matrix products, and when memory can be used again. Equal subexpressions have equal
//! ids, so each is computed once.

mod access;
mod scatter;
mod scatters;
mod shared;
mod sums;

use std::collections::HashMap;

use ndarray::{ArrayD, IxDyn};

use super::EngineError;
use super::program::{ArgFold, Axis, Extents, Operation, Program, Slot, Step, Table, Term};
use crate::equation::{Affine, Context, Equation, ExprId, IndexId, Node, ReduceKind, TensorId};
use crate::limits;
use scatters::{Scatters, find_scatters};
use shared::{Renamed, rename_bound};
use sums::Outer;

/// Plans equations of one derivation.
pub(super) struct Planner<'a> {
    context: &'a Context,
    /// Which tensors have a value for each example, by tensor.
    batched: &'a [bool],
    /// The axes met so far; their order here is their order in every array.
    order: Vec<Axis>,
    steps: Vec<Step>,
    slots: HashMap<ExprId, Slot>,
    /// Reductions whose bodies are looked at with a free index in place of a bound one.
    renamed: Renamed,
    /// Sums whose terms each belong to one place.
    scatters: Scatters,
    /// The index that has one value at a time.
    step: Option<IndexId>,
    reads: Vec<TensorId>,
    extents: Extents,
    /// The largest intermediate of one example, if it is past the bound.
    too_large: Option<usize>,
}

impl<'a> Planner<'a> {
    fn new(context: &'a mut Context, batched: &'a [bool], indices: &[IndexId], step: Option<IndexId>, value: ExprId) -> Self {
        let scatters = find_scatters(context, step, value);
        let renamed = rename_bound(context, indices, value);
        let mut planner = Planner {
            context,
            batched,
            order: vec![Axis::Batch],
            steps: Vec::new(),
            slots: HashMap::new(),
            renamed,
            scatters,
            step,
            reads: Vec::new(),
            extents: Extents::default(),
            too_large: None,
        };
        // The step comes first, so that what a table holds for one step lies together.
        for &index in step.iter().chain(indices) {
            planner.enter(index);
        }
        planner
    }

    /// Plans an equation.
    pub(super) fn equation(context: &'a mut Context, batched: &'a [bool], equation: &Equation) -> Result<Program, EngineError> {
        let mut planner = Planner::new(context, batched, &equation.indices, None, equation.computed);
        let result = planner.plan(equation.computed);
        planner.finish(equation.target, &equation.indices, result)
    }

    /// Plans one step of an equation, along the index at this position of its indices. The result has a value for each example if
    /// the tensor is said to.
    pub(super) fn step(
        context: &'a mut Context,
        batched: &'a [bool],
        equation: &Equation,
        axis: usize,
    ) -> Result<Program, EngineError> {
        let mut indices = equation.indices.clone();
        let step = indices.remove(axis);
        let mut planner = Planner::new(context, batched, &indices, Some(step), equation.computed);
        let result = planner.plan(equation.computed);
        let mut program = planner.finish(equation.target, &indices, result)?;
        if batched[equation.target.index()] && !program.is_batched() {
            program.axes.insert(0, Axis::Batch);
        }
        program.step = Some(axis);
        Ok(program)
    }

    /// Plans the mean over the minibatch of `value`, which is an equation's right-hand side: the examples are one more
    /// index that is summed over, so that a mean of products becomes a matrix product and no value of one example is kept.
    pub(super) fn mean(
        context: &'a mut Context,
        batched: &'a [bool],
        target: TensorId,
        indices: &[IndexId],
        value: ExprId,
    ) -> Result<Program, EngineError> {
        let mut planner = Planner::new(context, batched, indices, None, value);
        let result = planner.sum(vec![Axis::Batch], value, Outer { share: true, ..Outer::default() });
        planner.finish(target, indices, result)
    }

    fn finish(mut self, target: TensorId, indices: &[IndexId], result: Slot) -> Result<Program, EngineError> {
        if let Some(elements) = self.too_large {
            return Err(EngineError::TooLarge { tensor: self.context.tensor(target).name.clone(), elements });
        }
        let mut last_use = vec![0; self.steps.len()];
        for (at, step) in self.steps.iter().enumerate() {
            step.operation.for_each_operand(|operand| last_use[operand] = at);
        }
        last_use[result] = usize::MAX;
        for (at, step) in self.steps.iter_mut().enumerate() {
            let mut operands = Vec::new();
            step.operation.for_each_operand(|operand| operands.push(operand));
            // What an operation reads twice, as `x + x` does, cannot be taken by the first read.
            let is_read_once = |operand: &Slot| operands.iter().filter(|&other| other == operand).count() == 1;
            step.last_uses = operands.iter().copied().filter(|&operand| last_use[operand] == at).filter(is_read_once).collect();
        }
        let mut axes: Vec<Axis> = indices.iter().copied().map(Axis::Index).collect();
        if self.steps[result].axes.contains(&Axis::Batch) {
            axes.insert(0, Axis::Batch);
        }
        Ok(Program { target, steps: self.steps, result, axes, step: None, reads: self.reads, extents: self.extents })
    }

    /// Makes an index known, and its axis the last so far.
    fn enter(&mut self, index: IndexId) {
        if !self.order.contains(&Axis::Index(index)) {
            self.order.push(Axis::Index(index));
            self.extents.set(index, self.context.index_of(index).extent());
        }
    }

    fn rank(&self, axis: Axis) -> usize {
        self.order.iter().position(|&known| known == axis).unwrap_or(usize::MAX)
    }

    fn sort(&self, axes: &mut Vec<Axis>) {
        axes.sort_by_key(|&axis| self.rank(axis));
        axes.dedup();
    }

    /// The elements of an array with these axes, a minibatch counted as `examples`.
    fn size(&self, axes: &[Axis], examples: usize) -> usize {
        axes.iter().fold(1, |size: usize, &axis| size.saturating_mul(self.extents.of(axis, examples)))
    }

    fn axes(&self, slot: Slot) -> &[Axis] {
        &self.steps[slot].axes
    }

    /// The axes of an operation that works element by element on these operands.
    fn union(&self, operands: impl IntoIterator<Item = Slot>) -> Vec<Axis> {
        let mut axes: Vec<Axis> = operands.into_iter().flat_map(|slot| self.axes(slot).iter().copied()).collect();
        self.sort(&mut axes);
        axes
    }

    /// Adds an operation whose result has these axes.
    fn push(&mut self, operation: Operation, axes: Vec<Axis>) -> Slot {
        self.check_size(&axes);
        self.steps.push(Step { operation, axes, last_uses: Vec::new() });
        self.steps.len() - 1
    }

    /// Says whether an array with these axes is within the bound, and remembers where one is not.
    fn check_size(&mut self, axes: &[Axis]) -> bool {
        let elements = self.size(axes, 1);
        let is_within = elements <= limits::INTERMEDIATE_ELEMENTS;
        if !is_within {
            self.too_large = Some(self.too_large.map_or(elements, |largest| largest.max(elements)));
        }
        is_within
    }

    /// Takes the step away from sorted axes; whether it was among them.
    fn drop_step(&self, axes: &mut Vec<Axis>) -> bool {
        let stepped = self.step.is_some_and(|step| axes.first() == Some(&Axis::Index(step)));
        if stepped {
            axes.remove(0);
        }
        stepped
    }

    /// Adds an operation that works element by element.
    fn push_elementwise(&mut self, operation: Operation) -> Slot {
        let mut operands = Vec::new();
        operation.for_each_operand(|operand| operands.push(operand));
        let axes = self.union(operands);
        self.push(operation, axes)
    }

    fn number(&mut self, value: f64) -> Slot {
        self.push(Operation::Number(value), Vec::new())
    }

    /// The slot that holds an expression.
    fn plan(&mut self, expr: ExprId) -> Slot {
        if let Some(&slot) = self.slots.get(&expr) {
            return slot;
        }
        let slot = self.plan_node(expr);
        self.slots.insert(expr, slot);
        slot
    }

    fn plan_node(&mut self, expr: ExprId) -> Slot {
        let context = self.context;
        match context.node(expr) {
            Node::Number(number) => self.number(number.value()),
            Node::Index(affine) => self.index_table(affine),
            Node::Access { tensor, indices } => self.access(*tensor, indices),
            Node::Add(terms) => self.add(terms),
            Node::Multiply(factors) => self.multiply(factors),
            Node::Power(base, exponent) => {
                let base = self.plan(*base);
                match context.as_number(*exponent).and_then(|number| number.as_integer()) {
                    Some(times) if times.abs() <= 64 => self.push_elementwise(Operation::IntegerPower(base, times as i32)),
                    _ => {
                        let exponent = self.plan(*exponent);
                        self.push_elementwise(Operation::Power(base, exponent))
                    }
                }
            }
            Node::Call(function, argument) => {
                let argument = self.plan(*argument);
                self.push_elementwise(Operation::Call(*function, argument))
            }
            Node::Compare(relation, left, right) => {
                let (left, right) = (self.plan(*left), self.plan(*right));
                self.push_elementwise(Operation::Compare(*relation, left, right))
            }
            Node::And(conditions) => {
                let conditions = conditions.iter().map(|&condition| self.plan(condition)).collect();
                self.push_elementwise(Operation::And(conditions))
            }
            Node::Or(conditions) => {
                let conditions = conditions.iter().map(|&condition| self.plan(condition)).collect();
                self.push_elementwise(Operation::Or(conditions))
            }
            Node::Not(condition) => {
                let condition = self.plan(*condition);
                self.push_elementwise(Operation::Not(condition))
            }
            Node::If { condition, then, otherwise } => {
                let (condition, then, otherwise) = (self.plan(*condition), self.plan(*then), self.plan(*otherwise));
                self.push_elementwise(Operation::Select(condition, then, otherwise))
            }
            Node::Reduce { kind, .. } => {
                let (indices, body) = self.inside(expr);
                match kind {
                    ReduceKind::Sum => self.sum(Vec::new(), expr, Outer::default()),
                    _ => self.reduce(*kind, &indices, body),
                }
            }
            Node::ArgReduce { kind, position, .. } => {
                let (indices, body) = self.inside(expr);
                self.arg_reduce(*kind, &indices, *position, body)
            }
            // Named derivatives stand in records only; no derivation computes one.
            Node::Partial { .. } => self.number(f64::NAN),
        }
    }

    /// The indices that a reduction binds, and its body.
    fn inside(&self, reduction: ExprId) -> (Vec<IndexId>, ExprId) {
        match (self.renamed.get(&reduction), self.context.node(reduction)) {
            (Some(renamed), _) => renamed.clone(),
            (None, Node::Reduce { indices, body, .. } | Node::ArgReduce { indices, body, .. }) => (indices.clone(), *body),
            (None, _) => (Vec::new(), reduction),
        }
    }

    fn bind(&mut self, indices: &[IndexId]) -> Vec<Axis> {
        indices.iter().for_each(|&index| self.enter(index));
        indices.iter().copied().map(Axis::Index).collect()
    }

    /// A sum, each number and each factor without axes kept apart from the array it scales.
    fn add(&mut self, operands: &[ExprId]) -> Slot {
        let mut constant = 0.0;
        let mut terms = Vec::new();
        for &operand in operands {
            match self.context.node(operand) {
                Node::Number(number) => constant += number.value(),
                Node::Multiply(factors) if !self.slots.contains_key(&operand) => {
                    let (scale, scalars, arrays) = self.split_factors(factors);
                    terms.push(match (scalars.is_empty(), arrays.is_empty()) {
                        (true, true) => continue,
                        (false, true) => Term { coefficient: scale, scalar: None, operand: self.product(1.0, &scalars) },
                        (true, false) => Term { coefficient: scale, scalar: None, operand: self.product(1.0, &arrays) },
                        (false, false) => {
                            let scalar = Some(self.product(1.0, &scalars));
                            Term { coefficient: scale, scalar, operand: self.product(1.0, &arrays) }
                        }
                    });
                }
                _ => terms.push(Term { coefficient: 1.0, scalar: None, operand: self.plan(operand) }),
            }
        }
        self.push_elementwise(Operation::Sum { constant, terms })
    }

    /// The number among factors, those without axes, and the others.
    fn split_factors(&mut self, factors: &[ExprId]) -> (f64, Vec<ExprId>, Vec<ExprId>) {
        let (mut scale, mut scalars, mut arrays) = (1.0, Vec::new(), Vec::new());
        for &factor in factors {
            match self.context.as_number(factor) {
                Some(number) => scale *= number.value(),
                None if self.axes_of(factor).is_empty() => scalars.push(factor),
                None => arrays.push(factor),
            }
        }
        (scale, scalars, arrays)
    }

    fn multiply(&mut self, factors: &[ExprId]) -> Slot {
        let (scale, scalars, arrays) = self.split_factors(factors);
        // A scaled sum of products scales the matrix product, not its result.
        if let [single] = arrays[..]
            && let Node::Reduce { kind: ReduceKind::Sum, .. } = self.context.node(single)
            && !self.slots.contains_key(&single)
        {
            let scalars = scalars.iter().map(|&scalar| self.plan(scalar)).collect();
            return self.sum(Vec::new(), single, Outer { scale, scalars, share: false });
        }
        let all: Vec<ExprId> = scalars.into_iter().chain(arrays).collect();
        self.product(scale, &all)
    }

    /// `scale · Π factors`; reciprocals become divisions.
    fn product(&mut self, scale: f64, factors: &[ExprId]) -> Slot {
        let (mut multiplied, mut divisors) = (Vec::new(), Vec::new());
        for &factor in factors {
            match self.context.node(factor) {
                Node::Power(base, exponent) if self.context.is_integer(*exponent, -1) && !self.slots.contains_key(&factor) => {
                    divisors.push(self.plan(*base));
                }
                _ => multiplied.push(self.plan(factor)),
            }
        }
        self.product_of(scale, multiplied, divisors)
    }

    fn product_of(&mut self, scale: f64, factors: Vec<Slot>, divisors: Vec<Slot>) -> Slot {
        match factors[..] {
            [single] if scale == 1.0 && divisors.is_empty() => single,
            [] if divisors.is_empty() => self.number(scale),
            _ => self.push_elementwise(Operation::Product { scale, factors, divisors }),
        }
    }

    /// A product, or the greatest or least value.
    fn reduce(&mut self, kind: ReduceKind, indices: &[IndexId], body: ExprId) -> Slot {
        let bound = self.bind(indices);
        if self.size(&bound, 1) == 0 {
            return self.number(match kind {
                ReduceKind::Sum => 0.0,
                ReduceKind::Product => 1.0,
                ReduceKind::Max => f64::NEG_INFINITY,
                ReduceKind::Min => f64::INFINITY,
            });
        }
        let operand = self.plan(body);
        let absent: Vec<Axis> = bound.iter().copied().filter(|axis| !self.axes(operand).contains(axis)).collect();
        let folded = self.fold(kind, operand, &bound);
        let times = self.size(&absent, 1);
        if kind == ReduceKind::Product && times > 1 {
            let exponent = self.number(times as f64);
            return self.push_elementwise(Operation::Power(folded, exponent));
        }
        folded
    }

    /// Reduces those axes that the operand has.
    fn fold(&mut self, kind: ReduceKind, operand: Slot, bound: &[Axis]) -> Slot {
        let axes = self.axes(operand);
        let positions: Vec<usize> = (0..axes.len()).filter(|&at| bound.contains(&axes[at])).collect();
        if positions.is_empty() {
            return operand;
        }
        let kept = axes.iter().copied().filter(|axis| !bound.contains(axis)).collect();
        self.push(Operation::Fold { kind, operand, positions }, kept)
    }

    fn arg_reduce(&mut self, kind: ReduceKind, indices: &[IndexId], position: usize, body: ExprId) -> Slot {
        let bound = self.bind(indices);
        if self.size(&bound, 1) == 0 {
            return self.number(0.0);
        }
        let operand = self.plan(body);
        let axes = self.axes(operand).to_vec();
        let start = self.context.index_of(indices[position]).start;
        if !axes.contains(&bound[position]) {
            // All values of this index tie, and ties go to the first.
            return self.number(start as f64);
        }
        let searched: Vec<Axis> = bound.iter().copied().filter(|axis| axes.contains(axis)).collect();
        let positions = searched.iter().filter_map(|axis| axes.iter().position(|known| known == axis)).collect();
        let asked = searched.iter().position(|&axis| axis == bound[position]).unwrap_or(0);
        let kept = axes.iter().copied().filter(|axis| !bound.contains(axis)).collect();
        let greatest = kind == ReduceKind::Max;
        self.push(Operation::ArgFold(ArgFold { greatest, operand, positions, asked, start }), kept)
    }

    /// The values of an affine expression in indices.
    fn index_table(&mut self, affine: &Affine) -> Slot {
        let mut axes: Vec<Axis> = affine.terms.iter().map(|&(index, _)| Axis::Index(index)).collect();
        affine.terms.iter().for_each(|&(index, _)| self.enter(index));
        self.sort(&mut axes);
        let shape: Vec<usize> = axes.iter().map(|&axis| self.extents.of(axis, 1)).collect();
        if !self.check_size(&axes) {
            return self.number(0.0);
        }
        let coefficients: Vec<(i64, i64)> = axes.iter().map(|&axis| self.coefficient(affine, axis)).collect();
        let numbers = ArrayD::from_shape_fn(IxDyn(&shape), |place| {
            let terms = coefficients.iter().enumerate().map(|(at, (start, factor))| factor * (start + place[at] as i64));
            (affine.constant + terms.sum::<i64>()) as f64
        });
        let stepped = self.drop_step(&mut axes);
        self.push(Operation::Table(Table { numbers, stepped }), axes)
    }

    /// The first value of an axis' index, and its coefficient.
    fn coefficient(&self, affine: &Affine, axis: Axis) -> (i64, i64) {
        let Axis::Index(index) = axis else { return (0, 0) };
        let factor = affine.terms.iter().find(|term| term.0 == index).map_or(0, |term| term.1);
        (self.context.index_of(index).start, factor)
    }
}
