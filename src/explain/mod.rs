//! The derivative of the loss by one element, along all ways from it to the loss.
//!
//! What stands on a way and how one element depends on the next is the record of the derivation, at one place: nothing is
//! differentiated here a second time.

mod draw;
mod elements;
mod error;
mod text;

use std::collections::BTreeMap;

use crate::calculus::simplified;
use crate::derivation::{Adjoint, Derivation};
use crate::equation::{Affine, Context, ExprId, IndexId, Node, Role, TensorId, evaluate};
use crate::limits;
use crate::trace::{Circuit, Detail, Given, trace};

use elements::{digits, element_name, with_numbers};
pub use error::ExplainError;

/// An element of a tensor.
type Element = (TensorId, Vec<i64>);

/// An element on the way to the loss.
#[derive(Clone, Debug)]
pub struct Stop {
    /// Its name: `dense1.w[0, 1]`.
    pub name: String,
    /// Its value, where numbers are given.
    pub value: Option<f64>,
    /// The derivative of the loss by it, where numbers are given: the sum over all ways from here.
    pub derivative: Option<f64>,
    tensor: TensorId,
}

/// How one element depends on another that its equation reads.
#[derive(Clone, Debug)]
pub struct Link {
    /// The element that is read, by its position among the stops.
    pub from: usize,
    /// The element that is computed.
    pub to: usize,
    /// The partial derivative.
    pub factor: String,
    /// The same with numbers in place of elements, where they are given.
    pub substituted: Option<String>,
    /// Its value, where numbers are given.
    pub value: Option<f64>,
    /// The number of the equation that it is taken of.
    pub equation: u32,
    /// Whether the factor needs parentheses in a product.
    is_sum: bool,
}

/// The derivative of the loss by one element.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The name of the network.
    pub network: String,
    /// Everything between the element and the loss, each after what it depends on; the first is the element, the last the loss.
    /// Only the element where the loss does not depend on it.
    pub stops: Vec<Stop>,
    /// How they depend on each other.
    pub links: Vec<Link>,
    /// How many ways there are.
    pub path_count: u64,
    /// What the objective adds to the mean of this derivative over a minibatch.
    pub regularizer: Option<String>,
}

/// Explains the derivative by the element that `text` names, such as `dense1.w[1, 1]`; with numbers where they are given.
///
/// # Errors
/// Where there is no such element, nothing is differentiated by it, the ways are too many, or a value is missing.
pub fn explain(derivation: &Derivation, text: &str, given: Option<&Given>) -> Result<Explanation, ExplainError> {
    let element = parse(derivation, text)?;
    let values = given.map(|given| trace(derivation, given, Some(Detail::Elements))).transpose()?;
    let mut search = Search::new(derivation);
    search.visit(&element)?;
    search.finish(&element, values.as_ref())
}

/// The element that a text names.
fn parse(derivation: &Derivation, text: &str) -> Result<Element, ExplainError> {
    let context = &derivation.model.context;
    // Without the bracket at the end there is no place of that name.
    let (name, indices) = match text.trim().split_once('[') {
        Some((name, rest)) => (name.trim(), rest.strip_suffix(']').unwrap_or("?")),
        None => (text.trim(), ""),
    };
    let of = |adjoint: &Adjoint| match context.tensor(adjoint.equation.target).role {
        Role::Adjoint { of } => Some(of),
        _ => None,
    };
    let parameters = derivation.model.parameters.iter().map(|parameter| parameter.tensor);
    let mut known: Vec<TensorId> = Vec::new();
    for tensor in parameters.chain(derivation.backward.iter().filter_map(of)) {
        if !known.contains(&tensor) {
            known.push(tensor);
        }
    }
    let Some(&tensor) = known.iter().find(|&&tensor| context.tensor(tensor).name == name) else {
        let names = known.iter().map(|&tensor| context.tensor(tensor).name.clone()).collect();
        return Err(ExplainError::Unknown { name: name.to_owned(), known: names });
    };
    let shape = &context.tensor(tensor).shape;
    let numbers: Option<Vec<i64>> = if indices.trim().is_empty() {
        Some(Vec::new())
    } else {
        indices.split(',').map(|index| index.trim().parse().ok()).collect()
    };
    let is_inside = |place: &Vec<i64>| {
        place.len() == shape.len() && place.iter().zip(shape).all(|(&at, &extent)| at >= 0 && at < extent as i64)
    };
    match numbers.filter(is_inside) {
        Some(place) => Ok((tensor, place)),
        None => Err(ExplainError::Place { name: name.to_owned(), shape: shape.clone() }),
    }
}

