//! Single equations as a sheet writes them: what documentation comments say.

use rustc_hash::FxHashMap;

use super::formula::Writer;
use super::math::Math;
use super::notation::Notation;
use super::notation::table::NotationTable;
use super::text;
use crate::derivation::Derivation;
use crate::equation::{Equation, Role, TensorId};

/// Equations of a derivation as lines of Unicode text, in the sheet's own notation: for documentation comments.
pub struct EquationTexts<'a> {
    notation: Notation<'a>,
}

impl<'a> EquationTexts<'a> {
    /// Chooses the notation, once for all equations.
    pub fn new(derivation: &'a Derivation) -> Self {
        Self { notation: Notation::new(derivation, &NotationTable::lecture()) }
    }

    /// One equation.
    pub fn text(&self, equation: &Equation) -> String {
        let mut writer = Writer::for_equation(&self.notation, equation);
        let left = writer.left(equation);
        let relation = writer.relation(equation);
        let right = writer.expression(equation.value);
        text::math_text(&Math::relation(left, relation, right))
    }

    /// How an element is written of each tensor that a forward equation computes or an update changes: `w¹ᵢⱼ`.
    pub fn symbols(&self) -> FxHashMap<TensorId, String> {
        let derivation = self.notation.derivation;
        let forward = derivation.forward.iter().map(|equation| (equation.target, equation));
        let updates = derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        let updates = updates.filter_map(|equation| match derivation.model.context.tensor(equation.target).role {
            Role::Next { of } if !self.notation.is_primed(of) => Some((of, equation)),
            _ => None,
        });
        let all = forward.chain(updates);
        all.map(|(tensor, equation)| (tensor, text::math_text(&Writer::for_equation(&self.notation, equation).left(equation))))
            .collect()
    }
}

/// One equation of a derivation as a line of Unicode text; for several, [`EquationTexts`] is quicker.
pub fn equation_text(derivation: &Derivation, equation: &Equation) -> String {
    EquationTexts::new(derivation).text(equation)
}
