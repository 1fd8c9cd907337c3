//! The whole sheet, and what its reader may choose.

use super::document::Document;
use super::notation::table::NotationTable;
use super::{compose, html, latex, markdown, plain};
use crate::cost::Cost;
use crate::derivation::Derivation;
use crate::facts::Fact;
use crate::worked::Worked;

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