/// What is found from an element on.
struct Search<'a> {
    derivation: &'a Derivation,
    context: Context,
    result: Option<TensorId>,
    /// For each element with how many ways lead from it to the loss, and how it is read.
    found: BTreeMap<Element, (u64, Vec<(Element, ExprId)>)>,
    /// The elements, each before those that read it, in reverse.
    order: Vec<Element>,
    looked_at: usize,
}

impl<'a> Search<'a> {
    fn new(derivation: &'a Derivation) -> Self {
        let model = &derivation.model;
        let result = model.objective.as_ref().map(|objective| objective.value).or(model.loss);
        let context = model.context.clone();
        Self { derivation, context, result, found: BTreeMap::new(), order: Vec::new(), looked_at: 0 }
    }

    /// Finds all ways from an element; the number of them.
    fn visit(&mut self, element: &Element) -> Result<u64, ExplainError> {
        if let Some((paths, _)) = self.found.get(element) {
            return Ok(*paths);
        }
        if Some(element.0) == self.result {
            self.found.insert(element.clone(), (1, Vec::new()));
            self.order.push(element.clone());
            return Ok(1);
        }
        let mut paths = 0_u64;
        let mut readers = Vec::new();
        for (reader, factor) in self.readers(element)? {
            let of_reader = self.visit(&reader)?;
            if of_reader > 0 {
                paths = paths.saturating_add(of_reader);
                readers.push((reader, factor));
            }
        }
        self.found.insert(element.clone(), (paths, readers));
        self.order.push(element.clone());
        if self.order.len() > limits::EXPLAINED_ELEMENTS {
            return Err(ExplainError::TooLarge);
        }
        Ok(paths)
    }

    /// The elements that read one, with their partial derivatives by it.
    fn readers(&mut self, (tensor, place): &Element) -> Result<Vec<(Element, ExprId)>, ExplainError> {
        let context = &self.context;
        let is_of = |adjoint: &&Adjoint| context.tensor(adjoint.equation.target).role == (Role::Adjoint { of: *tensor });
        let Some(adjoint) = self.derivation.backward.iter().find(is_of) else { return Ok(Vec::new()) };
        let at: Vec<(IndexId, i64)> = adjoint.equation.indices.iter().copied().zip(place.iter().copied()).collect();
        let mut readers = Vec::new();
        for factor in &adjoint.record.factors {
            let Node::Partial { of, .. } = *self.context.node(factor.partial) else { continue };
            let Node::Access { tensor: reader, indices: places } = self.context.node(of).clone() else { continue };
            let Some(last) = factor.steps.last() else { continue };
            let mut bound: Vec<IndexId> = places.iter().flat_map(|place| place.terms.iter().map(|term| term.0)).collect();
            bound.retain(|index| !at.iter().any(|(known, _)| known == index));
            bound.dedup();
            for values in self.values_of(&bound) {
                self.looked_at += 1;
                if self.looked_at > limits::EXPLAINED_PLACES {
                    return Err(ExplainError::TooLarge);
                }
                let all: Vec<(IndexId, i64)> = at.iter().copied().chain(bound.iter().copied().zip(values)).collect();
                let place: Vec<i64> = places.iter().map(|place| affine(place, &all)).collect();
                let shape = &self.context.tensor(reader).shape;
                if !place.iter().zip(shape).all(|(&at, &extent)| at >= 0 && at < extent as i64) {
                    continue;
                }
                let renaming: Vec<_> = all.iter().map(|&(index, value)| (index, Affine::constant(value))).collect();
                let factor = self.context.substitute_indices(last.value, &renaming);
                let factor = simplified(&mut self.context, factor);
                if !self.context.is_integer(factor, 0) {
                    readers.push(((reader, place), factor));
                }
            }
        }
        Ok(readers)
    }

    /// All combinations of values of some indices.
    fn values_of(&self, indices: &[IndexId]) -> Vec<Vec<i64>> {
        indices.iter().fold(vec![Vec::new()], |all, &index| {
            let range = self.context.index_of(index);
            let values = range.start..range.end.min(range.start + limits::EXPLAINED_PLACES as i64);
            let extended = |begun: &Vec<i64>| {
                let begun = begun.clone();
                values.clone().map(move |value| [&begun[..], &[value]].concat()).collect::<Vec<_>>()
            };
            all.iter().take(limits::EXPLAINED_PLACES).flat_map(extended).collect()
        })
    }

