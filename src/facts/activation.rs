//! Continuity and slopes of functions that are applied element by element.

use super::interval::Interval;
use super::range::Ranges;
use super::supremum::supremum;
use super::{ElementWise, Fact, FactKind, Study, number_text};
use crate::calculus::{Kink, differentiate, kinks, number_of, simplified};
use crate::equation::{Context, Elementary, ExprId, Node, Role, TensorId};

/// A function of one number.
pub(super) struct Function {
    pub(super) equation: ElementWise,
    /// A scalar that stands for the element.
    variable: TensorId,
    argument: ExprId,
    /// The function's value and slope in terms of it.
    pub(super) value: ExprId,
    slope: ExprId,
}

impl Function {
    pub(super) fn new(study: &mut Study<'_>, equation: ElementWise, variable: TensorId) -> Self {
        let context = &mut study.context;
        let argument = context.access(variable, Vec::new());
        let value = context.replace(study.derivation.forward[equation.at].value, equation.element, argument);
        let slope = differentiate(context, value, variable, &[]);
        let slope = simplified(context, slope);
        Self { equation, variable, argument, value, slope }
    }

    /// The slope, where it is the same everywhere.
    pub(super) fn constant_slope(&self, context: &Context) -> Option<f64> {
        number_of(context, self.slope)
    }

    /// The greatest absolute slope. In terms of the function's value where the adjoint is: that is where intervals are narrow.
    pub(super) fn steepest(&self, study: &mut Study<'_>, ranges: &Ranges) -> Option<f64> {
        if let Some(slope) = self.constant_slope(&study.context) {
            return Some(slope.abs());
        }
        let of_source = ranges.of_tensor(self.equation.source);
        let in_output = self
            .slope_in_output(study)
            .and_then(|(slope, output, tensor)| supremum(&mut study.context, slope, output, ranges.of_tensor(tensor)));
        in_output.or_else(|| supremum(&mut study.context, self.slope, self.argument, of_source))
    }

    /// The factor that the adjoint of the argument has from this function, where it is written in the function's value alone.
    fn slope_in_output(&self, study: &mut Study<'_>) -> Option<(ExprId, ExprId, TensorId)> {
        let target = study.forward(self.equation.at).target;
        let adjoint = study.computed_adjoint(self.equation.source)?;
        let (mut above, mut output) = (Vec::new(), Vec::new());
        study.context.visit(adjoint.value, &mut |context, part| {
            if let Node::Access { tensor, .. } = context.node(part) {
                if context.tensor(*tensor).role == (Role::Adjoint { of: target }) {
                    above.push(part);
                } else if *tensor == target {
                    output.push(part);
                }
            }
        });
        let (&[above], &[output]) = (&above[..], &output[..]) else { return None };
        let one = study.context.integer(1);
        let slope = study.context.replace(adjoint.value, above, one);
        (study.context.tensors_in(slope) == [target]).then_some((slope, output, target))
    }

    fn kinks(&self, context: &mut Context) -> Vec<Kink> {
        kinks(context, self.value, &|tensor| tensor == self.variable)
    }

    /// Whether the rules for derivatives hold at every number, apart from kinks.
    fn is_regular(&self, context: &mut Context, range: Interval) -> bool {
        let ranges = Ranges::default().knowing(self.argument, range);
        is_regular(context, &ranges, self.variable, self.value)
    }
}

/// A scalar to stand for what a function is applied to.
pub(super) fn variable(context: &mut Context) -> TensorId {
    context.add_intermediate("s", &[])
}

/// What is known of each function, once for all equations that apply it.
pub(super) fn facts(study: &mut Study<'_>) -> Vec<Fact> {
    let ranges = Ranges::of_network(study);
    let variable = variable(&mut study.context);
    let mut groups: Vec<(Function, Vec<usize>)> = Vec::new();
    for equation in study.element_wise() {
        let function = Function::new(study, equation, variable);
        match groups.iter_mut().find(|(known, _)| known.value == function.value) {
            Some((_, equations)) => equations.push(equation.at),
            None => groups.push((function, vec![equation.at])),
        }
    }
    groups.into_iter().filter_map(|(function, equations)| fact(study, &ranges, &function, &equations)).collect()
}

