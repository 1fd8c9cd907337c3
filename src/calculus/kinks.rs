//! Kinks: places where the branches of a conditional meet with different slopes.
//!
//! Found from equations alone: at the border of a condition, `a = b`, the branches beside it are compared there. Where they agree
//! and their slopes do not, every number between the slopes is a subderivative; the derivation takes one of them.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::differentiate::differentiate;
use super::simplify::simplified;
use crate::equation::{Bindings, Context, Elementary, ExprId, Node, ReduceKind, Relation, TensorId, evaluate};

/// A place where an expression has no single slope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kink {
    /// The expression: a right-hand side, or what stands under a reduction of one, with free indices in place of the bound ones.
    pub function: ExprId,
    /// What moves: an element, or an expression that is compared.
    pub by: ExprId,
    /// The value of [`Self::by`] at which it happens.
    pub at: ExprId,
    /// The slope that the derivation takes there.
    pub chosen: ExprId,
    /// The slopes on both sides, the lesser first where both are numbers; `None` where the expression jumps.
    pub sides: Option<[ExprId; 2]>,
}

/// The kinks and jumps of an expression with respect to elements of tensors that are `wanted`.
pub fn kinks(context: &mut Context, expr: ExprId, wanted: &dyn Fn(TensorId) -> bool) -> Vec<Kink> {
    let mut found = Vec::new();
    for part in parts(context, expr) {
        for (left, right) in borders(context, part) {
            for by in movers(context, left, right, wanted) {
                for (function, left, right) in without_absolute_value(context, part, left, right) {
                    let kink = kink(context, function, (left, right), by);
                    found.extend(kink.map(|kink| Kink { function: part, ..kink }));
                }
            }
        }
    }
    let mut distinct: Vec<Kink> = Vec::new();
    for kink in found {
        if !distinct.contains(&kink) {
            distinct.push(kink);
        }
    }
    distinct
}

/// An expression, and the opened bodies of the reductions in it.
fn parts(context: &mut Context, expr: ExprId) -> Vec<ExprId> {
    let mut parts = vec![expr];
    let mut at = 0;
    while let Some(&part) = parts.get(at) {
        let mut reductions = Vec::new();
        outside_reductions(context, part, &mut |context, inner| {
            // Which element is the greatest changes where two are equal: the convention on ties speaks of that.
            if let Node::Reduce { kind: ReduceKind::Sum | ReduceKind::Product, indices, body } = context.node(inner) {
                reductions.push((indices.clone(), *body));
            }
        });
        for (indices, body) in reductions {
            let (_, body) = context.open(&indices, body);
            parts.push(body);
        }
        at += 1;
    }
    parts
}

/// Calls `visit` with the parts of an expression that are in no reduction, reductions themselves included.
fn outside_reductions(context: &Context, expr: ExprId, visit: &mut dyn FnMut(&Context, ExprId)) {
    visit(context, expr);
    if !matches!(context.node(expr), Node::Reduce { .. } | Node::ArgReduce { .. }) {
        crate::equation::for_each_child(context.node(expr), |child| outside_reductions(context, child, visit));
    }
}

/// The equations at which the conditions of an expression change.
fn borders(context: &mut Context, expr: ExprId) -> Vec<(ExprId, ExprId)> {
    let zero = context.integer(0);
    let mut borders: Vec<(ExprId, ExprId)> = Vec::new();
    outside_reductions(context, expr, &mut |context, part| {
        let border = match context.node(part) {
            Node::Compare(_, left, right) => (*left, *right),
            Node::Call(Elementary::Abs, argument) => (*argument, zero),
            _ => return,
        };
        if !borders.contains(&border) && !borders.contains(&(border.1, border.0)) {
            borders.push(border);
        }
    });
    borders
}

/// What can be moved to cross a border: elements on its sides, or a side in which no element stands by itself.
fn movers(context: &Context, left: ExprId, right: ExprId, wanted: &dyn Fn(TensorId) -> bool) -> Vec<ExprId> {
    let mut elements = Vec::new();
    for side in [left, right] {
        outside_reductions(context, side, &mut |context, part| {
            if let Node::Access { tensor, .. } = context.node(part)
                && wanted(*tensor)
                && !elements.contains(&part)
            {
                elements.push(part);
            }
        });
    }
    if elements.is_empty() {
        elements.extend([left, right].into_iter().filter(|&side| context.tensors_in(side).into_iter().any(wanted)));
    }
    elements
}

/// `|c| = b` for a positive number `b` is two borders, `c = b` and `-c = b`; at each the sign of `c` is known.
fn without_absolute_value(context: &mut Context, function: ExprId, left: ExprId, right: ExprId) -> Vec<(ExprId, ExprId, ExprId)> {
    for (side, other) in [(left, right), (right, left)] {
        if let Node::Call(Elementary::Abs, inner) = *context.node(side)
            && context.as_number(other).is_some_and(|number| number.value() > 0.0)
        {
            let minus_inner = context.negate(inner);
            let positive = context.replace(function, side, inner);
            let negative = context.replace(function, side, minus_inner);
            return vec![(positive, inner, other), (negative, minus_inner, other)];
        }
    }
    vec![(function, left, right)]
}

