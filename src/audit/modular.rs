//! Values modulo primes for all tensors of a derivation: two equal rational functions of anything have equal values, without a
//! tolerance, and two different ones hardly ever.
//!
//! What is no rational function is an opaque value, made of the value of its argument by hashing: equal arguments give equal
//! values. Exponentials and logarithms are more than that, see [`super::field`]; roots are those of the field. A comparison
//! holds by the sign of a difference, in a made-up order; each expression has one value for each prime of the tower, and what is decided (a
//! comparison, the place of a greatest element) is decided for all of them at [`LEVEL`].

use std::cell::RefCell;
use std::collections::HashMap;

use super::field::{Field, LEVELS};
use super::mix;
use super::subject::Subject;
use crate::equation::{
    Affine, Bindings, Elementary, Equation, ExprId, IndexId, Node, Number, ReduceKind, Relation, Role, TensorId, evaluate,
};

/// The level at which expressions are compared. That above is for what logarithms are taken of, those below for exponents.
pub(super) const LEVEL: usize = 1;

/// The values of bound and free indices, innermost last.
type Places = Vec<(IndexId, i64)>;

/// What roots are, and other powers with an exponent that is no integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    /// Those of the field. What is no square has none.
    Squares,
    /// Of what is no square, that of its negative: a value like that of any function, whose square is not the argument.
    Opaque,
}

/// An element of a tensor, at a level.
type Element = (TensorId, Vec<i64>, usize);

/// A value for each tensor, at each level.
pub(super) struct Modular<'a> {
    subject: &'a Subject<'a>,
    seed: u64,
    /// Whether targets that are not labels sum to 1 over their last axis.
    normalized: bool,
    roots: Roots,
    known: RefCell<HashMap<Element, Option<u64>>>,
    logarithms: RefCell<HashMap<(u64, usize), Option<u64>>>,
}

/// Nothing has an element: for expressions that read none.
struct Nothing;

impl Bindings for Nothing {
    fn element(&self, _: TensorId, _: &[i64]) -> Option<f64> {
        None
    }
}

