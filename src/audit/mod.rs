//! Every line of a derivation is an equality; this checks that it is one, by evaluating both sides.
//!
//! Each is evaluated twice. In `f64` with values that look random: that finds what is wrong by more than a tolerance. And modulo large
//! primes (`modular`): there is no tolerance, so what is equal there is equal as an expression in what it is made of.
//! What a derivation begins with, the derivatives of equations and the adjoints as a whole, are compared with central differences.

mod differences;
mod field;
mod modular;
#[cfg(test)]
mod mutation_tests;
mod real;
mod subject;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use crate::calculus::{Condition, Step};
use crate::derivation::Derivation;
use crate::equation::{Context, ExprId, IndexId, Node};
use modular::{Modular, Roots, place_of};
use real::Real;
pub(crate) use subject::Subject;

/// How far two values of one expression may differ in `f64`, relative to the greater.
pub const TOLERANCE: f64 = 1e-7;

/// How many places of each step are looked at: the first values of all indices, the last, and others that look random.
const PLACES: u64 = 5;

/// At how many more places values are looked for, where there are none at the first.
const FURTHER_PLACES: u64 = 12;

/// How many assignments of values modulo a prime are tried to find one in which both sides have values: with `n` roots one in `2^n` has.
/// In the last, roots are opaque.
const MODULAR_POINTS: usize = 16;

/// Two sides of an equality that have different values.
#[derive(Clone, Debug)]
pub struct Discrepancy {
    /// The number of the equation whose derivation it is.
    pub equation: u32,
    /// The name of the rule that made the second side of the first.
    pub rule: &'static str,
    /// The sides, as text.
    pub sides: (String, String),
    /// Their values.
    pub values: (f64, f64),
}

impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Discrepancy { equation, rule, sides: (left, right), values: (before, after) } = self;
        write!(f, "{rule} in the derivation of ({equation}) makes {after} of {before}:\n{left}\n{right}")
    }
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many equalities were checked.
    pub checked: usize,
    /// How many of them hold modulo a prime, as well as in `f64`.
    pub decided: usize,
    /// How many equalities hold in `f64` and could not be decided modulo a prime, by the name of the rule.
    pub undecided: BTreeMap<&'static str, usize>,
    /// How many derivatives and adjoints were compared with central differences.
    pub differences: usize,
    /// What does not hold.
    pub discrepancies: Vec<Discrepancy>,
}

/// Checks every step of a derivation, that its last is the equation that was numbered, and that what is computed equals what is
/// printed; then what it begins with, and its adjoints as a whole, against central differences.
pub fn audit(derivation: &Derivation, seed: u64) -> Report {
    let mut report = Report::default();
    let (subject, lines) = lines(derivation);
    let points = [false, true].map(|normalized| Point::new(&subject, seed, normalized));
    for line in &lines {
        points[usize::from(line.normalized)].compare(&mut report, line);
    }
    differences::compare(&subject, &points[0].real, &mut report);
    report
}

/// An equality that a derivation states.
struct Line {
    equation: u32,
    rule: &'static str,
    sides: (ExprId, ExprId),
    /// Whether it holds only where targets sum to 1.
    normalized: bool,
    /// The element whose derivative it is, which must lie inside of its tensor: the adjoint outside is 0, whatever the derivative would be.
    of: Option<ExprId>,
    /// Whether the rule had to say that something is not 0, and did not.
    lacks_condition: bool,
}

