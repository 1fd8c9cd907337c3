//! Layers that are linear one after the other: together they are one.

use super::{Fact, FactKind, Study};
use crate::calculus::{differentiate, simplified};
use crate::equation::{Affine, ExprId, Role, TensorId};

/// Formulas that are longer are not shown.
const LONGEST_FORMULA: usize = 240;

/// Two layers, by their forward equations, and a function between them.
struct Pair {
    first: usize,
    between: Option<usize>,
    second: usize,
}

/// A fact for each pair of layers.
pub(super) fn facts(study: &mut Study<'_>) -> Vec<Fact> {
    let pairs: Vec<Pair> = (0..study.derivation.forward.len()).filter_map(|second| pair(study, second)).collect();
    pairs.iter().map(|pair| fact(study, pair)).collect()
}

/// A layer with what comes before it, where all of it is linear.
fn pair(study: &mut Study<'_>, second: usize) -> Option<Pair> {
    let hidden = linear_layer(study, second)?;
    let before = only_definition(study, hidden)?;
    if linear_layer(study, before).is_some() {
        return Some(Pair { first: before, between: None, second });
    }
    let source = study.is_element_wise(before).map(|function| function.source)?;
    let is_linear = is_affine_in(study, before, source);
    let first = only_definition(study, source).filter(|_| is_linear)?;
    linear_layer(study, first).map(|_| Pair { first, between: Some(before), second })
}

/// What a layer reads, if it is linear in that and multiplies it with parameters.
fn linear_layer(study: &mut Study<'_>, at: usize) -> Option<TensorId> {
    let equation = study.forward(at);
    if study.derivation.model.loss == Some(equation.target) {
        return None;
    }
    let read = study.context.tensors_in(equation.value);
    let has_weights = read.iter().any(|&tensor| study.role(tensor) == Role::Parameter);
    let mut data = read.into_iter().filter(|&tensor| study.context.tensor(tensor).is_per_example());
    let (Some(only), None) = (data.next(), data.next()) else { return None };
    (has_weights && only != equation.target && is_affine_in(study, at, only)).then_some(only)
}

fn is_affine_in(study: &mut Study<'_>, at: usize, tensor: TensorId) -> bool {
    let value = study.forward(at).value;
    let indices = study.context.fresh_axes(tensor);
    let slope = differentiate(&mut study.context, value, tensor, &indices);
    let slope = simplified(&mut study.context, slope);
    !study.context.contains_tensor(slope, tensor) && !study.context.is_integer(slope, 0)
}

/// The equation of a tensor that one other reads.
fn only_definition(study: &Study<'_>, tensor: TensorId) -> Option<usize> {
    study.definition(tensor).filter(|_| study.readers(tensor).len() == 1)
}

fn fact(study: &mut Study<'_>, pair: &Pair) -> Fact {
    let (first, second) = (study.forward(pair.first), study.forward(pair.second));
    let mut value = second.value;
    for at in [pair.between, Some(pair.first)].into_iter().flatten() {
        value = with_definition(study, value, at);
    }
    let input = linear_layer(study, pair.first);
    let formulas = input.map_or_else(Vec::new, |input| formulas(study, pair.second, value, input));
    let size = |tensor: TensorId| study.context.tensor(tensor).size();
    let width = size(first.target);
    // A narrow layer between wide ones may be meant.
    let is_narrow = input.is_some_and(|input| width < size(input).min(size(second.target)));
    let rank = if is_narrow { format!(", of rank {width} at most") } else { String::new() };
    let linear = pair.between.map(|at| study.forward(at).target);
    let between = linear.map_or_else(
        || "nothing that is not linear stands between them".to_owned(),
        |tensor| format!("`{}` has the same slope everywhere", study.name(tensor)),
    );
    let equations = [Some(pair.first), pair.between, Some(pair.second)].into_iter().flatten();
    Fact {
        kind: FactKind::Collapse,
        is_mistake: pair.between.is_some() || !is_narrow,
        what: format!("`{}` and `{}` are together one linear layer{rank}", study.name(first.target), study.name(second.target)),
        reason: format!("{between}, and a linear function of a linear function is linear"),
        formulas,
        equations: study.numbers(equations),
        origin: pair.between.map_or(second.origin, |at| study.forward(at).origin),
    }
}

/// An expression with a tensor's definition in its place.
fn with_definition(study: &mut Study<'_>, value: ExprId, at: usize) -> ExprId {
    let equation = study.forward(at);
    study.context.substitute_tensor(value, equation.target, &mut |context, indices| {
        let renaming: Vec<(_, Affine)> = equation.indices.iter().copied().zip(indices.iter().cloned()).collect();
        context.substitute_indices(equation.value, &renaming)
    })
}

/// The weights and the bias of the layer that both are.
fn formulas(study: &mut Study<'_>, second: usize, value: ExprId, input: TensorId) -> Vec<String> {
    let context = &mut study.context;
    let indices = context.fresh_axes(input);
    let weights = differentiate(context, value, input, &indices);
    let weights = simplified(context, weights);
    let zero = context.integer(0);
    let bias = context.substitute_tensor(value, input, &mut |_, _| zero);
    let bias = simplified(context, bias);
    let names = |indices: &[crate::equation::IndexId]| -> String {
        let names: Vec<&str> = indices.iter().map(|&index| study.context.index_of(index).name.as_str()).collect();
        names.join(", ")
    };
    let outputs = &study.forward(second).indices;
    let all: Vec<_> = indices.iter().chain(outputs).copied().collect();
    let mut formulas = vec![format!("W[{}] = {}", names(&all), study.context.expression_text(weights))];
    if bias != zero {
        formulas.push(format!("b[{}] = {}", names(outputs), study.context.expression_text(bias)));
    }
    formulas.retain(|formula| formula.len() <= LONGEST_FORMULA);
    formulas
}
