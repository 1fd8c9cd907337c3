//! How much of a derivative is left after many small slopes.

use std::collections::BTreeMap;

use super::activation::{Function, variable};
use super::interval::Interval;
use super::range::Ranges;
use super::{Fact, FactKind, Study, number_text};
use crate::equation::{ExprId, Role, TensorId};

/// Below this, weights of the usual size do not make up for it.
const SMALL: f64 = 1e-3;

/// What passes from the loss to a tensor, along the best of all ways.
#[derive(Clone, Debug)]
struct Passed {
    bound: f64,
    /// The equations with small slopes on the way, nearest to the loss first.
    equations: Vec<(usize, f64)>,
    /// The parameters that are factors on the way.
    weights: Vec<TensorId>,
}

/// The bound for the parameter that most small slopes lie before, if it is below 1.
pub(super) fn facts(study: &mut Study<'_>) -> Vec<Fact> {
    let Some(loss) = study.derivation.model.loss else { return Vec::new() };
    let slopes = slopes(study);
    let mut passed: BTreeMap<TensorId, Passed> = BTreeMap::new();
    passed.insert(loss, Passed { bound: 1.0, equations: Vec::new(), weights: Vec::new() });
    for at in (0..study.derivation.forward.len()).rev() {
        let equation = study.forward(at);
        let Some(mut here) = passed.get(&equation.target).cloned() else { continue };
        if let Some(&slope) = slopes.get(&at) {
            here.bound *= slope;
            here.equations.push((at, slope));
        }
        let read = study.context.tensors_in(equation.value);
        let weights: Vec<TensorId> = read.iter().copied().filter(|&tensor| is_weight(study, tensor)).collect();
        for tensor in read {
            // What a recurrence hands on to itself is a way of its own.
            if tensor == equation.target {
                continue;
            }
            let mut way = here.clone();
            if study.role(tensor) != Role::Parameter {
                way.weights.extend(&weights);
            }
            let is_better = passed.get(&tensor).is_none_or(|known| way.bound > known.bound);
            if is_better {
                passed.insert(tensor, way);
            }
        }
    }
    let trained =
        study.derivation.model.parameters.iter().filter(|parameter| parameter.trained).map(|parameter| parameter.tensor);
    let ways = trained.filter_map(|tensor| Some((tensor, passed.get(&tensor)?)));
    let worst = ways.min_by(|a, b| a.1.bound.total_cmp(&b.1.bound));
    worst.filter(|(_, way)| way.bound < 1.0).map(|(tensor, way)| fact(study, tensor, way)).into_iter().collect()
}

fn is_weight(study: &Study<'_>, tensor: TensorId) -> bool {
    study.derivation.model.parameters.iter().any(|parameter| parameter.tensor == tensor && parameter.is_weight)
}

/// The greatest slopes below 1 of functions whose adjoints are computed: one that is merged with the loss passes on more than its slope.
fn slopes(study: &mut Study<'_>) -> BTreeMap<usize, f64> {
    let ranges = Ranges::of_network(study);
    let variable = variable(&mut study.context);
    let mut slopes = BTreeMap::new();
    // Of many equal layers one is looked at.
    let mut known: Vec<(ExprId, Interval, Option<f64>)> = Vec::new();
    for equation in study.element_wise() {
        let target = study.forward(equation.at).target;
        if study.computed_adjoint(target).is_none() {
            continue;
        }
        let function = Function::new(study, equation, variable);
        let range = ranges.of_tensor(equation.source);
        let same = known.iter().find(|(value, of, _)| *value == function.value && *of == range).map(|known| known.2);
        let steepest = same.unwrap_or_else(|| function.steepest(study, &ranges));
        if same.is_none() {
            known.push((function.value, range, steepest));
        }
        if let Some(slope) = steepest.filter(|slope| *slope < 1.0) {
            slopes.insert(equation.at, slope);
        }
    }
    slopes
}

fn fact(study: &Study<'_>, parameter: TensorId, way: &Passed) -> Fact {
    let bound = number_text(way.bound);
    let depth = way.equations.len();
    let first = way.equations[0].1;
    let power = if way.equations.iter().all(|(_, slope)| (slope - first).abs() < 1e-9) {
        let slope = number_text(first);
        if depth == 1 { slope } else { format!("({slope})^{depth} = {bound}") }
    } else {
        format!("{} = {bound}", way.equations.iter().map(|(_, slope)| number_text(*slope)).collect::<Vec<_>>().join(" * "))
    };
    let targets: Vec<TensorId> = way.equations.iter().map(|&(at, _)| study.forward(at).target).collect();
    let mut weights = way.weights.clone();
    weights.dedup();
    let weights =
        if weights.is_empty() { String::new() } else { format!(" times the weights on the way, {}", study.names(&weights)) };
    Fact {
        kind: FactKind::Vanishing,
        is_mistake: way.bound < SMALL,
        what: format!("the gradient by `{}` has the factor {power} at most{weights}", study.name(parameter)),
        reason: format!("each way from the loss goes through the slopes of {}, which are at most that", study.names(&targets)),
        formulas: Vec::new(),
        equations: study.numbers(way.equations.iter().map(|equation| equation.0)),
        origin: study.forward(way.equations[depth - 1].0).origin,
    }
}
