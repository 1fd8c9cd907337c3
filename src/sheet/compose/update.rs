//! Section 5: the gradient of the objective and the update of each parameter, element by element.

use super::{Composer, continued, references, separated};
use crate::calculus::reason;
use crate::derivation::Gradient;
use crate::equation::{Equation, Role};
use crate::model::Optimizer;
use crate::sheet::Steps;
use crate::sheet::document::{Block, Content, Inline, Line};
use crate::sheet::formula::Writer;
use crate::sheet::math::{Fence, Math, Operator};

impl Composer<'_> {
    pub(super) fn update(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        let mut blocks = Vec::new();
        let (schedules, of_gradients) = self.derivation.changing_constants();
        let announced = [
            ("Before each update:", schedules),
            ("From all gradients, which the formulas below give, before any parameter changes:", of_gradients),
        ];
        for (text, equations) in announced {
            if !equations.is_empty() {
                blocks.push(Block::Paragraph(vec![Inline::text(text)]));
                blocks.push(Block::Display(equations.into_iter().map(|equation| self.line(equation)).collect()));
            }
        }
        let leaders =
            self.derivation.gradient.iter().filter(|gradient| self.leads(&gradient.equation) || self.updates_lead(gradient));
        for gradient in leaders {
            let optimizer = model.optimizers.iter().find(|optimizer| optimizer.parameter == gradient.parameter);
            blocks.push(Block::Heading(self.parameter_heading(gradient)));
            let mut lines = if self.leads(&gradient.equation) { self.gradient_lines(gradient) } else { Vec::new() };
            if let Some(optimizer) = optimizer {
                let leading = optimizer.equations.iter().filter(|equation| self.leads(equation));
                lines.extend(leading.flat_map(|equation| self.update_lines(optimizer, gradient, equation)));
                lines.extend(self.renaming_lines(optimizer));
            }
            blocks.push(Block::Display(lines));
        }
        blocks
    }

    /// Whether the update of a parameter stands on the sheet although its gradient stands with that of another.
    fn updates_lead(&self, gradient: &Gradient) -> bool {
        let optimizers = self.derivation.model.optimizers.iter().filter(|optimizer| optimizer.parameter == gradient.parameter);
        optimizers.flat_map(|optimizer| &optimizer.equations).any(|equation| self.leads(equation))
    }

    fn parameter_heading(&self, gradient: &Gradient) -> Vec<Inline> {
        let name = self.context().tensor(gradient.parameter).name.clone();
        let mut writer = Writer::for_rule(self.notation, &gradient.equation);
        let is_whole = writer.use_matrices(&gradient.equation.indices, &[gradient.equation.value]);
        let symbol = writer.element(gradient.parameter, &gradient.equation.indices);
        let mut heading = vec![Inline::Math(symbol)];
        if self.general_rule(&gradient.equation).is_none() {
            heading.extend([Inline::text(", "), Inline::Code(name)]);
        }
        let ranges = self.ranges_of(&gradient.equation, if is_whole { &[] } else { &gradient.equation.indices });
        if !ranges.is_empty() {
            heading.push(Inline::text(", for "));
            heading.extend(ranges);
        }
        heading
    }

    fn gradient_lines(&self, gradient: &Gradient) -> Vec<Line> {
        let mut line = self.line(&gradient.equation);
        let adjoint = self.adjoint_of(gradient.parameter).and_then(|adjoint| self.number(adjoint));
        let regularized =
            self.derivation.model.regularizers.iter().any(|regularizer| regularizer.parameter == gradient.parameter);
        let mean = adjoint.map(|number| vec![Inline::text("the mean of "), Inline::Reference(number)]);
        let slope = regularized.then(|| {
            let number = self.derivation.objective.as_ref().map(|objective| objective.number);
            [Inline::text("the derivative of the regularizer in ")].into_iter().chain(references(number)).collect()
        });
        line.reason = separated(mean.into_iter().chain(slope).collect(), "; ");
        let mut lines = Vec::new();
        if self.options.steps == Steps::All && regularized {
            lines.extend(self.regularizer_lines(gradient));
        }
        lines.push(line);
        lines
    }

    /// How the derivative of the regularizers was found.
    fn regularizer_lines(&self, gradient: &Gradient) -> Vec<Line> {
        let steps = &gradient.record.steps;
        let regularizers =
            self.derivation.model.regularizers.iter().filter(|regularizer| regularizer.parameter == gradient.parameter);
        let values: Vec<_> = regularizers.map(|regularizer| regularizer.value).collect();
        let mut expressions = values.clone();
        expressions.extend(steps.iter().map(|step| step.value));
        let mut writer = Writer::new(self.notation, self.context(), &gradient.equation.indices, &expressions)
            .of_layers(gradient.equation.target);
        let mut lines: Vec<Line> = Vec::new();
        let by = writer.element(gradient.parameter, &gradient.equation.indices);
        let terms = values.iter().map(|&value| writer.expression(value)).collect();
        let slope = Math::product(vec![Math::derivative(Math::Row(Vec::new()), by), joined(terms)]);
        lines.push(Line {
            left: Some(Math::Row(Vec::new())),
            relation: None,
            right: slope,
            reason: Vec::new(),
            number: None,
            content: Content::Other,
        });
        for step in steps.iter().take_while(|step| step.rule != "mean-over-minibatch") {
            let why = vec![Inline::text(reason(step.rule))];
            lines.push(continued(writer.expression(step.value), why));
        }
        lines
    }

    /// One equation of an optimizer; where a parameter moves along the gradient at once, also with the gradient written out.
    fn update_lines(&self, optimizer: &Optimizer, gradient: &Gradient, equation: &Equation) -> Vec<Line> {
        let mut line = self.line(equation);
        let is_parameter = self.context().tensor(equation.target).role == Role::Next { of: optimizer.parameter };
        if is_parameter
            && optimizer.states.is_empty()
            && optimizer.equations.len() == 1
            && self.context().contains_tensor(equation.value, optimizer.gradient)
        {
            line.number = None;
            let mut why = vec![Inline::text("with ")];
            why.extend(references([gradient.equation.number]));
            let mut written_out = continued(self.with_gradient(optimizer, gradient, equation), why);
            written_out.number = Some(equation.number);
            return vec![line, written_out];
        }
        vec![line]
    }

    fn with_gradient(&self, optimizer: &Optimizer, gradient: &Gradient, equation: &Equation) -> Math {
        // Substitution makes new expressions, and the derivation's own tables stay as they are: one copy of them serves all rules.
        let mut scratch = self.scratch.borrow_mut();
        let context = scratch.get_or_insert_with(|| self.context().clone());
        let known = &gradient.equation;
        let value = context.substitute_tensor(equation.value, optimizer.gradient, &mut |context, places| {
            let renaming: Vec<_> = known.indices.iter().copied().zip(places.iter().cloned()).collect();
            context.substitute_indices(known.value, &renaming)
        });
        let mut writer =
            Writer::new(self.notation, context, &equation.indices, &[equation.value, value]).of_layers(equation.target);
        writer.use_matrices(&equation.indices, &[value]);
        writer.expression(value)
    }

    /// `v ← v′` for the states whose old and new values stood side by side.
    fn renaming_lines(&self, optimizer: &Optimizer) -> Vec<Line> {
        let mut lines = Vec::new();
        for equation in &optimizer.equations {
            if let Role::Next { of } = self.context().tensor(equation.target).role
                && self.notation.is_primed(of)
            {
                let mut writer = Writer::for_rule(self.notation, equation);
                let right = writer.left(equation);
                let left = Some(writer.element(of, &equation.indices));
                lines.push(Line {
                    left,
                    relation: Some(Operator::Becomes),
                    right,
                    reason: Vec::new(),
                    number: None,
                    content: Content::Other,
                });
            }
        }
        lines
    }
}

/// Terms in brackets.
fn joined(terms: Vec<Math>) -> Math {
    let mut row = Vec::new();
    for term in terms {
        if !row.is_empty() {
            row.push(Math::Operator(Operator::Plus));
        }
        row.push(term);
    }
    Math::Fenced(Fence::Square, Box::new(Math::Row(row)))
}
