//! Section 4: the derivatives of one example's loss, with the steps that the calculus recorded.

use super::key::{LEAST_LINES, MOST_LINES, key_forms, told};
use super::recurrences::Run;
use super::{Composer, begun, continued, references, separated};
use crate::calculus::{Condition, Step, reason};
use crate::derivation::Adjoint;
use crate::equation::{Context, Equation, ExprId, IndexId, Node};
use crate::sheet::Steps;
use crate::sheet::document::{Block, Inline, Line};
use crate::sheet::formula::Writer;
use crate::sheet::math::{Math, Operator};

impl Composer<'_> {
    pub(super) fn backward(&self) -> Vec<Block> {
        if self.derivation.backward.is_empty() {
            return Vec::new();
        }
        let mut blocks = Vec::new();
        if let Some(gradient) = self.derivation.gradient.first() {
            let mut text = vec![Inline::text("For one example; the mean over the minibatch enters in ")];
            text.push(Inline::Reference(gradient.equation.number));
            text.push(Inline::text("."));
            blocks.push(Block::Paragraph(text));
        }
        for (steps, adjoints) in self.adjoint_runs() {
            let is_first = !blocks.iter().any(|block| matches!(block, Block::Display(_)));
            if let Some(steps) = steps {
                let mut text = vec![Inline::text("Backpropagation through time, step by step, for "), Inline::Math(steps)];
                text.push(Inline::text("; a derivative by what lies after the last step is 0:"));
                blocks.push(Block::Paragraph(text));
            } else if !is_first {
                blocks.push(Block::Paragraph(vec![Inline::text("After that:")]));
            }
            blocks.extend(self.adjoint_blocks(adjoints));
        }
        blocks.extend(self.kinks());
        blocks
    }

    /// Adjoints of the same layers together, with these layers announced.
    fn adjoint_blocks(&self, adjoints: Vec<&Adjoint>) -> Vec<Block> {
        let leaders: Vec<&Adjoint> = adjoints.into_iter().filter(|adjoint| self.leads(&adjoint.equation)).collect();
        let layers = |adjoint: &Adjoint| self.general_rule(&adjoint.equation).map(|rule| rule.layers.clone());
        let mut blocks = Vec::new();
        for group in leaders.chunk_by(|a, b| layers(a) == layers(b)) {
            match self.range_in_words(&group[0].equation) {
                Some(mut text) => {
                    if let Some(Inline::Text(first)) = text.first_mut() {
                        *first = first.replacen('f', "F", 1);
                    }
                    let is_alone = layers(group[0]).is_some_and(|layers| layers.len() == 1);
                    text.push(Inline::text(if is_alone { ", as for every layer before the last:" } else { ":" }));
                    blocks.push(Block::Paragraph(text));
                }
                None if blocks.is_empty() => {}
                None => blocks.push(Block::Paragraph(vec![Inline::text("Once:")])),
            }
            if self.options.steps == Steps::None {
                blocks.push(Block::Display(group.iter().flat_map(|adjoint| self.adjoint_lines(adjoint)).collect()));
            } else {
                blocks.extend(group.iter().map(|adjoint| Block::Display(self.adjoint_lines(adjoint))));
            }
        }
        blocks
    }

    /// The adjoints in the order of computing, those of a recurrence together, with its steps. One that is not computed stands
    /// with what reads it.
    fn adjoint_runs(&self) -> Vec<(Option<Math>, Vec<&Adjoint>)> {
        let all = &self.derivation.backward;
        let computed: Vec<&Adjoint> = all.iter().filter(|adjoint| adjoint.is_computed).collect();
        let equations: Vec<&Equation> = computed.iter().map(|adjoint| &adjoint.equation).collect();
        let runs = self.runs(&equations);
        if !runs.iter().any(Run::is_recurrence) {
            return vec![(None, all.iter().collect())];
        }
        let mut left: Vec<&Adjoint> = all.iter().filter(|adjoint| !adjoint.is_computed).collect();
        let mut grouped = Vec::new();
        for run in runs {
            let mut members: Vec<&Adjoint> = Vec::new();
            for &position in &run.equations {
                let reader = computed[position];
                let read: Vec<&Adjoint> = left.extract_if(.., |adjoint| reads(reader, adjoint)).collect();
                members.extend(read);
                members.push(reader);
            }
            grouped.push((self.steps(&equations, &run), members));
        }
        if let Some((_, members)) = grouped.first_mut() {
            members.splice(0..0, left);
        }
        grouped
    }

    fn adjoint_lines(&self, adjoint: &Adjoint) -> Vec<Line> {
        let equation = &adjoint.equation;
        let mut writer = self.adjoint_writer(adjoint);
        let steps: Vec<ExprId> = adjoint.record.steps.iter().map(|step| step.value).chain([equation.value]).collect();
        let shown = match self.options.steps {
            Steps::None => steps[steps.len() - 1..].to_vec(),
            Steps::Key => self.shown_values(adjoint),
            Steps::All => steps,
        };
        writer.use_matrices(&equation.indices, &shown);
        let left = writer.left(equation);
        let mut stated = Vec::new();
        let mut lines = match self.options.steps {
            Steps::None => Vec::new(),
            Steps::Key | Steps::All => without_repetition(self.derivation_lines(&mut writer, adjoint, &left, &mut stated)),
        };
        if lines.is_empty() {
            let uses = adjoint.record.steps.iter().chain(adjoint.record.factors.iter().flat_map(|factor| &factor.steps));
            let numbers = uses.clone().flat_map(|step| &step.uses).filter_map(|&tensor| self.number(tensor));
            let mut why = vec![Inline::text("from ")];
            why.extend(references(numbers));
            let conditions = self.conditions(&mut writer, uses, &mut stated);
            let why = separated(vec![why, conditions], "; ");
            lines.push(begun(left, writer.expression(equation.value), why).of(equation.value));
        }
        if writer.use_matrices(&equation.indices, &[equation.value]) {
            let whole = writer.left(equation);
            if lines.iter().rev().find_map(|line| line.left.as_ref()) != Some(&whole) {
                lines.push(begun(whole, writer.expression(equation.value), vec![Inline::text("all elements at once")]));
            }
        }
        if let Some(last) = lines.last_mut() {
            last.number = Some(equation.number);
            if !adjoint.is_computed {
                last.reason = separated(vec![std::mem::take(&mut last.reason), self.readers(adjoint)], "; ");
            }
        }
        if let Some(special) = &adjoint.record.special_case {
            let right = writer.expression(special.value);
            let mut why = vec![Inline::text("if ")];
            writer.use_elements();
            why.extend(special.condition.as_ref().map(|condition| Inline::Math(self.condition(&mut writer, condition))));
            lines.push(continued(right, why));
        }
        lines
    }

    /// The chain rule and the forms that are shown after it at the most.
    fn shown_values(&self, adjoint: &Adjoint) -> Vec<ExprId> {
        let Some((chain, forms)) = adjoint.record.steps.split_first() else { return vec![adjoint.equation.value] };
        let forms_shown = key_forms(forms, 0).into_iter().map(|at| forms[at].value);
        [chain.value].into_iter().chain(forms_shown).chain([adjoint.equation.value]).collect()
    }

    /// Where an adjoint went that the code does not compute.
    fn readers(&self, adjoint: &Adjoint) -> Vec<Inline> {
        let leaders = self.derivation.backward.iter().filter(|other| self.leads(&other.equation));
        let readers = leaders.filter(|other| reads(other, adjoint)).map(|reader| reader.equation.number);
        [Inline::text("only a step on the way to ")].into_iter().chain(references(readers)).collect()
    }

    /// A writer whose indices keep away from the letters of all steps.
    fn adjoint_writer(&self, adjoint: &Adjoint) -> Writer<'_> {
        let record = &adjoint.record;
        let mut expressions: Vec<ExprId> = record.steps.iter().map(|step| step.value).collect();
        expressions.extend(record.factors.iter().flat_map(|factor| factor.steps.iter().map(|step| step.value)));
        expressions.extend(record.factors.iter().flat_map(|factor| match self.context().node(factor.partial) {
            Node::Partial { of, by } => vec![*of, *by],
            _ => Vec::new(),
        }));
        Writer::new(self.notation, self.context(), &adjoint.equation.indices, &expressions).of_layers(adjoint.equation.target)
    }

    fn derivation_lines(&self, writer: &mut Writer<'_>, adjoint: &Adjoint, left: &Math, stated: &mut Vec<ExprId>) -> Vec<Line> {
        let record = &adjoint.record;
        let all = self.options.steps == Steps::All;
        let Some((chain, forms)) = record.steps.split_first() else { return Vec::new() };
        // Where the loss itself is differentiated, the only factor is the whole.
        if let [factor] = &record.factors[..]
            && chain.value == factor.partial
        {
            let mut lines =
                self.within_factor(writer, adjoint, factor, |writer| self.factor_lines(writer, factor, false, stated));
            let before = lines.len().saturating_sub(1);
            lines.extend(self.form_lines(writer, forms.get(1..).unwrap_or(&[]), before, Vec::new(), stated));
            return lines;
        }
        let stated_before = stated.clone();
        let (mut lines, mut known) = self.lines_of_factors(writer, adjoint, false, stated);
        if !all && lines.len() + LEAST_LINES > MOST_LINES {
            *stated = stated_before;
            (lines, known) = self.lines_of_factors(writer, adjoint, true, stated);
        }
        let uses: Vec<u32> = chain.uses.iter().filter_map(|&tensor| self.number(tensor)).collect();
        let mut why = vec![Inline::text("chain rule, ")];
        why.extend(references(uses));
        let before = lines.len();
        lines.push(begun(left.clone(), writer.expression(chain.value), why).of(chain.value));
        lines.extend(self.form_lines(writer, forms, before, separated(known, "; "), stated));
        lines
    }

    /// The lines of the factors of a chain rule, and what is said of those that need none.
    fn lines_of_factors(
        &self,
        writer: &mut Writer<'_>,
        adjoint: &Adjoint,
        terse: bool,
        stated: &mut Vec<ExprId>,
    ) -> (Vec<Line>, Vec<Vec<Inline>>) {
        let (mut lines, mut known) = (Vec::new(), Vec::new());
        for factor in &adjoint.record.factors {
            self.within_factor(writer, adjoint, factor, |writer| match self.simple_factor(writer, factor) {
                Some(text) if self.options.steps != Steps::All => known.push(text),
                _ => match self.derived_before(writer, adjoint, factor) {
                    Some(text) => known.push(text),
                    None => lines.extend(self.shared_factor_lines(writer, factor, terse, stated)),
                },
            });
        }
        (lines, known)
    }

    /// The forms of a right-hand side: all of them, or those that a reader needs to follow, with the reasons of those left out.
    /// `before` lines stand above the chain rule, and `known` is what is said about its factors.
    pub(super) fn form_lines(
        &self,
        writer: &mut Writer<'_>,
        steps: &[Step],
        before: usize,
        known: Vec<Inline>,
        stated: &mut Vec<ExprId>,
    ) -> Vec<Line> {
        let all = self.options.steps == Steps::All;
        let shown = if all { (0..steps.len()).collect() } else { key_forms(steps, before) };
        let mut lines = Vec::new();
        let mut from = 0;
        for at in shown {
            let taken: Vec<&Step> = steps[from..=at].iter().collect();
            from = at + 1;
            let puts_factors_in = taken.iter().any(|step| step.rule == "substitute-factors");
            // That the factors were put in says little, where more is to say.
            let speaking: Vec<&Step> = match taken.len() {
                1 if known.is_empty() => taken.clone(),
                _ => taken.iter().copied().filter(|step| step.rule != "substitute-factors").collect(),
            };
            let told = if all { speaking } else { told(&speaking) };
            let reasons = separated(self.step_reasons(&told), ", ");
            let conditions = self.conditions(writer, taken, stated);
            let known = if puts_factors_in { known.clone() } else { Vec::new() };
            let why = separated(vec![known, reasons, conditions], "; ");
            lines.push(continued(writer.expression(steps[at].value), why).of(steps[at].value));
        }
        lines
    }

    /// Why each of some steps holds; what several put in is named together.
    fn step_reasons(&self, steps: &[&Step]) -> Vec<Vec<Inline>> {
        let puts_in = |step: &Step| step.rule == "substitute-adjoint";
        let runs = steps.chunk_by(|a, b| puts_in(a) && puts_in(b));
        let reasons = runs.map(|run| match run {
            [step] => self.step_reason(step),
            _ => {
                let used = run.iter().flat_map(|step| &step.uses).filter_map(|&tensor| self.number(tensor));
                [Inline::text("with ")].into_iter().chain(references(used)).collect()
            }
        });
        reasons.collect()
    }

    fn step_reason(&self, step: &Step) -> Vec<Inline> {
        let numbers: Vec<u32> = step.uses.iter().filter_map(|&tensor| self.number(tensor)).collect();
        if step.rule == "substitute-adjoint" {
            return [Inline::text("with ")].into_iter().chain(references(numbers)).collect();
        }
        let mut text = vec![Inline::text(match reason(step.rule) {
            "" => step.rule.replace('-', " "),
            known => known.to_owned(),
        })];
        if !numbers.is_empty() {
            text.push(Inline::text(", "));
            text.extend(references(numbers));
        }
        text
    }

    /// What must hold for steps to be right and was not stated before.
    pub(super) fn conditions<'s>(
        &self,
        writer: &mut Writer<'_>,
        steps: impl IntoIterator<Item = &'s Step>,
        stated: &mut Vec<ExprId>,
    ) -> Vec<Inline> {
        let mut conditions = Vec::new();
        for condition in steps.into_iter().filter_map(|step| step.condition.as_ref()) {
            match condition {
                Condition::NotZero(expr) => {
                    for factor in self.factors_of(*expr) {
                        let is_known = writer.is_clearly_positive(factor)
                            || stated.iter().any(|&known| is_instance(self.context(), known, factor));
                        if !is_known {
                            stated.push(factor);
                            conditions.push(vec![Inline::Math(writer.not_zero(factor))]);
                        }
                    }
                }
                Condition::SumsToOne(_) => conditions.push(vec![Inline::Math(self.condition(writer, condition))]),
            }
        }
        if self.options.steps == Steps::All {
            stated.clear();
        }
        let mut text = separated(conditions, ", ");
        if !text.is_empty() {
            text.insert(0, Inline::text("for "));
        }
        text
    }

    /// The factors of a product that depend on anything: it is not 0 where none of them is.
    fn factors_of(&self, expr: ExprId) -> Vec<ExprId> {
        match self.context().node(expr) {
            Node::Multiply(factors) => {
                factors.iter().copied().filter(|&factor| self.context().as_number(factor).is_none()).collect()
            }
            _ => vec![expr],
        }
    }

    fn condition(&self, writer: &mut Writer<'_>, condition: &Condition) -> Math {
        match condition {
            Condition::NotZero(expr) => writer.not_zero(*expr),
            Condition::SumsToOne(tensor) => Math::relation(writer.sum_of_elements(*tensor), Operator::Equal, Math::number(1)),
        }
    }
}

