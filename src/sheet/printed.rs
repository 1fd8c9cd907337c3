//! Equations as the sheet prints them, each by itself, and the symbols they are printed in: what a reader of formulas needs.

use super::formula::{Writer, integer};
use super::latex::math_latex;
use super::math::{Math, Operator};
use super::notation::Notation;
use super::notation::Symbol;
use super::notation::table::NotationTable;
use super::text::math_text;
use crate::derivation::Derivation;
use crate::equation::{Equation, TensorId};
use std::collections::BTreeMap;

/// How a tensor is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedSymbol {
    /// What it stands for; `None` for the objective.
    pub tensor: Option<TensorId>,
    /// The letter or word, in LaTeX as all else.
    pub latex: String,
    /// The letter or word in text.
    pub text: String,
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
        let ids: Vec<TensorId> = self.notation.derivation.model.context.tensors().map(|(id, _)| id).collect();
        let own = ids.iter().map(|&id| (Some(id), self.notation.symbol(id).clone()));
        // A tensor of a layer goes by a second symbol in rules for several layers, unless that is the same.
        let general = ids.iter().filter_map(|&id| Some((Some(id), self.notation.symbol_among_layers(id)?)));
        let mut symbols: Vec<(Option<TensorId>, Symbol)> = Vec::new();
        for symbol in own.chain(general) {
            if !symbol.1.base.is_empty() && !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        let mut printed: Vec<PrintedSymbol> = symbols
            .into_iter()
            .map(|(tensor, symbol)| PrintedSymbol {
                tensor,
                latex: identifier_latex(&symbol.base),
                text: symbol.base,
                label: word_latex(&symbol.label),
                tags: symbol.tag.iter().map(|tag| word_latex(tag)).collect(),
                by_update: symbol.by_update,
            })
            .collect();
        let objective = self.notation.objective();
        printed.push(PrintedSymbol {
            tensor: None,
            latex: math_latex(&objective),
            text: math_text(&objective),
            label: String::new(),
            tags: Vec::new(),
            by_update: false,
        });
        printed
    }

    /// The letter that numbers a layer in general, in LaTeX.
    pub fn layer(&self) -> String {
        identifier_latex(&self.notation.table.layer)
    }

    /// The letters of the sizes that change from layer to layer, in LaTeX, with their values by the number of the layer on paper.
    pub fn sizes(&self) -> Vec<(String, BTreeMap<i64, usize>)> {
        let sizes = self.notation.derivation.folding.sizes.iter().enumerate();
        let values = sizes.map(|(at, size)| {
            let shift = self.notation.stack_shift(size.stack);
            let values = size.values.iter().map(|(&layer, &value)| (layer + shift, value)).collect();
            (identifier_latex(self.notation.size_letter(at)), values)
        });
        values.collect()
    }

    /// Whether the new value of a parameter or state is told from the old one by a prime.
    pub fn is_primed(&self, tensor: TensorId) -> bool {
        self.notation.is_primed(tensor)
    }

    /// One equation in LaTeX.
    pub fn latex(&self, equation: &Equation) -> String {
        math_latex(&self.math(equation))
    }

    /// One equation in text.
    pub fn text(&self, equation: &Equation) -> String {
        math_text(&self.math(equation))
    }

    /// The rule that an equation stands on the sheet with, in LaTeX: for all layers of its form, which follow, and with whole
    /// matrices where the notation has them. `None` where another equation's rule says it.
    pub fn rule_latex(&self, equation: &Equation) -> Option<String> {
        let (math, layers) = self.rule(equation)?;
        Some(layers.iter().fold(math_latex(&math), |rule, layers| format!("{rule},\\quad {}", math_latex(layers))))
    }

    /// The same in text.
    pub fn rule_text(&self, equation: &Equation) -> Option<String> {
        let (math, layers) = self.rule(equation)?;
        Some(layers.iter().fold(math_text(&math), |rule, layers| format!("{rule}; {}", math_text(layers))))
    }

    fn math(&self, equation: &Equation) -> Math {
        let mut writer = Writer::for_equation(&self.notation, equation);
        let left = writer.left(equation);
        let relation = writer.relation(equation);
        let right = writer.expression(equation.value);
        Math::relation(left, relation, right)
    }

    fn rule(&self, equation: &Equation) -> Option<(Math, Option<Math>)> {
        let derivation = self.notation.derivation;
        let (folding, context) = (&derivation.folding, &derivation.model.context);
        if !folding.leads(equation.target) {
            return None;
        }
        let mut writer = Writer::for_rule(&self.notation, equation);
        writer.use_matrices(&equation.indices, &[equation.value]);
        let left = writer.left(equation);
        let relation = writer.relation(equation);
        let math = Math::relation(left, relation, writer.expression(equation.value));
        let layers = folding.rule(equation.target).filter(|rule| rule.is_folded()).map(|rule| {
            let stack = folding.place_of(context, equation.target).map_or(0, |place| folding.families[place.family].stack);
            let shift = self.notation.stack_shift(stack);
            let values = rule.layers.iter().map(|layer| integer(layer + shift)).collect();
            Math::relation(Math::identifier(&self.notation.table.layer), Operator::Equal, Math::list(values))
        });
        Some((math, layers))
    }
}

/// A letter or word in LaTeX.
pub(crate) fn identifier_latex(word: &str) -> String {
    math_latex(&Math::identifier(word))
}

fn word_latex(word: &str) -> String {
    if word.chars().all(|digit| digit.is_ascii_digit()) { word.to_owned() } else { identifier_latex(word) }
}
