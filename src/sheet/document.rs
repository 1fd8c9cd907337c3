//! The structure that all back ends print.

use super::math::{Math, Operator};

/// A whole sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The heading of the whole.
    pub title: String,
    /// What stands below the title, one after the other in one line.
    pub summary: Vec<Vec<Inline>>,
    /// The sections, which are numbered from 1.
    pub sections: Vec<Section>,
}

/// A section.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What links name it.
    pub anchor: &'static str,
    /// What it holds.
    pub blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Block {
    /// A heading within the section.
    Heading(Vec<Inline>),
    /// Running text.
    Paragraph(Vec<Inline>),
    /// Equations, aligned at their relations.
    Display(Vec<Line>),
    /// A table.
    Table(Table),
    /// The steps of an algorithm, numbered from 1.
    Steps(Vec<AlgorithmStep>),
    /// What is computed from what; only where there is something to draw on.
    Diagram(Diagram),
}

/// A part of running text.
#[derive(Clone, Debug, PartialEq)]
pub enum Inline {
    /// Words.
    Text(String),
    /// A name as it stands in the spec.
    Code(String),
    /// A formula.
    Math(Math),
    /// A link to the equation with this number.
    Reference(u32),
    /// The number of an equation that stands in running text: where links to it lead.
    Number(u32),
}

impl Inline {
    /// Words.
    pub fn text(text: impl Into<String>) -> Inline {
        Inline::Text(text.into())
    }
}

/// One line of a display.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The left-hand side; `None` where the line goes on with the one before.
    pub left: Option<Math>,
    /// `=` or `←`; `None` where the line is a part of a formula that is too long for one.
    pub relation: Option<Operator>,
    /// The right-hand side, or the part of it.
    pub right: Math,
    /// Why it holds, or for which indices.
    pub reason: Vec<Inline>,
    /// The equation's number, on the last of its lines.
    pub number: Option<u32>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The headings of the columns.
    pub header: Vec<&'static str>,
    /// The rows, an entry for each column. The last column may take several lines.
    pub rows: Vec<Vec<Vec<Inline>>>,
}

/// A graph of what is computed from what.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagram {
    /// The inputs, targets and values.
    pub nodes: Vec<DiagramNode>,
    /// From which node to which, by their positions.
    pub edges: Vec<(usize, usize)>,
}

/// An input, a target or a value.
#[derive(Clone, Debug, PartialEq)]
pub struct DiagramNode {
    /// Its symbol.
    pub symbol: Math,
    /// The parameters that it is computed with.
    pub parameters: Vec<Math>,
    /// The layers, where it stands for several.
    pub layers: Option<Math>,
    /// The number of its equation.
    pub number: Option<u32>,
}

/// A step of an algorithm.
#[derive(Clone, Debug, PartialEq)]
pub struct AlgorithmStep {
    /// How many loops it stands in.
    pub depth: usize,
    /// What is done.
    pub text: Vec<Inline>,
}
