//! A worked example: beneath each equation the numbers of one component, line by line.

use std::collections::BTreeMap;

use super::Composer;
use crate::equation::{Equation, ExprId, IndexId, TensorId};
use crate::sheet::document::{Block, Content, Inline, Line, Numbers, PrintedNumber, Section};
use crate::sheet::formula::{Shown, Writer, number_math};
use crate::sheet::math::{Fence, Math, Operator, width};
use crate::sheet::text::math_text;
use crate::worked::{Instances, Worked, places};

/// Values that are all written out, and how many of more are.
const ALL_VALUES: usize = 12;
const FIRST_VALUES: usize = 6;
/// The columns of a matrix that is written out.
const COLUMNS: usize = 6;
/// Layers whose values are all written out.
const ALL_LAYERS: usize = 4;
/// The width in ems up to which the value stands on the line of what it is the value of.
const SHORT: f64 = 24.0;

/// Puts numbers beneath equations.
pub(super) struct NumberComposer<'a> {
    composer: &'a Composer<'a>,
    worked: &'a Worked,
    instances: Instances<'a>,
    /// The equations that stand on the sheet, by their numbers.
    equations: BTreeMap<u32, &'a Equation>,
    /// All equations, by what they define.
    members: BTreeMap<TensorId, &'a Equation>,
}

/// Lines whose right-hand sides are all equal.
struct Chain {
    left: Math,
    relation: Operator,
    of: Option<(TensorId, Vec<i64>)>,
    forms: Vec<(Math, Numbers)>,
}