/// The kink of `function` where `by` crosses the border `left = right`, if there is one.
fn kink(context: &mut Context, function: ExprId, (left, right): (ExprId, ExprId), by: ExprId) -> Option<Kink> {
    let (tensor, moving) = scalar(context);
    let difference = context.subtract(left, right);
    let difference = context.replace(difference, by, moving);
    let at = solve(context, difference, tensor, moving)?;
    let zero = context.integer(0);
    let mut sides = Vec::new();
    for ordering in [Ordering::Greater, Ordering::Less] {
        let branch = resolved(context, function, (left, right), ordering, zero);
        let branch = context.replace(branch, by, moving);
        let slope = differentiate(context, branch, tensor, &[]);
        sides.push([branch, slope].map(|expr| at_place(context, expr, moving, at)));
    }
    let whole = context.replace(function, by, moving);
    let slope = differentiate(context, whole, tensor, &[]);
    let chosen = at_place(context, slope, moving, at);
    let [[value, slope], [other_value, other_slope]] = sides[..] else { return None };
    let agree = are_equal(context, value, other_value)?;
    if agree && are_equal(context, slope, other_slope)? && are_equal(context, slope, chosen)? {
        return None;
    }
    let are_ordered = !matches!((number(context, slope), number(context, other_slope)), (Some(a), Some(b)) if b < a);
    let sides = if are_ordered { [slope, other_slope] } else { [other_slope, slope] };
    Some(Kink { function, by, at, chosen, sides: agree.then_some(sides) })
}

/// The value of an expression in numbers alone.
pub fn number(context: &Context, expr: ExprId) -> Option<f64> {
    evaluate(context, &(context, &HashMap::new()), &[], expr).ok()
}

/// Whether two expressions are equal: by the rules, or else, since rules leave inexact numbers apart, at some points.
fn are_equal(context: &mut Context, a: ExprId, b: ExprId) -> Option<bool> {
    /// More than rounding makes, less than a reader would call a difference.
    const TOLERANCE: f64 = 1e-9;
    let gap = context.subtract(a, b);
    let gap = simplified(context, gap);
    if let Some(number) = context.as_number(gap) {
        return Some(number.value().abs() < TOLERANCE);
    }
    let indices: Vec<_> = context.free_indices(gap).into_iter().map(|index| (index, context.index_of(index).start)).collect();
    let mut equal = true;
    for point in 0..3 {
        let value = evaluate(context, &Point(point), &indices, gap).ok().filter(|value| value.is_finite())?;
        equal &= value.abs() < TOLERANCE;
    }
    Some(equal)
}

/// A point at which expressions are compared: elements that look random, from 1/2 to 3/2, so that logarithms and roots exist.
struct Point(u64);

impl Bindings for Point {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |state: u64, part: u64| (state ^ part).wrapping_add(1).wrapping_mul(MULTIPLIER).rotate_left(29);
        let state = indices.iter().fold(mix(self.0, tensor.index() as u64), |state, &index| mix(state, index as u64));
        Some(0.5 + (state >> 11) as f64 / (1u64 << 53) as f64)
    }
}

/// A scalar that stands in for what moves.
fn scalar(context: &mut Context) -> (TensorId, ExprId) {
    let tensor = context.add_intermediate("u", &[]);
    (tensor, context.access(tensor, Vec::new()))
}

/// Where an expression that is affine in a scalar is 0.
fn solve(context: &mut Context, difference: ExprId, tensor: TensorId, moving: ExprId) -> Option<ExprId> {
    let slope = differentiate(context, difference, tensor, &[]);
    let slope = simplified(context, slope);
    if context.is_integer(slope, 0) || context.contains_tensor(slope, tensor) {
        return None;
    }
    let zero = context.integer(0);
    let constant = context.replace(difference, moving, zero);
    let quotient = context.divide(constant, slope);
    let solution = context.negate(quotient);
    Some(simplified(context, solution))
}

fn at_place(context: &mut Context, expr: ExprId, moving: ExprId, at: ExprId) -> ExprId {
    let expr = context.replace(expr, moving, at);
    simplified(context, expr)
}

/// An expression beside a border, where the left side of it is greater or less than the right one.
fn resolved(context: &mut Context, expr: ExprId, border: (ExprId, ExprId), ordering: Ordering, zero: ExprId) -> ExprId {
    let side = |left: ExprId, right: ExprId| match border {
        border if border == (left, right) => Some(ordering),
        border if border == (right, left) => Some(ordering.reverse()),
        _ => None,
    };
    match *context.node(expr) {
        Node::Compare(relation, left, right) => {
            if let Some(ordering) = side(left, right) {
                let holds = match relation {
                    Relation::Less | Relation::LessEqual => ordering.is_lt(),
                    Relation::Greater | Relation::GreaterEqual => ordering.is_gt(),
                    Relation::Equal => false,
                    Relation::NotEqual => true,
                };
                return context.integer(i64::from(holds));
            }
        }
        Node::Call(Elementary::Abs, argument) => {
            if let Some(ordering) = side(argument, zero) {
                return if ordering.is_gt() { argument } else { context.negate(argument) };
            }
        }
        Node::Reduce { .. } | Node::ArgReduce { .. } => return expr,
        _ => {}
    }
    context.rebuild(expr, |context, child, _| resolved(context, child, border, ordering, zero))
}
