//! Operations on arrays with named axes: broadcasting, in place where an operand's memory may be used.

use std::borrow::Cow;

use ndarray::{ArrayD, ArrayView1, ArrayViewD, Axis as Position, CowArray, Ix3, IxDyn, Zip};

use super::program::{ArgFold, Axis};
use super::rows::{Repeat, update, updated};
use super::scalar::Scalar;
use crate::equation::{ReduceKind, Relation};

/// A result: a number, a view of a tensor or of another result, or an array of its own.
#[derive(Clone, Debug)]
pub(super) enum Value<'a, T: Scalar> {
    Scalar(T),
    View(ArrayViewD<'a, T>),
    Owned(ArrayD<T>),
}

/// A value and its axes.
pub(super) struct Operand<'a, T: Scalar> {
    pub(super) value: Value<'a, T>,
    pub(super) axes: Cow<'a, [Axis]>,
}

impl<'a, T: Scalar> Value<'a, T> {
    /// An array; one without axes is a number.
    pub(super) fn owned(array: ArrayD<T>) -> Self {
        match array.first() {
            Some(&first) if array.ndim() == 0 => Value::Scalar(first),
            _ => Value::Owned(array),
        }
    }

    /// A view; one without axes is a number.
    pub(super) fn viewed(array: ArrayViewD<'a, T>) -> Self {
        match array.first() {
            Some(&first) if array.ndim() == 0 => Value::Scalar(first),
            _ => Value::View(array),
        }
    }

    /// The same value in memory of its own; what is owned is moved.
    pub(super) fn detach<'b>(self) -> Value<'b, T> {
        match self {
            Value::Scalar(value) => Value::Scalar(value),
            Value::View(view) => Value::Owned(view.to_owned()),
            Value::Owned(array) => Value::Owned(array),
        }
    }

    /// The same value, for a shorter time. Views of arrays do not shorten by themselves.
    pub(super) fn shorten<'b>(self) -> Value<'b, T>
    where
        'a: 'b,
    {
        match self {
            Value::Scalar(value) => Value::Scalar(value),
            Value::View(view) => Value::View(view.reborrow()),
            Value::Owned(array) => Value::Owned(array),
        }
    }

    /// A view of the same value.
    pub(super) fn borrow(&self) -> Value<'_, T> {
        match self {
            Value::Scalar(value) => Value::Scalar(*value),
            Value::View(view) => Value::View(view.view()),
            Value::Owned(array) => Value::View(array.view()),
        }
    }

    /// The elements, if they are row-major in memory, and not none.
    fn elements(&self) -> Option<&[T]> {
        match self {
            Value::Scalar(_) => None,
            Value::View(view) => view.as_slice(),
            Value::Owned(array) => array.as_slice(),
        }
        .filter(|elements| !elements.is_empty())
    }

    /// A view, also of a number.
    pub(super) fn array(&self) -> ArrayViewD<'_, T> {
        match self {
            Value::Scalar(value) => ndarray::aview0(value).into_dyn(),
            Value::View(view) => view.view(),
            Value::Owned(array) => array.view(),
        }
    }

    /// The array with these axes, each of the given extent, row-major: what is missing is filled by repetition.
    pub(super) fn into_broadcast(self, from: &[Axis], to: &[Axis], shape: &[usize]) -> ArrayD<T> {
        match self {
            Value::Owned(array) if from.len() == to.len() && array.is_standard_layout() => array,
            value => {
                let array = value.array();
                let aligned = align(array.view(), from, to);
                aligned.broadcast(shape).map_or_else(|| aligned.to_owned(), |view| view.as_standard_layout().into_owned())
            }
        }
    }
}

impl<T: Scalar> Operand<'_, T> {
    fn is_writable(&self, axes: &[Axis]) -> bool {
        matches!(&self.value, Value::Owned(_)) && self.axes.len() == axes.len()
    }
}

/// Gives a view an axis of length 1 for each axis of `to` that `from` lacks.
fn align<'a, T>(mut view: ArrayViewD<'a, T>, from: &[Axis], to: &[Axis]) -> ArrayViewD<'a, T> {
    if from.len() != to.len() {
        for (at, axis) in to.iter().enumerate() {
            if !from.contains(axis) {
                view = view.insert_axis(Position(at));
            }
        }
    }
    view
}

/// `f` of each element.
pub(super) fn map<'a, T: Scalar>(value: Value<'a, T>, f: impl Fn(T) -> T) -> Value<'a, T> {
    match value {
        Value::Scalar(value) => Value::Scalar(f(value)),
        Value::View(view) => Value::Owned(view.map(|&x| f(x))),
        Value::Owned(mut array) => {
            array.mapv_inplace(f);
            Value::Owned(array)
        }
    }
}