/// All equalities that a derivation states, with the context in which they stand.
fn lines(derivation: &Derivation) -> (Subject<'_>, Vec<Line>) {
    let mut subject = Subject::new(derivation);
    let mut lines = Vec::new();
    let mut state = |equation, rule, sides: (ExprId, ExprId), normalized| {
        if sides.0 != sides.1 {
            lines.push(Line { equation, rule, sides, normalized, of: None, lacks_condition: false });
        }
    };
    let all = (derivation.forward.iter())
        .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
        .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
        .chain(&derivation.model.constants)
        .chain(derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations));
    for equation in all {
        state(equation.number, "computed", (equation.value, equation.computed), false);
    }
    for adjoint in &derivation.backward {
        let (record, equation) = (&adjoint.record, &adjoint.equation);
        if let [named, known, ..] = &record.steps[..] {
            let with_factors = subject.with_factors(record, named.value);
            state(equation.number, known.rule, (with_factors, known.value), false);
        }
        if let Some(last) = record.steps.last() {
            state(equation.number, "last-step", (last.value, equation.value), false);
        }
        if let Some(special) = &record.special_case {
            state(equation.number, special.rule, (equation.value, special.value), true);
        }
    }
    for gradient in &derivation.gradient {
        let (record, equation) = (&gradient.record, &gradient.equation);
        if let Some(last) = record.steps.last() {
            let with_mean = subject.with_mean(gradient.parameter, record, &equation.indices);
            state(equation.number, last.rule, (with_mean, last.value), false);
            state(equation.number, "last-step", (last.value, equation.value), false);
        }
    }
    for adjoint in &derivation.backward {
        for factor in &adjoint.record.factors {
            let of = match *subject.context.node(factor.partial) {
                Node::Partial { of, .. } => Some(of),
                _ => None,
            };
            steps(&subject.context, &mut lines, adjoint.equation.number, &factor.steps, of);
        }
        // The first step names partial derivatives; with the factors known it is the second.
        let from_second = adjoint.record.steps.get(1..).unwrap_or_default();
        steps(&subject.context, &mut lines, adjoint.equation.number, from_second, None);
    }
    for gradient in &derivation.gradient {
        let regularizers = gradient.record.steps.split_last().map_or(&[][..], |(_, before)| before);
        steps(&subject.context, &mut lines, gradient.equation.number, regularizers, None);
    }
    (subject, lines)
}

fn steps(context: &Context, lines: &mut Vec<Line>, equation: u32, steps: &[Step], of: Option<ExprId>) {
    for pair in steps.windows(2) {
        let [before, after] = pair else { continue };
        let lacks_condition = lacks_condition(context, before.value, after);
        let sides = (before.value, after.value);
        lines.push(Line { equation, rule: after.rule, sides, normalized: false, of, lacks_condition });
    }
}

/// Whether a step cancels something from a denominator and does not say that it is not 0.
fn lacks_condition(context: &Context, before: ExprId, after: &Step) -> bool {
    if !matches!(after.rule, "cancel" | "distribute-and-cancel" | "expand" | "common-denominator") {
        return false;
    }
    let right = denominators(context, after.value);
    // Inside of a sum the condition speaks of another index than the sum does: what counts is which tensors it speaks of.
    let named = match &after.condition {
        Some(Condition::NotZero(product)) => context.tensors_in(*product),
        _ => Vec::new(),
    };
    let is_named = |base: ExprId| context.tensors_in(base).iter().all(|tensor| named.contains(tensor));
    denominators(context, before).into_iter().any(|base| !right.contains(&base) && !is_named(base))
}

/// The bases of negative powers, but for what is never 0: numbers, exponentials, and sums of 1 and one of them.
fn denominators(context: &Context, expr: ExprId) -> Vec<ExprId> {
    let mut bases = Vec::new();
    context.visit(expr, &mut |context, part| {
        if let Node::Power(base, exponent) = *context.node(part)
            && context.as_number(exponent).is_none_or(|number| number.value() < 0.0)
            && !is_positive(context, base)
        {
            bases.push(base);
        }
    });
    bases
}

fn is_positive(context: &Context, expr: ExprId) -> bool {
    use crate::equation::Elementary::Exp;
    match context.node(expr) {
        Node::Number(number) => number.value() != 0.0,
        Node::Call(Exp, _) => true,
        Node::Add(terms) | Node::Multiply(terms) => terms.iter().all(|&term| match context.node(term) {
            Node::Number(number) => number.value() > 0.0,
            _ => is_positive(context, term),
        }),
        Node::Power(base, _) => is_positive(context, *base),
        Node::Reduce { body, .. } => is_positive(context, *body),
        _ => false,
    }
}

/// Values of both kinds for all tensors.
struct Point<'a> {
    subject: &'a Subject<'a>,
    seed: u64,
    real: Real<'a>,
    primes: Primes<'a>,
}

impl<'a> Point<'a> {
    fn new(subject: &'a Subject<'a>, seed: u64, normalized: bool) -> Self {
        Point { subject, seed, real: Real::new(subject, seed, normalized), primes: Primes::new(subject, seed, normalized) }
    }

