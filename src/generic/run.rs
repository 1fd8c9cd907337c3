//! The interpreter: runs a [`Program`] on the values of a minibatch.

use std::borrow::Cow;

use ndarray::linalg::general_mat_mul;
use ndarray::{Array3, ArrayD, ArrayViewD, Axis as Position, CowArray, IxDyn, Slice};

use super::decisions::Decisions;
use super::kernels::{self, Operand, Value, combine, map};
use super::program::{Axis, Contraction, Cut, Gather, Operation, Places, Program, Scatter, Slot, Step, Table, Term, View};
use super::scalar::Scalar;
use crate::equation::{Elementary, TensorId};

/// The values of tensors, by tensor; those with a value for each example have the examples along the first axis.
pub(super) struct Store<'a, T: Scalar> {
    values: Vec<Option<CowArray<'a, T, IxDyn>>>,
    pub(super) examples: usize,
}

impl<'a, T: Scalar> Store<'a, T> {
    pub(super) fn new(tensors: usize, examples: usize) -> Self {
        Store { values: vec![None; tensors], examples }
    }

    pub(super) fn set(&mut self, tensor: TensorId, value: impl Into<CowArray<'a, T, IxDyn>>) {
        self.values[tensor.index()] = Some(value.into());
    }

    pub(super) fn set_scalar(&mut self, tensor: TensorId, value: T) {
        self.set(tensor, ArrayD::from_elem(IxDyn(&[]), value));
    }

    pub(super) fn get(&self, tensor: TensorId) -> Option<ArrayViewD<'_, T>> {
        self.values.get(tensor.index())?.as_ref().map(|value| value.view())
    }

    /// Sets a value to zeros, to be filled step by step.
    pub(super) fn clear(&mut self, tensor: TensorId, batched: bool, shape: &[usize]) {
        let examples = batched.then_some(self.examples);
        let shape: Vec<usize> = examples.into_iter().chain(shape.iter().copied()).collect();
        self.set(tensor, ArrayD::zeros(shape));
    }

    /// Sets the part of a value that belongs to a step.
    fn set_step(&mut self, tensor: TensorId, position: Position, step: usize, part: &ArrayD<T>) {
        if let Some(value) = &mut self.values[tensor.index()] {
            value.index_axis_mut(position, step).assign(part);
        }
    }

    /// Takes a value out.
    pub(super) fn take(&mut self, tensor: TensorId) -> Option<ArrayD<T>> {
        self.values.get_mut(tensor.index())?.take().map(CowArray::into_owned)
    }
}

/// Runs a program, for one step if it is one of a recurrence, and keeps the value of its target.
pub(super) fn run<T: Scalar>(program: &Program, step: usize, store: &mut Store<'_, T>, decisions: Option<&mut Decisions>) {
    let value = evaluate(program, step, store, decisions);
    match program.step {
        Some(axis) => {
            let position = Position(axis + usize::from(program.is_batched()));
            store.set_step(program.target, position, step, &value);
        }
        None => store.set(program.target, value),
    }
}

/// The value of the target, with the axes of its target.
fn evaluate<T: Scalar>(program: &Program, at: usize, store: &Store<'_, T>, mut decisions: Option<&mut Decisions>) -> ArrayD<T> {
    let mut values: Vec<Option<Value<'_, T>>> = Vec::with_capacity(program.steps.len());
    for step in &program.steps {
        let taken: Vec<_> = step.last_uses.iter().filter_map(|&slot| Some((slot, values[slot].take()?))).collect();
        let mut run = Run { program, store, values: &values, taken, step, at };
        let value = run.operation(decisions.as_deref_mut());
        values.push(Some(value));
    }
    let value = values[program.result].take().unwrap_or(Value::Scalar(T::nan()));
    let shape = shape(program, &program.axes, store.examples);
    value.into_broadcast(&program.steps[program.result].axes, &program.axes, &shape)
}

fn shape(program: &Program, axes: &[Axis], examples: usize) -> Vec<usize> {
    axes.iter().map(|&axis| program.extents.of(axis, examples)).collect()
}

