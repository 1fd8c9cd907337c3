//! Equations as the sheet prints them, each by itself, and the symbols they are printed in: what a reader of formulas needs.

use super::formula::Writer;
use super::latex::math_latex;
use super::math::Math;
use super::notation::Notation;
use super::notation::table::NotationTable;
use crate::derivation::Derivation;
use crate::equation::{Equation, TensorId};

/// How a tensor is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedSymbol {
    /// What it stands for; `None` for the objective.
    pub tensor: Option<TensorId>,
    /// The letter or word, in LaTeX as all else.
    pub latex: String,
    /// The number or name of the layer, which stands above; may be empty.
    pub label: String,
    /// What stands first below.
    pub tags: Vec<String>,
    /// Whether the number of the update stands last below.
    pub by_update: bool,
}

/// A derivation in one notation.
pub struct Printed<'a> {
    notation: Notation<'a>,
}

impl<'a> Printed<'a> {
    /// Chooses the symbols.
    pub fn new(derivation: &'a Derivation, table: &NotationTable) -> Self {
        Self { notation: Notation::new(derivation, table) }
    }

    /// The number of a tensor's first element.
    pub fn first_index(&self) -> i64 {
        self.notation.table.first_index
    }

    /// The symbols of all tensors that have one, and that of the objective.
    pub fn symbols(&self) -> Vec<PrintedSymbol> {
        let tensors = self.notation.derivation.model.context.tensors();
        let symbols = tensors.map(|(id, _)| (Some(id), self.notation.symbol(id)));
        let mut printed: Vec<PrintedSymbol> = symbols
            .filter(|(_, symbol)| !symbol.base.is_empty())
            .map(|(tensor, symbol)| PrintedSymbol {
                tensor,
                latex: math_latex(&Math::identifier(&symbol.base)),
                label: word_latex(&symbol.label),
                tags: symbol.tag.iter().map(|tag| word_latex(tag)).collect(),
                by_update: symbol.by_update,
            })
            .collect();
        let objective = self.notation.objective();
        printed.push(PrintedSymbol {
            tensor: None,
            latex: math_latex(&objective),
            label: String::new(),
            tags: Vec::new(),
            by_update: false,
        });
        printed
    }

    /// Whether the new value of a parameter or state is told from the old one by a prime.
    pub fn is_primed(&self, tensor: TensorId) -> bool {
        self.notation.is_primed(tensor)
    }

    /// One equation in LaTeX.
    pub fn latex(&self, equation: &Equation) -> String {
        math_latex(&self.math(equation))
    }

    fn math(&self, equation: &Equation) -> Math {
        let mut writer = Writer::for_equation(&self.notation, equation);
        let left = writer.left(equation);
        let relation = writer.relation(equation);
        let right = writer.expression(equation.value);
        Math::relation(left, relation, right)
    }
}

fn word_latex(word: &str) -> String {
    if word.chars().all(|digit| digit.is_ascii_digit()) { word.to_owned() } else { math_latex(&Math::identifier(word)) }
}
