//! Derivatives of equations, and adjoints as a whole, against central differences.

use super::modular::place_of;
use super::real::Real;
use super::subject::Subject;
use super::{Discrepancy, Report, mix};
use crate::equation::{Affine, Bindings, ExprId, IndexId, Node, Role, TensorId, evaluate};

/// The change of an element on either side; the half of it is tried as well.
const STEP: f64 = 2e-5;

/// Where the two steps give quotients that differ by more, relative to the greater, a kink is near and nothing is learned.
const AGREEMENT: f64 = 1e-5;

/// How far quotients to either side may lie apart where there is a derivative, relative to the greater.
const ONE_SIDED: f64 = 0.01;

/// Added to the greater quotient, so that small ones may be inexact.
const LEAST_QUOTIENT: f64 = 1e-3;

/// How far a derivative may lie from its quotient.
const TOLERANCE: f64 = 1e-4;

/// How many places of each derivative are looked at.
const PLACES: u64 = 2;

/// Reads one element as greater by something; what was computed from it before stays as it was.
struct Moved<'a> {
    point: &'a Real<'a>,
    tensor: TensorId,
    place: &'a [i64],
    by: f64,
}

impl Bindings for Moved<'_> {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        let moved = if tensor == self.tensor && indices == self.place { self.by } else { 0.0 };
        Some(self.point.element(tensor, indices)? + moved)
    }
}

/// Compares the first form of each factor of a chain rule, of each regularizer's derivative, and each adjoint's value.
pub(super) fn compare(subject: &Subject<'_>, point: &Real<'_>, report: &mut Report) {
    let derivation = subject.derivation;
    let mut differences = Differences { subject, point, report };
    for adjoint in &derivation.backward {
        for factor in &adjoint.record.factors {
            if let Some(first) = factor.steps.first() {
                differences.factor(adjoint.equation.number, factor.partial, first.value);
            }
        }
        differences.adjoint(adjoint.equation.number, adjoint.equation.target);
    }
    for gradient in &derivation.gradient {
        if let Some(first) = gradient.record.steps.first().filter(|step| step.rule == "regularizer") {
            differences.regularizer(gradient.equation.number, gradient.parameter, &gradient.equation.indices, first.value);
        }
    }
}

struct Differences<'a> {
    subject: &'a Subject<'a>,
    point: &'a Real<'a>,
    report: &'a mut Report,
}