/// `f` of each pair of elements; the result has the given axes, of the extents that `shape` gives.
pub(super) fn combine<'a, T: Scalar>(
    left: Operand<'a, T>,
    right: Operand<'a, T>,
    axes: &[Axis],
    shape: impl FnOnce() -> Vec<usize>,
    f: impl Fn(T, T) -> T,
) -> Value<'a, T> {
    let (left_writable, right_writable) = (left.is_writable(axes), right.is_writable(axes));
    match (left.value, right.value) {
        (Value::Scalar(x), Value::Scalar(y)) => Value::Scalar(f(x, y)),
        (Value::Scalar(x), right) => map(right, |y| f(x, y)),
        (left, Value::Scalar(y)) => map(left, |x| f(x, y)),
        (Value::Owned(x), y) if left_writable => combine_in_place(x, &y, &right.axes, axes, f),
        (x, Value::Owned(y)) if right_writable => combine_in_place(y, &x, &left.axes, axes, |y, x| f(x, y)),
        (x, y) => {
            if let Some(combined) = combine_rows(&x, &left.axes, &y, &right.axes, axes, &f) {
                return Value::Owned(combined);
            }
            let (x, y) = (align(x.array(), &left.axes, axes), align(y.array(), &right.axes, axes));
            let shape = shape();
            match (x.broadcast(shape.as_slice()), y.broadcast(shape.as_slice())) {
                (Some(x), Some(y)) => Value::Owned(Zip::from(x).and(y).map_collect(|&x, &y| f(x, y))),
                // Not reached: axes of equal names have equal extents, so both views fit.
                _ => Value::Scalar(T::nan()),
            }
        }
    }
}

/// `x = f(x, y)`, where `x` has all axes.
fn combine_in_place<'a, T: Scalar>(
    mut x: ArrayD<T>,
    y: &Value<'a, T>,
    y_axes: &[Axis],
    axes: &[Axis],
    f: impl Fn(T, T) -> T,
) -> Value<'a, T> {
    match (x.as_slice_mut(), y.elements(), Repeat::of(y_axes, axes)) {
        (Some(x), Some(y), Some(repeat)) => update(x, y, repeat, f),
        _ => x.zip_mut_with(&align(y.array(), y_axes, axes), |x, &y| *x = f(*x, y)),
    }
    Value::Owned(x)
}

/// `f(x, y)` where both are row-major, and one has all axes.
fn combine_rows<'a, T: Scalar>(
    x: &Value<'a, T>,
    x_axes: &[Axis],
    y: &Value<'a, T>,
    y_axes: &[Axis],
    axes: &[Axis],
    f: impl Fn(T, T) -> T,
) -> Option<ArrayD<T>> {
    let (x_elements, y_elements) = (x.elements()?, y.elements()?);
    let (like, combined) = if x_axes.len() == axes.len() {
        (x, updated(x_elements, y_elements, Repeat::of(y_axes, axes)?, f))
    } else if y_axes.len() == axes.len() {
        (y, updated(y_elements, x_elements, Repeat::of(x_axes, axes)?, |y, x| f(x, y)))
    } else {
        return None;
    };
    ArrayD::from_shape_vec(like.array().raw_dim(), combined).ok()
}

/// 1 where the relation holds, else 0.
pub(super) fn compare<'a, T: Scalar>(
    relation: Relation,
    left: Operand<'a, T>,
    right: Operand<'a, T>,
    axes: &[Axis],
    shape: impl FnOnce() -> Vec<usize>,
) -> Value<'a, T> {
    match relation {
        Relation::Less => combine(left, right, axes, shape, |x, y| truth(x < y)),
        Relation::LessEqual => combine(left, right, axes, shape, |x, y| truth(x <= y)),
        Relation::Equal => combine(left, right, axes, shape, |x, y| truth(x == y)),
        Relation::NotEqual => combine(left, right, axes, shape, |x, y| truth(x != y)),
        Relation::GreaterEqual => combine(left, right, axes, shape, |x, y| truth(x >= y)),
        Relation::Greater => combine(left, right, axes, shape, |x, y| truth(x > y)),
    }
}

/// 1 or 0.
pub(super) fn truth<T: Scalar>(holds: bool) -> T {
    if holds { T::one() } else { T::zero() }
}

/// `base ^ exponent`, by repeated multiplication where the exponent is a small integer.
pub(super) fn power<T: Scalar>(base: T, exponent: T) -> T {
    match exponent.into_f64() {
        0.5 => base.sqrt(),
        exact if exact == exact.trunc() && exact.abs() <= 64.0 => base.powi(exact as i32),
        _ => base.powf(exponent),
    }
}