/// Whether the derivation of one adjoint starts from another.
fn reads(reader: &Adjoint, adjoint: &Adjoint) -> bool {
    reader.record.steps.iter().any(|step| step.uses.contains(&adjoint.equation.target))
}

/// Lines without those that look like the one before: two ways of storing one formula are no step for a reader.
fn without_repetition(mut lines: Vec<Line>) -> Vec<Line> {
    lines.dedup_by(|next, line| next.left.is_none() && next.right == line.right);
    lines
}

/// Whether what is said of one expression for all indices says it of another: the same, but for the names of indices.
fn is_instance(context: &Context, general: ExprId, instance: ExprId) -> bool {
    fn matches(context: &Context, general: ExprId, instance: ExprId, names: &mut Vec<(IndexId, IndexId)>) -> bool {
        let mut all = |pairs: &[ExprId], others: &[ExprId]| {
            pairs.len() == others.len() && pairs.iter().zip(others).all(|(&a, &b)| matches(context, a, b, names))
        };
        match (context.node(general), context.node(instance)) {
            (Node::Add(a), Node::Add(b)) | (Node::Multiply(a), Node::Multiply(b)) => all(a, b),
            (Node::Power(a, n), Node::Power(b, m)) => all(&[*a, *n], &[*b, *m]),
            (Node::Call(f, a), Node::Call(g, b)) => f == g && all(&[*a], &[*b]),
            (Node::Access { tensor: a, indices: at }, Node::Access { tensor: b, indices: there }) => {
                let mut is_named = |from: IndexId, to: IndexId| match names.iter().find(|(known, _)| *known == from) {
                    Some((_, known)) => *known == to,
                    None => {
                        names.push((from, to));
                        let range = |index: IndexId| (context.index_of(index).start, context.index_of(index).end);
                        range(from) == range(to)
                    }
                };
                a == b
                    && at.iter().zip(there).all(|(from, to)| match (from.as_index(), to.as_index()) {
                        (Some(from), Some(to)) => is_named(from, to),
                        _ => from == to,
                    })
            }
            _ => general == instance,
        }
    }
    matches(context, general, instance, &mut Vec::new())
}