impl Differences<'_> {
    /// The derivative of one equation by an element that it reads, all else being as it is.
    fn factor(&mut self, number: u32, partial: ExprId, derivative: ExprId) {
        let context = &self.subject.context;
        let Node::Partial { of, by } = *context.node(partial) else { return };
        let (Node::Access { tensor: of, indices: of_places }, Node::Access { tensor: by, indices: by_places }) =
            (context.node(of), context.node(by))
        else {
            return;
        };
        let Some(equation) = self.subject.equations.get(of) else { return };
        for attempt in 0..PLACES {
            let at = self.place(&context.free_indices(partial), attempt);
            let inside = |places: &[Affine], tensor: TensorId| {
                let places: Vec<i64> = places.iter().map(|affine| place_of(affine, &at)).collect::<Option<_>>()?;
                let shape = &context.tensor(tensor).shape;
                let is_inside = places.iter().zip(shape).all(|(&place, &extent)| place >= 0 && place < extent as i64);
                is_inside.then_some(places)
            };
            // Outside of its range an equation's adjoint is 0, whatever the derivative would be.
            let (Some(place), Some(element)) = (inside(of_places, *of), inside(by_places, *by)) else { continue };
            let indices: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(place).collect();
            let value = |shift: f64| {
                let moved = Moved { point: self.point, tensor: *by, place: &element, by: shift };
                evaluate(context, &moved, &indices, equation.value).ok()
            };
            let analytic = self.point.value(derivative, &at);
            let quotients = quotients(&value);
            self.judge(number, "derivative", partial, derivative, analytic, quotients);
        }
    }

    /// The derivative of the loss by an element of a tensor, through everything that depends on it.
    fn adjoint(&mut self, number: u32, adjoint: TensorId) {
        let context = &self.subject.context;
        let Role::Adjoint { of } = context.tensor(adjoint).role else { return };
        let model = &self.subject.derivation.model;
        let Some(loss) = model.objective.as_ref().map(|objective| objective.value).or(model.loss) else { return };
        let shape = context.tensor(of).shape.clone();
        let seed = mix(u64::from(number));
        let element: Vec<i64> =
            shape.iter().zip(0..).map(|(&extent, axis)| (mix(seed + axis) % extent.max(1) as u64) as i64).collect();
        let analytic = self.point.element(adjoint, &element);
        let quotients = quotients(&|shift| self.point.shifted(of, &element, shift).element(loss, &[]));
        let Some(equation) = self.subject.equations.get(&adjoint) else { return };
        self.judge(number, "adjoint", equation.value, equation.value, analytic, quotients);
    }

    fn regularizer(&mut self, number: u32, parameter: TensorId, indices: &[IndexId], derivative: ExprId) {
        let context = &self.subject.context;
        let at = self.place(indices, 0);
        let element: Vec<i64> = at.iter().map(|(_, place)| *place).collect();
        let regularizers = &self.subject.derivation.model.regularizers;
        let value = |shift: f64| {
            let moved = Moved { point: self.point, tensor: parameter, place: &element, by: shift };
            let own = regularizers.iter().filter(|regularizer| regularizer.parameter == parameter);
            own.map(|regularizer| evaluate(context, &moved, &[], regularizer.value).ok()).sum::<Option<f64>>()
        };
        let analytic = self.point.value(derivative, &at);
        let quotients = quotients(&value);
        self.judge(number, "regularizer", derivative, derivative, analytic, quotients);
    }

    fn place(&self, indices: &[IndexId], attempt: u64) -> Vec<(IndexId, i64)> {
        indices
            .iter()
            .map(|&index| {
                let range = self.subject.context.index_of(index);
                let offset = mix(attempt + 31 * index.index() as u64) % range.extent().max(1) as u64;
                (index, range.start + offset as i64)
            })
            .collect()
    }

    fn judge(
        &mut self,
        equation: u32,
        rule: &'static str,
        of: ExprId,
        derivative: ExprId,
        analytic: Option<f64>,
        quotients: Option<(f64, f64)>,
    ) {
        let (Some(analytic), Some((coarse, fine))) = (analytic, quotients) else { return };
        let magnitude = coarse.abs().max(analytic.abs());
        let agree = (coarse - fine).abs() <= AGREEMENT * (1.0 + coarse.abs().max(fine.abs()));
        if !magnitude.is_finite() || magnitude > 1e4 || !agree {
            return;
        }
        self.report.differences += 1;
        if (analytic - fine).abs() > TOLERANCE * (1.0 + magnitude) {
            let context = &self.subject.context;
            let sides = (context.expression_text(of), context.expression_text(derivative));
            self.report.discrepancies.push(Discrepancy { equation, rule, sides, values: (fine, analytic) });
        }
    }
}

/// The quotients of central differences with a step and with its half; `None` at a kink, where those to either side differ.
fn quotients(value: &dyn Fn(f64) -> Option<f64>) -> Option<(f64, f64)> {
    let (below, here, above) = (value(-STEP)?, value(0.0)?, value(STEP)?);
    let (left, right) = ((here - below) / STEP, (above - here) / STEP);
    if (left - right).abs() > ONE_SIDED * (LEAST_QUOTIENT + left.abs().max(right.abs())) {
        return None;
    }
    let half = STEP / 2.0;
    Some(((above - below) / (2.0 * STEP), (value(half)? - value(-half)?) / STEP))
}
