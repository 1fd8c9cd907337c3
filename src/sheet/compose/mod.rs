//! From a derivation to the sheet's sections.

mod algorithm;
mod backward;
mod conventions;
mod cost;
mod diagram;
mod factors;
mod facts;
mod key;
mod kinks;
mod layers;
mod numbers;
mod passes;
mod recurrences;
mod symbols;
mod update;

use std::cell::RefCell;
use std::collections::BTreeMap;

pub(super) use cost::cost_section;
pub(super) use facts::facts_section;
use layers::SharedFactor;
use numbers::NumberComposer;

use super::SheetOptions;
use super::document::{Block, Content, Document, Inline, Line, Section};
use super::formula::Writer;
use super::lines::{break_lines, left_width};
use super::math::{Math, Operator};
use super::notation::Notation;
use crate::derivation::Derivation;
use crate::equation::{Context, Equation, IndexId, Role, TensorId};
use crate::worked::Worked;

/// Everything that the sections are composed from.
struct Composer<'a> {
    derivation: &'a Derivation,
    notation: &'a Notation<'a>,
    options: &'a SheetOptions,
    /// The number of the equation that defines each tensor.
    numbers: BTreeMap<TensorId, u32>,
    /// The adjoint of each tensor.
    adjoints: BTreeMap<TensorId, TensorId>,
    /// The factors of chain rules that stand once for several.
    factors: BTreeMap<u64, SharedFactor>,
    /// The derivation's tables with what is only written: a copy, once there is a need for it.
    scratch: RefCell<Option<Context>>,
}

/// The sheet of a derivation, with the numbers of an example if there is one.
pub(super) fn compose(derivation: &Derivation, options: &SheetOptions, worked: Option<&Worked>) -> Document {
    let notation = Notation::new(derivation, &options.notation);
    let mut composer = Composer {
        derivation,
        notation: &notation,
        options,
        numbers: numbers(derivation),
        adjoints: adjoints(derivation),
        factors: BTreeMap::new(),
        scratch: RefCell::default(),
    };
    composer.factors = composer.shared_factors();
    let sections = [
        ("Notation", "notation", composer.symbols()),
        ("Objective", "objective", composer.objective()),
        ("Forward pass", "forward", composer.forward()),
        ("Backward pass", "backward", composer.backward()),
        ("Update rules", "update", composer.update()),
        ("Algorithm", "algorithm", composer.algorithm()),
    ];
    let sections = sections.into_iter().filter(|(_, _, blocks)| !blocks.is_empty());
    let mut sections: Vec<Section> = sections.map(|(title, anchor, blocks)| Section { title, anchor, blocks }).collect();
    if let Some(worked) = worked {
        let mut numbers = NumberComposer::new(&composer, worked);
        for section in &mut sections {
            section.blocks = numbers.beneath(std::mem::take(&mut section.blocks));
        }
        sections.insert(1.min(sections.len()), numbers.section());
    }
    for section in &mut sections {
        section.blocks = with_broken_lines(std::mem::take(&mut section.blocks));
    }
    Document {
        title: match derivation.objective {
            Some(_) => format!("Update rules for {}", derivation.model.name),
            None => format!("Derivatives for {}", derivation.model.name),
        },
        summary: composer.summary(),
        sections,
    }
}

/// Where the derivatives of some forward equations by certain tensors are a choice.
pub(super) fn kink_lines(
    notation: &Notation<'_>,
    options: &SheetOptions,
    equations: &[&Equation],
    is_differentiated: &dyn Fn(TensorId) -> bool,
) -> Vec<Line> {
    let derivation = notation.derivation;
    let (numbers, adjoints, factors) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let composer = Composer { derivation, notation, options, numbers, adjoints, factors, scratch: RefCell::default() };
    composer.kink_lines(equations, is_differentiated)
}

