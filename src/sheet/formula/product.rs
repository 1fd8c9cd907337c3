//! Products and quotients: which factors stand above the line, which below, and which beside it.

use super::function::raised;
use super::numbers::Group;
use super::{Level, Piece, Writer, number};
use crate::equation::{ExprId, Node, Number, Role};
use crate::sheet::math::{Math, width};

/// The factors of a product by where they stand.
#[derive(Default)]
struct Factors {
    /// Numbers and constants above the line.
    constants: Vec<Piece>,
    /// Numbers and constants below.
    divisors: Vec<Piece>,
    /// Derivatives, which stand beside a fraction rather than in it; of the loss, then of what it depends on.
    derivatives: Vec<Math>,
    partials: Vec<Math>,
    /// What else stands above.
    above: Vec<Piece>,
    /// What else stands below.
    below: Vec<Piece>,
    /// Iverson's brackets and cases, then big operators: what applies to all that follows comes last.
    brackets: Vec<Piece>,
    sums: Vec<Math>,
}

impl Writer<'_> {
    /// The product of factors without their signs, which [`Self::is_negative`] counts.
    pub(super) fn product(&mut self, factors: &[ExprId]) -> Piece {
        let mut sorted = Factors::default();
        self.sort_factors(factors, &mut sorted);
        sorted.assemble()
    }

    /// Equal factors beside each other are a power.
    fn sort_factors(&mut self, factors: &[ExprId], sorted: &mut Factors) {
        let mut factors = factors.to_vec();
        while let Some(bracket) = self.take_joint_position(&mut factors) {
            sorted.brackets.push(bracket);
        }
        for equal in factors.chunk_by(|a, b| a == b) {
            match equal {
                [factor] => self.sort_factor(*factor, sorted),
                _ if self.context.as_number(equal[0]).is_some() => {
                    equal.iter().for_each(|&factor| self.sort_factor(factor, sorted))
                }
                _ => {
                    let power = self.positive_power(equal[0], equal.len() as f64);
                    sorted.above.push(power);
                }
            }
        }
    }

    fn sort_factor(&mut self, factor: ExprId, sorted: &mut Factors) {
        if let Some((condition, holds, value)) = self.bracketed(factor) {
            match self.context.node(value) {
                Node::Multiply(factors) => self.sort_factors(&factors.clone(), sorted),
                _ => self.sort_factor(value, sorted),
            }
            let bracket = self.bracket(condition, holds);
            sorted.brackets.push(bracket);
            return;
        }
        if let Some((number, group)) = self.shown_factor(factor) {
            match group {
                Group::Derivative => sorted.derivatives.push(number.math),
                Group::Partial => sorted.partials.push(number.math),
                Group::Constant => sorted.constants.push(number),
                Group::Other => sorted.above.push(number),
            }
            return;
        }
        match self.context.node(factor) {
            Node::Number(value) => sort_number(value.value().abs(), sorted),
            Node::Power(base, exponent) if self.is_negative_number(*exponent) => {
                let (base, exponent) = (*base, self.context.as_number(*exponent).map_or(-1.0, Number::value));
                let divisor = match self.context.as_number(base).and_then(|number| number::short_decimal(number.value())) {
                    Some(decimal) if exponent == -1.0 => decimal,
                    _ => self.positive_power(base, -exponent),
                };
                let constant = self.is_constant(base);
                if constant { &mut sorted.divisors } else { &mut sorted.below }.push(divisor);
            }
            Node::Access { tensor, indices } => match self.context.tensor(*tensor).role {
                Role::BatchMean { of } => {
                    let (divisor, sum) = self.batch_mean(of, indices);
                    sorted.divisors.push(Piece::atom(divisor));
                    sorted.sums.push(sum);
                }
                Role::Adjoint { .. } | Role::Gradient { .. } => sorted.derivatives.push(self.access(*tensor, indices).math),
                Role::Constant | Role::BatchSize | Role::UpdateNumber => sorted.constants.push(self.piece(factor)),
                _ => sorted.above.push(self.piece(factor)),
            },
            Node::Partial { .. } => sorted.partials.push(self.expression(factor)),
            Node::Reduce { .. } | Node::ArgReduce { .. } => {
                let sum = self.magnitude(factor).at_least(Level::Product);
                sorted.sums.push(sum);
            }
            Node::Compare(..) | Node::And(_) | Node::Or(_) | Node::Not(_) => sorted.brackets.push(self.piece(factor)),
            Node::If { .. } => {
                let piece = self.piece(factor);
                match piece.math {
                    Math::Call { .. } => sorted.above.push(piece),
                    _ => sorted.brackets.push(piece),
                }
            }
            _ if self.is_constant(factor) => sorted.constants.push(self.piece(factor)),
            _ => sorted.above.push(self.piece(factor)),
        }
    }

    fn positive_power(&mut self, base: ExprId, exponent: f64) -> Piece {
        if exponent == 1.0 {
            return self.piece(base);
        }
        if exponent == 0.5 {
            return Piece::atom(Math::Sqrt(Box::new(self.expression(base))));
        }
        raised(self.piece(base), number::number(exponent).math, exponent.fract() == 0.0)
    }
}