    fn finish(mut self, element: &Element, values: Option<&Circuit>) -> Result<Explanation, ExplainError> {
        let path_count = self.found.get(element).map_or(0, |found| found.0);
        let mut order: Vec<Element> = std::mem::take(&mut self.order);
        order.reverse();
        // What leads nowhere is no stop.
        order.retain(|stop| stop == element || self.found.get(stop).is_some_and(|found| found.0 > 0));
        let numbers = Numbers::new(values);
        let stops: Vec<Stop> = order.iter().map(|stop| self.stop(stop, &numbers)).collect();
        let mut links = Vec::new();
        for (from, stop) in order.iter().enumerate() {
            let readers = self.found.get(stop).map(|found| found.1.clone()).unwrap_or_default();
            for (reader, factor) in readers {
                let Some(to) = order.iter().position(|other| *other == reader) else { continue };
                links.push(self.link((from, to), reader.0, factor, &numbers));
            }
        }
        let regularizer = self.regularizer(element);
        Ok(Explanation { network: self.derivation.model.name.clone(), stops, links, path_count, regularizer })
    }

    fn stop(&self, element: &Element, numbers: &Numbers) -> Stop {
        let (value, derivative) = numbers.of(element).map_or((None, None), |(value, adjoint)| (Some(value), Some(adjoint)));
        Stop { name: element_name(&self.context, element.0, &element.1), value, derivative, tensor: element.0 }
    }

    fn link(&mut self, (from, to): (usize, usize), reader: TensorId, factor: ExprId, numbers: &Numbers) -> Link {
        let equation = self.derivation.forward.iter().find(|equation| equation.target == reader);
        let is_sum = matches!(self.context.node(factor), Node::Add(_) | Node::If { .. });
        let text = self.context.expression_text(factor);
        let (mut substituted, mut value) = (None, None);
        if numbers.is_known() {
            value = evaluate(&self.context, numbers, &[], factor).ok();
            let number =
                |_: &Context, tensor: TensorId, place: &[i64]| numbers.of(&(tensor, place.to_vec())).map(|found| found.0);
            substituted = Some(with_numbers(&mut self.context, factor, &number)).filter(|substituted| *substituted != text);
        }
        let equation = equation.map_or(0, |equation| equation.number);
        Link { from, to, factor: text, substituted, value, equation, is_sum }
    }

    /// What regularizers add to the gradient by an element.
    fn regularizer(&mut self, (tensor, place): &Element) -> Option<String> {
        let gradient = self.derivation.gradient.iter().find(|gradient| gradient.parameter == *tensor)?;
        let renaming: Vec<_> =
            gradient.equation.indices.iter().copied().zip(place.iter().map(|&at| Affine::constant(at))).collect();
        let value = self.context.substitute_indices(gradient.equation.value, &renaming);
        let zero = self.context.integer(0);
        let means = self.context.tensors_in(value).into_iter();
        let means: Vec<TensorId> =
            means.filter(|&mean| matches!(self.context.tensor(mean).role, Role::BatchMean { .. })).collect();
        let rest = means.into_iter().fold(value, |value, mean| self.context.substitute_tensor(value, mean, &mut |_, _| zero));
        let rest = simplified(&mut self.context, rest);
        (rest != zero).then(|| self.context.expression_text(rest))
    }
}

fn affine(affine: &Affine, values: &[(IndexId, i64)]) -> i64 {
    affine.terms.iter().fold(affine.constant, |sum, &(index, coefficient)| {
        let value = values.iter().find(|(known, _)| *known == index).map_or(0, |known| known.1);
        sum.saturating_add(coefficient.saturating_mul(value))
    })
}

/// The values of all elements of one example, and the derivatives by them.
struct Numbers {
    known: BTreeMap<Element, (f64, f64)>,
}

impl Numbers {
    fn new(circuit: Option<&Circuit>) -> Self {
        let gates = circuit.into_iter().flat_map(|circuit| &circuit.gates);
        let numbers = gates.filter_map(|gate| Some((gate.element()?.clone(), (gate.value, gate.adjoint))));
        Self { known: numbers.collect() }
    }

    fn is_known(&self) -> bool {
        !self.known.is_empty()
    }

    fn of(&self, element: &Element) -> Option<(f64, f64)> {
        self.known.get(element).copied()
    }
}

impl crate::equation::Bindings for Numbers {
    fn element(&self, tensor: TensorId, indices: &[i64]) -> Option<f64> {
        self.of(&(tensor, indices.to_vec())).map(|(value, _)| value)
    }
}