/// Displays that follow each other have their columns in common, and so the room that is left for formulas.
fn with_broken_lines(blocks: Vec<Block>) -> Vec<Block> {
    let lefts: Vec<Option<f64>> = blocks
        .iter()
        .map(|block| match block {
            Block::Display(lines) => Some(left_width(lines)),
            _ => None,
        })
        .collect();
    let run = |at: usize| {
        let before = lefts[..at].iter().rev().map_while(|left| *left);
        before.chain(lefts[at..].iter().map_while(|left| *left)).fold(0.0, f64::max)
    };
    let blocks = blocks.into_iter().enumerate().map(|(at, block)| match block {
        Block::Display(lines) => Block::Display(break_lines(lines, run(at))),
        block => block,
    });
    blocks.collect()
}

fn numbers(derivation: &Derivation) -> BTreeMap<TensorId, u32> {
    let model = &derivation.model;
    (derivation.objective.iter())
        .chain(&derivation.forward)
        .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
        .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
        .chain(&model.constants)
        .chain(model.optimizers.iter().flat_map(|optimizer| &optimizer.equations))
        .map(|equation| (equation.target, equation.number))
        .filter(|(_, number)| *number > 0)
        .collect()
}

fn adjoints(derivation: &Derivation) -> BTreeMap<TensorId, TensorId> {
    let targets = derivation.backward.iter().map(|adjoint| adjoint.equation.target);
    let by = targets.filter_map(|target| match derivation.model.context.tensor(target).role {
        Role::Adjoint { of } => Some((of, target)),
        _ => None,
    });
    by.collect()
}

impl<'a> Composer<'a> {
    fn context(&self) -> &'a Context {
        &self.derivation.model.context
    }

    /// What stands below the title.
    fn summary(&self) -> Vec<Vec<Inline>> {
        let model = &self.derivation.model;
        let mut summary = Vec::new();
        let widths = self.widths();
        if widths.len() > 1 {
            summary.push(vec![Inline::text(widths.join("–"))]);
        }
        let count: usize = model.parameters.iter().map(|parameter| self.context().tensor(parameter.tensor).size()).sum();
        summary.push(vec![Inline::text(match count {
            0 => "no parameters".to_owned(),
            1 => "1 parameter".to_owned(),
            count => format!("{} parameters", grouped(count)),
        })]);
        let mut rules: Vec<&str> = Vec::new();
        for optimizer in &model.optimizers {
            if !rules.contains(&optimizer.rule.as_str()) {
                rules.push(&optimizer.rule);
            }
        }
        if !rules.is_empty() {
            summary.push(vec![Inline::text("updated by "), Inline::Code(rules.join(", "))]);
        }
        summary.push(vec![Inline::text(format!("indices from {}", self.options.notation.first_index))]);
        summary
    }

    /// The shapes that an example goes through: the inputs', and those of all values that are computed from parameters directly, but once
    /// for what one layer computes side by side, as the gates of an LSTM.
    fn widths(&self) -> Vec<String> {
        const LONGEST: usize = 12;
        let model = &self.derivation.model;
        let shape = |tensor: TensorId| match &self.context().tensor(tensor).shape[..] {
            [] => "1".to_owned(),
            shape => shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×"),
        };
        let mut widths = vec![model.inputs.iter().map(|&input| shape(input)).collect::<Vec<_>>().join("+")];
        let layer = |tensor: TensorId| self.context().tensor(tensor).name.rsplit_once('.').map(|(layer, _)| layer);
        let mut before = None;
        for equation in &self.derivation.forward {
            let read = self.context().tensors_in(equation.value);
            if read.iter().any(|&tensor| self.context().tensor(tensor).role == Role::Parameter) {
                let here = layer(equation.target).map(|layer| (layer, shape(equation.target)));
                if here.is_none() || here != before {
                    widths.push(shape(equation.target));
                }
                before = here;
            }
        }
        if widths.len() > LONGEST {
            widths.splice(LONGEST / 2..widths.len() - LONGEST / 2 + 1, ["…".to_owned()]);
        }
        widths
    }

    /// The number of the equation that defines a tensor.
    fn number(&self, tensor: TensorId) -> Option<u32> {
        self.numbers.get(&tensor).copied()
    }

    /// The tensor that holds the derivative of the loss by another.
    fn adjoint_of(&self, tensor: TensorId) -> Option<TensorId> {
        self.adjoints.get(&tensor).copied()
    }

    /// One equation on one line, without a reason.
    fn line(&self, equation: &Equation) -> Line {
        let mut writer = Writer::for_rule(self.notation, equation);
        writer.use_matrices(&equation.indices, &[equation.value]);
        let left = writer.left(equation);
        let relation = writer.relation(equation);
        let right = writer.expression(equation.value);
        Line {
            left: Some(left),
            relation: Some(relation),
            right,
            reason: Vec::new(),
            number: Some(equation.number),
            content: Content::Form(equation.value),
        }
    }

    /// A tensor with the index names of its declaration.
    fn generic_element(&self, tensor: TensorId, indices: &[IndexId]) -> Math {
        let mut writer = Writer::new(self.notation, self.context(), &[], &[]);
        writer.avoid_tensor(tensor);
        writer.bind_all(indices);
        writer.element(tensor, indices)
    }

    /// The free indices of the equation that defines a tensor, or of the gradient or adjoint of it: a name for each axis.
    fn axes_of(&self, tensor: TensorId) -> &'a [IndexId] {
        let derivation = self.derivation;
        let adjoints = derivation.backward.iter().map(|adjoint| &adjoint.equation);
        let optimizers = derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations);
        let gradients = derivation.gradient.iter().map(|gradient| &gradient.equation);
        let mut all = derivation.forward.iter().chain(gradients).chain(adjoints).chain(optimizers);
        let is_about = |equation: &&Equation| {
            equation.target == tensor
                || match self.context().tensor(equation.target).role {
                    Role::Adjoint { of } | Role::Gradient { of } | Role::Next { of } => of == tensor,
                    _ => false,
                }
        };
        all.find(is_about).map_or(&[], |equation| &equation.indices)
    }

    /// Whether an equation is written with whole vectors and matrices.
    fn is_whole(&self, equation: &Equation) -> bool {
        Writer::for_rule(self.notation, equation).use_matrices(&equation.indices, &[equation.value])
    }

    /// The ranges of some of an equation's indices.
    fn ranges_of(&self, equation: &Equation, indices: &[IndexId]) -> Vec<Inline> {
        let writer = Writer::for_rule(self.notation, equation);
        let layers = self.layers_upwards(equation).map(|layers| vec![Inline::Math(layers)]);
        let ranges = writer.ranges(indices).into_iter().map(|range| vec![Inline::Math(range)]);
        separated(layers.into_iter().chain(ranges).collect(), "; ")
    }
}