fn sort_number(value: f64, sorted: &mut Factors) {
    match number::simple_fraction(value) {
        Some((numerator, denominator)) => {
            if numerator != 1 {
                sorted.constants.push(Piece::atom(Math::number(numerator)));
            }
            sorted.divisors.push(Piece::atom(Math::number(denominator)));
        }
        None if value != 1.0 => sorted.constants.push(number::number(value)),
        None => {}
    }
}

impl Factors {
    /// `1/√(2π)` rather than `(1/√π)/√2`.
    fn join_roots(&mut self) {
        for piece in &mut self.constants {
            if let Math::Fraction(above, below) = &piece.math
                && matches!(**below, Math::Sqrt(_))
            {
                self.divisors.push(Piece::atom((**below).clone()));
                *piece = Piece::atom((**above).clone());
            }
        }
        self.constants.retain(|piece| piece.math != Math::number(1));
        let is_root = |piece: &mut Piece| matches!(&piece.math, Math::Sqrt(body) if matches!(**body, Math::Number(_) | Math::Identifier(_)));
        let mut roots: Vec<Piece> = self.divisors.extract_if(.., is_root).collect();
        if roots.len() > 1 {
            let bodies = roots.into_iter().filter_map(|piece| match piece.math {
                Math::Sqrt(body) => Some(*body),
                _ => None,
            });
            let mut bodies: Vec<Math> = bodies.collect();
            bodies.sort_by_key(|body| !matches!(body, Math::Number(_)));
            roots = vec![Piece::atom(Math::Sqrt(Box::new(Math::product(bodies))))];
        }
        self.divisors.extend(roots);
    }

    fn assemble(mut self) -> Piece {
        self.join_roots();
        // Functions last: a function applies to all that follows it closely.
        self.above.sort_by_key(|piece| match (&piece.math, piece.level) {
            (Math::Call { .. }, _) | (_, Level::Apply) => 2,
            (_, Level::Sum) => 1,
            _ => 0,
        });
        self.derivatives.append(&mut self.partials);
        let Factors { constants, divisors, derivatives, above, below, brackets, sums, .. } = self;
        let stands_alone = derivatives.is_empty() && brackets.is_empty() && sums.is_empty();
        let mut parts = Vec::new();
        if below.is_empty()
            && !divisors.is_empty()
            && constants.is_empty()
            && above.len() == 1
            && stands_alone
            && is_short(&above[0])
        {
            // s/6 rather than (1/6) s
            parts.push(quotient(above, divisors));
        } else if below.is_empty() || !derivatives.is_empty() {
            if divisors.is_empty() {
                parts.extend(constants.into_iter().map(|piece| piece.at_least(Level::Product)));
            } else {
                parts.push(quotient(constants, divisors));
            }
            parts.extend(derivatives);
            if below.is_empty() {
                parts.extend(above.into_iter().map(|piece| piece.at_least(Level::Product)));
            } else {
                parts.push(quotient(above, below));
            }
        } else {
            let above = constants.into_iter().chain(above).collect();
            let below = divisors.into_iter().chain(below).collect();
            parts.push(quotient(above, below));
        }
        parts.extend(brackets.into_iter().map(|piece| piece.at_least(Level::Product)));
        let mut sums = sums.into_iter().peekable();
        while let Some(sum) = sums.next() {
            // A big operator takes all that follows it, so all but the last need parentheses.
            parts.push(if sums.peek().is_some() { super::fenced(sum) } else { sum });
        }
        close(parts)
    }
}

/// Narrow enough to stand above a divisor.
fn is_short(piece: &Piece) -> bool {
    const SHORT: f64 = 6.0;
    !matches!(piece.level, Level::Apply) && width(&piece.math) < SHORT && !piece.math.is_tall()
}

fn quotient(above: Vec<Piece>, below: Vec<Piece>) -> Math {
    Math::fraction(side(above), side(below))
}

/// One side of a fraction: a single sum needs no parentheses there.
fn side(mut pieces: Vec<Piece>) -> Math {
    if pieces.len() == 1 {
        return pieces.swap_remove(0).math;
    }
    close(pieces.into_iter().map(|piece| piece.at_least(Level::Product)).collect()).math
}

/// Factors beside each other. A function's argument gets parentheses where a factor follows; cases that something follows too.
fn close(parts: Vec<Math>) -> Piece {
    let mut parts = match Math::product(parts) {
        Math::Product(parts) => parts,
        single => vec![single],
    };
    let last = parts.len() - 1;
    for part in &mut parts[..last] {
        match part {
            Math::Apply { argument, .. } if !matches!(**argument, Math::Fenced(..)) => {
                let inner = std::mem::replace(&mut **argument, Math::Row(Vec::new()));
                **argument = inner.parenthesized();
            }
            Math::Cases(_) | Math::Big { .. } => {
                let inner = std::mem::replace(part, Math::Row(Vec::new()));
                *part = super::fenced(inner);
            }
            _ => {}
        }
    }
    match parts.len() {
        1 => {
            let math = parts.swap_remove(0);
            let level = match math {
                Math::Fraction(..) | Math::Derivative(..) => Level::Fraction,
                Math::Apply { .. } => Level::Apply,
                Math::Big { .. } | Math::Cases(_) => Level::Product,
                _ => Level::Atom,
            };
            Piece::new(math, level)
        }
        _ => Piece::new(Math::Product(parts), Level::Product),
    }
}