    fn compare(&self, report: &mut Report, line: &Line) {
        report.checked += 1;
        let (left, right) = line.sides;
        let context = &self.subject.context;
        let mut discrepancy = |values| {
            let sides = (context.expression_text(left), context.expression_text(right));
            report.discrepancies.push(Discrepancy { equation: line.equation, rule: line.rule, sides, values });
        };
        if line.lacks_condition {
            return discrepancy((f64::NAN, f64::NAN));
        }
        let places: Vec<_> =
            (0..PLACES + FURTHER_PLACES).map(|place| self.place(line, place)).filter(|at| self.is_inside(line, at)).collect();
        for at in places.iter().take(PLACES as usize) {
            let (Some(left_value), Some(right_value)) = (self.real.value(left, at), self.real.value(right, at)) else { continue };
            // Where the first side has no value (the logarithm of a negative number), the second need not have one.
            if !same(left_value, right_value) && left_value.is_finite() {
                return discrepancy((left_value, right_value));
            }
        }
        match self.primes.agree(line.sides, &places, PLACES as usize) {
            Some(true) => report.decided += 1,
            _ => *report.undecided.entry(line.rule).or_default() += 1,
        }
    }

    /// Whether the element whose derivative a line is about lies inside of its tensor.
    fn is_inside(&self, line: &Line, at: &[(IndexId, i64)]) -> bool {
        let context = &self.subject.context;
        let Some(Node::Access { tensor, indices }) = line.of.map(|of| context.node(of)) else { return true };
        indices
            .iter()
            .zip(&context.tensor(*tensor).shape)
            .all(|(affine, &extent)| place_of(affine, at).is_none_or(|place| place >= 0 && place < extent as i64))
    }

    /// Values for the free indices of a line.
    fn place(&self, line: &Line, place: u64) -> Vec<(IndexId, i64)> {
        let context = &self.subject.context;
        let parts = [line.sides.0, line.sides.1].into_iter().chain(line.of);
        let mut free: Vec<IndexId> = parts.flat_map(|part| context.free_indices(part)).collect();
        free.sort_unstable();
        free.dedup();
        free.into_iter()
            .map(|index| {
                let range = context.index_of(index);
                let extent = range.extent().max(1) as u64;
                let offset = match place {
                    0 => 0,
                    1 => extent - 1,
                    _ => mix(self.seed ^ mix(place + 31 * index.index() as u64)) % extent,
                };
                (index, range.start + offset as i64)
            })
            .collect()
    }
}

/// Values modulo primes for the equations of a subject.
pub(crate) struct Primes<'a> {
    subject: &'a Subject<'a>,
    seed: u64,
    normalized: bool,
    /// The first is enough, but where a root is taken of what is no square.
    points: [OnceCell<Modular<'a>>; MODULAR_POINTS],
}

impl<'a> Primes<'a> {
    /// With `normalized`, targets that are not labels sum to 1 over their last axis.
    pub(crate) fn new(subject: &'a Subject<'a>, seed: u64, normalized: bool) -> Self {
        Primes { subject, seed, normalized, points: [const { OnceCell::new() }; MODULAR_POINTS] }
    }

    /// Whether two sides have equal values at several of these places of their indices; `None` where they have none.
    pub(crate) fn agree(&self, sides: (ExprId, ExprId), places: &[Vec<(IndexId, i64)>], enough: usize) -> Option<bool> {
        let mut found = 0;
        for (at, modular) in self.points.iter().enumerate() {
            let roots = if at + 1 < MODULAR_POINTS { Roots::Squares } else { Roots::Opaque };
            let new = || Modular::new(self.subject, mix(self.seed + at as u64), self.normalized, roots);
            let modular = modular.get_or_init(new);
            for at in places {
                let Some(value) = modular.value(sides.0, at) else { continue };
                if modular.value(sides.1, at) != Some(value) {
                    return Some(false);
                }
                found += 1;
                if found == enough {
                    return Some(true);
                }
            }
            if found > 0 {
                return Some(true);
            }
        }
        None
    }
}

fn same(left: f64, right: f64) -> bool {
    left == right || (left - right).abs() <= TOLERANCE * (1.0 + left.abs().max(right.abs()))
}

/// A bijection of 64-bit integers that scatters them: the finalizer of `SplitMix64` (Steele, Lea, Flood 2014, figure 15).
pub(crate) fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