/// A line that goes on with an equation.
fn continued(right: Math, reason: Vec<Inline>) -> Line {
    Line { left: None, relation: Some(Operator::Equal), right, reason, number: None, content: Content::Other }
}

/// A line that begins an equation.
fn begun(left: Math, right: Math, reason: Vec<Inline>) -> Line {
    Line { left: Some(left), relation: Some(Operator::Equal), right, reason, number: None, content: Content::Other }
}

/// Links to equations, in order; three and more in a row as a range.
fn references(numbers: impl IntoIterator<Item = u32>) -> Vec<Inline> {
    let mut numbers: Vec<u32> = numbers.into_iter().collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut parts = Vec::new();
    let mut rest = &numbers[..];
    while let Some(&first) = rest.first() {
        let run = rest.iter().zip(first..).take_while(|(number, expected)| **number == *expected).count();
        if run > 2 {
            parts.push(vec![Inline::Reference(first), Inline::text("–"), Inline::Reference(rest[run - 1])]);
        } else {
            parts.extend(rest[..run].iter().map(|&number| vec![Inline::Reference(number)]));
        }
        rest = &rest[run..];
    }
    separated(parts, ", ")
}

/// Parts of a text with something between them.
fn separated(parts: Vec<Vec<Inline>>, separator: &str) -> Vec<Inline> {
    let mut joined = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !joined.is_empty() {
            joined.push(Inline::text(separator));
        }
        joined.extend(part);
    }
    joined
}

/// Digits in groups of three.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
