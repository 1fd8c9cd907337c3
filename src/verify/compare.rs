//! Whether two sides are equal as functions: at many points and places, in `f64`.

use super::point::Kind;
use super::subject::Subject;
use crate::audit::mix;
use crate::equation::{ExprId, IndexId, evaluate};

/// The two sides of a rule, as expressions in the same indices.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sides {
    pub(super) left: ExprId,
    pub(super) right: ExprId,
}

/// Where two sides differ.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    /// Which point of the subject's.
    pub(super) point: usize,
    /// The values of the free indices.
    pub(super) at: Vec<(IndexId, i64)>,
    pub(super) left: f64,
    pub(super) right: f64,
    /// Whether the sides are equal wherever values do not meet as they do at a kink.
    pub(super) only_where_values_meet: bool,
}

/// What a comparison finds.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Same,
    Different(Failure),
    /// Nowhere have both sides a value.
    Undecided,
}

/// How many places of a tensor are looked at, at each point.
const PLACES: usize = 32;

/// How far two values of one function may lie apart, relative to the greater: sums in another order, differences of near numbers.
const TOLERANCE: f64 = 1e-7;

/// What the median of these distances may be: rounding is rarely seen, a small number that is left out always.
const USUAL: f64 = 1e-11;

/// Distances that are nothing, whatever the values: one of them is 0 but for rounding.
const NOTHING: f64 = 1e-12;

/// Compares two sides.
pub(super) fn compare(subject: &Subject<'_>, sides: Sides) -> Outcome {
    if sides.left == sides.right {
        return Outcome::Same;
    }
    let places = places(subject, sides);
    let mut distances: Vec<(f64, Failure)> = Vec::new();
    let mut compared = 0;
    for (point, description) in subject.points.iter().enumerate() {
        let only_where_values_meet = matches!(description.kind, Kind::Meeting(_));
        for at in &places {
            let Some((left, right)) = values(subject, sides, point, at) else { continue };
            compared += 1;
            let distance = distance(left, right);
            let failure = Failure { point, at: at.clone(), left, right, only_where_values_meet };
            if distance > TOLERANCE {
                return Outcome::Different(failure);
            }
            if !only_where_values_meet {
                distances.push((distance, failure));
            }
        }
    }
    if compared == 0 {
        return Outcome::Undecided;
    }
    distances.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = distances.len() / 2;
    match distances.into_iter().nth(median) {
        Some((distance, failure)) if distance > USUAL => Outcome::Different(failure),
        _ => Outcome::Same,
    }
}

/// Whether two sides agree at the place where others differed: a quick look before all places are compared.
pub(super) fn agree_at(subject: &Subject<'_>, sides: Sides, failure: &Failure) -> bool {
    values(subject, sides, failure.point, &failure.at).is_some_and(|(left, right)| distance(left, right) <= TOLERANCE)
}

/// The value of an expression at the place of a failure.
pub(super) fn value_at(subject: &Subject<'_>, expr: ExprId, failure: &Failure) -> Option<f64> {
    let bindings = subject.points[failure.point].values(subject);
    evaluate(&subject.context, &bindings, &failure.at, expr).ok()
}

fn distance(left: f64, right: f64) -> f64 {
    let apart = (left - right).abs();
    if apart <= NOTHING { 0.0 } else { apart / left.abs().max(right.abs()) }
}

/// Both values, where both are numbers.
fn values(subject: &Subject<'_>, sides: Sides, point: usize, at: &[(IndexId, i64)]) -> Option<(f64, f64)> {
    let bindings = subject.points[point].values(subject);
    let left = evaluate(&subject.context, &bindings, at, sides.left).ok()?;
    let right = evaluate(&subject.context, &bindings, at, sides.right).ok()?;
    (left.is_finite() && right.is_finite()).then_some((left, right))
}

/// Values of the free indices: all of them where there are few, else some that look random.
pub(super) fn places(subject: &Subject<'_>, sides: Sides) -> Vec<Vec<(IndexId, i64)>> {
    let mut free = subject.context.free_indices(sides.left);
    for index in subject.context.free_indices(sides.right) {
        if !free.contains(&index) {
            free.push(index);
        }
    }
    let extents: Vec<usize> = free.iter().map(|&index| subject.context.index_of(index).extent().max(1)).collect();
    let count = extents.iter().fold(1usize, |count, &extent| count.saturating_mul(extent));
    let place = |number: usize| {
        let mut rest = number;
        let mut place: Vec<(IndexId, i64)> = Vec::new();
        for (&index, &extent) in free.iter().zip(&extents).rev() {
            place.push((index, subject.context.index_of(index).start + (rest % extent) as i64));
            rest /= extent;
        }
        place.reverse();
        place
    };
    if count <= PLACES {
        return (0..count).map(place).collect();
    }
    // The corners are where ranges end.
    let corners = [0, count - 1];
    let others = (0..PLACES as u64 - 2).map(|number| (mix(number) % count as u64) as usize);
    corners.into_iter().chain(others).map(place).collect()
}
