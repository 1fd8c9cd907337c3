//! Sections 2 and 3: what is minimized, and the equations of the network.

use super::{Composer, references};
use crate::equation::Equation;
use crate::sheet::document::{Block, Inline};
use crate::sheet::math::Math;

impl Composer<'_> {
    pub(super) fn objective(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        if let Some(objective) = &self.derivation.objective {
            let mut blocks = vec![Block::Display(vec![self.line(objective)])];
            if let Some(number) = model.loss.and_then(|loss| self.number(loss)) {
                let example = self.notation.loss(Some(&self.notation.table.example));
                let mut text = vec![Inline::Math(example), Inline::text(" is the loss "), Inline::Reference(number)];
                text.extend([Inline::text(" of example "), Inline::Math(Math::identifier(&self.notation.table.example))]);
                text.push(Inline::text(if model.regularizers.is_empty() {
                    " of the minibatch."
                } else {
                    " of the minibatch; the regularizer counts once for each minibatch."
                }));
                blocks.push(Block::Paragraph(text));
            }
            return blocks;
        }
        let Some(objective) = &model.objective else { return Vec::new() };
        let mut text = vec![Inline::text("Wanted are the derivatives of "), Inline::Math(self.notation.loss(None))];
        text.push(Inline::text(", equation "));
        text.extend(references(self.number(objective.value)));
        text.push(Inline::text(", by "));
        let by = objective.by.iter().map(|&tensor| vec![Inline::Math(self.symbol_with_axes(tensor))]).collect();
        text.extend(super::separated(by, ", "));
        text.push(Inline::text("."));
        vec![Block::Paragraph(text)]
    }

    pub(super) fn forward(&self) -> Vec<Block> {
        let equations: Vec<&Equation> = self.derivation.forward.iter().collect();
        let mut blocks = Vec::new();
        for run in self.runs(&equations) {
            let leaders = run.equations.iter().filter(|&&position| self.leads(equations[position]));
            let lines = leaders.map(|&position| {
                let equation = equations[position];
                let mut line = self.line(equation);
                let indices = run.indices_beside_step(self, equation, position);
                line.reason = self.ranges_of(equation, if self.is_whole(equation) { &[] } else { &indices });
                line
            });
            let display = Block::Display(lines.collect());
            if let Some(steps) = self.steps(&equations, &run) {
                let text = [Inline::text("Step by step, for "), Inline::Math(steps), Inline::text(":")];
                blocks.push(Block::Paragraph(text.into()));
            } else if !blocks.is_empty() {
                blocks.push(Block::Paragraph(vec![Inline::text("After the last step:")]));
            }
            blocks.push(display);
        }
        blocks.extend(self.diagram());
        blocks
    }
}