impl<'a> NumberComposer<'a> {
    pub(super) fn new(composer: &'a Composer<'a>, worked: &'a Worked) -> Self {
        let derivation = composer.derivation;
        let all = (derivation.objective.iter())
            .chain(&derivation.forward)
            .chain(derivation.backward.iter().map(|adjoint| &adjoint.equation))
            .chain(derivation.gradient.iter().map(|gradient| &gradient.equation))
            .chain(&derivation.model.constants)
            .chain(derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations));
        let members: BTreeMap<TensorId, &Equation> = all.map(|equation| (equation.target, equation)).collect();
        let leading = members.values().filter(|equation| composer.leads(equation));
        let equations = leading.map(|&equation| (equation.number, equation)).collect();
        Self { composer, worked, instances: Instances::new(derivation, worked), equations, members }
    }

    /// What is given, and how the numbers are to be read.
    pub(super) fn section(&mut self) -> Section {
        let model = &self.composer.derivation.model;
        let mut words = self.worked.sources.join(" ");
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(
            "Beneath each equation stand its numbers for one component, and all values of the tensor where they are few.",
        );
        words.push_str(" They are rounded to four digits here, and computed with all.");
        if self.composer.derivation.objective.is_some() {
            words.push_str(" The minibatch is this one example, and the update the first.");
        }
        let lines = crate::trace::tensors(model).filter_map(|tensor| self.values_line(tensor, true)).collect();
        let blocks = vec![Block::Paragraph(vec![Inline::text(words)]), Block::Display(lines)];
        Section { title: "Worked example", anchor: "worked", blocks }
    }

    /// The same blocks with numbers beneath each numbered equation.
    pub(super) fn beneath(&mut self, blocks: Vec<Block>) -> Vec<Block> {
        let blocks = blocks.into_iter().map(|block| match block {
            Block::Display(lines) => Block::Display(self.beneath_lines(lines)),
            block => block,
        });
        blocks.collect()
    }

    fn beneath_lines(&mut self, lines: Vec<Line>) -> Vec<Line> {
        let mut written: Vec<Line> = Vec::with_capacity(2 * lines.len());
        let mut lines = lines.into_iter().peekable();
        let mut begin = 0;
        while let Some(line) = lines.next() {
            let number = line.number;
            written.push(line);
            let Some(number) = number else { continue };
            // A form that holds in a special case only.
            while let Some(special) = lines.next_if(|line| line.left.is_none() && line.number.is_none()) {
                written.push(special);
            }
            let numbers = self.numbers_of(number, &written[begin..]);
            written.extend(numbers);
            begin = written.len();
        }
        written
    }

    /// The numbers of one equation with the lines of its derivation.
    fn numbers_of(&mut self, number: u32, lines: &[Line]) -> Vec<Line> {
        let Some(&equation) = self.equations.get(&number) else { return Vec::new() };
        let Some(place) = self.component(equation.target) else { return Vec::new() };
        let mut at: Vec<(IndexId, i64)> = equation.indices.iter().copied().zip(place.iter().copied()).collect();
        let mut chains: Vec<Chain> = Vec::new();
        for line in lines {
            let form = match line.content {
                Content::Form(form) => form,
                Content::Partial { partial, form } => {
                    let left = self.symbolic(partial, &mut at);
                    chains.push(Chain { left, relation: Operator::Equal, of: None, forms: Vec::new() });
                    form
                }
                Content::Other | Content::Numbers(_) => continue,
            };
            if line.left.is_some() && !matches!(line.content, Content::Partial { .. }) {
                chains.push(self.chain(equation, &place));
            }
            let (Some(chain), Some((math, mut numbers))) = (chains.last_mut(), self.form(form, &mut at)) else { continue };
            if chain.forms.last().is_none_or(|(last, _)| *last != math) {
                numbers.of.clone_from(&chain.of);
                chain.forms.push((math, numbers));
            }
        }
        let mut numbers: Vec<Line> = chains.into_iter().flat_map(|chain| self.chain_lines(chain)).collect();
        numbers.extend(self.values_line(equation.target, false));
        let others = self.composer.general_rule(equation).map_or_else(Vec::new, |rule| rule.members.clone());
        for member in others.into_iter().take(ALL_LAYERS).filter(|&member| member != equation.target) {
            numbers.extend(self.numbers_of_member(member));
        }
        numbers
    }

    /// The numbers of the same rule in another layer, without the lines of its derivation.
    fn numbers_of_member(&mut self, target: TensorId) -> Vec<Line> {
        let Some(&equation) = self.members.get(&target) else { return Vec::new() };
        let Some(place) = self.component(target) else { return Vec::new() };
        let mut at = equation.indices.iter().copied().zip(place.iter().copied()).collect();
        let mut chain = self.chain(equation, &place);
        if let Some((math, numbers)) = self.form(equation.value, &mut at) {
            let of = chain.of.clone();
            chain.forms.push((math, Numbers { of, ..numbers }));
        }
        let mut lines = self.chain_lines(chain);
        lines.extend(self.values_line(target, false));
        lines
    }

    /// The component whose numbers are shown: the first that is not 0, as a unit may be that tells nothing.
    fn component(&self, target: TensorId) -> Option<Vec<i64>> {
        let values = self.instances.values(target)?;
        let mut all = places(&self.instances.context, target);
        let at = values.iter().position(|&value| value != 0.0).unwrap_or(0);
        (at < all.len()).then(|| all.swap_remove(at))
    }

    /// A chain of forms of the equation's right-hand side.
    fn chain(&mut self, equation: &Equation, place: &[i64]) -> Chain {
        let access = self.instances.context.access_at(equation.target, &equation.indices);
        let mut at = equation.indices.iter().copied().zip(place.iter().copied()).collect();
        let left = self.symbolic(access, &mut at);
        let relation = Writer::new(self.composer.notation, &self.instances.context, &[], &[]).relation_to(equation.target);
        Chain { left, relation, of: Some((equation.target, place.to_vec())), forms: Vec::new() }
    }

    /// An expression at the place, its elements named.
    fn symbolic(&mut self, expr: ExprId, at: &mut Vec<(IndexId, i64)>) -> Math {
        self.choose(expr, at);
        let expr = self.instances.at(expr, at);
        Writer::new(self.composer.notation, &self.instances.context, &[], &[]).expression(expr)
    }

    /// An expression at the place, with numbers.
    fn form(&mut self, form: ExprId, at: &mut Vec<(IndexId, i64)>) -> Option<(Math, Numbers)> {
        self.choose(form, at);
        let expr = self.instances.with_numbers(form, at)?;
        let writer = Writer::new(self.composer.notation, &self.instances.context, &[], &[]);
        let math = writer.with_numbers(self.instances.shown()).expression(expr);
        let elements = self.instances.shown_in(expr).into_iter().filter_map(|shown| match shown {
            Shown::Element { tensor, place, value } => Some(printed(tensor, place, value)),
            _ => None,
        });
        Some((math, Numbers { of: None, value: self.instances.value(expr), elements: elements.collect() }))
    }

    /// The first value for each index that has none: those of a partial derivative by itself.
    fn choose(&self, expr: ExprId, at: &mut Vec<(IndexId, i64)>) {
        let context = &self.instances.context;
        for index in context.free_indices(expr) {
            if !at.iter().any(|(known, _)| *known == index) {
                at.push((index, context.index_of(index).start));
            }
        }
    }

    /// The forms one below the other, and what they come to.
    fn chain_lines(&self, chain: Chain) -> Vec<Line> {
        let Chain { left, relation, of, mut forms } = chain;
        let element = of.as_ref().and_then(|(tensor, place)| Some((self.element(*tensor, place)?, *tensor, place)));
        let value = element.as_ref().map(|element| element.0).or_else(|| forms.last().and_then(|(_, numbers)| numbers.value));
        let Some(value) = value else { return Vec::new() };
        let result = number_math(value);
        let elements = element.map(|(value, tensor, place)| printed(tensor, place.clone(), value));
        let numbers = Numbers { of: of.clone(), value: Some(value), elements: elements.into_iter().collect() };
        match forms.last_mut() {
            Some((last, _)) if *last == result => {}
            Some((last, known)) if width(last) <= SHORT => {
                *last = Math::relation(std::mem::replace(last, Math::Row(Vec::new())), Operator::Equal, result);
                known.elements.extend(numbers.elements);
            }
            _ => forms.push((result, numbers)),
        }
        let lines = forms.into_iter().enumerate().map(|(at, (right, numbers))| Line {
            left: (at == 0).then(|| left.clone()),
            relation: Some(if at == 0 { relation } else { Operator::Equal }),
            right,
            reason: Vec::new(),
            number: None,
            content: Content::Numbers(numbers),
        });
        lines.collect()
    }

    fn element(&self, tensor: TensorId, place: &[i64]) -> Option<f64> {
        let shape = &self.instances.context.tensor(tensor).shape;
        let flat = place.iter().zip(shape).fold(0, |flat, (&at, &extent)| flat * extent + at as usize);
        self.instances.values(tensor)?.get(flat).copied()
    }

    /// All values of a tensor where they are few; else none, or with `some` the first.
    fn values_line(&self, tensor: TensorId, some: bool) -> Option<Line> {
        let context = &self.instances.context;
        let shape = &context.tensor(tensor).shape;
        let values = self.instances.values(tensor)?;
        let all = places(context, tensor);
        let is_written_out = values.len() <= ALL_VALUES && (shape.len() < 2 || (shape.len() == 2 && shape[1] <= COLUMNS));
        if !some && (!is_written_out || values.len() < 2) {
            return None;
        }
        let written = if is_written_out { values.len() } else { FIRST_VALUES.min(values.len()) };
        let numbers: Vec<Math> = values[..written].iter().map(|&value| number_math(value)).collect();
        let right = match shape[..] {
            _ if numbers.len() == 1 => numbers.into_iter().next()?,
            [_, columns] if is_written_out && columns > 0 => {
                Math::Matrix(numbers.chunks(columns).map(<[Math]>::to_vec).collect())
            }
            _ => {
                let dots = (written < values.len()).then_some(Math::Operator(Operator::Ellipsis));
                Math::Fenced(Fence::Round, Box::new(Math::list(numbers.into_iter().chain(dots).collect())))
            }
        };
        let elements = all.into_iter().zip(values).take(written).map(|(place, &value)| printed(tensor, place, value));
        let reason = match is_written_out {
            true => Vec::new(),
            false => vec![Inline::text(format!("the first of {}, row by row", super::grouped(values.len())))],
        };
        let mut writer = Writer::new(self.composer.notation, context, &[], &[]);
        let left = if values.len() == 1 { writer.first_element(tensor) } else { writer.whole_symbol(tensor) };
        let relation = Some(writer.relation_to(tensor));
        let content = Content::Numbers(Numbers { of: None, value: None, elements: elements.collect() });
        Some(Line { left: Some(left), relation, right, reason, number: None, content })
    }
}

fn printed(tensor: TensorId, place: Vec<i64>, value: f64) -> PrintedNumber {
    PrintedNumber { tensor, place, text: math_text(&number_math(value)) }
}