/// One step.
struct Run<'s, 'a, 'v, T: Scalar> {
    program: &'s Program,
    store: &'s Store<'a, T>,
    values: &'v [Option<Value<'s, T>>],
    /// Operands that no later step reads.
    taken: Vec<(Slot, Value<'s, T>)>,
    step: &'s Step,
    /// Which step of the recurrence, if the program is one of one.
    at: usize,
}

impl<'s: 'v, 'v, T: Scalar> Run<'s, '_, 'v, T> {
    fn value(&mut self, slot: Slot) -> Value<'v, T> {
        if let Some(at) = self.taken.iter().position(|taken| taken.0 == slot) {
            return self.taken.swap_remove(at).1.shorten();
        }
        self.values[slot].as_ref().map_or(Value::Scalar(T::nan()), Value::borrow)
    }

    /// The same, without taking it.
    fn peek(&self, slot: Slot) -> Value<'_, T> {
        let taken = self.taken.iter().find(|taken| taken.0 == slot).map(|taken| &taken.1);
        taken.or(self.values[slot].as_ref()).map_or(Value::Scalar(T::nan()), Value::borrow)
    }

    fn operand(&mut self, slot: Slot) -> Operand<'v, T> {
        Operand { value: self.value(slot), axes: Cow::Borrowed(&self.program.steps[slot].axes) }
    }

    fn scalar(&mut self, slot: Slot) -> T {
        match self.value(slot) {
            Value::Scalar(value) => value,
            _ => T::nan(),
        }
    }

    fn shape(&self, axes: &[Axis]) -> Vec<usize> {
        shape(self.program, axes, self.store.examples)
    }

    /// Runs the step. Only a view shares memory with the store; all else is owned.
    fn operation(&mut self, mut decisions: Option<&mut Decisions>) -> Value<'s, T> {
        let step = self.step;
        let operation = match &step.operation {
            Operation::View(view) => return look(view, self.at, self.store, self.program, &step.axes),
            operation => operation,
        };
        let axes = &step.axes;
        let (program, examples) = (self.program, self.store.examples);
        let shape = || shape(program, axes, examples);
        if let Some(decisions) = decisions.as_deref_mut() {
            operation.for_each_operand(|slot| decisions.before(operation, slot, &self.peek(slot)));
        }
        let result = match operation {
            Operation::Number(value) => Value::Scalar(T::from_f64(*value)),
            Operation::ExampleShare => Value::Scalar(T::one() / T::from_f64(self.store.examples as f64)),
            Operation::Table(Table { numbers, stepped: true }) => {
                Value::owned(numbers.index_axis(Position(0), self.at).mapv(T::from_f64))
            }
            Operation::Table(Table { numbers, .. }) => Value::owned(numbers.mapv(T::from_f64)),
            Operation::View(view) => look(view, self.at, self.store, program, axes),
            Operation::Gather(table) => gather(table, self.at, self.store, &shape()),
            Operation::Sum { constant, terms } => self.sum(*constant, terms, axes),
            Operation::Product { scale, factors, divisors } => self.product(*scale, factors, divisors, axes),
            Operation::IntegerPower(base, exponent) => {
                let base = self.value(*base);
                match exponent {
                    2 => map(base, |x| x * x),
                    -1 => map(base, |x| T::one() / x),
                    &exponent => map(base, |x| x.powi(exponent)),
                }
            }
            Operation::Power(base, exponent) => {
                combine(self.operand(*base), self.operand(*exponent), axes, shape, kernels::power)
            }
            Operation::Call(function, argument) => call(*function, self.value(*argument)),
            Operation::Compare(relation, left, right) => {
                kernels::compare(*relation, self.operand(*left), self.operand(*right), axes, shape)
            }
            Operation::And(operands) => self.chain(operands, axes, |x, y| kernels::truth(x != T::zero() && y != T::zero())),
            Operation::Or(operands) => self.chain(operands, axes, |x, y| kernels::truth(x != T::zero() || y != T::zero())),
            Operation::Not(operand) => map(self.value(*operand), |x| kernels::truth(x == T::zero())),
            Operation::Select(condition, then, otherwise) => {
                let (condition, then, otherwise) = (self.operand(*condition), self.operand(*then), self.operand(*otherwise));
                kernels::select(condition, then, otherwise, axes, &shape())
            }
            Operation::Fold { kind, operand, positions } => kernels::fold(*kind, self.value(*operand).array(), positions),
            Operation::ArgFold(fold) => kernels::arg_fold(fold, self.value(fold.operand).array()),
            Operation::Contraction(contraction) => self.contraction(contraction),
            Operation::Scatter(scatter) => self.scatter(scatter),
        };
        if let Some(decisions) = decisions {
            decisions.after(operation, &result);
        }
        result.detach()
    }

    /// `constant + Σ coefficient · scalar · operand`: arrays with few axes first, so that there are few large passes.
    fn sum(&mut self, constant: f64, terms: &[Term], axes: &[Axis]) -> Value<'v, T> {
        let mut constant = T::from_f64(constant);
        let mut arrays: Vec<(T, Operand<'v, T>)> = Vec::with_capacity(terms.len());
        for term in terms {
            let scalar = term.scalar.map_or(T::one(), |slot| self.scalar(slot));
            let coefficient = T::from_f64(term.coefficient) * scalar;
            let operand = self.operand(term.operand);
            match operand.value {
                Value::Scalar(value) => constant += coefficient * value,
                _ => arrays.push((coefficient, operand)),
            }
        }
        arrays.sort_by_key(|(_, operand)| operand.axes.len());
        let mut arrays = arrays.into_iter();
        let Some((first_coefficient, first)) = arrays.next() else { return Value::Scalar(constant) };
        let Some((second_coefficient, second)) = arrays.next() else {
            return match first_coefficient {
                one if one == T::one() => map(first.value, |x| x + constant),
                coefficient => map(first.value, |x| coefficient * x + constant),
            };
        };
        let mut sum = self.join(first, second, axes, |x, y| first_coefficient * x + second_coefficient * y + constant);
        for (coefficient, operand) in arrays {
            sum = self.join(sum, operand, axes, |x, y| x + coefficient * y);
        }
        sum.value
    }

    /// `scale · Π factors / Π divisors`, arrays with few axes first.
    fn product(&mut self, scale: f64, factors: &[Slot], divisors: &[Slot], axes: &[Axis]) -> Value<'v, T> {
        let mut scale = T::from_f64(scale);
        let mut arrays: Vec<(bool, Operand<'v, T>)> = Vec::with_capacity(factors.len() + divisors.len());
        let factors = factors.iter().map(|&slot| (false, slot));
        for (divides, slot) in factors.chain(divisors.iter().map(|&slot| (true, slot))) {
            let operand = self.operand(slot);
            match operand.value {
                Value::Scalar(value) if divides => scale /= value,
                Value::Scalar(value) => scale *= value,
                _ => arrays.push((divides, operand)),
            }
        }
        arrays.sort_by_key(|(divides, operand)| (operand.axes.len(), *divides));
        let mut arrays = arrays.into_iter();
        let Some((divides, first)) = arrays.next() else { return Value::Scalar(scale) };
        let mut rest = arrays.peekable();
        let mut product = match (divides, rest.next_if(|_| !divides)) {
            (true, _) => Operand { axes: first.axes, value: map(first.value, |x| scale / x) },
            (false, Some((true, second))) => self.join(first, second, axes, |x, y| scale * x / y),
            (false, Some((false, second))) => self.join(first, second, axes, |x, y| scale * x * y),
            (false, None) if scale == T::one() => first,
            (false, None) => Operand { axes: first.axes, value: map(first.value, |x| scale * x) },
        };
        for (divides, operand) in rest {
            product = if divides {
                self.join(product, operand, axes, |x, y| x / y)
            } else {
                self.join(product, operand, axes, |x, y| x * y)
            };
        }
        product.value
    }

    /// Combines two operands into one that has the axes of both, in the order of `all`.
    fn join(&self, left: Operand<'v, T>, right: Operand<'v, T>, all: &[Axis], f: impl Fn(T, T) -> T) -> Operand<'v, T> {
        let axes = if left.axes.len() == all.len() {
            left.axes.clone()
        } else if right.axes.len() == all.len() {
            right.axes.clone()
        } else {
            all.iter().copied().filter(|axis| left.axes.contains(axis) || right.axes.contains(axis)).collect()
        };
        let value = combine(left, right, &axes, || self.shape(&axes), f);
        Operand { value, axes }
    }

    fn chain(&mut self, operands: &[Slot], axes: &[Axis], f: impl Fn(T, T) -> T) -> Value<'v, T> {
        let mut operands = operands.iter();
        let Some(&first) = operands.next() else { return Value::Scalar(T::nan()) };
        let mut result = self.operand(first);
        for &slot in operands {
            let operand = self.operand(slot);
            result = self.join(result, operand, axes, &f);
        }
        result.value
    }

    /// One matrix product, or one for each place of the axes that both operands keep.
    fn contraction(&mut self, contraction: &Contraction) -> Value<'v, T> {
        let mut alpha = T::from_f64(contraction.scale);
        for &slot in &contraction.scalars {
            alpha *= self.scalar(slot);
        }
        let extent = |axes: &[Axis]| self.shape(axes).iter().product::<usize>();
        let (batch, rows) = (extent(&contraction.batch), extent(&contraction.rows));
        let (inner, columns) = (extent(&contraction.inner), extent(&contraction.columns));
        let made = self.shape(&[&contraction.batch[..], &contraction.rows, &contraction.columns].concat());
        let (left, right) = (self.value(contraction.left), self.value(contraction.right));
        let left = left.array().permuted_axes(contraction.left_order.as_slice());
        let right = right.array().permuted_axes(contraction.right_order.as_slice());
        let (Some(left), Some(right)) =
            (kernels::matrices(&left, [batch, rows, inner]), kernels::matrices(&right, [batch, inner, columns]))
        else {
            return Value::Scalar(T::nan());
        };
        let mut result = Array3::zeros((batch, rows, columns));
        for ((left, right), mut result) in left.outer_iter().zip(right.outer_iter()).zip(result.outer_iter_mut()) {
            general_mat_mul(alpha, &left, &right, T::zero(), &mut result);
        }
        let Ok(result) = result.into_shape_with_order(IxDyn(&made)) else { return Value::Scalar(T::nan()) };
        Value::owned(match &contraction.result_order {
            Some(order) => result.permuted_axes(order.as_slice()),
            None => result,
        })
    }
}