impl<'a> Modular<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, seed: u64, normalized: bool, roots: Roots) -> Self {
        let modular = Modular { subject, seed, normalized, roots, known: RefCell::default(), logarithms: RefCell::default() };
        for (tensor, place) in subject.order() {
            for level in (0..LEVELS).rev() {
                modular.element(tensor, &place, level);
            }
        }
        modular
    }

    /// The value where free indices are as given; `None` where there is none: a quotient by 0, a root of what is no square.
    pub(super) fn value(&self, expr: ExprId, at: &[(IndexId, i64)]) -> Option<u64> {
        self.at_level(expr, &mut at.to_vec(), LEVEL)
    }

    fn field(&self, level: usize) -> Field {
        Field::new(self.seed as usize, level)
    }

    fn at_level(&self, expr: ExprId, at: &mut Places, level: usize) -> Option<u64> {
        let field = self.field(level);
        Some(match self.subject.context.node(expr) {
            Node::Number(number) => field.number(number.value())?,
            Node::Index(affine) => field.integer(place_of(affine, at)?),
            Node::Access { tensor, indices } => self.access(*tensor, indices, at, level)?,
            Node::Add(terms) => terms.iter().try_fold(0, |sum, &term| Some(field.add(sum, self.at_level(term, at, level)?)))?,
            Node::Multiply(factors) => {
                factors.iter().try_fold(1, |product, &factor| Some(field.multiply(product, self.at_level(factor, at, level)?)))?
            }
            Node::Power(base, exponent) => self.power(*base, *exponent, at, level)?,
            Node::Call(function, argument) => self.call(*function, *argument, at, level)?,
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => u64::from(self.holds(expr, at)?),
            Node::If { condition, then, otherwise } => {
                let branch = if self.holds(*condition, at)? { *then } else { *otherwise };
                self.at_level(branch, at, level)?
            }
            Node::Reduce { kind: kind @ (ReduceKind::Sum | ReduceKind::Product), indices, body } => {
                let is_sum = *kind == ReduceKind::Sum;
                let mut total = Some(u64::from(!is_sum));
                self.for_each_place(indices, at, &mut |at| {
                    total = total.and_then(|total| {
                        let value = self.at_level(*body, at, level)?;
                        Some(if is_sum { field.add(total, value) } else { field.multiply(total, value) })
                    });
                });
                total?
            }
            Node::Reduce { kind, indices, body } => {
                let place = self.best(*kind, indices, *body, at)?;
                let outer = at.len();
                at.extend(indices.iter().copied().zip(place));
                let value = self.at_level(*body, at, level);
                at.truncate(outer);
                value?
            }
            Node::ArgReduce { kind, indices, position, body } => {
                field.integer(*self.best(*kind, indices, *body, at)?.get(*position)?)
            }
            Node::Partial { .. } => return None,
        })
    }

    fn access(&self, tensor: TensorId, indices: &[Affine], at: &Places, level: usize) -> Option<u64> {
        let place: Vec<i64> = indices.iter().map(|affine| place_of(affine, at)).collect::<Option<_>>()?;
        let shape = &self.subject.context.tensor(tensor).shape;
        if place.iter().zip(shape).any(|(&index, &extent)| index < 0 || index >= extent as i64) {
            return Some(0);
        }
        self.element(tensor, &place, level)
    }

    fn element(&self, tensor: TensorId, place: &[i64], level: usize) -> Option<u64> {
        let Some(equation) = self.subject.equations.get(&tensor) else { return self.leaf(tensor, place, level) };
        let key = (tensor, place.to_vec(), level);
        if let Some(&value) = self.known.borrow().get(&key) {
            return value;
        }
        let mut at: Places = equation.indices.iter().copied().zip(place.iter().copied()).collect();
        let value = self.at_level(equation.value, &mut at, level);
        self.known.borrow_mut().insert(key, value);
        value
    }

    fn leaf(&self, tensor: TensorId, place: &[i64], level: usize) -> Option<u64> {
        let field = self.field(level);
        let description = self.subject.context.tensor(tensor);
        let hash = |place: &[i64], level: usize| {
            let start = mix(self.seed ^ mix((tensor.index() * LEVELS + level) as u64));
            place.iter().fold(start, |hash, &index| mix(hash ^ index as u64))
        };
        if description.label {
            let (class, lead) = place.split_last().map_or((0, place), |(class, lead)| (*class, lead));
            let classes = description.shape.last().copied().unwrap_or(1) as u64;
            return Some(u64::from(class as u64 == hash(lead, LEVEL) % classes));
        }
        let value = field.residue(hash(place, level));
        if description.role != Role::Target || !self.normalized || place.is_empty() {
            return Some(value);
        }
        let mut other = place.to_vec();
        let last = place.len() - 1;
        let total = (0..description.shape[last] as i64).fold(0, |total, index| {
            other[last] = index;
            field.add(total, field.residue(hash(&other, level)))
        });
        Some(field.multiply(value, field.reciprocal(total)?))
    }

    fn power(&self, base: ExprId, exponent: ExprId, at: &mut Places, level: usize) -> Option<u64> {
        let field = self.field(level);
        let times = match self.subject.context.node(exponent) {
            Node::Number(number) => number.as_integer(),
            Node::Index(affine) => place_of(affine, at),
            _ => None,
        };
        let base = self.at_level(base, at, level)?;
        if let Some(times) = times {
            let power = field.power(base, times.unsigned_abs());
            return if times < 0 { field.reciprocal(power) } else { Some(power) };
        }
        if level + 1 == LEVELS {
            let exponent = self.at_level(exponent, at, level)?;
            return Some(field.residue(mix(base ^ mix(exponent))));
        }
        let exponent = self.at_level(exponent, at, level + 1)?;
        Some(field.power(self.square(base, field)?, exponent))
    }

    /// What a root is taken of.
    fn square(&self, value: u64, field: Field) -> Option<u64> {
        match self.roots {
            _ if value == 0 || field.is_square(value) => Some(value),
            Roots::Squares => None,
            Roots::Opaque => Some(field.subtract(0, value)),
        }
    }

    fn call(&self, function: Elementary, argument: ExprId, at: &mut Places, level: usize) -> Option<u64> {
        let field = self.field(level);
        match function {
            Elementary::Exp => self.exponential(argument, at, level),
            Elementary::Expm1 => Some(field.subtract(self.exponential(argument, at, level)?, 1)),
            Elementary::Ln => self.logarithm(argument, 0, at, level),
            Elementary::Log1p => self.logarithm(argument, 1, at, level),
            Elementary::Sqrt => field.square_root(self.square(self.at_level(argument, at, level)?, field)?),
            Elementary::Tanh => {
                let exponential = self.exponential(argument, at, level)?;
                let square = field.multiply(exponential, exponential);
                Some(field.multiply(field.subtract(square, 1), field.reciprocal(field.add(square, 1))?))
            }
            Elementary::Abs => {
                let sign = field.integer(self.sign(argument, at)?);
                Some(field.multiply(sign, self.at_level(argument, at, level)?))
            }
            Elementary::Sin | Elementary::Cos | Elementary::Tan | Elementary::Atan | Elementary::Erf | Elementary::Floor => {
                let argument = self.at_level(argument, at, LEVEL)?;
                Some(field.residue(mix(argument ^ mix(self.seed ^ (function as u64 * LEVELS as u64 + level as u64)))))
            }
        }
    }

    /// The product of the exponentials of the terms, so that `exp(u - ln v)` is `exp(u)/v`, also where a name stands for the
    /// difference.
    fn exponential(&self, exponent: ExprId, at: &mut Places, level: usize) -> Option<u64> {
        let field = self.field(level);
        let context = &self.subject.context;
        let (times, rest) = match context.node(exponent) {
            Node::Add(terms) => {
                let exponentials = terms.iter().map(|&term| self.exponential(term, at, level));
                return exponentials.into_iter().try_fold(1, |product, factor| Some(field.multiply(product, factor?)));
            }
            Node::Multiply(factors) if factors.len() == 2 => match context.as_number(factors[0]).and_then(Number::as_integer) {
                Some(times) => (times, factors[1]),
                None => (1, exponent),
            },
            _ => (1, exponent),
        };
        let base = match context.node(rest) {
            Node::Call(Elementary::Ln, argument) => self.at_level(*argument, at, level)?,
            Node::Access { tensor, indices } if self.is_logarithm(*tensor) => {
                let equation: &Equation = self.subject.equations.get(tensor)?;
                let place = indices.iter().map(|affine| place_of(affine, at)).collect::<Option<Vec<_>>>()?;
                let shape = &context.tensor(*tensor).shape;
                if place.iter().zip(shape).any(|(&index, &extent)| index < 0 || index >= extent as i64) {
                    return Some(1);
                }
                let mut inside: Places = equation.indices.iter().copied().zip(place).collect();
                self.exponential(equation.value, &mut inside, level)?
            }
            _ if level + 1 < LEVELS => field.exponential(self.at_level(rest, at, level + 1)?),
            _ => {
                let opaque = self.at_level(rest, at, level)?;
                if opaque == 0 { 1 } else { field.residue(mix(opaque)) }
            }
        };
        let power = field.power(base, times.unsigned_abs());
        if times < 0 { field.reciprocal(power) } else { Some(power) }
    }

    /// Whether a tensor is a sum with a logarithm among its terms.
    fn is_logarithm(&self, tensor: TensorId) -> bool {
        let context = &self.subject.context;
        let Some(equation) = self.subject.equations.get(&tensor) else { return false };
        let is_logarithm = |expr: ExprId| match context.node(expr) {
            Node::Call(Elementary::Ln, _) => true,
            Node::Multiply(factors) => factors.iter().any(|&part| matches!(context.node(part), Node::Call(Elementary::Ln, _))),
            _ => false,
        };
        match context.node(equation.value) {
            Node::Add(terms) => terms.iter().any(|&term| is_logarithm(term)),
            _ => is_logarithm(equation.value),
        }
    }

    /// The logarithm of `argument + more`; at the highest level an opaque value.
    fn logarithm(&self, argument: ExprId, more: i64, at: &mut Places, level: usize) -> Option<u64> {
        let above = level.saturating_sub(1);
        let field = self.field(above);
        let argument = field.add(self.at_level(argument, at, above)?, field.integer(more));
        if level == 0 {
            return Some(if argument == 1 { 0 } else { field.residue(mix(argument)) });
        }
        if let Some(&known) = self.logarithms.borrow().get(&(argument, level)) {
            return known;
        }
        let logarithm = field.logarithm(argument);
        self.logarithms.borrow_mut().insert((argument, level), logarithm);
        logarithm
    }

    /// Whether a condition holds.
    fn holds(&self, condition: ExprId, at: &mut Places) -> Option<bool> {
        match self.subject.context.node(condition) {
            Node::And(conditions) => {
                for &condition in conditions {
                    if !self.holds(condition, at)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            Node::Or(conditions) => {
                for &condition in conditions {
                    if self.holds(condition, at)? {
                        return Some(true);
                    }
                }
                Some(false)
            }
            Node::Not(condition) => Some(!self.holds(*condition, at)?),
            Node::Compare(relation, left, right) => {
                let sign = match (self.concrete(*left, at), self.concrete(*right, at)) {
                    (Some(left), Some(right)) => left.partial_cmp(&right)? as i64,
                    _ => {
                        let field = self.field(LEVEL);
                        field.sign(field.subtract(self.at_level(*left, at, LEVEL)?, self.at_level(*right, at, LEVEL)?))
                    }
                };
                Some(match relation {
                    Relation::Less => sign < 0,
                    Relation::LessEqual => sign <= 0,
                    Relation::Equal => sign == 0,
                    Relation::NotEqual => sign != 0,
                    Relation::GreaterEqual => sign >= 0,
                    Relation::Greater => sign > 0,
                })
            }
            _ => Some(self.at_level(condition, at, LEVEL)? != 0),
        }
    }

    /// The value of an expression of numbers and indices alone, which is compared as what it is.
    fn concrete(&self, expr: ExprId, at: &Places) -> Option<f64> {
        match self.subject.context.node(expr) {
            Node::Number(number) => Some(number.value()),
            _ => evaluate(&self.subject.context, &Nothing, at, expr).ok(),
        }
    }

    fn sign(&self, expr: ExprId, at: &mut Places) -> Option<i64> {
        match self.concrete(expr, at) {
            Some(value) => Some(if value == 0.0 { 0 } else { value.signum() as i64 }),
            None => Some(self.field(LEVEL).sign(self.at_level(expr, at, LEVEL)?)),
        }
    }

    /// The first place where an expression is greatest or least.
    fn best(&self, kind: ReduceKind, indices: &[IndexId], body: ExprId, at: &mut Places) -> Option<Vec<i64>> {
        let mut best: Option<(u64, Vec<i64>)> = None;
        let mut has_values = true;
        self.for_each_place(indices, at, &mut |at| {
            let Some(value) = self.at_level(body, at, LEVEL) else {
                has_values = false;
                return;
            };
            let is_better =
                best.as_ref().is_none_or(|(best, _)| if kind == ReduceKind::Max { value > *best } else { value < *best });
            if is_better {
                best = Some((value, at[at.len() - indices.len()..].iter().map(|(_, value)| *value).collect()));
            }
        });
        best.filter(|_| has_values).map(|(_, place)| place)
    }

    /// Calls `visit` with every combination of values of the indices, in row-major order.
    fn for_each_place(&self, indices: &[IndexId], at: &mut Places, visit: &mut dyn FnMut(&mut Places)) {
        let Some((&first, rest)) = indices.split_first() else {
            visit(at);
            return;
        };
        let index = self.subject.context.index_of(first);
        for value in index.start..index.end {
            at.push((first, value));
            self.for_each_place(rest, at, visit);
            at.pop();
        }
    }
}

/// The value of an affine index, where all its indices have one.
pub(super) fn place_of(affine: &Affine, at: &[(IndexId, i64)]) -> Option<i64> {
    affine.terms.iter().try_fold(affine.constant, |sum, &(index, coefficient)| {
        let (_, value) = at.iter().rev().find(|(bound, _)| *bound == index)?;
        Some(sum + coefficient * value)
    })
}