/// `then` where the condition is nonzero, else `otherwise`. What is not selected may be anything, also NaN.
pub(super) fn select<'a, T: Scalar>(
    condition: Operand<'a, T>,
    then: Operand<'a, T>,
    otherwise: Operand<'a, T>,
    axes: &[Axis],
    shape: &[usize],
) -> Value<'a, T> {
    if let Value::Scalar(condition) = condition.value {
        let Operand { value, axes: known } = if condition == T::zero() { otherwise } else { then };
        return if known.len() == axes.len() { value } else { Value::owned(value.into_broadcast(&known, axes, shape)) };
    }
    if condition.is_writable(axes) && is_like(&then, axes) && is_like(&otherwise, axes) {
        if let Value::Owned(mask) = condition.value {
            return select_in_place(mask, &then.value, &otherwise.value);
        }
        return Value::Scalar(T::nan());
    }
    let (then_writable, otherwise_writable) = (then.is_writable(axes), otherwise.is_writable(axes));
    let mask = align(condition.value.array(), &condition.axes, axes);
    let pick = |mask: T, then: T, otherwise: T| if mask == T::zero() { otherwise } else { then };
    // Each `broadcast` fits, for axes of equal names have equal extents.
    match (then.value, otherwise.value) {
        (Value::Owned(mut result), other) if then_writable => {
            let other = align(other.array(), &otherwise.axes, axes);
            let (Some(mask), Some(other)) = (mask.broadcast(shape), other.broadcast(shape)) else {
                return Value::Scalar(T::nan());
            };
            Zip::from(&mut result).and(mask).and(other).for_each(|x, &mask, &other| *x = pick(mask, *x, other));
            Value::Owned(result)
        }
        (other, Value::Owned(mut result)) if otherwise_writable => {
            let other = align(other.array(), &then.axes, axes);
            let (Some(mask), Some(other)) = (mask.broadcast(shape), other.broadcast(shape)) else {
                return Value::Scalar(T::nan());
            };
            Zip::from(&mut result).and(mask).and(other).for_each(|x, &mask, &other| *x = pick(mask, other, *x));
            Value::Owned(result)
        }
        (first, second) => {
            let (first, second) = (align(first.array(), &then.axes, axes), align(second.array(), &otherwise.axes, axes));
            let (Some(mask), Some(first), Some(second)) =
                (mask.broadcast(shape), first.broadcast(shape), second.broadcast(shape))
            else {
                return Value::Scalar(T::nan());
            };
            Value::Owned(Zip::from(mask).and(first).and(second).map_collect(|&mask, &first, &second| pick(mask, first, second)))
        }
    }
}

/// Whether a value is a number, or row-major with these axes.
fn is_like<T: Scalar>(operand: &Operand<'_, T>, axes: &[Axis]) -> bool {
    match operand.value {
        Value::Scalar(_) => true,
        _ => operand.axes.len() == axes.len() && operand.value.elements().is_some(),
    }
}

/// Puts what is selected in the place of the condition.
fn select_in_place<'a, T: Scalar>(mut mask: ArrayD<T>, then: &Value<'_, T>, otherwise: &Value<'_, T>) -> Value<'a, T> {
    let pick = |mask: T, then: T, otherwise: T| if mask == T::zero() { otherwise } else { then };
    let number = |value: &Value<'_, T>| value.array().first().copied().unwrap_or_else(T::nan);
    let Some(masks) = mask.as_slice_mut() else { return Value::Scalar(T::nan()) };
    match (then.elements(), otherwise.elements()) {
        (Some(then), Some(otherwise)) => {
            for ((mask, &then), &otherwise) in masks.iter_mut().zip(then).zip(otherwise) {
                *mask = pick(*mask, then, otherwise);
            }
        }
        (Some(then), None) => {
            let otherwise = number(otherwise);
            update(masks, then, Repeat::Once, |mask, then| pick(mask, then, otherwise));
        }
        (None, Some(otherwise)) => {
            let then = number(then);
            update(masks, otherwise, Repeat::Once, |mask, otherwise| pick(mask, then, otherwise));
        }
        (None, None) => {
            let (then, otherwise) = (number(then), number(otherwise));
            mask.mapv_inplace(|mask| pick(mask, then, otherwise));
        }
    }
    Value::Owned(mask)
}