impl<'s: 'v, 'v, T: Scalar> Run<'s, '_, 'v, T> {
    /// Adds each term to its place.
    fn scatter(&mut self, scatter: &Scatter) -> Value<'v, T> {
        let extents = self.shape(&scatter.made);
        let operand = self.spread(scatter.operand, scatter);
        let (places, repeats) = match &scatter.places {
            Places::Table(table) => (Cow::Borrowed(&table[..]), true),
            Places::Computed(slots) => (Cow::Owned(self.computed_places(slots, &extents, scatter)), false),
        };
        let kept = self.shape(&scatter.kept);
        let (count, size) = (kept.iter().product::<usize>(), extents.iter().product::<usize>());
        let mut sums = vec![T::zero(); count * size];
        if !operand.is_empty() && !sums.is_empty() {
            let length = operand.len() / count;
            for (at, (sums, terms)) in sums.chunks_exact_mut(size).zip(operand.chunks_exact(length)).enumerate() {
                let first = if repeats { 0 } else { at * length };
                for (&term, place) in terms.iter().zip(&places[first..]) {
                    if let Some(place) = place {
                        sums[*place as usize] += term;
                    }
                }
            }
        }
        let made: Vec<usize> = kept.into_iter().chain(extents).collect();
        let result = ArrayD::from_shape_vec(made, sums);
        result.map_or_else(|_| Value::Scalar(T::nan()), |sums| Value::owned(sums.permuted_axes(&scatter.result_order[..])))
    }

    /// The elements of an operand, repeated over the axes of a scattered sum that it lacks, the kept ones first.
    fn spread(&mut self, slot: Slot, scatter: &Scatter) -> Vec<T> {
        let shape = self.shape(&scatter.axes);
        let Operand { value, axes } = self.operand(slot);
        let whole = value.into_broadcast(&axes, &scatter.axes, &shape).permuted_axes(&scatter.order[..]);
        whole.iter().copied().collect()
    }

    /// The position of each term.
    fn computed_places(&mut self, slots: &[(Slot, i64)], extents: &[usize], scatter: &Scatter) -> Vec<Option<u32>> {
        let mut places: Vec<Option<u32>> = vec![Some(0); self.shape(&scatter.axes).iter().product()];
        for (&(slot, start), &extent) in slots.iter().zip(extents) {
            for (place, index) in places.iter_mut().zip(self.spread(slot, scatter)) {
                let at = usize::try_from(index.into_f64() as i64 - start).ok().filter(|&at| at < extent);
                *place = place.zip(at).and_then(|(place, at)| u32::try_from(place as usize * extent + at).ok());
            }
        }
        places
    }
}

