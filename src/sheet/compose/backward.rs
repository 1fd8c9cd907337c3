//! Section 4: the derivatives of one example's loss, with the steps that the calculus recorded.

use super::recurrences::Run;
use super::{Composer, begun, continued, references, separated};
use crate::calculus::{Condition, Step, reason};
use crate::derivation::Adjoint;
use crate::equation::{Equation, ExprId, Node};
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
        let layers = |adjoint: &Adjoint| self.folded(&adjoint.equation).map(|rule| rule.layers.clone());
        let mut blocks = Vec::new();
        for group in leaders.chunk_by(|a, b| layers(a) == layers(b)) {
            match self.range_in_words(&group[0].equation) {
                Some(mut text) => {
                    if let Some(Inline::Text(first)) = text.first_mut() {
                        *first = first.replacen('f', "F", 1);
                    }
                    text.push(Inline::text(":"));
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
        let shown = if self.options.steps == Steps::None { &steps[steps.len() - 1..] } else { &steps[..] };
        let is_whole = writer.use_matrices(&equation.indices, shown);
        let left = writer.left(equation);
        let mut lines = match self.options.steps {
            Steps::None => Vec::new(),
            Steps::Key | Steps::All => without_repetition(self.derivation_lines(&mut writer, adjoint, &left)),
        };
        if lines.is_empty() {
            let uses = adjoint.record.steps.iter().chain(adjoint.record.factors.iter().flat_map(|factor| &factor.steps));
            let numbers = uses.clone().flat_map(|step| &step.uses).filter_map(|&tensor| self.number(tensor));
            let mut why = vec![Inline::text("from ")];
            why.extend(references(numbers));
            let conditions = self.conditions(&mut writer, uses);
            let why = separated(vec![why, conditions], "; ");
            lines.push(begun(left, writer.expression(equation.value), why).of(equation.value));
        }
        if !is_whole && writer.use_matrices(&equation.indices, &[equation.value]) {
            let (left, right) = (writer.left(equation), writer.expression(equation.value));
            lines.push(begun(left, right, vec![Inline::text("all elements at once")]));
            writer.use_elements();
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
            why.extend(special.condition.as_ref().map(|condition| Inline::Math(self.condition(&mut writer, condition))));
            lines.push(continued(right, why));
        }
        lines
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

    fn derivation_lines(&self, writer: &mut Writer<'_>, adjoint: &Adjoint, left: &Math) -> Vec<Line> {
        let record = &adjoint.record;
        let all = self.options.steps == Steps::All;
        let Some((chain, forms)) = record.steps.split_first() else { return Vec::new() };
        let mut lines = Vec::new();
        // Where the loss itself is differentiated, the only factor is the whole.
        if let [factor] = &record.factors[..]
            && chain.value == factor.partial
        {
            lines.extend(self.within_factor(writer, adjoint, factor, |writer| self.factor_lines(writer, factor)));
            lines.extend(self.form_lines(writer, forms.get(1..).unwrap_or(&[]), all));
            return lines;
        }
        let mut simple = Vec::new();
        for factor in &record.factors {
            self.within_factor(writer, adjoint, factor, |writer| match self.simple_factor(writer, factor) {
                Some(text) if !all => simple.push(text),
                _ => match self.derived_before(writer, adjoint, factor) {
                    Some(text) => simple.push(text),
                    None => lines.extend(self.shared_factor_lines(writer, factor)),
                },
            });
        }
        let uses: Vec<u32> = chain.uses.iter().filter_map(|&tensor| self.number(tensor)).collect();
        let mut why = vec![Inline::text("chain rule, ")];
        why.extend(references(uses));
        lines.push(begun(left.clone(), writer.expression(chain.value), why).of(chain.value));
        let mut form_lines = self.form_lines(writer, forms, all);
        if let Some(first) = form_lines.first_mut()
            && !simple.is_empty()
        {
            // The factors say more than that they were put in.
            if forms.first().is_some_and(|step| step.rule == "substitute-factors") {
                let rest = first.reason.split_off(1.min(first.reason.len()));
                first.reason = separated(vec![separated(simple, "; "), strip_separator(rest)], "; ");
            } else {
                first.reason.splice(0..0, separated(simple, "; "));
            }
        }
        lines.extend(form_lines);
        lines
    }

    /// The forms of a right-hand side: all of them, or those that a reader needs to follow, with the reasons of those left out.
    pub(super) fn form_lines(&self, writer: &mut Writer<'_>, steps: &[Step], all: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        let mut reasons: Vec<Vec<Inline>> = Vec::new();
        let mut skipped: Vec<&Step> = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let why = self.step_reason(step);
            let next = steps.get(at + 1).map(|next| next.rule);
            let says_little = step.rule == "substitute-factors" && next == Some("substitute-adjoint");
            if all || !(says_little || reasons.contains(&why)) {
                reasons.push(why);
            }
            skipped.push(step);
            let is_key = match step.rule {
                _ if next.is_none() => true,
                "substitute-adjoint" => true,
                "substitute-factors" => next != Some("substitute-adjoint"),
                "cancel" | "distribute-and-cancel" | "in-terms-of-output" => true,
                _ => next == Some("substitute-adjoint"),
            };
            if all || is_key {
                reasons.truncate(3);
                let conditions = self.conditions(writer, skipped.drain(..));
                let why = separated(vec![separated(std::mem::take(&mut reasons), ", "), conditions], "; ");
                lines.push(continued(writer.expression(step.value), why).of(step.value));
            }
        }
        lines
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

    /// What must hold for steps to be right.
    pub(super) fn conditions<'s>(&self, writer: &mut Writer<'_>, steps: impl IntoIterator<Item = &'s Step>) -> Vec<Inline> {
        let mut conditions = Vec::new();
        for condition in steps.into_iter().filter_map(|step| step.condition.as_ref()) {
            if matches!(condition, Condition::NotZero(expr) if writer.is_clearly_positive(*expr)) {
                continue;
            }
            let condition = vec![Inline::Math(self.condition(writer, condition))];
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        }
        let mut text = separated(conditions, ", ");
        if !text.is_empty() {
            text.insert(0, Inline::text("for "));
        }
        text
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

fn strip_separator(mut rest: Vec<Inline>) -> Vec<Inline> {
    if matches!(rest.first(), Some(Inline::Text(text)) if text.starts_with([';', ','])) {
        rest.remove(0);
    }
    rest
}
