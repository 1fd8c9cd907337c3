//! The sheet: a derivation as a person reads it.
//!
//! One structure ([`document`]) over one tree of formulas ([`math`]), built from a [`Derivation`] alone: no layer, loss or
//! optimizer is known here by name. The back ends print the structure as LaTeX, HTML, Markdown or plain text and know nothing of
//! each other.

mod compose;
pub mod document;
mod formula;
mod html;
mod jacobian;
mod latex;
mod lines;
mod markdown;
pub mod math;
mod notation;
mod plain;
mod printed;
mod text;

use crate::cost::Cost;
use crate::derivation::Derivation;
use crate::equation::{Equation, Role, TensorId};
use crate::facts::Fact;
use crate::worked::Worked;
use document::Document;
use formula::Writer;
pub use jacobian::{jacobian_latex, jacobian_text};
use math::Math;
use notation::Notation;
pub use notation::table::{LayerMark, NotationTable};
pub(crate) use printed::identifier_latex;
pub use printed::{Printed, PrintedSymbol};
use std::collections::HashMap;
pub(crate) use text::{lowered, raised};

/// How much of each derivation is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Steps {
    /// Results only.
    None,
    /// The chain rule, its factors, and the result.
    #[default]
    Key,
    /// Everything that was recorded.
    All,
}

/// What a reader may choose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SheetOptions {
    /// How much of each derivation is printed.
    pub steps: Steps,
    /// In whose notation.
    pub notation: NotationTable,
}

/// A sheet, ready to be printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What it says.
    pub document: Document,
}

impl Sheet {
    /// The sheet of a derivation.
    pub fn new(derivation: &Derivation, options: &SheetOptions) -> Self {
        Self { document: compose::compose(derivation, options, None) }
    }

    /// The same with the numbers of an example beneath each equation.
    pub fn with_numbers(derivation: &Derivation, options: &SheetOptions, worked: &Worked) -> Self {
        Self { document: compose::compose(derivation, options, Some(worked)) }
    }

    /// The same with a section on what the network costs.
    #[must_use]
    pub fn with_cost(mut self, cost: &Cost) -> Self {
        self.document.sections.push(compose::cost_section(cost));
        self
    }

    /// The same with a section on facts about the network; without one where there are none.
    #[must_use]
    pub fn with_facts(mut self, facts: &[Fact]) -> Self {
        self.document.sections.extend(compose::facts_section(facts));
        self
    }

    /// As a LaTeX document that pdflatex compiles as it is.
    pub fn to_latex(&self) -> String {
        latex::document_latex(&self.document)
    }

    /// As one HTML page that needs nothing else.
    pub fn to_html(&self) -> String {
        html::document_html(&self.document)
    }

    /// As Markdown, with formulas that KaTeX sets.
    pub fn to_markdown(&self) -> String {
        markdown::document_markdown(&self.document)
    }

    /// As plain Unicode text.
    pub fn to_text(&self) -> String {
        plain::document_text(&self.document)
    }
}

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
    pub fn symbols(&self) -> HashMap<TensorId, String> {
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