/// Reduces the axes at these positions, which are sorted.
pub(super) fn fold<'a, T: Scalar>(kind: ReduceKind, array: ArrayViewD<'_, T>, positions: &[usize]) -> Value<'a, T> {
    if kind == ReduceKind::Sum && positions.len() == array.ndim() {
        return Value::Scalar(array.sum());
    }
    let mut folded: Option<ArrayD<T>> = None;
    for &position in positions.iter().rev() {
        let view = folded.as_ref().map_or_else(|| array.view(), |folded| folded.view());
        folded = Some(fold_axis(kind, &view, position));
    }
    folded.map_or_else(|| Value::Scalar(T::zero()), Value::owned)
}

fn fold_axis<T: Scalar>(kind: ReduceKind, array: &ArrayViewD<'_, T>, position: usize) -> ArrayD<T> {
    match kind {
        ReduceKind::Sum => fold_lanes(array, position, T::zero(), |row| ArrayView1::from(row).sum(), |sum, x| sum + x),
        ReduceKind::Product => fold_rows(array, position, T::one(), |product, x| product * x),
        ReduceKind::Max => fold_rows(array, position, T::neg_infinity(), |greatest, x| if x > greatest { x } else { greatest }),
        ReduceKind::Min => fold_rows(array, position, T::infinity(), |least, x| if x < least { x } else { least }),
    }
}

fn fold_rows<T: Scalar>(array: &ArrayViewD<'_, T>, position: usize, start: T, step: impl Fn(T, T) -> T + Copy) -> ArrayD<T> {
    fold_lanes(array, position, start, |row| row.iter().fold(start, |folded, &x| step(folded, x)), step)
}

/// Folds one axis: rows by `fold`, where its elements lie side by side, else element by element by `step`.
fn fold_lanes<T: Scalar>(
    array: &ArrayViewD<'_, T>,
    position: usize,
    start: T,
    fold: impl Fn(&[T]) -> T,
    step: impl Fn(T, T) -> T,
) -> ArrayD<T> {
    let Some(elements) = array.as_slice().filter(|elements| !elements.is_empty()) else {
        return array.fold_axis(Position(position), start, |&folded, &x| step(folded, x));
    };
    let length = array.len_of(Position(position));
    let inner: usize = array.shape()[position + 1..].iter().product();
    let folded = if inner == 1 {
        elements.chunks_exact(length).map(fold).collect()
    } else {
        let mut folded = vec![start; elements.len() / length];
        for (folded, block) in folded.chunks_exact_mut(inner).zip(elements.chunks_exact(length * inner)) {
            block.chunks_exact(inner).for_each(|row| update(folded, row, Repeat::Once, &step));
        }
        folded
    };
    let mut shape = array.shape().to_vec();
    shape.remove(position);
    // The lengths agree, so this does not fail.
    ArrayD::from_shape_vec(shape, folded).unwrap_or_else(|_| ArrayD::from_elem(IxDyn(&[]), T::nan()))
}

/// For each place of the axes that are not searched, the asked index where the array is greatest or least.
pub(super) fn arg_fold<'a, T: Scalar>(fold: &ArgFold, array: ArrayViewD<'_, T>) -> Value<'a, T> {
    let kept: Vec<usize> = (0..array.ndim()).filter(|at| !fold.positions.contains(at)).collect();
    let shape: Vec<usize> = kept.iter().map(|&at| array.len_of(Position(at))).collect();
    let searched: Vec<usize> = fold.positions.iter().map(|&at| array.len_of(Position(at))).collect();
    let order: Vec<usize> = kept.iter().chain(&fold.positions).copied().collect();
    let permuted = array.permuted_axes(order);
    let row: usize = searched.iter().product();
    // How far two places lie apart that differ by one in the asked index, and how many places that index has.
    let stride: usize = searched[fold.asked + 1..].iter().product();
    let elements = permuted.as_standard_layout();
    let flat = elements.as_slice().unwrap_or_default();
    let places = flat.chunks_exact(row.max(1)).map(|row| {
        let mut best = 0;
        for (at, &x) in row.iter().enumerate() {
            if if fold.greatest { x > row[best] } else { x < row[best] } {
                best = at;
            }
        }
        T::from_f64((fold.start + (best / stride % searched[fold.asked]) as i64) as f64)
    });
    ArrayD::from_shape_vec(IxDyn(&shape), places.collect()).map_or_else(|_| Value::Scalar(T::nan()), Value::owned)
}

/// Puts the axes in this order and joins them to three.
pub(super) fn matrices<'a, T: Scalar>(view: &'a ArrayViewD<'_, T>, extents: [usize; 3]) -> Option<CowArray<'a, T, Ix3>> {
    view.to_shape((extents[0], extents[1], extents[2])).ok()
}
