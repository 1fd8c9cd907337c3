//! Logarithms of what may be 0 or below.

use super::range::Ranges;
use super::{Fact, FactKind, Study};
use crate::equation::{Elementary, ExprId, Node, Role, TensorId, for_each_child};

/// A fact for each forward equation with such a logarithm.
pub(super) fn facts(study: &mut Study<'_>) -> Vec<Fact> {
    let ranges = Ranges::of_network(study);
    let mut facts = Vec::new();
    for at in 0..study.derivation.forward.len() {
        let mut found = Vec::new();
        find(study, &ranges, study.forward(at).value, &mut found);
        found.dedup();
        facts.extend(found.into_iter().map(|argument| fact(study, &ranges, at, argument)));
    }
    facts
}

/// The arguments of logarithms that may be 0 or below, where they are computed.
fn find(study: &mut Study<'_>, ranges: &Ranges, expr: ExprId, found: &mut Vec<ExprId>) {
    match study.context.node(expr).clone() {
        Node::If { condition, then, otherwise } => {
            let [holds, fails] = [true, false].map(|holds| ranges.given(&study.context, condition, holds));
            find(study, &holds, then, found);
            find(study, &fails, otherwise, found);
        }
        Node::Call(Elementary::Ln, argument) => {
            // What the data say is the data's business.
            let reads = |study: &Study<'_>| {
                let tensors = study.context.tensors_in(argument);
                tensors.into_iter().any(|tensor| matches!(study.role(tensor), Role::Value | Role::Parameter))
            };
            if !ranges.of(&mut study.context, argument).is_positive() && reads(study) && !found.contains(&argument) {
                found.push(argument);
            }
            find(study, ranges, argument, found);
        }
        node => {
            let mut children = Vec::new();
            for_each_child(&node, |child| children.push(child));
            children.into_iter().for_each(|child| find(study, ranges, child, found));
        }
    }
}

fn fact(study: &mut Study<'_>, ranges: &Ranges, at: usize, argument: ExprId) -> Fact {
    let equation = study.forward(at);
    let range = ranges.of(&mut study.context, argument);
    let text = format!("`{}`", study.context.expression_text(argument));
    let tensors = study.context.tensors_in(argument);
    let source: Option<TensorId> = tensors.iter().copied().find(|&tensor| study.role(tensor) == Role::Value);
    let mut equations: Vec<u32> =
        source.and_then(|tensor| study.definition(tensor)).map(|at| study.forward(at).number).into_iter().collect();
    equations.push(equation.number);
    let low = range.low.value;
    let least = if low == 0.0 {
        "0".to_owned()
    } else if low.is_finite() {
        super::number_text(low)
    } else {
        "any number".to_owned()
    };
    let what = if low == 0.0 {
        format!("`{}` is infinite where {text} is 0, and its gradient with it", study.name(equation.target))
    } else {
        format!("`{}` is undefined where {text} is 0 or negative", study.name(equation.target))
    };
    let by = source
        .map_or_else(String::new, |tensor| format!(", since `{}` may be {}", study.name(tensor), range_text(ranges, tensor)));
    let reason =
        if low.is_finite() { format!("{text} may be as small as {least}{by}") } else { format!("{text} may be {least}{by}") };
    let origin = source.and_then(|tensor| study.definition(tensor)).and_then(|at| study.forward(at).origin).or(equation.origin);
    Fact { kind: FactKind::Logarithm, is_mistake: true, what, reason, formulas: Vec::new(), equations, origin }
}

fn range_text(ranges: &Ranges, tensor: TensorId) -> String {
    let range = ranges.of_tensor(tensor);
    match (range.low.value.is_finite(), range.high.value.is_finite()) {
        (true, true) => format!("from {} to {}", super::number_text(range.low.value), super::number_text(range.high.value)),
        (true, false) => format!("{} and all above", super::number_text(range.low.value)),
        (false, true) => format!("{} and all below", super::number_text(range.high.value)),
        (false, false) => "any number".to_owned(),
    }
}
