//! Where a derivative is a choice: the slope that was chosen, and all that could have been.

use super::{Composer, references, separated};
use crate::calculus::{Kink, kinks, number_of};
use crate::equation::{Context, Equation, ExprId, IndexId, TensorId};
use crate::sheet::document::{Block, Content, Inline, Line};
use crate::sheet::formula::Writer;
use crate::sheet::math::{Fence, Math, Operator, width};

/// A kink with the equation that it is in and the number of that, where it is one of the forward pass.
type Found<'e> = (Option<&'e Equation>, Option<u32>, Kink);

/// The kinks of some equations.
fn kinks_of<'e>(
    context: &mut Context,
    equations: &[&'e Equation],
    is_differentiated: &dyn Fn(TensorId) -> bool,
) -> Vec<Found<'e>> {
    let mut found = Vec::new();
    for &equation in equations {
        let all = kinks(context, equation.value, &is_differentiated);
        found.extend(all.into_iter().map(|kink| (Some(equation), Some(equation.number), kink)));
    }
    found
}

impl Composer<'_> {
    pub(super) fn kinks(&self) -> Vec<Block> {
        let model = &self.derivation.model;
        // To look for kinks makes new expressions, and the derivation's own tables stay as they are.
        let mut context: Context = self.context().clone();
        let is_differentiated = |tensor: TensorId| {
            self.adjoint_of(tensor).is_some() || self.derivation.gradient.iter().any(|gradient| gradient.parameter == tensor)
        };
        let leading: Vec<&Equation> = self.derivation.forward.iter().filter(|equation| self.leads(equation)).collect();
        let mut found = kinks_of(&mut context, &leading, &is_differentiated);
        let objective = self.derivation.objective.as_ref().map(|objective| objective.number);
        for regularizer in &model.regularizers {
            let all = kinks(&mut context, regularizer.value, &is_differentiated);
            found.extend(all.into_iter().map(|kink| (None, objective, kink)));
        }
        if found.is_empty() {
            return Vec::new();
        }
        let lines = found.iter().map(|found| self.kink_line(&context, found, true));
        let text = "Where two branches meet, the slope is that of the branch which holds there. Each number of the \
                    subdifferential, the interval between the slopes on both sides, would do as well:";
        vec![Block::Paragraph(vec![Inline::text(text)]), Block::Display(lines.collect())]
    }

    /// The kinks of some equations where they are differentiated by certain tensors.
    pub(super) fn kink_lines(&self, equations: &[&Equation], is_differentiated: &dyn Fn(TensorId) -> bool) -> Vec<Line> {
        let mut context: Context = self.context().clone();
        let found = kinks_of(&mut context, equations, is_differentiated);
        found.iter().map(|found| self.kink_line(&context, found, false)).collect()
    }

    /// One kink, `in_general` where the line stands for all layers of the same form.
    fn kink_line(&self, context: &Context, (equation, number, kink): &Found<'_>, in_general: bool) -> Line {
        /// The widest function that is written above the line of a derivative, in ems.
        const WIDEST: f64 = 8.0;
        let (equation, number) = (*equation, *number);
        let whole = equation.filter(|equation| equation.value == kink.function);
        let expressions: Vec<ExprId> =
            [kink.function, kink.by, kink.at, kink.chosen].into_iter().chain(kink.sides.into_iter().flatten()).collect();
        let mut writer = Writer::new(self.notation, context, &[], &expressions);
        let rule = equation.filter(|_| in_general);
        if let Some(equation) = rule {
            writer = writer.of_layers(equation.target);
        }
        if let Some(equation) = equation {
            writer.avoid_tensor(equation.target);
            writer.bind_all(&equation.indices);
        }
        let free: Vec<IndexId> = expressions.iter().flat_map(|&expr| context.free_indices(expr)).collect();
        writer.bind_all(&free);
        let mut why = Vec::new();
        let of = match whole {
            Some(equation) => writer.left(equation),
            None => {
                let function = writer.expression(kink.function);
                if width(&function) <= WIDEST && !function.is_tall() {
                    in_parentheses(function)
                } else {
                    why.push(Inline::text("of a term of the sum, "));
                    Math::Row(Vec::new())
                }
            }
        };
        let by = writer.expression(kink.by);
        let at = Math::relation(by.clone(), Operator::Equal, writer.expression(kink.at));
        why.extend([Inline::text("at "), Inline::Math(at)]);
        why.extend(separated(vec![vec![Inline::text(", from ")], references(number)], ""));
        if let Some(layers) = rule.and_then(|equation| self.layers_upwards(equation)) {
            why.extend([Inline::text(", for "), Inline::Math(layers)]);
        }
        match kink.sides {
            Some([low, high]) => {
                let ends = vec![writer.expression(low), writer.expression(high)];
                let are_ordered = [low, high].iter().all(|&side| number_of(context, side).is_some());
                let interval = Math::Fenced(Fence::Square, Box::new(Math::list(ends.clone())));
                match are_ordered {
                    true => why.extend([Inline::text("; the subdifferential is "), Inline::Math(interval)]),
                    false => {
                        let [low, high] = [0, 1].map(|at| Inline::Math(ends[at].clone()));
                        let text = "; the subdifferential lies between ";
                        why.extend([Inline::text(text), low, Inline::text(" and "), high]);
                    }
                }
            }
            None => why.push(Inline::text("; it jumps there, and has no slope")),
        }
        Line {
            left: Some(Math::derivative(of, in_parentheses(by))),
            relation: Some(Operator::Equal),
            right: writer.expression(kink.chosen),
            reason: why,
            number: None,
            content: Content::Other,
        }
    }

    /// Whether a maximum or minimum over indices stands on the sheet.
    pub(super) fn has_ties(&self) -> bool {
        use crate::equation::{Node, ReduceKind};
        self.derivation.forward.iter().any(|equation| {
            let mut found = false;
            self.context().visit(equation.value, &mut |context, part| {
                found |= matches!(context.node(part), Node::Reduce { kind: ReduceKind::Max | ReduceKind::Min, .. });
            });
            found
        })
    }
}

fn in_parentheses(math: Math) -> Math {
    match math {
        Math::Row(_) | Math::Product(_) | Math::Big { .. } => math.parenthesized(),
        math => math,
    }
}
