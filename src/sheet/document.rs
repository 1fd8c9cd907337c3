//! The structure that all back ends print.

use super::math::{Math, Operator};
use crate::equation::{ExprId, TensorId};

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
    /// What is written.
    pub content: Content,
}

/// What a line of a display writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Something that has no value of its own.
    Other,
    /// A form of an equation's right-hand side, or of the left-hand side that the lines before began with.
    Form(ExprId),
    /// The first form of a partial derivative.
    Partial {
        /// The derivative.
        partial: ExprId,
        /// The form.
        form: ExprId,
    },
    /// The numbers of an example in a line above.
    Numbers(Numbers),
}

/// The numbers that stand in a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    /// The element that the line is about; `None` where that is a partial derivative.
    pub of: Option<(TensorId, Vec<i64>)>,
    /// What the right-hand side comes to as it is written, with numbers that are not rounded.
    pub value: Option<f64>,
    /// The elements whose numbers stand in the line, each with its number.
    pub elements: Vec<PrintedNumber>,
}

/// A number and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct PrintedNumber {
    /// The tensor.
    pub tensor: TensorId,
    /// Which element of it.
    pub place: Vec<i64>,
    /// The number as plain text.
    pub text: String,
}

impl Line {
    /// Says of which expression the right-hand side is the formula.
    #[must_use]
    pub fn of(mut self, form: ExprId) -> Line {
        self.content = Content::Form(form);
        self
    }

    /// Says of which partial derivative the line gives the first form.
    #[must_use]
    pub fn of_partial(mut self, partial: ExprId, form: ExprId) -> Line {
        self.content = Content::Partial { partial, form };
        self
    }

    /// Whether it carries numbers.
    pub fn is_numbers(&self) -> bool {
        matches!(self.content, Content::Numbers(_))
    }
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