fn fact(study: &mut Study<'_>, ranges: &Ranges, function: &Function, equations: &[usize]) -> Option<Fact> {
    let kinks = function.kinks(&mut study.context);
    let text = |study: &Study<'_>, expr: ExprId| study.context.expression_text(expr);
    let jumps: Vec<&Kink> = kinks.iter().filter(|kink| kink.sides.is_none()).collect();
    let (what, reason) = if let Some(jump) = jumps.first() {
        let at = format!("s = {}", text(study, jump.at));
        (
            format!("not continuous at {at}"),
            format!("its value jumps there; its slope elsewhere is `{}`", text(study, function.slope)),
        )
    } else if let Some(kink) = kinks.first() {
        let sides = kink.sides.map(|sides| sides.map(|side| text(study, side))).unwrap_or_default();
        let chosen = text(study, kink.chosen);
        let all: Vec<String> = kinks.iter().map(|kink| format!("s = {}", text(study, kink.at))).collect();
        (
            format!("continuous, but not differentiable at {}", all.join(" and ")),
            format!("the branches meet there with the slopes {} and {}; the derivation takes {chosen}", sides[0], sides[1]),
        )
    } else if function.is_regular(&mut study.context, Interval::ALL) {
        let reason = format!("its slope `{}` exists for every s", text(study, function.slope));
        ("continuous and differentiable everywhere".to_owned(), reason)
    } else {
        return None;
    };
    let steepest = function.steepest(study, ranges);
    let steepest =
        steepest.map_or_else(String::new, |slope| format!("; the slope is at most {} in absolute value", number_text(slope)));
    let targets: Vec<TensorId> = equations.iter().map(|&at| study.forward(at).target).collect();
    Some(Fact {
        kind: FactKind::Activation,
        is_mistake: false,
        what: format!("the function `{}` of {} is {what}", text(study, function.value), study.names(&targets)),
        reason: reason + &steepest,
        formulas: Vec::new(),
        equations: study.numbers(equations.iter().copied()),
        origin: study.forward(equations[0]).origin,
    })
}

fn is_regular(context: &mut Context, ranges: &Ranges, variable: TensorId, expr: ExprId) -> bool {
    let node = context.node(expr).clone();
    let mut is_affine = |left: ExprId, right: Option<ExprId>| {
        let difference = right.map_or(left, |right| context.subtract(left, right));
        let slope = differentiate(context, difference, variable, &[]);
        let slope = simplified(context, slope);
        !context.contains_tensor(slope, variable)
    };
    let is_defined = match node {
        // All borders are known, so that each is a kink or none.
        Node::Compare(_, left, right) => is_affine(left, Some(right)),
        Node::Call(Elementary::Abs, argument) => is_affine(argument, None),
        Node::Call(Elementary::Floor | Elementary::Tan, _) => false,
        Node::Call(Elementary::Ln | Elementary::Sqrt, argument) => ranges.of(context, argument).is_positive(),
        Node::Call(Elementary::Log1p, argument) => ranges.of(context, argument).plus(Interval::number(1.0)).is_positive(),
        Node::Power(base, exponent) => match context.as_number(exponent).map(|number| number.value()) {
            Some(exponent) if exponent >= 1.0 && exponent.fract() == 0.0 => true,
            Some(_) => {
                let range = ranges.of(context, base);
                range.is_positive() || range.times(Interval::number(-1.0)).is_positive()
            }
            None => ranges.of(context, base).is_positive(),
        },
        Node::If { condition, then, otherwise } => {
            let [holds, fails] = [true, false].map(|holds| ranges.given(context, condition, holds));
            return is_regular(context, ranges, variable, condition)
                && is_regular(context, &holds, variable, then)
                && is_regular(context, &fails, variable, otherwise);
        }
        _ => true,
    };
    let mut children = Vec::new();
    crate::equation::for_each_child(context.node(expr), |child| children.push(child));
    is_defined && children.into_iter().all(|child| is_regular(context, ranges, variable, child))
}