fn call<T: Scalar>(function: Elementary, argument: Value<'_, T>) -> Value<'_, T> {
    match function {
        Elementary::Exp => map(argument, T::exp),
        Elementary::Ln => map(argument, T::ln),
        Elementary::Tanh => map(argument, T::tanh),
        Elementary::Sqrt => map(argument, T::sqrt),
        Elementary::Abs => map(argument, T::abs),
        rare => map(argument, |x| x.elementary(rare)),
    }
}

/// A view of a tensor, with these axes.
fn look<'s, T: Scalar>(view: &View, step: usize, store: &'s Store<'_, T>, program: &Program, axes: &[Axis]) -> Value<'s, T> {
    let Some(mut array) = store.get(view.tensor) else { return Value::Scalar(T::nan()) };
    // The tensor's own axes come last, after the examples'.
    let first = array.ndim() - view.cuts.len();
    for (at, cut) in view.cuts.iter().enumerate().rev() {
        let position = Position(first + at);
        match *cut {
            Cut::Whole => {}
            Cut::At(place) => array = array.index_axis_move(position, place),
            Cut::Step(distance) => match usize::try_from(step as i64 + distance) {
                Ok(place) if place < array.len_of(position) => array = array.index_axis_move(position, place),
                _ => return Value::owned(ArrayD::zeros(shape(program, axes, store.examples))),
            },
            Cut::Range { start, step, count } => {
                let end = start + step * (count - 1) + 1;
                array.slice_axis_inplace(position, Slice::new(start as isize, Some(end as isize), step as isize));
            }
        }
    }
    if let Some(permutation) = &view.permutation {
        array = array.permuted_axes(permutation.as_slice());
    }
    Value::viewed(array)
}

/// Elements at the places of a table, 0 outside.
fn gather<'a, T: Scalar>(table: &Gather, at: usize, store: &Store<'_, T>, shape: &[usize]) -> Value<'a, T> {
    let Some(array) = store.get(table.tensor) else { return Value::Scalar(T::nan()) };
    let array = array.as_standard_layout();
    let elements = array.as_slice().unwrap_or_default();
    let examples = if table.batched { store.examples } else { 1 };
    let size = elements.len() / examples.max(1);
    let count: usize = shape[usize::from(table.batched)..].iter().product();
    let first = if table.stepped { at * count } else { 0 };
    let places = table.places.get(first..first + count).unwrap_or_default();
    let mut gathered = Vec::with_capacity(examples * count);
    for example in elements.chunks_exact(size.max(1)) {
        gathered.extend(places.iter().map(|place| place.map_or(T::zero(), |place| example[place as usize])));
    }
    ArrayD::from_shape_vec(IxDyn(shape), gathered).map_or_else(|_| Value::Scalar(T::nan()), Value::owned)
}
