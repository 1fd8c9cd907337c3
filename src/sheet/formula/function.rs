//! Powers and elementary functions.

use super::{Level, Piece, Writer, number, sum_of};
use crate::equation::{Elementary, ExprId};
use crate::sheet::math::{Fence, Math, width};

impl Writer<'_> {
    pub(super) fn power(&mut self, base: ExprId, exponent: ExprId) -> Piece {
        if self.context.as_number(exponent).is_some_and(|number| number.value() == 0.5) {
            return Piece::atom(Math::Sqrt(Box::new(self.expression(base))));
        }
        let is_integer = self.context.as_number(exponent).is_some_and(|number| number.as_integer().is_some());
        let base = self.piece(base);
        let exponent = self.expression(exponent);
        raised(base, exponent, is_integer)
    }

    pub(super) fn call(&mut self, function: Elementary, argument: ExprId) -> Piece {
        /// The widest exponent, in ems, that `e` carries; a wider one goes into `exp( )`.
        const EXPONENT_WIDTH: f64 = 6.0;
        let name = match function {
            Elementary::Sqrt => return Piece::atom(Math::Sqrt(Box::new(self.expression(argument)))),
            Elementary::Abs => return Piece::atom(Math::Fenced(Fence::Bars, Box::new(self.expression(argument)))),
            Elementary::Floor => return Piece::atom(Math::Fenced(Fence::Floor, Box::new(self.expression(argument)))),
            Elementary::Exp => {
                let exponent = self.expression(argument);
                if !self.notation.is_taken("e")
                    && !exponent.is_tall()
                    && width(&exponent) < EXPONENT_WIDTH
                    && !has_power_of_e(&exponent)
                {
                    return Piece::atom(Math::identifier("e").with_superscript(exponent));
                }
                return Piece::atom(Math::Call { function: Box::new(Math::identifier("exp")), arguments: vec![exponent] });
            }
            Elementary::Expm1 => {
                let power = self.call(Elementary::Exp, argument);
                return sum_of(vec![(false, power), (true, number::number(1.0))]);
            }
            Elementary::Log1p => {
                let terms = vec![(false, number::number(1.0)), (self.is_negative(argument), self.magnitude(argument))];
                let arguments = vec![sum_of(terms).math];
                return Piece::atom(Math::Call { function: Box::new(Math::identifier("ln")), arguments });
            }
            Elementary::Atan => "arctan",
            Elementary::Ln | Elementary::Sin | Elementary::Cos | Elementary::Tan | Elementary::Tanh | Elementary::Erf => {
                function.name()
            }
        };
        let function = Box::new(Math::identifier(name));
        let argument = self.piece(argument);
        match argument.level {
            Level::Atom => Piece::new(Math::Apply { function, argument: Box::new(argument.math) }, Level::Apply),
            _ => Piece::atom(Math::Call { function, arguments: vec![argument.math] }),
        }
    }
}

/// A power.
pub(super) fn raised(base: Piece, exponent: Math, is_integer: bool) -> Piece {
    match base.math {
        // tanh² s
        Math::Apply { function, argument } if is_integer => {
            Piece::new(Math::Apply { function: Box::new(function.with_superscript(exponent)), argument }, Level::Apply)
        }
        Math::Scripts { base, sub, sup: None } => Piece::atom(Math::Scripts { base, sub, sup: Some(Box::new(exponent)) }),
        Math::Scripts { .. } => Piece::atom(base.math.parenthesized().with_superscript(exponent)),
        _ => Piece::atom(base.at_least(Level::Atom).with_superscript(exponent)),
    }
}

fn has_power_of_e(math: &Math) -> bool {
    match math {
        Math::Scripts { base, sup, .. } => {
            (sup.is_some() && **base == Math::identifier("e")) || sup.as_deref().is_some_and(has_power_of_e)
        }
        Math::Row(parts) | Math::Product(parts) => parts.iter().any(has_power_of_e),
        Math::Fenced(_, body) | Math::Sqrt(body) => has_power_of_e(body),
        Math::Apply { argument, .. } => has_power_of_e(argument),
        Math::Call { .. } => true,
        _ => false,
    }
}
